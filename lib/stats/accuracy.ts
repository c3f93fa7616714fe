/**
 * How often a method is right, and how sure that is.
 *
 * @module
 */

import { checkOptions, shown } from "../_check.ts";
import { checkInside } from "./_check.ts";
import { studentUpperQuantile } from "./_special.ts";
import { correctOf, type MethodTable, type Outcome, repeatsOf, tabulate } from "./_table.ts";
import { type Interval, wilsonAround } from "./wilson.ts";

/** Options of {@linkcode accuracy}. */
export interface AccuracyOptions {
  /** Key of the method to look at; by default the runs must hold one method only. */
  readonly method?: string;
  /**
   * Confidence level of the interval, between 0 and 1.
   *
   * @default {0.95}
   */
  readonly level?: number;
}

/** An accuracy with its interval. Figures are fractions, not percent. */
export interface Accuracy extends Interval {
  /** Mean over problems of the share of correct runs. */
  readonly mean: number;
  /**
   * Standard error with problems as clusters: standard deviation of the problems' shares over
   * √problems. NaN for one problem, which cannot tell.
   */
  readonly se: number;
  /** Number of runs. */
  readonly n: number;
  /** Number of problems. */
  readonly problems: number;
  /** Runs a problem; the largest number where a study is unfinished (n < problems · repeats). */
  readonly repeats: number;
  /** Runs that ended at the token limit; they count as the task graded them. */
  readonly truncated: number;
}

/**
 * Accuracy of one method, each problem weighing the same.
 *
 * With one run a problem the interval is Wilson's. With repeats, runs of a problem are alike and
 * counting them as independent would make the interval too narrow; so the problems are the
 * clusters: mean ± t · se with problems − 1 degrees of freedom, cut off at 0 and 1. For m repeats
 * of each problem this is the cluster-robust error of Miller (2024), "Adding Error Bars to Evals"
 * (arXiv 2411.00640), with the finite-sample factor G/(G − 1) that the paper leaves out.
 *
 * Two cases where that would mislead: if all problems have the same share (all always right, say)
 * se is 0, and Wilson's interval with one observation a problem is given instead; for one problem
 * with repeats, which says nothing about others, the interval is [0, 1].
 *
 * @example Two repeats of three problems
 * ```ts
 * import { accuracy, type Outcome } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const verdicts = { p1: [true, true], p2: [true, false], p3: [true, false] };
 * const runs = Object.entries(verdicts).flatMap(([problem, correct]) =>
 *   correct.map((correct, repeat): Outcome => ({
 *     study: "demo",
 *     model: "tiny",
 *     task: "sums",
 *     problem,
 *     method: "standard",
 *     parameters: {},
 *     repeat,
 *     tokens: [1, 2, 3],
 *     finishReason: "stop",
 *     grade: { correct, extracted: null },
 *     mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
 *   }))
 * );
 *
 * const { mean, se, n, problems } = accuracy(runs);
 * assertAlmostEquals(mean, 2 / 3);
 * assertAlmostEquals(se, 1 / 6);
 * assertEquals([n, problems], [6, 3]);
 * ```
 *
 * @param runs Runs of one model on one task; none aborted, none twice
 * @param options Method and level
 * @returns Mean, interval, and what they rest on
 * @throws {TypeError} If a run has no verdict, or an option is unknown or of the wrong kind
 * @throws {RangeError} If there are no runs, several methods without `method`, several tasks,
 * models or studies, an aborted or repeated run, or `level` is not between 0 and 1
 */
export function accuracy(runs: readonly Outcome[], options: AccuracyOptions = {}): Accuracy {
  const verb = "compute accuracy";
  checkOptions(verb, options, ["method", "level"]);
  const { method, level = 0.95 } = options;
  checkInside(verb, "level", level);
  const chosen = method === undefined ? runs : runs.filter((run) => run.method === method);
  if (chosen.length === 0 && runs.length > 0) {
    const present = [...new Set(runs.map((run) => run.method))];
    throw new RangeError(
      `Cannot ${verb} as 'method' must be one of ${shown(present)}: current value is ${
        shown(method)
      }`,
    );
  }
  const [table, ...others] = tabulate(verb, chosen).values();
  if (others.length > 0) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must hold one method, or 'method' name one: current value is ${
        shown([table!, ...others].map((t) => t.method))
      }`,
    );
  }
  return accuracyOf(table!, level);
}

/** {@linkcode accuracy} of runs already sorted. */
export function accuracyOf(table: MethodTable, level: number): Accuracy {
  const problems = table.problems.size;
  const repeats = repeatsOf(table);
  const shares = Array.from(table.problems.values(), (r) => correctOf(r) / r.size); // [P]
  // One division at the end where it can be: k/n exactly, and no spread from rounding.
  const correct = table.problems.values().reduce((sum, r) => sum + correctOf(r), 0);
  const finished = table.runs === problems * repeats;
  const mean = finished ? correct / table.runs : shares.reduce((a, b) => a + b) / problems;
  const alike = shares.every((share) => share === shares[0]);
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  const se = problems === 1 ? NaN : alike ? 0 : Math.sqrt(squares / (problems - 1) / problems);

  let interval: Interval;
  if (repeats === 1 || (alike && problems > 1)) interval = wilsonAround(mean, problems, level);
  else if (problems === 1) interval = { low: 0, high: 1 };
  else {
    const half = studentUpperQuantile((1 - level) / 2, problems - 1) * se;
    interval = { low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
  }
  return { mean, ...interval, se, n: table.runs, problems, repeats, truncated: table.truncated };
}
