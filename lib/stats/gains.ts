/**
 * Every method against one baseline, problem by problem.
 *
 * @module
 */

import { checkOptions, shown } from "../_check.ts";
import { checkDraws, checkInside } from "./_check.ts";
import { correctOf, type MethodTable, type Outcome, repeatsOf, tabulate } from "./_table.ts";
import { accuracyOf } from "./accuracy.ts";
import { bootstrapIntervals } from "./bootstrap.ts";
import { holm } from "./holm.ts";
import { mcnemarExact } from "./mcnemar.ts";
import { pairedScore } from "./paired_score.ts";
import { signFlipTest } from "./sign_flip.ts";

const VERB = "compare methods";

/** Options of {@linkcode gains}. */
export interface GainsOptions {
  /** Key of the method that the others are compared with. */
  readonly baseline: string;
  /**
   * Confidence level of all intervals, between 0 and 1.
   *
   * @default {0.95}
   */
  readonly level?: number;
  /**
   * Number of resamples of the bootstrap and of the sign-flip test.
   *
   * @default {10000}
   */
  readonly resamples?: number;
  /**
   * Seed of both, an integer from 0 to 2^32 − 1.
   *
   * @default {1}
   */
  readonly seed?: number;
}

/** One method against the baseline. Accuracies and gains are fractions, not percent. */
export interface GainRow {
  /** The method's key in the study. */
  readonly method: string;
  /** The method's own name and knobs, as stored with its runs. */
  readonly parameters: Outcome["parameters"];
  /** Number of problems, the same in all rows. */
  readonly problems: number;
  /** Runs a problem (the largest number, should problems differ). */
  readonly repeats: number;
  /** Number of runs. */
  readonly n: number;
  /** Mean over problems of the share of correct runs. */
  readonly accuracy: number;
  /** Lower end of the accuracy's interval, as {@linkcode accuracy} gives it. */
  readonly accuracyLow: number;
  /** Upper end of the accuracy's interval. */
  readonly accuracyHigh: number;
  /** Accuracy less the baseline's: mean over problems of the paired difference. */
  readonly gain: number;
  /**
   * Lower end of the gain's interval: {@linkcode pairedScore} for one run a problem, else
   * {@linkcode pairedBootstrap} over problems.
   */
  readonly low: number;
  /** Upper end of the gain's interval. */
  readonly high: number;
  /** Two-sided p value of no gain, for this row alone; 1 in the baseline's row. */
  readonly p: number;
  /** The p value after {@linkcode holm} over all rows but the baseline's. */
  readonly adjustedP: number;
  /** The test that gave p: exact McNemar for one run a problem, else sign flips over problems. */
  readonly pValueOf: "mcnemar" | "sign-flip";
  /** (Problem, repeat) pairs that the method solves and the baseline does not. */
  readonly won: number;
  /** (Problem, repeat) pairs that the baseline solves and the method does not. */
  readonly lost: number;
  /** Generated tokens a run, on average. */
  readonly meanTokens: number;
  /** `meanTokens` over the baseline's; NaN if the baseline generated none. */
  readonly tokensRatio: number;
  /**
   * Wall time of a run in seconds, on average: that of its batch, whose runs share it. NaN where runs do
   * not tell.
   */
  readonly meanSeconds: number;
  /** Runs that ended at the token limit; they count as the task graded them. */
  readonly truncated: number;
  /** Evidence that mixing happened: means over runs of what each run recorded. */
  readonly mixing: {
    /** Entropy of the distribution sampled from, divided by ln V. */
    readonly meanEntropy: number;
    /** The mixture's weight on other tokens than the sampled one; about 0 means no mixing. */
    readonly meanOffSampleMass: number;
  };
}

/**
 * Compares every method with a baseline on the same problems. For problem i,
 *
 *     dᵢ = share of the method's runs that are correct − share of the baseline's,
 *
 * and the gain is the mean of dᵢ. For one run a problem its interval is {@linkcode pairedScore} and its
 * p value {@linkcode mcnemarExact}; for several, the interval resamples problems
 * ({@linkcode pairedBootstrap}) and the p value flips signs over problems ({@linkcode signFlipTest}),
 * since repeats of one problem are not independent. p and interval rest on different arguments and
 * may disagree at the margin. With repeats, if no problem tells the methods apart, the interval is
 * [0, 0] and p is 1.
 *
 * All methods must have the same problems and repeats: a method that was stopped halfway is
 * refused, not compared on what it happens to have.
 *
 * @example One method against standard decoding
 * ```ts
 * import { gains, type Outcome } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const run = (method: string, i: number, correct: boolean): Outcome => ({
 *   study: "demo",
 *   model: "tiny",
 *   task: "sums",
 *   problem: `p${i}`,
 *   method,
 *   parameters: { name: method },
 *   repeat: 0,
 *   tokens: [1, 2, 3],
 *   finishReason: "stop",
 *   grade: { correct, extracted: null },
 *   mixing: { meanEntropy: 0.1, meanOffSampleMass: method === "moi" ? 0.2 : 0 },
 * });
 * const runs = Array.from({ length: 40 }, (_, i) => [
 *   run("standard", i, i >= 20),
 *   run("moi", i, i >= 12 && i !== 30),
 * ]).flat();
 *
 * const [standard, moi] = gains(runs, { baseline: "standard" });
 * assertEquals(standard?.gain, 0);
 * assertAlmostEquals(moi!.gain, 7 / 40);
 * assertEquals([moi?.won, moi?.lost, moi?.p], [8, 1, 0.0390625]);
 * ```
 *
 * @param runs Runs of one study: one model, one task; none aborted, none twice
 * @param options Baseline, and how to draw
 * @returns The baseline's row, then the other methods in the order of their first run
 * @throws {TypeError} If a run has no verdict, or an option is unknown or of the wrong kind
 * @throws {RangeError} If there are no runs, several tasks, models or studies, an aborted or
 * repeated run, no such baseline, a method without the baseline's problems and repeats (or with
 * more), or an option is out of bounds
 */
