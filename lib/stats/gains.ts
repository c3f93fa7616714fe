/** Every method against one baseline, problem by problem. @module */

import { checkOptions, type Rules, shown, text } from "../_check.ts";
import type { PartialStudy, Run } from "../study/mod.ts";
import { checkKey, DRAW_RULES, type DrawOptions, inside } from "./_check.ts";
import { designEffect } from "./_moments.ts";
import {
  type By,
  checkPairs,
  compared,
  type Group,
  groupRuns,
  type Outcome,
  rowsOf,
} from "./_groups.ts";
import { normalTail } from "./_special.ts";
import { accuracyOf } from "./accuracy.ts";
import { holm } from "./holm.ts";
import { mcnemarMidP } from "./mcnemar.ts";
import { scoreInterval } from "./paired_score.ts";
import { signFlipTest } from "./sign_flip.ts";

const VERB = "compare methods";

/** Options of {@linkcode gains}. */
export interface GainsOptions<R extends Outcome = Outcome> extends DrawOptions {
  /** Key of the row that the others are compared with. Default: "standard". */
  readonly baseline?: string;
  /**
   * Key of the one comparison that was declared before the study was run: its p value stands for itself,
   * and {@linkcode holm} adjusts the others. Default: what the runs record, where all record the same.
   */
  readonly primary?: string;
  /**
   * What a row is: a setting that runs record (`"model"`, `"dtype"`, `"device"`, `"sampler"`, `"template"`,
   * …), or a function that names the row of a run. Other than methods, runs come from several studies of
   * the same problems: those of a row from one, with one model and method; where a setting is named, model
   * and method are otherwise the same in all. Rows of settings with several entries, such as the sampler's,
   * are named by those in which they differ: `"temperature 0.6"`, `"transforms noEcho topP(0.9)"`. Default: "method".
   */
  readonly by?: By<R>;
  /** Confidence level of all intervals, between 0 and 1. Default: 0.95. */
  readonly level?: number;
}

const RULES: Rules<GainsOptions> = {
  ...{ baseline: text, primary: text, by: compared, level: inside },
  ...DRAW_RULES,
};

/** What a row says at least, for figures and tables. Accuracies and gains are fractions, not percent. */
export interface Gain {
  /** The row's key: that of the method in the study, or of what rows are. */
  readonly method: string;
  /** The method's own name and knobs, as stored with its runs. */
  readonly parameters: Outcome["parameters"];
  /** Number of problems with a run that can be judged. */
  readonly problems: number;
  /** Runs a problem (the largest number, should problems differ). */
  readonly repeats: number;
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
  /** p after {@linkcode holm} over all rows but the baseline's and the primary comparison's. */
  readonly adjustedP: number;
  /** (Problem, repeat) pairs that the method solves and the baseline does not. */
  readonly won: number;
  /** (Problem, repeat) pairs that the baseline solves and the method does not. */
  readonly lost: number;
  /** `meanTokens` over the baseline's; NaN if the baseline generated none. */
  readonly tokensRatio: number;
  /** Evidence that mixing happened: means over runs of what each run recorded. */
  readonly mixing: Run["mixing"];
}

/** One row of {@linkcode gains}: a method against the baseline. */
export interface GainRow extends Gain {
  /** Key of the row that it is compared with. */
  readonly baseline: string;
  /** Whether this is that row. */
  readonly isBaseline: boolean;
  /** Whether this comparison was declared before the study was run. */
  readonly isPrimary: boolean;
  /** Number of runs that can be judged: right, wrong or cut. */
  readonly n: number;
  /**
   * The test that gave p: mid-p McNemar for one run a problem, mid-p sign flips over problems for several;
   * "score" where folds share their choice (see {@linkcode tuneThenTest}).
   */
  readonly pValueOf: "mcnemar" | "sign-flip" | "score";
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
  /** Wall time of a run in seconds, on average: that of its batch, which runs share. NaN where not told. */
  readonly meanSeconds: number;
  /** Runs that ended at the token limit; they count as the task graded them. */
  readonly truncated: number;
}

