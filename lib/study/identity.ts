/**
 * What a stored study is known by, and what differs where it is another one.
 *
 * All runs of a file share the model's fingerprint, number format, device, task with its options,
 * sampler, chat variables and seed. Every run knows its problem: a digest of each field, so that a gold
 * answer that was changed is found and named, and a digest of the prompt as the task words it. The
 * prompt's rendered tokens are recorded as well, but a chat template may print the date: they are
 * compared only where no template rendered them.
 *
 * How a text is graded is known by the release of this toolkit and by the task's options. Where a run
 * does not tell them, or the task names none, stored texts are graded again, and a verdict that is no
 * longer given ends the resume: verdicts of another rule or another gold are never kept unseen.
 *
 * @module
 */

import { isObject, shown } from "../_check.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import manifest from "../../deno.json" with { type: "json" };
import { canonical } from "./_digest.ts";
import type { Plan } from "./plan.ts";
import { type PlannedRun, type Run, type Scalars, verdictOf } from "./run.ts";
import { type Shard, shardOf, shardText } from "./shard.ts";

/** What the runs of a file share, and the word for it. */
const SHARED = {
  model: "model",
  device: "device",
  dtype: "dtype",
  task: "task",
  sampler: "sampler",
  studySeed: "seed",
} as const satisfies Partial<Record<keyof PlannedRun, string>>;

/** What of a shared field is compared: of a model its fingerprint, whatever folder it lies in. */
function compared(field: keyof typeof SHARED, value: unknown): string {
  const own = field === "model" && typeof value === "string" ? value.split("@").at(-1) : value;
  return canonical(own);
}

type Values = Readonly<Record<string, unknown>>;

/** Names of the entries in which two records differ. */
function differing(here: Values, there: Values): string[] {
  const names = new Set([...Object.keys(here), ...Object.keys(there)]);
  return [...names].filter((name) => canonical(here[name]) !== canonical(there[name]));
}

/** A value with what lies deep in it, such as the knobs of transforms. */
function told(value: unknown): string {
  if (value === undefined) return "none";
  const text = Array.isArray(value) ? JSON.stringify(value) : shown(value);
  return text.length > 400 ? `${text.slice(0, 397)}...` : text;
}

/** Words for a stored run, and for what it is compared with. */
type Sides = readonly [there: string, here: string];

/** "temperature: 1 there, 0.5 here" for each entry in which two records differ. */
function differences(here: Values, there: Values, [first, second]: Sides): string {
  return differing(here, there)
    .map((name) => `${name}: ${told(there[name])} ${first}, ${told(here[name])} ${second}`)
    .join("; ");
}

/** Knobs as they are compared: files of earlier releases have null for an infinity. */
function knobs(parameters: Values, like: Values): Values {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      value === null && /^-?Infinity$/.test(String(like[name])) ? like[name] : value,
    ]),
  );
}

/** Whether a run says of each field of its problem what it was. */
function knowsProblem(run: Run): run is Run & Required<Pick<Run, "problemFields">> {
  return isObject(run.problemFields);
}

/** What a run is compared with. */
export interface Known {
  /** A run of the study. */
  readonly any: PlannedRun;
  /** Parameters of its methods, as far as they are known. */
  readonly methods: ReadonlyMap<string, Scalars>;
  /** A run of each problem, as far as they are known. */
  readonly problems: ReadonlyMap<string, PlannedRun>;
  /** Whether a template rendered a problem's prompt: then its tokens may differ. */
  readonly isChat: (problem: string) => boolean;
}

/** In what a stored run is of another study. */
export interface Difference {
  /** What differs: "seed", "option 'grading' of the task". */
  readonly what: string;
  /** Its value in the study. */
  readonly here: unknown;
  /** Its value in the stored run. */
  readonly there: unknown;
  /** Whether grading the texts again is a way out. */
  readonly isGrading?: boolean;
}

/** The values of a difference in words: "0 there, 1 here". */
export function valuesOf({ here, there }: Difference, sides: Sides = ["there", "here"]): string {
  const parts = isObject(here) && isObject(there) ? ` (${differences(here, there, sides)})` : "";
  return `${told(there)} ${sides[0]}, ${told(here)} ${sides[1]}${parts}`;
}

/** In what a stored run is of another study: what all runs share, its method, the wording of its problem. */
export function differenceOf(run: Run, known: Known): Difference | undefined {
  const { any, methods, problems, isChat } = known, now = problems.get(run.problem);
  const { taskParameters = {}, chat = {}, primary } = any;
  for (const field of Object.keys(SHARED) as (keyof typeof SHARED)[]) {
    if (compared(field, run[field]) === compared(field, any[field])) continue;
    return { what: SHARED[field], here: any[field], there: run[field] };
  }
  const its = { taskParameters: {}, chat: {}, ...run };
  const [option] = knowsProblem(run) ? differing(taskParameters, its.taskParameters) : [];
  if (option !== undefined) {
    const isGrading = now === undefined || now.wording === run.wording;
    const [here, there] = [taskParameters[option], its.taskParameters[option]];
    return { what: `option '${option}' of the task`, here, there, isGrading };
  }
  const [variable] = differing(chat, its.chat);
  if (variable !== undefined) {
    return { what: `chat variable '${variable}'`, here: chat[variable], there: its.chat[variable] };
  }
  if (primary !== undefined && run.primary !== undefined && run.primary !== primary) {
    return { what: "primary comparison", here: primary, there: run.primary };
  }
  const own = methods.get(run.method), there = run.parameters ?? {};
  if (own && differing(own, knobs(there, own)).length > 0) {
    return { what: `method '${run.method}'`, here: own, there };
  }
  if (now === undefined) return undefined;
  const what = `prompt for problem '${run.problem}'`;
  if (run.wording !== undefined && run.wording !== now.wording) {
    return { what, here: now.wording, there: run.wording };
  }
  if (run.prompt === now.prompt) return undefined;
  if (run.wording === undefined || !isChat(run.problem)) {
    return { what, here: now.prompt, there: run.prompt };
  }
  return run.template !== undefined && run.template !== now.template
    ? { what: "chat template", here: now.template, there: run.template }
    : undefined;
}

