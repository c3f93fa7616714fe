/**
 * Several runs a problem, as the field reports them.
 *
 * - **avg@k ± sd**: mean and standard deviation of the accuracies of the k repeats. The deviation says how
 *   much one run of the whole benchmark varies; it is no standard error of the mean over problems, for
 *   which see {@linkcode accuracy}.
 * - **pass@k**: chance that at least one of k runs is right, without bias from n ≥ k runs:
 *   `1 − C(n−c, k) / C(n, k)` (Chen et al. 2021, arXiv 2107.03374).
 * - **maj@k**: share of problems whose most frequent answer is right, in its expectation over the draws of
 *   k of the n runs; of answers that are equally frequent, each counts in part. Runs without an answer have
 *   no vote. Source: self-consistency, arXiv 2203.11171.
 *
 * @module
 */

import { checkNumber, checkOptions, refusal, shown } from "../_check.ts";
import { type MethodTable, type Outcome, tabulate } from "./_table.ts";

/** Which method, and how many runs. */
export interface RepeatsOptions {
  /** Number of runs, k. Default: all repeats. */
  readonly k?: number;
  /** Key of the method. Default: the only one there is. */
  readonly method?: string;
}

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

function tableOf(verb: string, runs: readonly Outcome[], { method }: RepeatsOptions): MethodTable {
  const tables = tabulate(verb, runs), known = [...tables.keys()];
  const key = method ?? (known.length === 1 ? known[0]! : undefined);
  const found = key === undefined ? undefined : tables.get(key);
  if (!found) {
    throw new RangeError(refusal(verb, "method", `be one of ${shown(known)}`, method));
  }
  return found;
}

/** Runs a problem, the same for all. */
function repeatsOf(
  verb: string,
  { problems }: MethodTable,
  k: number | undefined,
): [number, number] {
  const counts = new Set([...problems.values()].map((repeats) => repeats.size));
  if (counts.size > 1) {
    throw new RangeError(
      `Cannot ${verb} as every problem must have as many runs: current value is ${
        shown([...counts])
      }`,
    );
  }
  const [n = 0] = counts;
  checkNumber(verb, "k", k ?? n, { min: 1, max: n, integer: true });
  return [n, k ?? n];
}

/**
 * Mean and deviation over repeats.
 *
 * @param runs Runs of one study.
 * @param options The method; `k` takes the first k repeats.
 * @throws {RangeError} Where there is no such method, or problems differ in their repeats.
 *
 * @example Two repeats
 * ```ts
 * import { avgAtK, type Outcome } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * const run = (problem: string, repeat: number, correct: boolean) =>
 *   ({ problem, repeat, method: "m", parameters: {}, tokens: [], grade: { correct }, mixing: {} }) as
 *     unknown as Outcome;
 * const runs = [run("a", 0, true), run("b", 0, true), run("a", 1, true), run("b", 1, false)];
 * const { mean, accuracies } = avgAtK(runs);
 * assertEquals([mean, accuracies], [0.75, [1, 0.5]]);
 * ```
 */
