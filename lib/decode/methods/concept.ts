/**
 * Concept tokens: mixtures of which the heaviest token is recorded.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import type { MethodStep } from "../method.ts";
import { argmax } from "../softmax.ts";

/**
 * A mixture and its heaviest token, the lowest id among equals.
 *
 * @param ids Token ids, ascending.
 * @param weights Their weights, summing to 1.
 */
export function concept(
  ids: readonly number[],
  weights: readonly number[],
): Required<Pick<MethodStep<unknown>, "input" | "token">> {
  const token = ids[argmax(weights)]!;
  return { input: ids.length === 1 ? oneToken(token) : { ids, weights }, token };
}

/** `softmax(scores)`; −∞ gives weight 0, and at least one score is finite. */
export function normalizedExp(scores: readonly number[], temperature = 1): number[] {
  const best = scores.reduce((a, b) => a > b ? a : b);
  const weights = scores.map((score) => Math.exp((score - best) / temperature));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}
