/**
 * Runs sorted into what is compared (methods, as a rule), by problem and repeat. This is the only place
 * that forms the clusters, so that accuracy, interval and test can never disagree on them. Problems are
 * kept in the order of their ids, so that no figure depends on the order of the runs.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { isObject, refusal, type Rule, shown } from "../_check.ts";
import { counted } from "../_counted.ts";
import {
  completePairs,
  partialOf,
  type PartialStudy,
  plannedOf,
  withPlanned,
} from "../study/partial.ts";
import { checkKey } from "./_check.ts";
import { type Run, type Verdict, verdictOf } from "../study/run.ts";

/**
 * The part of a stored run that statistics look at. Every `Run` is one; a result from elsewhere
 * needs these fields only.
 */
export type Outcome =
  & Pick<Run, "study" | "model" | "task" | "problem" | "method" | "parameters" | "repeat">
  & Pick<Run, "finishReason" | "grade">
  & Partial<Pick<Run, "tokens" | "text" | "mixing" | "timing">>;

/** All runs of one key: a method, as a rule. */
export interface Group<R extends Outcome = Outcome> {
  readonly key: string;
  readonly parameters: Outcome["parameters"];
  /** All of them: problem → repeat → run. */
  readonly runs: ReadonlyMap<string, ReadonlyMap<number, R>>;
  /** Those that can be judged: problem → repeat → correct. Problems without one are not there. */
  readonly problems: ReadonlyMap<string, ReadonlyMap<number, boolean>>;
  /** Number of runs, of those that can be judged, that are right, and that cannot be judged. */
  readonly count: number;
  readonly n: number;
  readonly right: number;
  readonly ungradable: number;
  /** Largest number of runs of a problem that can be judged. */
  readonly repeats: number;
  /** Runs that reached the token limit, and those of them without a right answer. */
  readonly truncated: number;
  readonly cut: number;
  /** Means over all runs; NaN where a run does not tell. */
  readonly meanTokens: number;
  readonly meanSeconds: number;
  readonly mixing: { readonly meanEntropy: number; readonly meanOffSampleMass: number };
}

/** Fields that are a run's own. All others are settings of its study, by which runs can be compared. */
const OWN = [
  ...["task", "problem", "problemFields", "repeat", "seed", "prompt", "wording", "promptTokens"],
  ...["tokens", "text", "finishReason", "grade", "measure", "mixing", "timing", "primary"],
] as const;

/** What a row is: a field of runs that is a setting of their study, or a function that names the row of a run. */
export type By<R> = (keyof R & string) | ((run: R) => unknown);

/** The rule of an option `by`. */
export const compared: Rule = (verb, name, value) => {
  const rule = `be a function of a run, or a setting of its study such as "method" or "model"`;
  if (typeof value === "function") return;
  if (typeof value !== "string") throw new TypeError(refusal(verb, name, rule, value));
  if ((OWN as readonly string[]).includes(value)) {
    throw new RangeError(refusal(verb, name, rule, value));
  }
};

/** What a run records of a transform. */
type Named = { readonly name: string; readonly parameters?: Readonly<Record<string, unknown>> };

const isNamed = (value: unknown): value is Named =>
  isObject(value) && typeof value.name === "string";

/** A transform in words: "temperature(0.8)", "noEcho". */
function recordText({ name, parameters = {} }: Named): string {
  const values = Object.values(parameters);
  return values.length === 0
    ? name
    : `${name}(${values.map((value) => JSON.stringify(value)).join(", ")})`;
}

/** Names the row of each run; of settings with several entries by those in which they differ. */
function keyBy<R extends Outcome>(verb: string, runs: readonly R[], by: By<R>): (run: R) => string {
  const textOf = (value: unknown) =>
    typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  if (typeof by === "function") return (run) => textOf(by(run));
  const valueOf = (run: R): unknown => run[by];
  if (runs.every((run) => valueOf(run) === undefined)) {
    throw new RangeError(refusal(verb, "by", "be a field that runs have", by));
  }
  if (!runs.some((run) => isObject(valueOf(run)))) {
    return (run) => String(valueOf(run) ?? "unknown");
  }
  const entry = (run: R, name: string) => {
    const value = (valueOf(run) as Record<string, unknown> | undefined)?.[name];
    if (Array.isArray(value) && value.length > 0 && value.every(isNamed)) {
      return value.map(recordText).join(" ");
    }
    return typeof value === "string" ? value : JSON.stringify(value) ?? "none";
  };
  const names = [...new Set(runs.flatMap((run) => Object.keys(valueOf(run) ?? {})))]
    .filter((name) => new Set(runs.map((run) => entry(run, name))).size > 1);
  return (run) => names.map((name) => `${name} ${entry(run, name)}`).join(", ") || "all";
}