/**
 * Compares every method with a baseline on the same problems. For problem i,
 *
 *     dᵢ = share of the method's runs that are correct − share of the baseline's,
 *
 * and the gain δ is the mean of dᵢ. Its interval is Tango's score interval ({@linkcode pairedScore}) of
 * won/d, lost/d and n·k/d, with the design effect d of {@linkcode accuracy} for n problems with k repeats, s²
 * the variance of dᵢ and D − δ² in place of p(1 − p), D = (won + lost) / (n·k). Its p value is
 * {@linkcode mcnemarMidP} for one run a problem, and {@linkcode signFlipTest} with mid-p for several, drawing
 * where it cannot count. In simulated studies the 95 % interval covers in 93.8 % or more, from 20 to 500
 * problems with 1 and 4 repeats, and p ≤ 0.05 comes up in at most 5.4 % where methods are alike
 * (`scripts/coverage.md`).
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
 * @example A method against standard decoding, and two models, on the same problems
 * ```ts
 * import { countdown, gains, loadModel, moi, runStudy, standard } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * const methods = { standard: standard(), moi: moi({ beta: 0.25 }) }, runs = [];
 * for (const id of ["countdown-tiny-baseline", "countdown-tiny"]) {
 *   await using model = await loadModel(id);
 *   runs.push(await runStudy({ model, task: countdown({ limit: 10 }), methods }));
 * }
 * const [standardRow, moiRow] = gains(runs[0]!);
 * assertEquals([standardRow!.gain, moiRow!.baseline, moiRow!.pairs], [0, "standard", 10]);
 *
 * const plain = runs.flat().filter(({ method }) => method === "standard");
 * const models = gains(plain, {
 *   by: ({ model }) => model.split("@")[0],
 *   baseline: "countdown-tiny-baseline",
 * });
 * assertEquals(models.map(({ method }) => method), ["countdown-tiny-baseline", "countdown-tiny"]);
 * ```
 *
 * @param runs Runs of one task, none aborted, none twice; of one study, where rows are methods
 * @returns The baseline's row, then the others in the order of the grid: that in which the study planned its
 * methods, or else that of the first runs, in which `runStudy` and `readRuns` keep it; never the alphabet's,
 * nor that in which runs were finished
 * @throws {TypeError} If a run has no verdict
 * @throws {RangeError} If there are no runs, several tasks, models or studies, an aborted or repeated run, no
 * such baseline, or a row with other problems or repeats than it
 */
export function gains<R extends Outcome>(
  runs: readonly R[],
  options: GainsOptions<R> = {},
): GainRow[] {
  return rowsOf(runs, (judged) => gainsOf(judged, options, 1));
}

