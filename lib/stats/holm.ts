/** Several comparisons, one error rate. @module */

import { checkNumber } from "../_check.ts";

/**
 * Holm's step-down adjustment. Rejecting every test whose adjusted p is at most α keeps the chance
 * of even one false rejection at α or below, whatever the dependence between the tests. With the p
 * values sorted upward as p₍₁₎ … p₍ₘ₎,
 *
 *     adjusted p₍ᵢ₎ = min(1, max over j ≤ i of (m − j + 1) p₍ⱼ₎).
 *
 * Source: Holm (1979), Scand. J. Statist. 6, 65–70.
 *
 * @example Three comparisons
 * ```ts
 * import { holm } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * assertEquals(holm([0.03, 0.01, 0.5]), [0.06, 0.03, 0.5]);
 * ```
 *
 * @returns The adjusted p values, in the order of the input; empty for none
 * @throws {RangeError} If a value is outside [0, 1]
 */
export function holm(p: readonly number[]): number[] {
  p.forEach((value, i) => checkNumber("adjust p values", `p[${i}]`, value, { min: 0, max: 1 }));
  const upward = p.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const adjusted = new Array<number>(p.length);
  let largest = 0;
  for (const [rank, { value, index }] of upward.entries()) {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * value));
    adjusted[index] = largest;
  }
  return adjusted;
}
