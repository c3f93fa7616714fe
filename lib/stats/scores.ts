/**
 * Grades that are numbers, method by method against a baseline.
 *
 * The unit is the problem, as everywhere here: repeats are averaged within it, differences are paired.
 * The interval is that of Student's t over problems, beside a bootstrap over problems for scores that are
 * far from normal; p flips signs over problems and is adjusted by Holm's rule.
 *
 * @module
 */

import { callable, checkOptions, refusal, type Rules, shown, text } from "../_check.ts";
import type { PartialStudy, Run } from "../study/mod.ts";
import type { Measure } from "../tasks/mod.ts";
import { checkKey, DRAW_RULES, inside } from "./_check.ts";
import { checkPairs, type Group, groupRuns, type Outcome, rowsOf } from "./_groups.ts";
import { mean as meanOf, variance } from "./_moments.ts";
import { studentTest } from "./_special.ts";
import { bootstrapIntervals, type PairedBootstrapOptions } from "./bootstrap.ts";
import { holm } from "./holm.ts";
import { signFlipTest } from "./sign_flip.ts";
import type { Interval } from "./wilson.ts";

/** Options of {@linkcode scoreGains}. */
export interface ScoreGainsOptions<R extends Outcome = Outcome> extends PairedBootstrapOptions {
  /** Key of the method that the others are compared with. Default: "standard". */
  readonly baseline?: string;
  /** The number of a run. Default: `run.grade.score`. */
  readonly of?: (run: R) => number | undefined;
}

const RULES: Rules<ScoreGainsOptions> = {
  ...{ baseline: text, of: callable, level: inside },
  ...DRAW_RULES,
};

/** One method's scores, in their own unit. */
export interface ScoreRow extends Interval {
  /** The method's key. */
  readonly method: string;
  /** Its name and knobs. */
  readonly parameters: Outcome["parameters"];
  /** Number of problems. */
  readonly problems: number;
  /** Number of runs. */
  readonly n: number;
  /** Evidence that mixing happened: means over runs. */
  readonly mixing: { readonly meanEntropy: number; readonly meanOffSampleMass: number };
  /** Mean over problems; `low` and `high` are its t interval. */
  readonly mean: number;
  /** Mean less the baseline's, paired by problem. */
  readonly gain: number;
  /** t interval of the gain. */
  readonly gainInterval: Interval;
  /** Bootstrap interval of the gain, over problems. */
  readonly bootstrap: Interval;
  /** Two-sided p of no gain, by sign flips over problems; 1 in the baseline's row. */
  readonly p: number;
  /** p after Holm's correction over all rows but the baseline's. */
  readonly adjustedP: number;
  /** Problems with a higher mean than the baseline's. */
  readonly higher: number;
  /** Problems with a lower one. */
  readonly lower: number;
  /** What the scores are, where the runs tell: name, unit, direction. */
  readonly measure?: Measure;
  /** How much of a study that was stopped is there; see `gains`. */
  readonly partial?: PartialStudy;
}

/** Mean and t interval of numbers. */
function tInterval(values: readonly number[], level: number): Interval & { readonly mean: number } {
  const n = values.length, mean = meanOf(values);
  if (n < 2) return { mean, low: -Infinity, high: Infinity };
  const { low, high } = studentTest(mean, Math.sqrt(variance(values) / n), n - 1, level);
  return { mean, low, high };
}

/**
 * Compares numeric scores with a baseline, paired by problem.
 *
 * @returns The baseline's row, then the other methods.
 * @throws {TypeError} If a run has no finite score
 * @throws {RangeError} If there are no runs, no such baseline, or methods differ in problems or repeats
 *
 * @example Two of three problems score higher
 * ```ts
 * import { type Outcome, scoreGains } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const run = (method: string, problem: string, score: number) =>
 *   ({ problem, repeat: 0, method, parameters: {}, tokens: [], mixing: {}, grade: { correct: true, score } }) as
 *     unknown as Outcome;
 * const runs = [[1, 2], [2, 4], [3, 2]].flatMap(([a, b], i) => [run("a", `p${i}`, a!), run("b", `p${i}`, b!)]);
 * const [, row] = scoreGains(runs, { baseline: "a" });
 * assertAlmostEquals(row!.gain, 2 / 3);
 * assertEquals([row!.higher, row!.lower], [2, 1]);
 * ```
 */
export function scoreGains<R extends Outcome>(
  runs: readonly R[],
  options: ScoreGainsOptions<R> = {},
): ScoreRow[] {
  return rowsOf(runs, (judged) => scoreRows(judged, options));
}

function scoreRows<R extends Outcome>(
  runs: readonly R[],
  options: ScoreGainsOptions<R>,
): ScoreRow[] {
  const verb = "compare scores";
  checkOptions<ScoreGainsOptions<R>>(verb, options, RULES);
  const { baseline = "standard", of = ({ grade }: R) => grade.score } = options;
  const { level = 0.95, resamples = 10_000, seed = 1 } = options;
  const groups = groupRuns(verb, runs), keys = [...groups.keys()];
  checkKey(verb, "baseline", baseline, keys);
  const scores = new Map([...groups].map(([key, group]) => [key, scoresOf(verb, group, of)]));
  const base = scores.get(baseline)!, others = keys.filter((key) => key !== baseline);
  const differences = others.map((key) => {
    checkPairs(verb, groups.get(key)!, groups.get(baseline)!);
    const own = scores.get(key)!;
    return Float64Array.from(base, ([problem, mean]) => own.get(problem)! - mean);
  });
  const intervals = bootstrapIntervals(differences, level, resamples, seed);
  const p = differences.map((own) => signFlipTest(own, { resamples, seed })), adjusted = holm(p);
  const { measure } = runs[0] as Partial<Run>;
  const rowOf = (key: string) => {
    const { parameters, count, mixing } = groups.get(key)!;
    return {
      ...{ method: key, parameters, problems: base.size, n: count, mixing },
      ...(measure === undefined ? {} : { measure }),
      ...tInterval([...scores.get(key)!.values()], level),
    };
  };
  const none = { low: 0, high: 0 };
  return [
    {
      ...rowOf(baseline),
      ...{ gain: 0, gainInterval: none, bootstrap: none, p: 1, adjustedP: 1, higher: 0, lower: 0 },
    },
    ...others.map((key, i): ScoreRow => {
      const own = differences[i]!, { mean: gain, ...gainInterval } = tInterval([...own], level);
      return {
        ...{ ...rowOf(key), gain, gainInterval, bootstrap: intervals[i]! },
        ...{ p: p[i]!, adjustedP: adjusted[i]! },
        higher: own.filter((value) => value > 0).length,
        lower: own.filter((value) => value < 0).length,
      };
    }),
  ];
}

/** Mean score by problem, problems in order of their ids. */
function scoresOf<R extends Outcome>(
  verb: string,
  { key, runs }: Group<R>,
  of: (run: R) => number | undefined,
): Map<string, number> {
  return new Map([...runs].map(([problem, own]) => {
    const sum = own.values().reduce((total, run) => {
      const score = of(run);
      if (typeof score === "number" && Number.isFinite(score)) return total + score;
      throw new TypeError(
        refusal(verb, "runs", "have a finite score each", score) +
          ` (problem ${shown(problem)}, method ${shown(key)})`,
      );
    }, 0);
    return [problem, sum / own.size];
  }));
}