/** {@linkcode gains} of pairs that tell less than independent ones by a factor that data do not show. */
export function gainsOf<R extends Outcome>(
  runs: readonly R[],
  options: GainsOptions<R>,
  inflation: number,
): GainRow[] {
  checkOptions<GainsOptions<R>>(VERB, options, RULES);
  const { baseline = "standard", by, level = 0.95, resamples = 10_000, seed = 1 } = options;
  const groups = groupRuns(VERB, runs, by), keys = [...groups.keys()];
  const base = groups.get(checkKey(VERB, "baseline", baseline, keys))!;
  const others = keys.filter((key) => key !== baseline);
  if (options.primary !== undefined) checkKey(VERB, "primary", options.primary, others);
  const primary = options.primary ?? declared(runs);
  for (const key of others) checkPairs(VERB, groups.get(key)!, base);
  for (const [key, { n }] of groups) {
    if (n > 0) continue;
    throw new RangeError(
      `Cannot ${VERB} as every method must have runs that can be judged: ${shown(key)} has none`,
    );
  }

  const own = { ...describe(base, base, level), baseline, isBaseline: true, isPrimary: false };
  const compared = others.map((key) => {
    const { differences, repeats, weighted, ...paired } = pair(groups.get(key)!, base);
    const divided = paired.designEffect * inflation; // what pairs are too many
    const won = weighted.won / divided, lost = weighted.lost / divided;
    const described = describe(groups.get(key)!, base, level);
    const [pValueOf, p] = inflation !== 1
      ? ["score", scoreTest(won, lost)] as const
      : repeats === 1
      ? ["mcnemar", mcnemarMidP(paired.won, paired.lost)] as const
      : ["sign-flip", signFlipTest(differences, { resamples, seed, midP: true })] as const;
    return {
      ...{ ...described, baseline, isBaseline: false, isPrimary: key === primary },
      ...{ ...paired, ...scoreInterval(won, lost, paired.pairs / divided, level) },
      ...{ pValueOf, p, adjustedP: p, ...split(described, own) },
    };
  });
  const rest = compared.filter((row) => !row.isPrimary);
  for (const [i, adjustedP] of holm(rest.map(({ p }) => p)).entries()) {
    rest[i]!.adjustedP = adjustedP;
  }
  const nothing = {
    ...{ gain: 0, low: 0, high: 0, p: 1, adjustedP: 1, pValueOf: "mcnemar" as const },
    ...{ won: 0, lost: 0, pairs: own.n, designEffect: 1, gainOfFinishing: 0, gainOfRightness: 0 },
  };
  return [{ ...own, ...nothing }, ...compared];
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

/** What a row says of its runs by themselves. */
function describe(group: Group, base: Group, level: number) {
  const { mean, low, high, n, problems, repeats } = accuracyOf(group, level);
  const { key, parameters, meanTokens, meanSeconds, truncated, cut, right, ungradable } = group;
  const finished = n - cut;
  return {
    ...{ method: key, parameters, problems, repeats, n },
    ...{ accuracy: mean, accuracyLow: low, accuracyHigh: high },
    ...{ meanTokens, meanSeconds, truncated, cut, ungradable, mixing: group.mixing },
    tokensRatio: base.meanTokens === 0 ? NaN : meanTokens / base.meanTokens,
    finished: finished / n,
    rightOfFinished: finished === 0 ? 0 : right / finished,
  };
}

/** What a group gains and loses against the baseline, problem by problem. */
function pair(group: Group, base: Group) {
  const own = [...base.problems].flatMap(([problem, theirs]) => {
    const ours = group.problems.get(problem);
    const both = [...theirs].filter(([repeat]) => ours?.has(repeat)); // the others cannot be judged
    const differ = both.filter(([repeat, solved]) => ours!.get(repeat) !== solved);
    const lost = differ.filter(([, solved]) => solved).length;
    return both.length === 0 ? [] : [{ won: differ.length - lost, lost, pairs: both.length }];
  });
  const problems = own.length;
  if (problems === 0) {
    throw new RangeError(
      `Cannot ${VERB} as no problem has a run of ${shown(group.key)} and one of ` +
        `${shown(base.key)} that can be judged`,
    );
  }
  const sum = (of: (one: (typeof own)[number]) => number) =>
    own.reduce((all, one) => all + of(one), 0);
  const won = sum((one) => one.won), lost = sum((one) => one.lost), pairs = sum((one) => one.pairs);
  const repeats = own.reduce((most, one) => Math.max(most, one.pairs), 0);
  // Counts by which every problem weighs the same, where some have fewer pairs.
  const weighted = pairs === problems * repeats ? { won, lost } : {
    won: sum((one) => one.won / one.pairs) * pairs / problems,
    lost: sum((one) => one.lost / one.pairs) * pairs / problems,
  };
  const differences = own.map((one) => (one.won - one.lost) / one.pairs); // [P]
  const gain = (weighted.won - weighted.lost) / pairs;
  const variance = (weighted.won + weighted.lost) / pairs - gain ** 2;
  return {
    ...{ differences, won, lost, pairs, repeats, weighted, gain },
    designEffect: designEffect(differences, variance, pairs / problems),
  };
}
