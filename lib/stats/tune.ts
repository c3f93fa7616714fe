/**
 * Settings chosen on some problems and judged on others.
 *
 * The best of a grid on the problems that chose it is too good: the more settings, the luckier the best.
 * Here problems are split by a hash of their ids. On one part every family of settings (the baseline's own
 * among them) chooses its best, and only that one is judged on the other part. Beside it stands what the
 * usual way would have reported.
 *
 * ```text
 * half split (default)   choose on one half, judge on the other
 * k folds                for each: choose on all others, judge on it; gain = all judged runs
 * ```
 *
 * The half split is sound: what is judged has no part in the choice. Folds use every problem for judging,
 * but their choices rest on nearly the same problems, so that a lucky choice is lucky in all of them, and
 * intervals that take judged problems as independent are too narrow: without any difference between
 * settings, 5 folds and 12 settings against 2, p ≤ 0.05 came up in 10.7 % of studies. So with folds the
 * variance is multiplied by 1 + j/(k − 1), j of k folds judged (Nadeau & Bengio 2003, Machine Learning 52,
 * 239–281: test and training parts overlap), and p is that of the score test. With 5 folds that is enough;
 * with 10 it is at the margin. Not all folds need to be judged: `{ judge: 1, of: 4 }` tunes on three quarters.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  anything,
  checkNumber,
  checkOptions,
  isObject,
  kind,
  number,
  type Rules,
  text,
} from "../_check.ts";
import type { Run } from "../study/mod.ts";
import { checkKey } from "./_check.ts";
import { mean } from "./_moments.ts";
import { type GainRow, gainsOf } from "./gains.ts";

/** Options of {@linkcode tuneThenTest}. */
export interface TuneOptions {
  /** Keys of runs by family, such as `{ standard: ["t0.6", "t1"], moi: ["moi-0.6", "moi-1"] }`. */
  readonly families: Readonly<Record<string, readonly string[]>>;
  /** Family that the others are measured against. Default: "standard". */
  readonly baseline?: string;
  /**
   * Number of folds, all judged; or how many of how many are judged. Default: `{ judge: 1, of: 2 }`, chosen
   * on one half and judged on the other.
   */
  readonly folds?: number | { readonly judge: number; readonly of: number };
  /** Seed of the split. Default: 0. */
  readonly seed?: number;
}

const RULES: Rules<TuneOptions> = {
  families: kind("be an object of lists of keys", isObject),
  baseline: text,
  folds: anything, // checked by its parts
  seed: number({ min: 0, integer: true }),
};

