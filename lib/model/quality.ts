/**
 * How far a quantised load is from the exact one.
 *
 * `KL(p ‖ q) = Σ_v p_v (log p_v − log q_v)` in nats, p the reference's next-token distribution and q
 * the model's, at temperature 1, at every position of every prompt.
 *
 * @module
 */

import { forward } from "./forward.ts";
import type { Model } from "./model.ts";

/** Result of {@linkcode quality}. */
export interface Quality {
  /** Mean over positions of KL(reference ‖ model), nats. */
  readonly meanKl: number;
  /** Largest KL at any position, nats. */
  readonly maxKl: number;
  /** Share of positions at which both have the same most probable token. */
  readonly top1Agreement: number;
  /** Number of positions compared. */
  readonly positions: number;
}

/** `log Σ exp(x)` and where the largest entry is. */
function logSumExp(logits: Float32Array): { readonly log: number; readonly top: number } {
  let top = 0, sum = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[top]!) top = i;
  const max = logits[top]!;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - max);
  return { log: max + Math.log(sum), top };
}

/** `KL(p ‖ q)` in nats of two rows of logits: of p, the reference, and of q. */
export function klDivergence(reference: Float32Array, logits: Float32Array): number {
  const { log: logP } = logSumExp(reference), { log: logQ } = logSumExp(logits);
  let kl = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = reference[i]! - logP; // log p
    if (p > -Infinity) kl += Math.exp(p) * (p - (logits[i]! - logQ));
  }
  return Math.max(0, kl); // rounding can leave −1e−17
}

/**
 * Compares a model with a reference, usually the same checkpoint in fp32.
 *
 * @param model The model, such as one loaded with `dtype: "int4"`.
 * @param reference What it should be.
 * @param prompts Token ids of each prompt.
 * @returns Divergence and agreement over all positions.
 * @throws {RangeError} Where there is no prompt, or the vocabularies differ in size.
 *
 * @example int8 weights change little
 * ```ts
 * import { loadModel, quality } from "@moi/moi/model";
 * import { assertLess } from "@std/assert";
 * const cacheDir = await Deno.makeTempDir();
 * await using exact = await loadModel("votes-tiny");
 * await using small = await loadModel("votes-tiny", { dtype: "int8", cacheDir });
 * const { meanKl } = await quality(small, exact, [[1, 26, 3, 7]]);
 * assertLess(meanKl, 0.01);
 * await Deno.remove(cacheDir, { recursive: true });
 * ```
 */
export async function quality(
  model: Model,
  reference: Model,
  prompts: readonly (readonly number[])[],
): Promise<Quality> {
  const size = reference.config.vocabularySize;
  if (model.config.vocabularySize !== size) {
    throw new RangeError(
      `Cannot compare models as both must have ${size} tokens: current value is ${model.config.vocabularySize}`,
    );
  }
  if (prompts.length === 0) {
    throw new RangeError("Cannot compare models as 'prompts' must hold at least one");
  }
  let sum = 0, maxKl = 0, agreed = 0, positions = 0;
  for (const prompt of prompts) {
    const expected = await forward(reference, prompt), found = await forward(model, prompt);
    for (const [i, row] of expected.entries()) {
      const kl = klDivergence(row, found[i]!);
      sum += kl;
      maxKl = Math.max(maxKl, kl);
      if (logSumExp(row).top === logSumExp(found[i]!).top) agreed++;
      positions++;
    }
  }
  return { meanKl: sum / positions, maxKl, top1Agreement: agreed / positions, positions };
}
