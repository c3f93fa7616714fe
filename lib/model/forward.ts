/**
 * Logits at every position of a sequence of tokens and mixtures.
 *
 * @module
 */

import { checkNumber } from "../_check.ts";
import type { Input } from "./mixture.ts";
import type { Model } from "./model.ts";

/**
 * Feeds a sequence to a model.
 *
 * @param inputs Token ids or mixtures, one a position; at least one, at most `model.maxLength`.
 * @returns Next-token logits `[V]` after every input, raw (no temperature).
 * @throws {RangeError} Where the sequence is empty or too long, or an input is not valid.
 *
 * @example A one-entry mixture is the token itself
 * ```ts
 * import { forward, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const [, a] = await forward(model, [1, 26]);
 * const [, b] = await forward(model, [1, { ids: [26], weights: [1] }]);
 * assertEquals(a, b);
 * ```
 */
export async function forward(model: Model, inputs: readonly Input[]): Promise<Float32Array[]> {
  checkNumber("run the model", "inputs.length", inputs.length, { min: 1, max: model.maxLength });
  const { vocabularySize } = model.config;
  using cache = model.openCache({ slots: 1, length: inputs.length });
  const logits = await cache.prefill(0, 0, inputs, "all");
  return inputs.map((_, i) => logits.subarray(i * vocabularySize, (i + 1) * vocabularySize));
}