/**
 * Runs by key. Keys come in the order in which the study planned its methods, where the runs know it, else
 * in that of their first runs, which is the same in what `runStudy` and `readRuns` return. Refuses what
 * cannot be counted honestly.
 */
export function groupRuns<R extends Outcome>(
  verb: string,
  runs: readonly R[],
  by: By<R> = "method",
): Map<string, Group<R>> {
  if (!Array.isArray(runs)) {
    throw new TypeError(refusal(verb, "runs", "be an array of runs", runs));
  }
  if (runs.length === 0) {
    throw new RangeError(refusal(verb, "runs", "hold at least one run", runs));
  }
  const alike = (fields: readonly (keyof Outcome)[], own: readonly R[], of: string) => {
    for (const field of fields) {
      const values = new Set(own.map((run) => run[field]));
      if (values.size === 1) continue;
      throw new RangeError(refusal(verb, "runs", `come from one ${field}${of}`, [...values]));
    }
  };
  alike(["task"], runs, "");
  if (by === "method") alike(["model", "study"], runs, "");
  else if (typeof by === "string") {
    const others = (["model", "method"] as const).filter((field) => field !== by);
    alike(others, runs, `, where they are compared by ${by}`);
  }
  const found = Map.groupBy(runs, keyBy(verb, runs, by));
  if (by !== "method") {
    for (const [key, own] of found) alike(["model", "method", "study"], own, ` for ${shown(key)}`);
  }
  checkProblems(verb, runs, by === "taskParameters");
  const planned = by === "method" ? plannedOf(runs)?.methods ?? [] : [];
  const keys = [...new Set([...planned, ...found.keys()])].filter((key) => found.has(key));
  return new Map(keys.map((key) => [key, groupOf(verb, key, found.get(key)!)]));
}

/** The runs of a method, by default of the only one; refused where none can be judged. */
export function groupOfMethod<R extends Outcome>(
  verb: string,
  runs: readonly R[],
  method?: string,
): Group<R> {
  if (method !== undefined && runs.length > 0) {
    checkKey(verb, "method", method, [...new Set(runs.map((run) => run.method))]);
  }
  const chosen = method === undefined ? runs : runs.filter((run) => run.method === method);
  const groups = groupRuns(verb, chosen), [group] = groups.values();
  if (groups.size > 1) {
    const rule = "hold one method, or 'method' name one";
    throw new RangeError(refusal(verb, "runs", rule, [...groups.keys()]));
  }
  if (group!.n > 0) return group!;
  throw new RangeError(`Cannot ${verb} as 'runs' must hold one that can be judged: none can`);
}

