/**
 * Runs sorted by method, problem and repeat. This is the only place that forms the clusters, so
 * that accuracy, interval, test and bootstrap can never disagree on them.
 *
 * @module
 */

import { shown } from "../_check.ts";
import type { Run } from "../study/run.ts";

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
  /** Verdicts: problem → repeat → correct. */
  readonly problems: Map<string, Map<number, boolean>>;
  runs: number;
  /** Runs that reached the token limit. */
  truncated: number;
  /** Sums over runs; NaN where a run does not tell. */
  tokens: number;
  seconds: number;
  entropy: number;
  offSampleMass: number;
}

/** Tables by method, in order of first appearance. Refuses what cannot be counted honestly. */
export function tabulate(verb: string, runs: readonly Outcome[]): Map<string, MethodTable> {
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
  for (const field of ["task", "model", "study"] as const) {
    const values = new Set(runs.map((run) => run[field]));
    if (values.size > 1) {
      throw new RangeError(
        `Cannot ${verb} as 'runs' must come from one ${field}: current value is ${
          shown([...values])
        }`,
      );
    }
  }
  const tables = new Map<string, MethodTable>();
  for (const run of runs) add(verb, tables, run);
  return tables;
}

function add(verb: string, tables: Map<string, MethodTable>, run: Outcome): void {
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
  let table = tables.get(run.method);
  if (!table) {
    table = {
      method: run.method,
      parameters: run.parameters,
      problems: new Map(),
      runs: 0,
      truncated: 0,
      tokens: 0,
      seconds: 0,
      entropy: 0,
      offSampleMass: 0,
    };
    tables.set(run.method, table);
  }
  if (!sameParameters(table.parameters, run.parameters)) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must give one set of parameters to a method: current value is ${
        shown(table.parameters)
      } and ${shown(run.parameters)} (${where()})`,
    );
  }
  let repeats = table.problems.get(run.problem);
  if (!repeats) table.problems.set(run.problem, repeats = new Map());
  if (repeats.has(run.repeat)) {
    throw new RangeError(
      `Cannot ${verb} as 'runs' must hold each run once: current value is a duplicate ` +
        `(${where()})`,
    );
  }
  repeats.set(run.repeat, run.grade.correct);
  table.runs += 1;
  table.truncated += Number(run.finishReason === "length");
  table.tokens += run.tokens?.length ?? NaN;
  const { prefillMs = NaN, decodeMs = NaN } = run.timing ?? {};
  table.seconds += (prefillMs + decodeMs) / 1000;
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

/** Largest number of repeats of a problem. */
export function repeatsOf(table: MethodTable): number {
  let most = 0;
  for (const repeats of table.problems.values()) most = Math.max(most, repeats.size);
  return most;
}
