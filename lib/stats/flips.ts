/**
 * Which problems changed hands between two methods: the pairs behind `won` and `lost` of a gain.
 *
 * @module
 */

import { checkOptions, type Rules, text } from "../_check.ts";
import { checkKey } from "./_check.ts";
import { checkPairs, groupRuns, type Outcome } from "./_groups.ts";

/** Which two methods {@linkcode flips} compares. */
export interface FlipsOptions {
  /** Key of the method that is compared with. */
  readonly baseline: string;
  /** Key of the method that is compared. */
  readonly method: string;
}

const RULES: Rules<FlipsOptions> = { baseline: text, method: text };

/** The runs of both methods on one problem and repeat. */
export interface Pair<R extends Outcome = Outcome> {
  /** Problem id. */
  readonly problem: string;
  /** Repeat, from 0. */
  readonly repeat: number;
  /** The baseline's run. */
  readonly baseline: R;
  /** The method's run. */
  readonly method: R;
}

/** Result of {@linkcode flips}. */
export interface Flips<R extends Outcome = Outcome> {
  /** Pairs that only the method solves, in the order of its runs. */
  readonly won: readonly Pair<R>[];
  /** Pairs that only the baseline solves. */
  readonly lost: readonly Pair<R>[];
  /** Number of pairs that both solve. */
  readonly both: number;
  /** Number of pairs that neither solves. */
  readonly neither: number;
  /** Number of pairs of which a run cannot be judged. */
  readonly ungradable: number;
}

/**
 * Sorts the pairs of two methods by who solves them; pairs that cannot be judged are counted apart.
 *
 * @param runs Runs of one study; those of other methods are passed over.
 * @throws {TypeError} If a run has no verdict
 * @throws {RangeError} If a method has no runs, a run was aborted or is there twice, or a run of one
 * method has no partner
 */
export function flips<R extends Outcome>(runs: readonly R[], options: FlipsOptions): Flips<R> {
  const verb = "compare runs";
  checkOptions(verb, options, RULES);
  const groups = groupRuns(verb, runs), keys = [...groups.keys()];
  const theirs = groups.get(checkKey(verb, "baseline", options.baseline, keys))!;
  const ours = groups.get(checkKey(verb, "method", options.method, keys))!;
  checkPairs(verb, ours, theirs);
  const won: Pair<R>[] = [], lost: Pair<R>[] = [];
  let both = 0, neither = 0, ungradable = 0;
  for (const method of runs.filter((run) => run.method === ours.key)) {
    const { problem, repeat } = method, baseline = theirs.runs.get(problem)!.get(repeat)!;
    const pair = { problem, repeat, baseline, method };
    if (method.grade.ungradable || baseline.grade.ungradable) ungradable++;
    else if (method.grade.correct === baseline.grade.correct) {
      method.grade.correct ? both++ : neither++;
    } else (method.grade.correct ? won : lost).push(pair);
  }
  return { won, lost, both, neither, ungradable };
}
