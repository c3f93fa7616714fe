/** Interval of a difference of two paired proportions. @module */

import { checkNumber } from "../_check.ts";
import { inside } from "./_check.ts";
import { normalUpperQuantile } from "./_special.ts";
import type { Interval } from "./wilson.ts";

/**
 * Score statistic of the hypothesis that the true difference is δ, with the probability of "lost"
 * at its restricted maximum-likelihood estimate q:
 *
 *     T(δ) = (won − lost − nδ) / √(n (2q + δ(1 − δ)))
 */
function scoreStatistic(won: number, lost: number, n: number, delta: number): number {
  const a = 2 * n;
  const b = -won - lost + (2 * n - won + lost) * delta;
  const c = -lost * delta * (1 - delta);
  const q = Math.max(0, (Math.sqrt(Math.max(0, b * b - 4 * a * c)) - b) / (2 * a));
  const variance = n * (2 * q + delta * (1 - delta));
  const numerator = won - lost - n * delta;
  return variance > 0 ? numerator / Math.sqrt(variance) : Math.sign(numerator) * Infinity;
}

/** Where a decreasing function crosses zero. */
function root(f: (x: number) => number, low: number, high: number): number {
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Tango's score interval of (won − lost) / n: the differences δ that a score test does not reject.
 * Unlike an interval from resampling, it does not shrink to a point where no pair differs: 0 of 500
 * says that the difference is small, not that it is nil.
 *
 * Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for
 * the paired-sample design", Statistics in Medicine 17 (1998) 891–908.
 *
 * @example No pair of 500 differs
 * ```ts
 * import { pairedScore } from "@moi/moi/stats";
 * import { assertAlmostEquals } from "@std/assert";
 * const { low, high } = pairedScore(0, 0, 500);
 * assertAlmostEquals(high, 0.0076, 1e-4); // z² / (n + z²)
 * assertAlmostEquals(low, -high);
 * ```
 *
 * @param won Pairs that only the method solves
 * @param lost Pairs that only the baseline solves
 * @param n All pairs
 * @param level Confidence level, between 0 and 1; default 0.95
 * @throws {RangeError} If a count is no integer from 0, or won + lost exceeds n
 */
export function pairedScore(won: number, lost: number, n: number, level = 0.95): Interval {
  const verb = "compute a paired interval";
  checkNumber(verb, "n", n, { min: 1, integer: true });
  checkNumber(verb, "won", won, { min: 0, max: n, integer: true });
  checkNumber(verb, "lost", lost, { min: 0, max: n - won, integer: true });
  inside(verb, "level", level);
  return scoreInterval(won, lost, n, level);
}

/** {@linkcode pairedScore} without its checks, for any counts: those of repeats divided by a design effect. */
export function scoreInterval(won: number, lost: number, n: number, level: number): Interval {
  const z = normalUpperQuantile((1 - level) / 2);
  const gain = (won - lost) / n;
  const T = (delta: number) => scoreStatistic(won, lost, n, delta);
  return {
    low: root((delta) => T(delta) - z, -1, gain),
    high: root((delta) => T(delta) + z, gain, 1),
  };
}
