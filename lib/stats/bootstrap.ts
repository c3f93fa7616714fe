/** An interval for a mean paired difference, without assuming its distribution. @module */

import { checkOptions, type Rules } from "../_check.ts";
import { checkDifferences, DRAW_RULES, type DrawOptions, inside } from "./_check.ts";
import { below, uint32s } from "./_random.ts";
import type { Interval } from "./wilson.ts";

/** Options of {@linkcode pairedBootstrap}. */
export interface PairedBootstrapOptions extends DrawOptions {
  /** Confidence level, between 0 and 1. Default: 0.95. */
  readonly level?: number;
}

const RULES: Rules<PairedBootstrapOptions> = { level: inside, ...DRAW_RULES };

/**
 * Percentile bootstrap interval of the mean difference. Problems are drawn with replacement, each
 * with its difference and so with all its repeats (the cluster bootstrap); the interval runs
 * between the (1 − level)/2 and (1 + level)/2 quantiles of the resampled means, linearly
 * interpolated; at 10,000 resamples the ends move by about 1 % of its width. Source: Efron & Tibshirani
 * (1993), An Introduction to the Bootstrap, ch. 13.
 *
 * Measured coverage of the 95 % interval, problems drawn from a population (logit of the baseline's
 * chance N(0, 2²), shift of the method N(0.4, 0.7²), true gain 0.0583), 10 000 simulated studies
 * (data from one stream seeded 20250101, study s bootstrapped 2000 times with seed s), so ±0.5
 * points:
 *
 * | problems | 1 repeat | 4 repeats |
 * | -------: | -------: | --------: |
 * |      100 |   93.7 % |    94.7 % |
 * |       30 |   93.0 % |    93.2 % |
 *
 * So it is slightly too narrow in small studies, as percentile intervals are. It speaks of problems
 * like these; a fixed benchmark seen as the whole population would have a narrower one. If all
 * differences are equal it has no width.
 *
 * @example Twelve problems won, four lost, of a hundred
 * ```ts
 * import { pairedBootstrap } from "@moi/moi/stats";
 * import { assertAlmostEquals } from "@std/assert";
 * const differences = Array.from({ length: 100 }, (_, i) => i < 12 ? 1 : i < 16 ? -1 : 0);
 * const { low, high } = pairedBootstrap(differences);
 * assertAlmostEquals(low, 0, 0.015);
 * assertAlmostEquals(high, 0.16, 0.015);
 * ```
 *
 * @param differences One number a problem: the method's share of correct runs less the baseline's
 * @throws {RangeError} If there are no differences, or one is not finite
 */
export function pairedBootstrap(
  differences: ArrayLike<number>,
  options: PairedBootstrapOptions = {},
): Interval {
  const verb = "bootstrap";
  checkOptions(verb, options, RULES);
  const { level = 0.95, resamples = 10_000, seed = 1 } = options;
  return bootstrapIntervals([checkDifferences(verb, differences)], level, resamples, seed)[0]!;
}

/**
 * The interval of each column (one a method, one number a problem). All columns share the same
 * resamples: drawing is the slow part, and each interval alone is as if drawn for itself.
 */
export function bootstrapIntervals(
  columns: readonly Float64Array[], // M × [P]
  level: number,
  resamples: number,
  seed: number,
): Interval[] {
  const means = columns.map(() => new Float64Array(resamples)); // M × [R]
  const problems = columns[0]?.length ?? 0;
  const counts = new Float64Array(problems); // [P], how often a problem was drawn
  const next = uint32s(seed);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (let i = 0; i < problems; i++) counts[below(problems, next)]! += 1;
    for (let m = 0; m < columns.length; m++) means[m]![r] = dot(counts, columns[m]!) / problems;
  }
  return means.map((column) => {
    column.sort();
    return { low: quantile(column, (1 - level) / 2), high: quantile(column, (1 + level) / 2) };
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Quantile of a sorted array, linear between neighbours (type 7 of Hyndman & Fan 1996). */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const left = Math.floor(at);
  const low = sorted[left]!;
  const high = sorted[Math.min(left + 1, sorted.length - 1)]!;
  return low + (at - left) * (high - low);
}
