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

import { createHash } from "node:crypto";
import { refusal, shown } from "../_check.ts";
import type { Message } from "../model/mod.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import manifest from "../../deno.json" with { type: "json" };
import type { Plan, PlannedRun } from "./plan.ts";
import { type Run, verdictOf } from "./run.ts";

/** First 16 hex digits of the SHA-256 of a text. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * A value as JSON with its keys sorted; `undefined` is left out, and what JSON cannot hold (integers
 * beyond 2⁵³, NaN, dates, maps, typed arrays, functions) is written in a way of its own.
 *
 * @throws {TypeError} Where the value refers to itself.
 */
export function canonical(value: unknown, above: readonly unknown[] = []): string {
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : `${value}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") {
    return JSON.stringify(`${String(value)}`);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  if (above.includes(value)) throw new TypeError("it refers to itself");
  const within = [...above, value], inner = (own: unknown) => canonical(own, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return inner(toJSON.call(value, ""));
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return inner(Array.from(value as Uint8Array));
  }
  if (value instanceof Map || value instanceof Set) return inner([...value]);
  if (Array.isArray(value)) return `[${value.map(inner).join(",")}]`;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  const proto = Object.getPrototypeOf(value);
  if (entries.length === 0 && proto !== null && proto !== Object.prototype) {
    return inner(`${value}`);
  }
  const parts = entries.toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([name, own]) => `${JSON.stringify(name)}:${inner(own)}`);
  return `{${parts.join(",")}}`;
}

/**
 * Digest of a prompt as a task words it, as {@linkcode Run.wording} holds it.
 *
 * @param prompt Messages or text.
 *
 * @example Other words, another digest
 * ```ts
 * import { wordingOf } from "@moi/moi/study";
 * import { assertNotEquals } from "@std/assert";
 * assertNotEquals(wordingOf("1 + 1?"), wordingOf([{ role: "user", content: "1 + 1?" }]));
 * ```
 */
export function wordingOf(prompt: readonly Message[] | string): string {
  return sha256(canonical(prompt));
}

/** A digest of each field of a problem but its id: 8 hex digits. */
export function fieldDigests({ id, ...fields }: Problem): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined).toSorted(([a], [b]) =>
      a < b ? -1 : 1
    ).map(([name, value]) => {
      try {
        return [name, sha256(canonical(value)).slice(0, 8)];
      } catch (cause) {
        const { message } = cause as Error; // of a value nested without end, or of its own toJSON
        throw new TypeError(
          `Cannot run the study as '${name}' of problem '${id}' must be plain data: ${message}`,
          { cause },
        );
      }
    }),
  );
}

/** A record of scalars as it comes back from a file: without `undefined`, infinities as text. */
export function scalars(
  record: Readonly<Record<string, string | number | boolean | null | undefined>> = {},
): Run["parameters"] {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === "number" && !Number.isFinite(value) ? `${value}` : value,
    ]),
  ) as Run["parameters"];
}

/**
 * Chat variables as they are recorded.
 *
 * @throws {TypeError} Where they are no object, or hold what JSON does not.
 */
export function chatVariables(verb: string, chat: unknown): Readonly<Record<string, unknown>> {
  const rule = "be an object of template variables, as JSON has them";
  if (typeof chat !== "object" || chat === null || Array.isArray(chat)) {
    throw new TypeError(refusal(verb, "chat", rule, chat));
  }
  for (const [name, value] of Object.entries(chat)) {
    if (value === undefined) continue;
    let same: boolean;
    try {
      same = canonical(JSON.parse(JSON.stringify(value) ?? "undefined")) === canonical(value);
    } catch {
      same = false;
    }
    if (!same) throw new TypeError(refusal(verb, `chat.${name}`, "be a value of JSON", value));
  }
  return JSON.parse(JSON.stringify(chat));
}

/** What the runs of a file share, and the word for it. */
const SHARED = {
  model: "model",
  device: "device",
  dtype: "dtype",
  task: "task",
  sampler: "sampler",
  studySeed: "seed",
} as const satisfies Partial<Record<keyof Plan, string>>;

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

const told = (value: unknown) => value === undefined ? "none" : shown(value);

/** "temperature: 1 there, 0.5 here" for each entry in which two records differ. */
function differences(here: Values, there: Values): string {
  return differing(here, there)
    .map((name) => `${name}: ${told(there[name])} there, ${told(here[name])} here`).join("; ");
}

const isRecord = (value: unknown): value is Values => typeof value === "object" && value !== null;

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
  return isRecord(run.problemFields);
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
export function checkStored(plan: Plan, stored: readonly Run[], where: string): number {
  const refuse = (what: string, here: unknown, there: unknown, isGrading = false): never => {
    const parts = isRecord(here) && isRecord(there) ? ` (${differences(here, there)})` : "";
    const values = `${told(there)} there, ${told(here)} here${parts}`;
    return refuseFile(where, `${what}: ${values}`, isGrading);
  };
  const planned = new Map<string, PlannedRun>(plan.runs.map((run) => [run.problem.id, run]));
  const changed = new Map<string, string>();
  let rendered = 0;
  for (const run of stored) {
    for (const field of Object.keys(SHARED) as (keyof typeof SHARED)[]) {
      if (compared(field, run[field]) !== compared(field, plan[field])) {
        refuse(SHARED[field], plan[field], run[field]);
      }
    }
    const now = planned.get(run.problem), { taskParameters = {}, chat = {} } = run;
    const [option] = knowsProblem(run) ? differing(plan.taskParameters, taskParameters) : [];
    if (option !== undefined) {
      const isGrading = now === undefined || now.wording === run.wording;
      const here = plan.taskParameters[option], there = taskParameters[option];
      refuse(`option '${option}' of the task`, here, there, isGrading);
    }
    const [variable] = differing(plan.chat, chat);
    if (variable !== undefined) {
      refuse(`chat variable '${variable}'`, plan.chat[variable], chat[variable]);
    }
    if (plan.primary !== undefined && run.primary !== undefined && run.primary !== plan.primary) {
      refuse("primary comparison", plan.primary, run.primary);
    }
    const own = plan.parameters[run.method];
    const there = run.parameters ?? {};
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
      if (run.wording === undefined || !now.isChat) refuse(what, now.prompt, run.prompt);
      if (run.template !== undefined && run.template !== plan.template) {
        refuse("chat template", plan.template, run.template);
      }
      rendered++;
    }
    if (knowsProblem(run)) {
      const [name] = differing(now.fields, run.problemFields);
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
  plan: Plan<P>,
  task: Task<P, Grade | Promise<Grade>>,
  stored: readonly Run[],
  where: string,
  signal: AbortSignal | undefined,
): Promise<Run[]> {
  const problems = new Map(plan.runs.map(({ problem }) => [problem.id, problem]));
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
    if (known && (takesTime || plan.namesOptions)) {
      checked.push(run);
      continue;
    }
    const made = task.grade(problems.get(run.problem)!, run.text);
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

/**
 * A run with a new grade, and by what it was given: the problem's fields, the task's options, this
 * release. `runStudy` continues such runs with that task.
 *
 * @param run A stored run.
 * @param problem Its problem as the task has it now.
 * @param task The task that graded its text.
 * @param grade The new grade.
 * @throws {TypeError} Where a field of the problem refers to itself.
 *
 * @example A gold answer that was wrong
 * ```ts
 * import { regradedRun, type Run } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const run = { problem: "1", text: "3", grade: { correct: false, extracted: "3" } } as Run;
 * const grade = { correct: true, extracted: "3" };
 * const again = regradedRun(run, { id: "1", answer: "3" }, {}, grade);
 * assertEquals([again.grade.correct, Object.keys(again.problemFields!)], [true, ["answer"]]);
 * ```
 */
export function regradedRun<P extends Problem>(
  run: Run,
  problem: P,
  task: Pick<Task<P, Grade | Promise<Grade>>, "parameters">,
  grade: Grade,
): Run {
  const { taskParameters: _, ...rest } = run;
  return {
    ...rest,
    ...(task.parameters ? { taskParameters: scalars(task.parameters) } : {}),
    problemFields: fieldDigests(problem),
    grade,
    versions: { ...run.versions, graded: manifest.version },
  };
}
