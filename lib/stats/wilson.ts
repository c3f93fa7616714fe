/** An interval for a proportion that stays inside [0, 1] and has width even at 0 and 1. @module */

import { checkNumber } from "../_check.ts";
import { inside } from "./_check.ts";
import { normalUpperQuantile } from "./_special.ts";

/** Both ends of an interval. */
export interface Interval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/**
 * Wilson's score interval for `successes` out of `n` independent trials: all proportions π that a
 * two-sided score test at 1 − `level` does not reject,
 *
 *     (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n),   p = successes / n.
 *
 * Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209–212; without continuity correction.
 *
 * @example An interval that never claims certainty
 * ```ts
 * import { wilson } from "@moi/moi/stats";
 * import { assertAlmostEquals } from "@std/assert";
 * const { low, high } = wilson(20, 20);
 * assertAlmostEquals(low, 0.8389, 1e-4);
 * assertAlmostEquals(high, 1);
 * ```
 *
 * @param level Confidence level between 0 and 1; default 0.95
 * @throws {RangeError} If a count is no integer, `n` is 0, or `successes` exceeds it
 */
export function wilson(successes: number, n: number, level: number = 0.95): Interval {
  const verb = "compute a Wilson interval";
  checkNumber(verb, "n", n, { min: 1, integer: true });
  checkNumber(verb, "successes", successes, { min: 0, max: n, integer: true });
  inside(verb, "level", level);
  return wilsonAround(successes / n, n, level);
}

/** {@linkcode wilson} without its checks, for any proportion and any number of trials. */
export function wilsonAround(proportion: number, n: number, level: number): Interval {
  const z = normalUpperQuantile((1 - level) / 2);
  const shrink = 1 / (1 + z * z / n);
  const centre = (proportion + z * z / (2 * n)) * shrink;
  const half = z * shrink * Math.sqrt(proportion * (1 - proportion) / n + (z / (2 * n)) ** 2);
  return {
    low: proportion === 0 ? 0 : Math.max(0, centre - half), // rounding could leave ±10⁻¹⁸
    high: proportion === 1 ? 1 : Math.min(1, centre + half),
  };
}
