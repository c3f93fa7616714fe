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
import { type PlannedRun, type Run, verdictOf } from "./run.ts";

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

/** "temperature: 1 there, 0.5 here" for each entry in which two records differ. */
function differences(here: Values, there: Values): string {
  return differing(here, there)
    .map((name) => `${name}: ${told(there[name])} there, ${told(here[name])} here`).join("; ");
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

/** Refuses a file, and says whether grading its texts again is a way out. */
function refuseFile(where: string, what: string, isGrading: boolean): never {
  const again = "grade its texts again (deno task grade, regradedRun) into another file, or ";
  throw new Error(
    `Cannot continue the study in ${where} as its runs have another ${what}; ` +
      `${isGrading ? again : ""}name another file`,
  );
}

/**
 * Refuses a file whose runs this study must not be mixed with, saying what differs.
 *
 * @returns Number of runs whose prompt the chat template rendered otherwise than it does now.
 */
export function checkStored(
  { runs, problems }: Plan,
  stored: readonly Run[],
  where: string,
): number {
  const refuse = (what: string, here: unknown, there: unknown, isGrading = false): never => {
    const parts = isObject(here) && isObject(there) ? ` (${differences(here, there)})` : "";
    const values = `${told(there)} there, ${told(here)} here${parts}`;
    return refuseFile(where, `${what}: ${values}`, isGrading);
  };
  const planned = new Map(runs.map((run) => [run.problem, run]));
  const methods = new Map(runs.map(({ method, parameters }) => [method, parameters]));
  const any = runs[0]!, { taskParameters = {}, chat = {}, primary } = any;
  const changed = new Map<string, string>();
  let rendered = 0;
  for (const run of stored) {
    for (const field of Object.keys(SHARED) as (keyof typeof SHARED)[]) {
      if (compared(field, run[field]) !== compared(field, any[field])) {
        refuse(SHARED[field], any[field], run[field]);
      }
    }
    const now = planned.get(run.problem), its = { taskParameters: {}, chat: {}, ...run };
    const [option] = knowsProblem(run) ? differing(taskParameters, its.taskParameters) : [];
    if (option !== undefined) {
      const isGrading = now === undefined || now.wording === run.wording;
      const what = `option '${option}' of the task`;
      refuse(what, taskParameters[option], its.taskParameters[option], isGrading);
    }
    const [variable] = differing(chat, its.chat);
    if (variable !== undefined) {
      refuse(`chat variable '${variable}'`, chat[variable], its.chat[variable]);
    }
    if (primary !== undefined && run.primary !== undefined && run.primary !== primary) {
      refuse("primary comparison", primary, run.primary);
    }
    const own = methods.get(run.method), there = run.parameters ?? {};
    if (own && differing(own, knobs(there, own)).length > 0) {
      refuse(`method '${run.method}'`, own, there);
    }
    if (now === undefined) continue;
    if (typeof run.text !== "string") {
      throw new Error(
        `Cannot continue the study in ${where} as its runs must hold their text: ` +
          `that of problem '${run.problem}', method '${run.method}' is ${told(run.text)}`,
      );
    }
    const what = `prompt for problem '${run.problem}'`;
    if (run.wording !== undefined && run.wording !== now.wording) {
      refuse(what, now.wording, run.wording);
    }
    if (run.prompt !== now.prompt) {
      if (run.wording === undefined || !problems.get(run.problem)!.isChat) {
        refuse(what, now.prompt, run.prompt);
      }
      if (run.template !== undefined && run.template !== now.template) {
        refuse("chat template", now.template, run.template);
      }
      rendered++;
    }
    if (knowsProblem(run)) {
      const [name] = differing(now.problemFields!, run.problemFields);
      if (name !== undefined) changed.set(run.problem, name);
    }
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
