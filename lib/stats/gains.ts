/**
 * Every method against one baseline, problem by problem.
 *
 * @module
 */

import { checkOptions, refusal, shown } from "../_check.ts";
import {
  finishedProblems,
  partialOf,
  type PartialStudy,
  plannedOf,
  type Run,
  withPlanned,
} from "../study/mod.ts";
import { checkDraws, checkInside } from "./_check.ts";
import { designEffect } from "./_design.ts";
import { normalTail } from "./_special.ts";
import { correctOf, type MethodTable, type Outcome, tabulate, ungradableOf } from "./_table.ts";
import { accuracyOf } from "./accuracy.ts";
import { holm } from "./holm.ts";
import { mcnemarMidP } from "./mcnemar.ts";
import { scoreInterval } from "./paired_score.ts";
import { signFlipTest } from "./sign_flip.ts";

const VERB = "compare methods";

/** Options of {@linkcode gains}. */
export interface GainsOptions {
  /**
   * Key of the method that the others are compared with; of the model, where rows are models.
   *
   * @default {"standard"}
   */
  readonly baseline?: string;
  /**
   * Key of the one comparison that was declared before the study was run: its p value stands for itself,
   * and {@linkcode holm} adjusts the others.
   *
   * @default {what the runs record, where all record the same; else none}
   */
  readonly primary?: string;
  /**
   * What a row is. "model", "dtype" and "device" compare runs of one method from several studies, on the
   * same problems.
   *
   * @default {"method"}
   */
  readonly by?: "method" | "model" | "dtype" | "device";
  /**
   * Confidence level of all intervals, between 0 and 1.
   *
   * @default {0.95}
   */
  readonly level?: number;
  /**
   * Number of random sign patterns, where {@linkcode signFlipTest} cannot count all.
   *
   * @default {10000}
   */
  readonly resamples?: number;
  /**
   * Their seed, an integer from 0 to 2^32 − 1.
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
  /** Whether this is the row that the others are compared with. */
  readonly isBaseline: boolean;
  /** Whether this comparison was declared before the study was run. */
  readonly isPrimary: boolean;
  /** Number of problems with a run that can be judged. */
  readonly problems: number;
  /** Runs a problem (the largest number, should problems differ). */
  readonly repeats: number;
  /** Number of runs that can be judged: right, wrong or cut. */
  readonly n: number;
  /** Mean over problems of the share of correct runs. */
  readonly accuracy: number;
  /** Lower end of the accuracy's interval, as {@linkcode accuracy} gives it. */
  readonly accuracyLow: number;
  /** Upper end of the accuracy's interval. */
  readonly accuracyHigh: number;
  /**
   * Mean over problems of the paired difference: accuracy less the baseline's, on the pairs of which both runs
   * can be judged. (`accuracy` is that of all judged runs, so the two differ where partners are missing.)
   */
  readonly gain: number;
  /**
   * Lower end of the gain's interval: {@linkcode pairedScore}, with counts divided by the design effect
   * where there are repeats. Intervals are pointwise: each covers its own gain at its level, not all gains
   * of a table at once.
   */
  readonly low: number;
  /** Upper end of the gain's interval. */
  readonly high: number;
  /** Two-sided p value of no gain, for this row alone; 1 in the baseline's row. */
  readonly p: number;
  /**
   * The p value after {@linkcode holm} over all rows but the baseline's and the primary comparison's,
   * which stands for itself.
   */
  readonly adjustedP: number;
  /**
   * The test that gave p: mid-p McNemar for one run a problem, mid-p sign flips over problems for several;
   * "score" where folds share their choice (see {@linkcode tuneThenTest}).
   */
  readonly pValueOf: "mcnemar" | "sign-flip" | "score";
  /** (Problem, repeat) pairs that the method solves and the baseline does not. */
  readonly won: number;
  /** (Problem, repeat) pairs that the baseline solves and the method does not. */
  readonly lost: number;
  /** Pairs of which both runs can be judged. */
  readonly pairs: number;
  /** How many pairs tell as much as one of independent ones: from 1 to `repeats`. */
  readonly designEffect: number;
  /** Runs that ended at the token limit without a right answer. */
  readonly cut: number;
  /** Share of judged runs that were not cut. */
  readonly finished: number;
  /** Share of those that are right: `accuracy` is `finished` times this where problems have equal repeats. */
  readonly rightOfFinished: number;
  /** Part of the difference between the two accuracies that comes from more or fewer finished runs. */
  readonly gainOfFinishing: number;
  /** Part that comes from finished runs being right more or less often; the two add up. */
  readonly gainOfRightness: number;
  /** Runs that nothing can judge; they, and their partners, are left out. */
  readonly ungradable: number;
  /** How much of a study that was stopped is there: rows are of the problems that all methods finished. */
  readonly partial?: PartialStudy;
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
 * and the gain δ is the mean of dᵢ. Its interval is Tango's score interval ({@linkcode pairedScore}) of
 * won/d, lost/d and n·k/d, with the design effect of n problems with k repeats,
 *
 *     d = (s² / n) / ((D − δ²) / (n·k)),   clipped to 1 … k,   D = (won + lost) / (n·k),
 *
 * s² the variance of dᵢ: 1 where repeats are as good as new problems, k where they tell nothing new (and
 * where all dᵢ are equal, or there is one problem). Its p value is {@linkcode mcnemarMidP} for one run a
 * problem, and {@linkcode signFlipTest} with mid-p for several. In simulated studies the 95 % interval
 * covers in 93.8 % or more, from 20 to 500 problems with 1 and 4 repeats, and p ≤ 0.05 comes up in at most
 * 5.4 % where methods are alike (`scripts/coverage.md`).
 *
 * Runs that nothing can judge are left out with their partners, and counted. Where runs were cut at the token
 * limit, the difference in accuracy F·R (F finished, R right of finished) is split evenly:
 *
 *     ΔF · (R + R₀) / 2  +  ΔR · (F + F₀) / 2.
 *
 * Of a study that was stopped, as `runStudy` returns it, the problems count that all methods have finished;
 * rows say that they are partial, and there are none where no problem is finished.
 *
 * Otherwise all methods must have the same problems and repeats: a method that was stopped halfway is
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
 * assertEquals([moi?.won, moi?.lost, moi?.p], [8, 1, (2 + 9) / 2 ** 9]);
 * ```
 *
 * @param runs Runs of one model on one task, of one study each method; none aborted, none twice
 * @param options Baseline, primary comparison, what a row is, level
 * @returns The baseline's row, then the other methods in the order of their first run
 * @throws {TypeError} If a run has no verdict, or an option is unknown or of the wrong kind
 * @throws {RangeError} If there are no runs, several tasks, models or studies, an aborted or
 * repeated run, no such baseline, a method without the baseline's problems and repeats (or with
 * more), or an option is out of bounds
 */
export function gains(runs: readonly Outcome[], options: GainsOptions = {}): GainRow[] {
  const partial = partialOf(runs);
  if (partial === undefined) return gainsOf(runs, options, 1);
  const finished = finishedProblems(runs as readonly Run[]);
  if (finished.length === 0) return withPlanned([], plannedOf(runs)!);
  return gainsOf(finished, options, 1).map((row) => ({ ...row, partial }));
}

/**
 * {@linkcode gains} where pairs tell less than independent ones by a factor that the data do not show: 1 in
 * general.
 */
export function gainsOf(
  runs: readonly Outcome[],
  options: GainsOptions,
  inflation: number,
): GainRow[] {
  checkOptions(VERB, options, ["baseline", "primary", "by", "level", "resamples", "seed"]);
  const { baseline = "standard", by = "method", level = 0.95, resamples = 10_000, seed = 1 } =
    options;
  if (!["method", "model", "dtype", "device"].includes(by)) {
    throw new RangeError(refusal(VERB, "by", "be method, model, dtype or device", by));
  }
  checkInside(VERB, "level", level);
  checkDraws(VERB, resamples, seed);
  const tables = tabulate(VERB, runs, { by }), keys = [...tables.keys()];
  const base = tables.get(baseline);
  if (!base) throw new RangeError(refusal(VERB, "baseline", `be one of ${shown(keys)}`, baseline));
  const primary = options.primary ?? declared(runs);
  if (options.primary !== undefined && (!tables.has(options.primary) || primary === baseline)) {
    const known = shown(keys.filter((key) => key !== baseline));
    throw new RangeError(refusal(VERB, "primary", `be one of ${known}`, options.primary));
  }
  const others = [...tables.values()].filter((table) => table !== base);
  for (const table of others) checkPairs(table, base);
  for (const { method, problems } of tables.values()) {
    if (problems.size > 0) continue;
    throw new RangeError(
      `Cannot ${VERB} as every method must have runs that can be judged: ${shown(method)} has none`,
    );
  }

  const found = others.map((table) => {
    const own = pair(table, base), { won, lost, pairs, weighted, differences } = own;
    const divided = own.designEffect * inflation;
    const interval = scoreInterval(
      ...[weighted.won / divided, weighted.lost / divided, pairs / divided] as const,
      level,
    );
    const pValueOf: GainRow["pValueOf"] = inflation !== 1
      ? "score"
      : own.repeats === 1
      ? "mcnemar"
      : "sign-flip";
    const p = pValueOf === "score"
      ? scoreTest(weighted.won / divided, weighted.lost / divided)
      : pValueOf === "mcnemar"
      ? mcnemarMidP(won, lost)
      : signFlipTest(differences, { resamples, seed, midP: true });
    return { table, ...own, ...interval, pValueOf, p };
  });
  const isPrimary = ({ table }: { readonly table: MethodTable }) => table.method === primary;
  const rest = found.filter((row) => !isPrimary(row)), adjusted = holm(rest.map(({ p }) => p));

  const nothing = {
    ...{ gain: 0, low: 0, high: 0, p: 1, adjustedP: 1, pValueOf: "mcnemar" as const },
    ...{ won: 0, lost: 0, designEffect: 1, isBaseline: true, isPrimary: false },
    ...{ gainOfFinishing: 0, gainOfRightness: 0 },
  };
  const own = describe(base, base, level);
  return [
    { ...own, ...nothing, pairs: own.n },
    ...found.map((row): GainRow => {
      const { table, gain, low, high, p, pValueOf, won, lost, pairs, designEffect } = row;
      const described = describe(table, base, level);
      return {
        ...described,
        ...{ isBaseline: false, isPrimary: isPrimary(row) },
        ...{ gain, low, high, p, pValueOf, won, lost, pairs, designEffect },
        adjustedP: isPrimary(row) ? p : adjusted[rest.indexOf(row)]!,
        ...split(described, own),
      };
    }),
  ];
}

/** The comparison that all runs say was declared for them. */
function declared(runs: readonly Outcome[]): string | undefined {
  const [first, ...others] = new Set(runs.map((run) => (run as Partial<Run>).primary));
  return others.length === 0 ? first : undefined;
}

/** Score test of won = lost, for counts that need not be whole. */
function scoreTest(won: number, lost: number): number {
  return won === lost ? 1 : 2 * normalTail(Math.abs(won - lost) / Math.sqrt(won + lost));
}

/** A difference in accuracy as what comes from finishing and what from being right. */
function split(
  own: Pick<GainRow, "finished" | "rightOfFinished">,
  base: Pick<GainRow, "finished" | "rightOfFinished">,
): Pick<GainRow, "gainOfFinishing" | "gainOfRightness"> {
  const [F, R, F0, R0] = [own.finished, own.rightOfFinished, base.finished, base.rightOfFinished];
  return { gainOfFinishing: (F - F0) * (R + R0) / 2, gainOfRightness: (R - R0) * (F + F0) / 2 };
}

/** What a row says of a method by itself. */
function describe(table: MethodTable, base: MethodTable, level: number) {
  const { mean, low, high, n, problems, repeats, truncated } = accuracyOf(table, level);
  const { runs, cut } = table, meanTokens = table.tokens / runs, finished = n - cut;
  const right = table.problems.values().reduce((sum, own) => sum + correctOf(own), 0);
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
    meanSeconds: table.seconds / runs,
    truncated,
    cut,
    finished: finished / n,
    rightOfFinished: finished === 0 ? 0 : right / finished,
    ungradable: ungradableOf(table),
    mixing: {
      meanEntropy: table.entropy / runs,
      meanOffSampleMass: table.offSampleMass / runs,
    },
  };
}

/** What a method gains and loses against the baseline, problem by problem. */
function pair(table: MethodTable, base: MethodTable) {
  const differences: number[] = []; // [P]
  const sums = { won: 0, lost: 0, wonShare: 0, lostShare: 0, pairs: 0, repeats: 0 };
  for (const [problem, theirs] of base.problems) {
    const ours = table.problems.get(problem);
    let won = 0, lost = 0, pairs = 0;
    for (const [repeat, solved] of theirs) {
      const own = ours?.get(repeat);
      if (own === undefined) continue; // its partner cannot be judged
      pairs++;
      if (own !== solved) solved ? lost++ : won++;
    }
    if (pairs === 0) continue;
    differences.push((won - lost) / pairs);
    sums.won += won;
    sums.lost += lost;
    sums.wonShare += won / pairs;
    sums.lostShare += lost / pairs;
    sums.pairs += pairs;
    sums.repeats = Math.max(sums.repeats, pairs);
  }
  const { won, lost, pairs, repeats } = sums, problems = differences.length;
  if (problems === 0) {
    throw new RangeError(
      `Cannot ${VERB} as no problem has a run of ${shown(table.method)} and one of ` +
        `${shown(base.method)} that can be judged`,
    );
  }
  // Counts by which every problem weighs the same, where some have fewer pairs.
  const equal = pairs === problems * repeats;
  const weighted = equal ? { won, lost } : {
    won: sums.wonShare * pairs / problems,
    lost: sums.lostShare * pairs / problems,
  };
  const gain = (weighted.won - weighted.lost) / pairs;
  const variance = (weighted.won + weighted.lost) / pairs - gain ** 2;
  return {
    ...{ differences, won, lost, pairs, repeats, weighted, gain },
    designEffect: designEffect(differences, variance, pairs / problems),
  };
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
  const has = (problem: string, repeat: number) =>
    table.problems.get(problem)?.has(repeat) || table.ungradable.get(problem)?.has(repeat);
  const problems = new Set<string>();
  let runs = 0;
  for (const own of [full.problems, full.ungradable]) {
    for (const [problem, repeats] of own) {
      if (!table.problems.has(problem) && !table.ungradable.has(problem)) problems.add(problem);
      for (const repeat of repeats.keys()) runs += Number(!has(problem, repeat));
    }
  }
  return { problems: problems.size, runs };
}
