/**
 * Rows of logits to distributions, whatever the size of the vocabulary.
 *
 * A small vocabulary is softmaxed here, in float64. With a large one the model finds the most probable
 * tokens and, where a sampler needs it, the softmax over all; where these cannot tell what the sampler
 * keeps, such as a nucleus of 100 tokens, it is asked for more until they can: nothing is ever silently cut
 * off. All of it is a function of the row alone, so that a batch changes nothing.
 *
 * @module
 */

import { hidePadding, type LogitRows, type Model, type NextTokens } from "../model/mod.ts";
import type { Distribution } from "./distribution.ts";
import type { Need } from "./method.ts";
import { distributionBy, distributionFrom, needsSoftmax } from "./sample.ts";
import type { Chain } from "./sampler.ts";
import type { History } from "./transforms.ts";

/** How much longer the next list of the most probable tokens is where one was too short. */
const GROWTH = 16;

/** What is wanted of a row of logits. */
export interface WantedRow {
  /** The sampler, ready to run. */
  readonly chain: Chain;
  /** Index of the token about to be generated. */
  readonly step: number;
  /** What the distribution must carry. */
  readonly needs?: readonly Need[] | undefined;
  /** Tokens before it, for transforms that look at them. Default: none. */
  readonly history?: History;
}

/** What became of a row: its distribution, or what its sampler failed with, which costs no other row anything. */
export type Made = { readonly distribution: Distribution } | { readonly error: unknown };

const NONE: readonly number[] = [];

/** Makes distributions of rows of logits. */
export type Distributions = ReturnType<typeof openDistributions>;

/** The temperatures at which a row needs the softmax over all tokens. */
function temperaturesOf({ chain: { plain }, needs }: WantedRow, size: number): readonly number[] {
  if (!plain) return NONE;
  const { temperature } = plain, isModel = needs?.includes("model") ?? false;
  const isOwn = needsSoftmax(plain, size) ||
    (temperature > 0 && needs !== undefined &&
      (needs.includes("softmax") || (isModel && temperature === 1)));
  if (!isModel || (isOwn && temperature === 1)) return isOwn ? [temperature] : NONE;
  return isOwn ? [temperature, 1] : [1];
}

/**
 * Opens what makes distributions of a model's logits. It may have rows beyond its tokenizer's tokens:
 * padding of its vocabulary, which no text stands for. Their logits become −∞.
 */
export function openDistributions(
  model: Pick<Model, "config" | "tokenizer" | "openNextToken">,
) {
  const { vocabularySize: size } = model.config;
  const tokens = Math.min(size, model.tokenizer.size ?? size);
  const nextToken = model.openNextToken?.(tokens);
  return {
    /**
     * The distributions that samplers make of n rows of raw logits `[n · V]` or more, or of those that an
     * engine left where they are, which are read where a sampler looks at all of them; always the same few arrays,
     * as what is made of each is kept beside it. They are valid until the next call with the same one.
     */
    async of(logits: Float32Array<ArrayBuffer> | LogitRows, rows: readonly WantedRow[]) {
      let all: Float32Array<ArrayBuffer> | undefined;
      const read = () => {
        if (all) return all;
        all = "count" in logits ? logits.all() : logits;
        hidePadding(all, rows.length, size, tokens);
        return all;
      };
      const row = (at: number) => read().subarray(at * size, (at + 1) * size);
      const isAway = "count" in logits;
      if (!isAway) read();
      const found = await nextToken?.of(logits, rows.map((row) => temperaturesOf(row, size)));
      const made = new Array<Made>(rows.length);
      for (const [at, { chain, step, history }] of rows.entries()) {
        const { plain } = chain;
        const from = (found: NextTokens) => {
          if (!isAway) return { size, step, found, logits: row(at) };
          return {
            ...{ size, step, found, isAway },
            get logits() {
              return row(at);
            },
          };
        };
        try {
          let own = found?.[at], one: Distribution | undefined;
          while (plain && own && !(one = distributionFrom(from(own), plain))) {
            const most = plain.ranks.map(({ keep }) => "most" in keep ? keep.most : 0);
            const count = Math.min(size, Math.max(GROWTH * own.top.ids.length, ...most));
            own = { ...own, top: await nextToken!.top(row(at), count) };
          }
          one ??= distributionBy(chain, { size, step, logits: row(at) }, history);
          made[at] = { distribution: one };
        } catch (error) {
          made[at] = { error };
        }
      }
      return made;
    },
    [Symbol.dispose]: () => nextToken?.[Symbol.dispose](),
  };
}
