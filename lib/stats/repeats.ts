/**
 * Several runs a problem, as the field reports them.
 *
 * - **avg@k ± sd**: mean and standard deviation of the accuracies of k repeats: of every problem's first
 *   runs, of the second, and so on. The deviation says how much one run of the whole benchmark varies; it
 *   is no standard error of the mean over problems, for which see {@linkcode accuracy}.
 * - **pass@k**: chance that at least one of k runs is right, without bias from n ≥ k runs:
 *   `1 − C(n−c, k) / C(n, k)` (Chen et al. 2021, arXiv 2107.03374).
 * - **maj@k**: share of problems whose most frequent answer is right, in its expectation over the draws of
 *   k of the n runs; of answers that are equally frequent, each counts in part. Runs without an answer have
 *   no vote, and where none has one the problem counts as wrong. Source: self-consistency, arXiv 2203.11171.
 *
 * The runs of a problem are counted, whatever numbers its repeats have, in the order of these numbers; the
 * order of `runs` is of no effect. Problems may have unequal numbers of runs where `k` is given and each
 * has as many. Runs that are `ungradable` are left out; a problem that has no others is as well.
 *
 * @module
 */

import {
  callable,
  checkNumber,
  checkOptions,
  number,
  refusal,
  type Rules,
  shown,
  text,
} from "../_check.ts";
import { mathEqual } from "../tasks/math/mod.ts";
import { groupOfMethod, type Outcome } from "./_groups.ts";
import { mean, variance } from "./_moments.ts";

/** Which method, and how many runs. */
export interface RepeatsOptions {
  /** Number of runs, k. Default: all repeats, of which every problem must have as many. */
  readonly k?: number;
  /** Key of the method. Default: the only one there is. */
  readonly method?: string;
}

/** Options of {@linkcode majAtK}. */
export interface MajorityOptions extends RepeatsOptions {
  /**
   * Whether two answers are one; the same texts are always. Default: {@linkcode mathEqual}, by which
   * `1/2`, `0.5` and `\frac12` are one; answers of several lines, as programs are, by their text alone.
   */
  readonly equal?: (a: string, b: string) => boolean;
}

const RULES: Rules<RepeatsOptions> = { k: number({ min: 1, integer: true }), method: text };
const MAJORITY_RULES: Rules<MajorityOptions> = { ...RULES, equal: callable };

/** Result of {@linkcode avgAtK}. */
export interface AverageAtK {
  /** Mean of the repeats' accuracies, a fraction. */
  readonly mean: number;
  /** Their standard deviation, k − 1 in the denominator; NaN for one repeat. */
  readonly sd: number;
  /** Accuracy of each repeat. */
  readonly accuracies: readonly number[];
  /** Number of repeats, k. */
  readonly k: number;
  /** Number of problems. */
  readonly problems: number;
}

/** Runs by problem, each in the order of its repeats, the problems in that of their ids; and k. */
function grouped(
  verb: string,
  runs: readonly Outcome[],
  { k, method }: RepeatsOptions,
): { problems: readonly (readonly Outcome[])[]; k: number } {
  const problems = groupOfMethod(verb, runs, method).runs.values().map((own) =>
    own.values().filter(({ grade }) => !grade.ungradable).toArray()
      .sort((a, b) => a.repeat - b.repeat)
  ).filter(({ length }) => length > 0).toArray();
  const counts = new Set(problems.map(({ length }) => length));
  if (k === undefined && counts.size > 1) {
    throw new RangeError(
      `Cannot ${verb} as every problem must have as many runs, or 'k' be given: current value is ${
        shown([...counts].sort((a, b) => a - b))
      }`,
    );
  }
  const least = Math.min(...counts);
  return { problems, k: checkNumber(verb, "k", k ?? least, { min: 1, max: least, integer: true }) };
}

const isRight = ({ grade }: Outcome) => grade.correct;

/**
 * Mean and deviation over repeats: over the first k runs of every problem.
 *
 * @throws {RangeError} Where there is no such method, k is more than the runs of a problem, or without k
 * problems differ in their number of runs.
 */
export function avgAtK(runs: readonly Outcome[], options: RepeatsOptions = {}): AverageAtK {
  const verb = "average repeats";
  checkOptions(verb, options, RULES);
  const { problems, k } = grouped(verb, runs, options);
  const accuracies = Array.from(
    { length: k },
    (_, i) => problems.filter((own) => isRight(own[i]!)).length / problems.length,
  );
  const sd = Math.sqrt(variance(accuracies));
  return { mean: mean(accuracies), sd, accuracies, k, problems: problems.length };
}