/** Refuses runs whose problems have the same ids but other prompts or answers, where they tell. */
function checkProblems(verb: string, runs: readonly Outcome[], otherOptions: boolean): void {
  const told = new Map<string, string>();
  for (const run of runs) {
    const { problemFields, taskParameters } = run as Partial<Run>;
    if (problemFields === undefined) continue;
    const here = JSON.stringify([problemFields, otherOptions ? null : taskParameters]);
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

function groupOf<R extends Outcome>(verb: string, key: string, own: readonly R[]): Group<R> {
  const { parameters } = own[0]!, found = new Map<string, Map<number, R>>();
  for (const run of own) {
    const repeats = found.get(run.problem) ?? new Map<number, R>();
    checkRun(verb, run, parameters, repeats.has(run.repeat));
    found.set(run.problem, repeats.set(run.repeat, run));
  }
  const runs = new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
  const problems = new Map<string, Map<number, boolean>>();
  for (const [problem, repeats] of runs) {
    const judged = [...repeats].filter(([, { grade }]) => !grade.ungradable);
    if (judged.length === 0) continue;
    problems.set(problem, new Map(judged.map(([repeat, { grade }]) => [repeat, grade.correct])));
  }
  const verdicts = own.map(verdictOf);
  const of = (one: Verdict) => verdicts.filter((verdict) => verdict === one).length;
  const mean = (of: (run: R) => number | null | undefined) =>
    own.reduce((sum, run) => sum + (of(run) ?? NaN), 0) / own.length; // null: JSON has no NaN
  return {
    ...{ key, parameters, runs, problems, count: own.length, n: own.length - of("ungradable") },
    ...{ right: of("right"), ungradable: of("ungradable"), cut: of("cut") },
    repeats: problems.values().reduce((most, repeats) => Math.max(most, repeats.size), 0),
    truncated: own.filter(({ finishReason }) => finishReason === "length").length,
    // a text without tokens is one whose tokens were not told
    meanTokens: mean(({ tokens, text = "" }) =>
      tokens?.length === 0 && text !== "" ? NaN : tokens?.length
    ),
    meanSeconds: mean(({ timing }) =>
      (timing?.prefillMs ?? NaN) / 1000 + (timing?.decodeMs ?? NaN) / 1000
    ),
    mixing: {
      meanEntropy: mean(({ mixing }) => mixing?.meanEntropy),
      meanOffSampleMass: mean(({ mixing }) => mixing?.meanOffSampleMass),
    },
  };
}

function checkRun(
  verb: string,
  run: Outcome,
  parameters: Outcome["parameters"],
  isThere: boolean,
): void {
  const refused = (rule: string, value: string, more = "") =>
    `Cannot ${verb} as 'runs' must ${rule}: current value is ${value} (problem ${
      shown(run.problem)
    }, method ${shown(run.method)}, repeat ${run.repeat})${more}`;
  if (run.finishReason === "aborted") {
    const more = ". Finish the study first, or leave the run out";
    throw new RangeError(refused("be finished", "an aborted run", more));
  }
  if (typeof run.grade?.correct !== "boolean") {
    throw new TypeError(refused("be graded true or false", shown(run.grade?.correct)));
  }
  if (!isDeepStrictEqual(parameters, run.parameters)) {
    const both = `${shown(parameters)} and ${shown(run.parameters)}`;
    throw new RangeError(refused("give one set of parameters to a method", both));
  }
  if (isThere) throw new RangeError(refused("hold each run once", "a duplicate"));
}

/** Refuses two groups that have not the same problems and repeats. */
export function checkPairs(verb: string, group: Group, base: Group): void {
  const missing = absent(base, group), extra = absent(group, base);
  if (missing.runs === 0 && extra.runs === 0) return;
  const counts = ({ problems, runs }: { problems: number; runs: number }) =>
    `${counted(problems, "problem")} and ${counted(runs, "run")}`;
  throw new RangeError(
    `Cannot ${verb} as 'runs' must hold the same problems and repeats for every method: ` +
      `current value has ${shown(group.key)} without ${counts(missing)} that the baseline ` +
      `${shown(base.key)} has, and with ${counts(extra)} that it has not. ` +
      `Finish the study first, or filter the runs to the problems both have`,
  );
}

/** Problems (wholly) and runs that `full` has and `group` has not. */
function absent(full: Group, group: Group): { problems: number; runs: number } {
  let problems = 0, runs = 0;
  for (const [problem, repeats] of full.runs) {
    const own = group.runs.get(problem);
    if (own === undefined) problems++;
    runs += repeats.keys().filter((repeat) => !own?.has(repeat)).toArray().length;
  }
  return { problems, runs };
}

/**
 * Rows of a study. Of one that was stopped, they are made of the problems that all methods have finished,
 * and say so; there are none where no problem is finished.
 */
export function rowsOf<R extends Outcome, Row extends object>(
  runs: readonly R[],
  make: (runs: readonly R[]) => Row[],
): (Row & { readonly partial?: PartialStudy })[] {
  const partial = partialOf(runs);
  if (partial === undefined) return make(runs);
  const complete = completePairs(runs);
  if (complete.length === 0) return withPlanned([], plannedOf(runs)!);
  return make(complete).map((row) => ({ ...row, partial }));
}