export function gains(runs: readonly Outcome[], options: GainsOptions): GainRow[] {
  checkOptions(VERB, options, ["baseline", "level", "resamples", "seed"]);
  const { baseline, level = 0.95, resamples = 10_000, seed = 1 } = options;
  checkInside(VERB, "level", level);
  checkDraws(VERB, resamples, seed);
  const tables = tabulate(VERB, runs);
  const base = tables.get(baseline);
  if (!base) {
    throw new RangeError(
      `Cannot ${VERB} as 'baseline' must be one of ${shown([...tables.keys()])}: ` +
        `current value is ${shown(baseline)}`,
    );
  }
  const others = [...tables.values()].filter((table) => table !== base);
  for (const table of others) checkPairs(table, base);

  const pairs = others.map((table) => pair(table, base));
  const pValueOf = repeatsOf(base) === 1 ? "mcnemar" : "sign-flip";
  const intervals = pValueOf === "mcnemar"
    ? pairs.map(({ won, lost, differences: { length } }) => pairedScore(won, lost, length, level))
    : bootstrapIntervals(pairs.map((p) => p.differences), level, resamples, seed);
  const p = pairs.map(({ won, lost, differences }) =>
    pValueOf === "mcnemar"
      ? mcnemarExact(won, lost)
      : signFlipTest(differences, { resamples, seed })
  );
  const adjusted = holm(p);

  const nothing = { gain: 0, low: 0, high: 0, p: 1, adjustedP: 1, won: 0, lost: 0 };
  return [
    { ...describe(base, base, level), ...nothing, pValueOf },
    ...others.map((table, i): GainRow => ({
      ...describe(table, base, level),
      gain: pairs[i]!.gain,
      ...intervals[i]!,
      p: p[i]!,
      adjustedP: adjusted[i]!,
      pValueOf,
      won: pairs[i]!.won,
      lost: pairs[i]!.lost,
    })),
  ];
}

/** What a row says of a method by itself. */
function describe(table: MethodTable, base: MethodTable, level: number) {
  const { mean, low, high, n, problems, repeats, truncated } = accuracyOf(table, level);
  const meanTokens = table.tokens / n;
  return {
    method: table.method,
    parameters: table.parameters,
    problems,
    repeats,
    n,
    accuracy: mean,
    accuracyLow: low,
    accuracyHigh: high,
    meanTokens,
    tokensRatio: base.tokens === 0 ? NaN : meanTokens / (base.tokens / base.runs),
    meanSeconds: table.seconds / n,
    truncated,
    mixing: {
      meanEntropy: table.entropy / n,
      meanOffSampleMass: table.offSampleMass / n,
    },
  };
}

/** What a method gains and loses against the baseline, problem by problem. */
function pair(table: MethodTable, base: MethodTable) {
  const differences = new Float64Array(base.problems.size); // [P]
  let won = 0;
  let lost = 0;
  let i = 0;
  for (const [problem, theirs] of base.problems) {
    const ours = table.problems.get(problem)!;
    differences[i++] = (correctOf(ours) - correctOf(theirs)) / theirs.size;
    for (const [repeat, solved] of theirs) {
      if (ours.get(repeat) !== solved) solved ? lost++ : won++;
    }
  }
  return { differences, won, lost, gain: differences.reduce((a, b) => a + b, 0) / i };
}

function checkPairs(table: MethodTable, base: MethodTable): void {
  const missing = absent(base, table);
  const extra = absent(table, base);
  if (missing.runs === 0 && extra.runs === 0) return;
  const counts = ({ problems, runs }: { problems: number; runs: number }) =>
    `${problems} problem${problems === 1 ? "" : "s"} and ${runs} run${runs === 1 ? "" : "s"}`;
  throw new RangeError(
    `Cannot ${VERB} as 'runs' must hold the same problems and repeats for every method: ` +
      `current value has ${shown(table.method)} without ${counts(missing)} that the baseline ` +
      `${shown(base.method)} has, and with ${counts(extra)} that it has not. ` +
      `Finish the study first, or filter the runs to the problems both have`,
  );
}

/** Problems (wholly) and runs that `full` has and `table` has not. */
function absent(full: MethodTable, table: MethodTable): { problems: number; runs: number } {
  let problems = 0;
  let runs = 0;
  for (const [problem, repeats] of full.problems) {
    const found = table.problems.get(problem);
    if (!found) problems += 1;
    for (const repeat of repeats.keys()) runs += Number(!found?.has(repeat));
  }
  return { problems, runs };
}