/** Chance that k of n runs, c of them right, hold a right one. */
function passOf(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let none = 1;
  for (let i = 0; i < k; i++) none *= (n - c - i) / (n - i);
  return 1 - none;
}

/**
 * pass@k, averaged over problems.
 *
 * @throws {RangeError} As {@linkcode avgAtK}.
 */
export function passAtK(runs: readonly Outcome[], options: RepeatsOptions = {}): number {
  const verb = "compute pass@k";
  checkOptions(verb, options, RULES);
  const { problems, k } = grouped(verb, runs, options);
  return mean(problems.map((own) => passOf(own.length, own.filter(isRight).length, k)));
}

/** Most ways to choose k of n runs that are gone through. */
const MOST_SUBSETS = 20_000;

/** All choices of k of the numbers 0 … n − 1. */
function* subsets(n: number, k: number, from = 0, chosen: number[] = []): Generator<number[]> {
  if (chosen.length === k) return yield chosen;
  for (let i = from; i <= n - (k - chosen.length); i++) {
    yield* subsets(n, k, i + 1, [...chosen, i]);
  }
}

const sameAnswer = (a: string, b: string) => !/[\r\n]/.test(a + b) && mathEqual(a, b);

/** What each run votes for: an answer that some runs share, right where one of them is; or nothing. */
function votesOf(
  verb: string,
  runs: readonly Outcome[],
  equal: (a: string, b: string) => boolean,
): ({ correct: boolean } | undefined)[] {
  const answers = runs.map(({ grade }) => grade.extracted?.trim() || undefined);
  const bare = runs.find((run, i) => isRight(run) && answers[i] === undefined);
  if (bare) {
    throw new RangeError(
      `Cannot ${verb} as a right run must tell its answer: problem ${
        shown(bare.problem)
      }, repeat ${bare.repeat} has none; grade the texts again`,
    );
  }
  // in the order of the texts, so that the runs' order is of no effect where 'equal' is no equivalence
  const candidates: { readonly text: string; correct: boolean }[] = [];
  const byText = new Map<string, { correct: boolean }>();
  for (const text of [...new Set(answers)].filter((one) => one !== undefined).sort()) {
    let own = candidates.find((other) => equal(other.text, text));
    if (!own) candidates.push(own = { text, correct: false });
    byText.set(text, own);
  }
  const votes = answers.map((text) => text === undefined ? undefined : byText.get(text)!);
  for (const [i, vote] of votes.entries()) if (vote && isRight(runs[i]!)) vote.correct = true;
  return votes;
}

/** Share of right ones among the most frequent answers. */
function majority(votes: readonly ({ readonly correct: boolean } | undefined)[]): number {
  const counts = [...Map.groupBy(votes.filter((vote) => vote !== undefined), (vote) => vote)];
  const most = Math.max(...counts.map(([, own]) => own.length));
  const first = counts.filter(([, own]) => own.length === most);
  return first.length === 0 ? 0 : first.filter(([{ correct }]) => correct).length / first.length;
}

/**
 * maj@k, averaged over problems. An answer is right where one of its runs is.
 *
 * @throws {RangeError} As {@linkcode avgAtK}; also where there are more than 20,000 ways to choose k of
 * the runs of a problem, or a right run tells no answer.
 *
 * @example Two of three agree
 * ```ts
 * import { majAtK, type Outcome } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * const runs = ["1/2", "\\frac12", "5"].map((extracted, repeat) =>
 *   ({
 *     ...{ problem: "a", repeat, method: "m", parameters: {}, tokens: [], mixing: {} },
 *     grade: { correct: extracted !== "5", extracted },
 *   }) as unknown as Outcome
 * );
 * assertEquals(majAtK(runs), 1);
 * assertEquals(majAtK(runs, { equal: (a, b) => a === b }), 2 / 3); // three answers, two of them right
 * ```
 */
export function majAtK(runs: readonly Outcome[], options: MajorityOptions = {}): number {
  const verb = "compute maj@k";
  checkOptions(verb, options, MAJORITY_RULES);
  const { equal = sameAnswer } = options;
  const { problems, k } = grouped(verb, runs, options);
  return mean(problems.map((own) => {
    const n = own.length;
    let ways = 1;
    for (let i = 0; i < Math.min(k, n - k); i++) ways = ways * (n - i) / (i + 1);
    if (ways > MOST_SUBSETS) {
      throw new RangeError(
        refusal(verb, "k", `leave at most ${MOST_SUBSETS} ways to choose of ${n} runs`, k),
      );
    }
    const votes = votesOf(verb, own, equal);
    return mean([...subsets(n, k).map((chosen) => majority(chosen.map((i) => votes[i])))]);
  }));
}