export function avgAtK(runs: readonly Outcome[], options: RepeatsOptions = {}): AverageAtK {
  const verb = "average repeats";
  checkOptions(verb, options, ["k", "method"]);
  const table = tableOf(verb, runs, options), [, k] = repeatsOf(verb, table, options.k);
  const problems = [...table.problems.values()];
  const order = [...problems[0]!.keys()].sort((a, b) => a - b).slice(0, k);
  const accuracies = order.map((repeat) =>
    problems.filter((verdicts) => verdicts.get(repeat)).length / problems.length
  );
  const mean = accuracies.reduce((a, b) => a + b, 0) / k;
  const square = accuracies.reduce((sum, a) => sum + (a - mean) ** 2, 0);
  return {
    mean,
    sd: k > 1 ? Math.sqrt(square / (k - 1)) : NaN,
    accuracies,
    k,
    problems: problems.length,
  };
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
 * @param runs Runs of one study.
 * @param options Method and k.
 * @throws {RangeError} Where there is no such method, k is more than the repeats, or problems differ in
 * their repeats.
 *
 * @example One of four runs is right
 * ```ts
 * import { type Outcome, passAtK } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * const runs = [true, false, false, false].map((correct, repeat) =>
 *   ({ problem: "a", repeat, method: "m", parameters: {}, tokens: [], grade: { correct }, mixing: {} }) as
 *     unknown as Outcome
 * );
 * assertEquals([1, 2, 4].map((k) => passAtK(runs, { k })), [0.25, 0.5, 1]);
 * ```
 */
export function passAtK(runs: readonly Outcome[], options: RepeatsOptions = {}): number {
  const verb = "compute pass@k";
  checkOptions(verb, options, ["k", "method"]);
  const table = tableOf(verb, runs, options), [n, k] = repeatsOf(verb, table, options.k);
  let sum = 0;
  for (const verdicts of table.problems.values()) {
    sum += passOf(n, [...verdicts.values()].filter(Boolean).length, k);
  }
  return sum / table.problems.size;
}

/** Most ways to choose k of n runs that are gone through. */
const MOST_SUBSETS = 20_000;

/** All choices of k of the numbers 0 … n − 1. */
function* subsets(n: number, k: number, from = 0, chosen: number[] = []): Generator<number[]> {
  if (chosen.length === k) yield chosen;
  else {for (let i = from; i <= n - (k - chosen.length); i++) {
      yield* subsets(n, k, i + 1, [...chosen, i]);
    }}
}

/** Share of right ones among the most frequent answers of some runs. */
function majority(runs: readonly Outcome[]): number {
  const votes = new Map<string, { count: number; correct: boolean }>();
  for (const { grade: { extracted, correct } } of runs) {
    if (extracted === null) continue;
    const vote = votes.get(extracted) ?? { count: 0, correct };
    votes.set(extracted, { count: vote.count + 1, correct: vote.correct || correct });
  }
  const most = Math.max(0, ...[...votes.values()].map(({ count }) => count));
  const first = [...votes.values()].filter(({ count }) => count === most);
  return first.length === 0 ? 0 : first.filter(({ correct }) => correct).length / first.length;
}

/**
 * maj@k, averaged over problems. Answers are the same where their extracted texts are.
 *
 * @param runs Runs of one study.
 * @param options Method and k.
 * @throws {RangeError} As {@linkcode passAtK}; also where there are more than 20,000 ways to choose k of
 * the repeats.
 *
 * @example Two of three agree
 * ```ts
 * import { majAtK, type Outcome } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * const runs = ["4", "4", "5"].map((extracted, repeat) =>
 *   ({
 *     ...{ problem: "a", repeat, method: "m", parameters: {}, tokens: [], mixing: {} },
 *     grade: { correct: extracted === "4", extracted },
 *   }) as unknown as Outcome
 * );
 * assertEquals(majAtK(runs), 1);
 * ```
 */
export function majAtK(runs: readonly Outcome[], options: RepeatsOptions = {}): number {
  const verb = "compute maj@k";
  checkOptions(verb, options, ["k", "method"]);
  const table = tableOf(verb, runs, options), [n, k] = repeatsOf(verb, table, options.k);
  let ways = 1;
  for (let i = 0; i < Math.min(k, n - k); i++) ways = ways * (n - i) / (i + 1);
  if (ways > MOST_SUBSETS) {
    throw new RangeError(
      refusal(verb, "k", `leave at most ${MOST_SUBSETS} ways to choose of ${n} runs`, k),
    );
  }
  const byProblem = Map.groupBy(
    runs.filter(({ method }) => method === table.method),
    ({ problem }) => problem,
  );
  let sum = 0;
  for (const own of byProblem.values()) {
    let all = 0, count = 0;
    for (const chosen of subsets(n, k)) {
      all += majority(chosen.map((i) => own[i]!));
      count++;
    }
    sum += all / count;
  }
  return sum / byProblem.size;
}