/** A field of its problem that a stored run has otherwise, where it tells. */
export function changedField(run: Run, now: PlannedRun): string | undefined {
  return knowsProblem(run) ? differing(now.problemFields ?? {}, run.problemFields)[0] : undefined;
}

/** Refuses a file, and says whether grading its texts again is a way out. */
function refuseFile(where: string, what: string, isGrading: boolean): never {
  const again = "grade its texts again (deno task grade, regradedRun) into another file, or ";
  throw new Error(
    `Cannot continue the study in ${where} as its runs have another ${what}; ` +
      `${isGrading ? again : ""}name another file`,
  );
}

/** Refuses a file with runs of another shard. */
function checkShard(shard: Shard, stored: readonly Run[], where: string): void {
  const other = stored.find(({ problem }) => shardOf(problem, shard.count) !== shard.index);
  if (other === undefined) return;
  const its = { ...shard, index: shardOf(other.problem, shard.count) };
  throw new Error(
    `Cannot continue the study in ${where} as its runs must be of ${shardText(shard)}: ` +
      `problem '${other.problem}' is of ${shardText(its)}; name another file`,
  );
}

/**
 * Refuses a file whose runs this study must not be mixed with, saying what differs.
 *
 * @returns Number of runs whose prompt the chat template rendered otherwise than it does now.
 */
export function checkStored(
  { whole, problems: own, shard }: Plan,
  stored: readonly Run[],
  where: string,
): number {
  if (shard) checkShard(shard, stored, where);
  const problems = new Map(whole.map((run) => [run.problem, run]));
  const known: Known = {
    ...{ any: whole[0]!, problems },
    methods: new Map(whole.map(({ method, parameters }) => [method, parameters])),
    isChat: (problem) => own.get(problem)!.isChat,
  };
  const changed = new Map<string, string>();
  let rendered = 0;
  for (const run of stored) {
    const difference = differenceOf(run, known), now = problems.get(run.problem);
    if (difference) {
      const { what, isGrading = false } = difference;
      refuseFile(where, `${what}: ${valuesOf(difference)}`, isGrading);
    }
    if (now === undefined) continue;
    if (typeof run.text !== "string") {
      throw new Error(
        `Cannot continue the study in ${where} as its runs must hold their text: ` +
          `that of problem '${run.problem}', method '${run.method}' is ${told(run.text)}`,
      );
    }
    if (run.prompt !== now.prompt) rendered++;
    const name = changedField(run, now);
    if (name !== undefined) changed.set(run.problem, name);
  }
  for (const [problem, name] of changed) {
    const others = changed.size === 1 ? "" : `, and ${changed.size - 1} other problems changed`;
    refuseFile(where, `'${name}' of problem '${problem}'${others}`, true);
  }
  return rendered;
}

/** Release by which a run was graded. */
const gradedBy = ({ versions }: Run) => versions?.graded ?? versions?.moi;

/** Longest time between two turns of the event loop, in milliseconds. */
const TURN_MS = 50;

/**
 * Refuses stored runs whose verdict is no longer given, where they do not tell by what they were graded.
 * A grader that runs programs is trusted where release and problem are the same.
 *
 * @returns The runs that were found to be right so far: all of them, unless the signal was aborted.
 */
export async function checkVerdicts<P extends Problem>(
  { problems }: Plan<P>,
  task: Task<P, Grade | Promise<Grade>>,
  stored: readonly Run[],
  where: string,
  signal: AbortSignal | undefined,
): Promise<Run[]> {
  const verdict = (grade: Grade, { finishReason }: Run) =>
    `${verdictOf({ grade, finishReason })}${grade.score === undefined ? "" : ` (${grade.score})`}`;
  const checked: Run[] = [], other: string[] = [];
  let takesTime = false, turned = performance.now();
  for (const run of stored) {
    if (performance.now() - turned > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turned = performance.now();
    }
    if (signal?.aborted) break;
    const known = knowsProblem(run) && gradedBy(run) === manifest.version;
    if (known && (takesTime || task.parameters)) {
      checked.push(run);
      continue;
    }
    const made = task.grade(problems.get(run.problem)!.problem, run.text);
    takesTime ||= made instanceof Promise;
    const here = verdict(await made, run), there = verdict(run.grade, run);
    if (here !== there) {
      other.push(
        `verdict on problem '${run.problem}', method '${run.method}', repeat ${run.repeat}: ` +
          `${there} there, ${here} here`,
      );
    }
    checked.push(run);
  }
  if (other.length > 0) {
    const count = `${other.length} of ${checked.length} verdicts in all`;
    refuseFile(where, `${other[0]}, ${count}`, true);
  }
  return checked;
}