/** What was chosen for a fold. */
export interface FoldChoice {
  /** Fold, from 0. */
  readonly fold: number;
  /** Problems judged in it. */
  readonly problems: number;
  /** Key that each family chose. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** Result of {@linkcode tuneThenTest}. */
export interface Tuned {
  /** Families against the baseline's family, on problems that did not choose; see `gains`. */
  readonly rows: readonly GainRow[];
  /** What each fold chose. */
  readonly choices: readonly FoldChoice[];
  /** The usual way: each family's best on all problems, and its accuracy there. */
  readonly naive: Readonly<Record<string, { readonly key: string; readonly accuracy: number }>>;
  /** The runs that were judged, with families as methods. */
  readonly runs: readonly Run[];
  /** What a reader must know, in sentences: grids of different sizes, for one. */
  readonly warnings: readonly string[];
}

/** Fold of a problem. */
function foldOf(problem: string, folds: number, seed: number): number {
  const digest = createHash("sha256").update(JSON.stringify([seed, problem])).digest();
  return digest.readUInt32BE(0) % folds;
}

const rank = (accuracy: number) => Number.isNaN(accuracy) ? -1 : accuracy; // where none can be judged

/** Keys of runs, the most accurate first; the earlier of equals. Each problem weighs the same. */
function ranked(runs: readonly Run[], keys: readonly string[]) {
  return keys.map((key) => {
    const judged = runs.filter(({ method, grade }) => method === key && !grade.ungradable);
    const shares = Map.groupBy(judged, ({ problem }) => problem).values()
      .map((own) => own.filter(({ grade }) => grade.correct).length / own.length).toArray();
    return { key, accuracy: mean(shares) };
  }).sort((a, b) => rank(b.accuracy) - rank(a.accuracy));
}

/**
 * Chooses settings and judges them on other problems.
 *
 * @param runs Runs of all settings on all problems: of one study, or of several that differ in their
 * sampler, with keys of their own.
 * @throws {RangeError} Where a family has no runs, a key is in two families, the runs are of several models
 * or tasks, prompts of a problem differ, or a fold has no problem.
 *
 * @example Two families, the baseline with its own grid
 * ```ts
 * import { loadModel, moi, runStudy, standard, tuneThenTest, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const task = votes({ limit: 40 });
 * const cold = await runStudy({ model, task, temperature: 0.8, methods: { cold: standard() } });
 * const warm = await runStudy({
 *   ...{ model, task },
 *   methods: { warm: standard(), a: moi({ beta: 0.25 }), b: moi({ beta: 4 }) },
 * });
 * const { rows, warnings } = tuneThenTest([...cold, ...warm], {
 *   families: { standard: ["cold", "warm"], moi: ["a", "b"] },
 * });
 * assertEquals([rows.length, rows[0]!.problems < 40, warnings.length], [2, true, 0]);
 * ```
 */
export function tuneThenTest(runs: readonly Run[], options: TuneOptions): Tuned {
  const verb = "tune and test";
  checkOptions(verb, options, RULES);
  const { families, baseline = "standard", folds = { judge: 1, of: 2 }, seed = 0 } = options;
  const { judge, of } = typeof folds === "number" ? { judge: folds, of: folds } : folds;
  checkNumber(verb, "folds", of, { min: 2, integer: true });
  checkNumber(verb, "folds.judge", judge, { min: 1, max: of, integer: true });
  const names = Object.keys(families), keys = names.flatMap((name) => families[name]!);
  checkKey(verb, "baseline", baseline, names);
  if (new Set(keys).size < keys.length) {
    throw new RangeError(`Cannot ${verb} as a key may be in one family only: ${keys.join(", ")}`);
  }
  const own = runs.filter(({ method }) => keys.includes(method));
  checkComparable(verb, own, keys);

  const foldsOf = new Map(own.map(({ problem }) => [problem, foldOf(problem, of, seed)]));
  const judged: Run[] = [], choices: FoldChoice[] = [];
  const best = (of: readonly Run[], name: string) => ranked(of, families[name]!)[0]!;
  for (let fold = 0; fold < judge; fold++) {
    const { here = [], there = [] } = Object.groupBy(
      own,
      ({ problem }) => foldsOf.get(problem) === fold ? "here" : "there",
    );
    if (here.length === 0 || there.length === 0) {
      throw new RangeError(
        `Cannot ${verb} as every fold must have a problem: ${foldsOf.size} problems are too few for ${of}`,
      );
    }
    const chosen = Object.fromEntries(names.map((name) => [name, best(there, name).key]));
    choices.push({ fold, problems: new Set(here.map(({ problem }) => problem)).size, chosen });
    for (const name of names) {
      const runs = here.filter(({ method }) => method === chosen[name]);
      judged.push(...runs.map((run) => ({
        ...{ ...run, study: "tuned", method: name, parameters: { name } },
      })));
    }
  }
  const naive = Object.fromEntries(names.map((name) => [name, best(own, name)]));
  const order = [baseline, ...names.filter((name) => name !== baseline)];
  judged.sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  const sizes = names.map((name) => families[name]!.length);
  const grids = names.map((name, i) => `${name} ${sizes[i]}`).join(", ");
  const warnings = new Set(sizes).size === 1 ? [] : [
    `the grids differ in size (${grids}): a larger one has more chances to choose well, and its naive ` +
    "best is more flattered",
  ];
  const inflation = judge === 1 ? 1 : 1 + judge / (of - 1);
  return { rows: gainsOf(judged, { baseline }, inflation), choices, naive, runs: judged, warnings };
}

/** Refuses runs that must not be compared. */
function checkComparable(verb: string, runs: readonly Run[], keys: readonly string[]): void {
  const refused = (what: string) => new RangeError(`Cannot ${verb} as ${what}`);
  const missing = keys.filter((key) => !runs.some(({ method }) => method === key));
  if (missing.length > 0) throw refused(`there are no runs of ${missing.join(", ")}`);
  for (const field of ["model", "task"] as const) {
    const values = [...new Set(runs.map((run) => run[field]))];
    if (values.length === 1) continue;
    throw refused(`'runs' must come from one ${field}: they come from ${values.join(", ")}`);
  }
  const prompts = new Map(runs.map(({ problem, prompt }) => [problem, prompt]));
  const other = runs.find(({ problem, prompt }) => prompts.get(problem) !== prompt);
  if (other) throw refused(`the prompt of '${other.problem}' differs between settings`);
  for (const [key, own] of Map.groupBy(runs, ({ method }) => method)) {
    const there = new Set(own.map(({ problem }) => problem)).size;
    if (there === prompts.size) continue;
    throw refused(`every setting must have all ${prompts.size} problems: ${key} has ${there}`);
  }
}
