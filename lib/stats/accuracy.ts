/** How often a method is right, and how sure that is. @module */

import { checkOptions, type Rules, text } from "../_check.ts";
import { inside } from "./_check.ts";
import { designEffect, mean as meanOf, variance } from "./_moments.ts";
import { type Group, groupOfMethod, type Outcome } from "./_groups.ts";
import { type Interval, wilsonAround } from "./wilson.ts";

/** Options of {@linkcode accuracy}. */
export interface AccuracyOptions {
  /** Key of the method to look at; by default the runs must hold one method only. */
  readonly method?: string;
  /** Confidence level of the interval, between 0 and 1. Default: 0.95. */
  readonly level?: number;
}

const RULES: Rules<AccuracyOptions> = { method: text, level: inside };

/** An accuracy with its interval. Figures are fractions, not percent. */
export interface Accuracy extends Interval {
  /** Mean over problems of the share of correct runs. */
  readonly mean: number;
  /**
   * Standard error with problems as clusters: standard deviation of the problems' shares over
   * √problems. NaN for one problem, which cannot tell.
   */
  readonly se: number;
  /** Number of runs that were judged. */
  readonly n: number;
  /** Number of problems with such a run. */
  readonly problems: number;
  /** Runs a problem; the largest number where problems differ (n < problems · repeats). */
  readonly repeats: number;
  /** Runs that ended at the token limit; they count as the task graded them. */
  readonly truncated: number;
  /** Runs that nothing can judge: left out of all other figures. */
  readonly ungradable: number;
}

/**
 * Accuracy of one method, each problem weighing the same.
 *
 * The interval is Wilson's score interval. Runs of one problem are alike, so with repeats it is that of
 * n·k/d runs in place of n·k (n problems, k repeats), with the design effect
 *
 *     d = (s² / n) / (p(1 − p) / (n·k)),   clipped to 1 … k,
 *
 * s² the variance of the problems' shares: d is 1 where repeats are as good as new problems, k where they
 * tell nothing new, all problems have the same share, or there is one only. It covers in 92 % or more of
 * simulated studies of 20 problems, and in 93.2 % or more of 50 (`scripts/coverage.md`); intervals from a
 * normal or bootstrapped mean are too narrow near 0 and 1, where most problems have the same share.
 *
 * `se` is the cluster-robust error of Miller (2024), "Adding Error Bars to Evals" (arXiv 2411.00640), with
 * the finite-sample factor G/(G − 1) that the paper leaves out.
 *
 * @example Two repeats of three problems
 * ```ts
 * import { accuracy, type Outcome } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const run = (problem: string, repeat: number, correct: boolean) =>
 *   ({ problem, repeat, method: "m", parameters: {}, grade: { correct } }) as unknown as Outcome;
 * const runs = [[true, true], [true, false], [true, false]].flatMap((verdicts, i) =>
 *   verdicts.map((correct, repeat) => run(`p${i}`, repeat, correct))
 * );
 * const { mean, se, n, problems } = accuracy(runs);
 * assertAlmostEquals(mean, 2 / 3);
 * assertAlmostEquals(se, 1 / 6);
 * assertEquals([n, problems], [6, 3]);
 * ```
 *
 * @param runs Runs of one model on one task; none aborted, none twice
 * @throws {TypeError} If a run has no verdict
 * @throws {RangeError} If there are no runs, several methods without `method`, several tasks,
 * models or studies, an aborted or repeated run, or none that can be judged
 */
export function accuracy(runs: readonly Outcome[], options: AccuracyOptions = {}): Accuracy {
  const verb = "compute accuracy";
  checkOptions(verb, options, RULES);
  const { method, level = 0.95 } = options;
  return accuracyOf(groupOfMethod(verb, runs, method), level);
}

/** {@linkcode accuracy} of runs already sorted. */
export function accuracyOf(group: Group, level: number): Accuracy {
  const { n, right, repeats, truncated, ungradable } = group, problems = group.problems.size;
  const shares = Array.from(
    group.problems.values(), // [P]
    (own) => own.values().reduce((sum, one) => sum + Number(one), 0) / own.size,
  );
  // One division at the end where it can be: k/n exactly, and no spread from rounding.
  const isWhole = n === problems * repeats;
  const mean = isWhole ? right / n : meanOf(shares);
  const alike = shares.every((share) => share === shares[0]);
  const se = problems > 1 && alike ? 0 : Math.sqrt(variance(shares, mean) / problems);
  const effective = n / designEffect(shares, mean * (1 - mean), n / problems);
  const interval = wilsonAround(mean, effective, level);
  return { mean, ...interval, se, n, problems, repeats, truncated, ungradable };
}
