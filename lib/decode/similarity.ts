/**
 * How much of a generation is what greedy decoding gives?
 *
 * A method that mixes may do nothing more than take the most probable path. Then its tokens are those
 * of greedy decoding:
 *
 * - **common prefix**: tokens until the two part;
 * - **ROUGE-L**: L = length of the longest common subsequence of tokens (in order, gaps allowed),
 *   precision L / own length, recall L / greedy length, and their harmonic mean
 *   `F1 = 2 L / (own + greedy length)`, from 0 to 1.
 *
 * ROUGE-L is Lin's (2004), over token ids in place of words. Two texts about one subject share much of
 * their tokens in any case: compare with the F1 of another method, not with 0.
 *
 * @module
 */

import { anything, checkOptions, type Rules } from "../_check.ts";
import type { Model } from "../model/mod.ts";
import { commonPrefix } from "./engine.ts";
import { generate } from "./generate.ts";
import type { GenerateOptions, Generation, Prompt } from "./generation.ts";
import { standard } from "./methods/standard.ts";

/** Length of the longest common subsequence; a·b steps, memory of the shorter list. */
function longestCommon(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [long, short] = a.length < b.length ? [b, a] : [a, b];
  const best = new Uint32Array(short.length + 1); // of what was read of `long` and the first j
  for (let i = 0; i < long.length; i++) {
    let diagonal = 0;
    for (let j = 0; j < short.length; j++) {
      const above = best[j + 1]!;
      best[j + 1] = long[i] === short[j] ? diagonal + 1 : Math.max(above, best[j]!);
      diagonal = above;
    }
  }
  return best[short.length]!;
}

/** Result of {@linkcode rougeL}. */
export interface RougeL {
  /** Length of the longest common subsequence. */
  readonly common: number;
  /** Its share of the first list. */
  readonly precision: number;
  /** Its share of the second. */
  readonly recall: number;
  /** Their harmonic mean. */
  readonly f1: number;
}

/**
 * ROUGE-L of two lists of tokens; of two empty ones it is 1, of an empty and another 0.
 *
 * @example One of four tokens differs
 * ```ts
 * import { rougeL } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * assertEquals(rougeL([1, 2, 3, 4], [1, 9, 3, 4]).f1, 0.75);
 * ```
 */
export function rougeL(tokens: ArrayLike<number>, reference: ArrayLike<number>): RougeL {
  const common = longestCommon(tokens, reference);
  const share = (length: number) =>
    length > 0 ? common / length : tokens.length === reference.length ? 1 : 0;
  return {
    common,
    precision: share(tokens.length),
    recall: share(reference.length),
    f1: share((tokens.length + reference.length) / 2),
  };
}

/** Options of {@linkcode greedySimilarity}. */
export interface GreedySimilarityOptions
  extends Pick<GenerateOptions, "stop" | "ignoreEos" | "signal"> {
  /**
   * Largest number of tokens of greedy decoding. Default: the generation's own length where that was
   * cut off, else as for `generate`.
   */
  readonly maxNewTokens?: number;
}

/** `generate` says more of them. */
const RULES: Rules<GreedySimilarityOptions> = {
  ...{ maxNewTokens: anything, stop: anything, ignoreEos: anything, signal: anything },
};

/** Result of {@linkcode greedySimilarity}. */
export interface GreedySimilarity extends RougeL {
  /** Tokens until the two part. */
  readonly prefix: number;
  /** Number of tokens of the generation, an end-of-text token included. */
  readonly length: number;
  /** What greedy decoding gives. */
  readonly greedy: Generation;
}

/**
 * Compares a generation with greedy decoding (temperature 0, tokens alone) of the same prompt.
 *
 * @param options Length and end of greedy decoding; give those that the generation was made with.
 * @returns Common prefix and ROUGE-L, greedy decoding as the reference.
 *
 * @example Greedy decoding is like itself
 * ```ts
 * import { generate, greedySimilarity } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const greedy = await generate(model, [1], { temperature: 0, maxNewTokens: 5 });
 * const { prefix, f1 } = await greedySimilarity(model, [1], greedy);
 * assertEquals([prefix, f1], [greedy.tokens.length, 1]);
 * ```
 */
export async function greedySimilarity(
  model: Model,
  prompt: Prompt,
  generation: Pick<Generation, "tokens" | "finishReason">,
  options: GreedySimilarityOptions = {},
): Promise<GreedySimilarity> {
  checkOptions("compare with greedy decoding", options, RULES);
  const { tokens, finishReason } = generation;
  const length = finishReason === "stop" ? {} : { maxNewTokens: Math.max(1, tokens.length) };
  const greedy = await generate(model, prompt, {
    ...length,
    ...options,
    temperature: 0,
    method: standard(),
  });
  if (greedy.finishReason === "aborted") throw new DOMException("Interrupted", "AbortError");
  return {
    prefix: commonPrefix(tokens, greedy.tokens),
    ...rougeL(tokens, greedy.tokens),
    length: tokens.length,
    greedy,
  };
}
