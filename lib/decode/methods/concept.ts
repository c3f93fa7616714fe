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
