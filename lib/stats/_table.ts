/**
 * Runs sorted by method, problem and repeat. This is the only place that forms the clusters, so
 * that accuracy, interval and test can never disagree on them. Problems are kept in the order of
 * their ids, so that no figure depends on the order of the runs.
 *
 * @module
 */

import { shown } from "../_check.ts";
import { type Run, verdictOf } from "../study/run.ts";

/**
 * The part of a stored run that statistics look at. Every `Run` is one; a result from elsewhere
 * needs these fields only.
 */
export type Outcome =
  & Pick<
    Run,
    | "study"
    | "model"
    | "task"
    | "problem"
    | "method"
    | "parameters"
    | "repeat"
    | "finishReason"
    | "grade"
  >
  & Partial<Pick<Run, "tokens" | "mixing" | "timing">>;

/** All runs of one method. */
export interface MethodTable {
  readonly method: string;
  readonly parameters: Outcome["parameters"];
  /** Verdicts of the runs that can be judged: problem → repeat → correct. */
  readonly problems: Map<string, Map<number, boolean>>;
  /** Runs that nothing can judge: problem → repeats. */
  readonly ungradable: Map<string, Set<number>>;
  /** All runs, the ungradable among them. */
  runs: number;
  /** Runs that reached the token limit. */
  truncated: number;
  /** Those of them that had given no right answer by then. */
  cut: number;
  /** Sums over all runs; NaN where a run does not tell. */
  tokens: number;
  seconds: number;
  entropy: number;
  offSampleMass: number;
}

/** What the runs of a comparison have in common. */
export interface Grouping {
  /** Runs are sorted by this field. Default: "method". */
  readonly by?: "method" | "model" | "dtype" | "device";
}

const SHARED = ["task", "model", "study"] as const;

/** Tables by method, in order of first appearance. Refuses what cannot be counted honestly. */
export function tabulate(
  verb: string,
  runs: readonly Outcome[],
  { by = "method" }: Grouping = {},
): Map<string, MethodTable> {
  if (!Array.isArray(runs)) {
    throw new TypeError(
      `Cannot ${verb} as 'runs' must be an array of runs: current value is ${shown(runs)}`,
    );
  }
  if (runs.length === 0) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must hold at least one run: current value is []`,
    );
  }
  const one = (field: (typeof SHARED)[number] | "method", own: readonly Outcome[], of: string) => {
    const values = new Set(own.map((run) => run[field]));
    if (values.size > 1) {
      throw new RangeError(
        `Cannot ${verb} as 'runs' must come from one ${field}${of}: current value is ${
          shown([...values])
        }`,
      );
    }
  };
  for (const field of SHARED) {
    if (field !== by && (field !== "study" || by === "method")) one(field, runs, "");
  }
  const keyOf = (run: Outcome) => String((run as Partial<Run>)[by] ?? "unknown");
  if (by !== "method") {
    one("method", runs, `, where they are compared by ${by}`);
    for (const [key, own] of Map.groupBy(runs, keyOf)) one("study", own, ` for ${shown(key)}`);
  }
  checkProblems(verb, runs);
  const tables = new Map<string, MethodTable>();
  for (const run of runs) add(verb, tables, run, keyOf(run));
  for (const table of tables.values()) {
    for (const own of ["problems", "ungradable"] as const) sortKeys<unknown>(table[own]);
  }
  return tables;
}

/** Refuses runs whose problems have the same ids but other prompts or answers, where they tell. */
function checkProblems(verb: string, runs: readonly Outcome[]): void {
  const told = new Map<string, string>();
  for (const run of runs) {
    const { problemFields, taskParameters } = run as Partial<Run>;
    if (problemFields === undefined) continue;
    const here = JSON.stringify([problemFields, taskParameters]);
    const there = told.get(run.problem) ?? here;
    if (there !== here) {
      throw new RangeError(
        `Cannot ${verb} as 'runs' must be of the same problems: those of ${
          shown(run.problem)
        } differ in their prompt, their answer or the task's options`,
      );
    }
    told.set(run.problem, here);
  }
}

function sortKeys<V>(map: Map<string, V>): void {
  const sorted = [...map].sort(([a], [b]) => a < b ? -1 : 1);
  map.clear();
  for (const [key, value] of sorted) map.set(key, value);
}

function add(verb: string, tables: Map<string, MethodTable>, run: Outcome, key: string): void {
  const where = () =>
    `problem ${shown(run.problem)}, method ${shown(run.method)}, repeat ${run.repeat}`;
  if (run.finishReason === "aborted") {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must be finished: current value is an aborted run ` +
        `(${where()}). Finish the study first, or leave the run out`,
    );
  }
  if (typeof run.grade?.correct !== "boolean") {
    throw new TypeError(
      `Cannot ${verb} as 'runs' must be graded true or false: current value is ${
        shown(run.grade?.correct)
      } (${where()})`,
    );
  }
  let table = tables.get(key);
  if (!table) {
    table = {
      method: key,
      parameters: run.parameters,
      problems: new Map(),
      ungradable: new Map(),
      runs: 0,
      truncated: 0,
      cut: 0,
      tokens: 0,
      seconds: 0,
      entropy: 0,
      offSampleMass: 0,
    };
    tables.set(key, table);
  }
  if (!sameParameters(table.parameters, run.parameters)) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must give one set of parameters to a method: current value is ${
        shown(table.parameters)
      } and ${shown(run.parameters)} (${where()})`,
    );
  }
  const repeats = table.problems.get(run.problem) ?? new Map<number, boolean>();
  const without = table.ungradable.get(run.problem) ?? new Set<number>();
  if (repeats.has(run.repeat) || without.has(run.repeat)) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must hold each run once: current value is a duplicate ` +
        `(${where()})`,
    );
  }
  const verdict = verdictOf(run);
  if (verdict === "ungradable") table.ungradable.set(run.problem, without.add(run.repeat));
  else table.problems.set(run.problem, repeats.set(run.repeat, run.grade.correct));
  table.cut += Number(verdict === "cut");
  table.runs += 1;
  table.truncated += Number(run.finishReason === "length");
  table.tokens += run.tokens?.length ?? NaN;
  const { prefillMs, decodeMs } = run.timing ?? {};
  table.seconds += (prefillMs ?? NaN) / 1000 + (decodeMs ?? NaN) / 1000; // null where JSON has no NaN
  table.entropy += run.mixing?.meanEntropy ?? NaN;
  table.offSampleMass += run.mixing?.meanOffSampleMass ?? NaN;
}

function sameParameters(a: Outcome["parameters"], b: Outcome["parameters"]): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Number of correct runs of a problem. */
export function correctOf(repeats: ReadonlyMap<number, boolean>): number {
  let correct = 0;
  for (const verdict of repeats.values()) correct += Number(verdict);
  return correct;
}

/** Largest number of repeats of a problem that can be judged. */
export function repeatsOf(table: MethodTable): number {
  let most = 0;
  for (const repeats of table.problems.values()) most = Math.max(most, repeats.size);
  return most;
}

/** Number of runs that nothing can judge. */
export function ungradableOf({ ungradable }: MethodTable): number {
  return ungradable.values().reduce((sum, repeats) => sum + repeats.size, 0);
}
