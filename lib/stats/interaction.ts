/** Whether what a method does grows with something that was measured beside it. @module */

import { checkNumber, checkOptions, refusal, type Rules } from "../_check.ts";
import { inside } from "./_check.ts";
import { mean } from "./_moments.ts";
import { studentTest } from "./_special.ts";
import type { Interval } from "./wilson.ts";

/** One comparison: a problem answered once by both methods, as a rule. */
export interface InteractionPoint {
  /** What the effect may depend on, such as an entropy before anything was mixed. */
  readonly x: number;
  /** The effect, such as −1, 0 or 1: right with the method less right with the baseline. */
  readonly y: number;
  /** What makes points alike, such as the problem: repeats and models of one problem stay together. */
  readonly cluster: string;
  /** Points with a mean effect of their own, such as a model. Default: all points share one. */
  readonly stratum?: string;
}

/** Options of {@linkcode interaction}. */
export interface InteractionOptions {
  /** Confidence level of the interval, between 0 and 1. Default: 0.95. */
  readonly level?: number;
}

const RULES: Rules<InteractionOptions> = { level: inside };

/** A slope with its interval. */
export interface Interaction extends Interval {
  /** By how much y grows where x grows by 1. */
  readonly slope: number;
  /** Its standard error. */
  readonly se: number;
  /** Two-sided p value of "the slope is 0". */
  readonly p: number;
  /** Number of points. */
  readonly n: number;
  /** Number of clusters. */
  readonly clusters: number;
}

/** Points less the means of their stratum. */
function centred(points: readonly InteractionPoint[]): InteractionPoint[] {
  return [...Map.groupBy(points, ({ stratum }) => stratum).values()].flatMap((own) => {
    const x = mean(own.map((point) => point.x)), y = mean(own.map((point) => point.y));
    return own.map((point) => ({ ...point, x: point.x - x, y: point.y - y }));
  });
}

/**
 * The slope of y on x within strata, by least squares with an intercept for each stratum, and its error with
 * points of a cluster taken as alike in any way,
 *
 *     b = Σ x̃ỹ / Σ x̃²,   se² = c · Σ_g (Σ_i∈g x̃ᵢ(ỹᵢ − b·x̃ᵢ))² / (Σ x̃²)²,
 *     c = G/(G − 1) · (n − 1)/(n − 1 − S),
 *
 * x̃ and ỹ less the means of their stratum, G clusters, S strata; interval and p are Student's with G − 1 degrees of
 * freedom. This is the cluster-robust error of Liang & Zeger (1986), Biometrika 73, 13–22, with the usual
 * correction for few clusters. A cluster may reach across strata.
 *
 * @example Where the model was less certain, the method did better
 * ```ts
 * import { interaction } from "@moi/moi/stats";
 * import { assertAlmostEquals } from "@std/assert";
 * const points = [[0.1, 0], [0.2, 0], [0.3, 0], [0.4, 1], [0.5, 0], [0.6, 1]].map(([x, y], i) =>
 *   ({ x: x!, y: y!, cluster: `problem ${i}` })
 * );
 * const { slope, p } = interaction(points);
 * assertAlmostEquals(slope, 1.714, 1e-3);
 * assertAlmostEquals(p, 0.085, 1e-3);
 * ```
 *
 * @throws {RangeError} Where x does not vary within a stratum, a number is not finite, there are fewer than two
 * clusters, or no more points than strata and the slope need.
 */
export function interaction(
  points: readonly InteractionPoint[],
  options: InteractionOptions = {},
): Interaction {
  const verb = "compute an interaction";
  checkOptions(verb, options, RULES);
  const { level = 0.95 } = options;
  for (const [i, { x, y }] of points.entries()) {
    checkNumber(verb, `points[${i}].x`, x, {});
    checkNumber(verb, `points[${i}].y`, y, {});
  }
  const n = points.length, strata = new Set(points.map(({ stratum }) => stratum)).size;
  const within = centred(points), groups = Map.groupBy(within, ({ cluster }) => cluster);
  const clusters = groups.size, squares = sum(within, ({ x }) => x * x);
  if (clusters < 2 || n < strata + 2) {
    const rule = "hold two clusters, and two points more than strata, at least";
    throw new RangeError(refusal(verb, "points", rule, points));
  }
  if (squares <= 1e-24 * sum(points, ({ x }) => x * x)) {
    throw new RangeError(refusal(verb, "points", "differ in x within a stratum", points));
  }
  const slope = sum(within, ({ x, y }) => x * y) / squares;
  const scores = groups.values().map((own) => sum(own, ({ x, y }) => x * (y - slope * x)));
  const correction = clusters / (clusters - 1) * (n - 1) / (n - 1 - strata);
  const se = Math.sqrt(correction * sum([...scores], (score) => score * score)) / squares;
  return { slope, se, ...studentTest(slope, se, clusters - 1, level), n, clusters };
}

/** A sum over items. */
function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
