/**
 * Concept tokens: mixtures of which the heaviest token is recorded.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import type { MethodStep } from "../method.ts";
import { argmax } from "../softmax.ts";

/** The mixture of ascending ids with weights that sum to 1, and its heaviest token, the lowest among equals. */
export function concept(
  ids: readonly number[],
  weights: readonly number[],
): Required<Pick<MethodStep<unknown>, "input" | "token">> {
  const token = ids[argmax(weights)]!;
  return { input: ids.length === 1 ? oneToken(token) : { ids, weights }, token };
}
