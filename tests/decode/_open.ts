/** Distributions of a vocabulary without a model around it. */

import type { Model } from "@moi/moi/model";
import type { Distribution, Sampler, Transform } from "@moi/moi/decode";
import { openDistributions, type WantedRow } from "../../lib/decode/distributions.ts";
import { chainOf } from "../../lib/decode/sampler.ts";
import { nextTokenSource } from "../../lib/model/next_token.ts";

/** What is wanted of a row, its sampler as it is written. */
type Row = Omit<WantedRow, "chain"> & { readonly sampler: Sampler | readonly Transform[] };

/** Distributions of samplers as they are written. */
export interface Opened extends AsyncDisposable {
  of(logits: Float32Array<ArrayBuffer>, rows: readonly Row[]): Promise<Distribution[]>;
}

/**
 * Opens distributions, with the sessions that a model would have.
 *
 * @param vocabularySize Size of the vocabulary, V.
 * @param threads Threads of the sessions.
 * @param size Tokens that there are; the rows beyond are padding.
 */
export function openOf(
  vocabularySize: number,
  threads?: number,
  size = vocabularySize,
): Opened {
  const source = nextTokenSource(vocabularySize, threads);
  const distributions = openDistributions({
    config: { vocabularySize },
    tokenizer: { size },
    ...(vocabularySize > 1024 ? { openNextToken: source.open } : {}),
  } as unknown as Model);
  return {
    async of(logits, rows) {
      const wanted = rows.map(({ sampler, ...row }) => ({ ...row, chain: chainOf(sampler) }));
      return (await distributions.of(logits, wanted)).map((made) => {
        if ("error" in made) throw made.error;
        return made.distribution;
      });
    },
    async [Symbol.asyncDispose]() {
      distributions[Symbol.dispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
