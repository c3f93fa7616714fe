/**
 * What a study asked, kept beside its runs so that both can be audited: one JSON object a line, a problem each, with
 * the prompt as the task words it and the problem's fields, the right answer among them.
 *
 * `runs/a.jsonl` has `runs/a.problems.ndjson`: another ending, so that `runs/*.jsonl` names runs alone. It is written
 * whole or not at all, by whoever has the runs' file open. Files of earlier releases have none.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { given } from "../_given.ts";
import type { Message } from "../model/mod.ts";
import type { Problem } from "../tasks/mod.ts";
import { canonical } from "./_digest.ts";
import { pathOf, rawLines, replaceFile } from "./store.ts";

/** What was asked, and what is right, as it is kept beside runs. */
export interface AskedProblem {
  /** The prompt as the task words it, before any template. Absent where nobody told it: in other tools' results. */
  readonly prompt?: string | readonly Message[];
  /** The problem's fields but its id, the right answer among them. Those that JSON cannot hold are texts. */
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * Fields of which only the first 4000 characters are kept, as a text, and how many they have. Default: none.
   */
  readonly cut?: Readonly<Record<string, number>>;
}

/** Most characters that are kept of a problem's field, such as the tests of a program. */
export const LONGEST_FIELD = 4000;

/** Where the problems of a file of runs are kept. */
const besideOf = (store: string | URL): string =>
  `${pathOf(store).replace(/\.jsonl$/, "")}.problems.ndjson`;

/** A field as it is kept, and its length where that is too much. */
function kept(value: unknown): { readonly value: unknown; readonly cut?: number } {
  const text = typeof value === "string" ? value : canonical(value);
  if (text.length > LONGEST_FIELD) {
    return { value: text.slice(0, LONGEST_FIELD).toWellFormed(), cut: text.length };
  }
  if (typeof value === "string") return { value };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { value: text };
  }
}

/**
 * A problem as it is kept beside runs.
 *
 * @param prompt The prompt as the task words it. Default: not told.
 * @throws {TypeError} Where a field refers to itself.
 */
export function askedProblem(
  { id: _, ...fields }: Problem,
  prompt?: AskedProblem["prompt"],
): AskedProblem {
  const own = Object.entries(given(fields)).map(([name, value]) => [name, kept(value)] as const);
  const cut = own.flatMap(([name, { cut }]) => cut === undefined ? [] : [[name, cut] as const]);
  return {
    ...given({ prompt }),
    fields: Object.fromEntries(own.map(([name, { value }]) => [name, value])),
    ...(cut.length > 0 ? { cut: Object.fromEntries(cut) } : {}),
  };
}

const isMessage = (value: unknown) =>
  isObject(value) && typeof value.role === "string" && typeof value.content === "string";

/** Whether a line of a file is a problem. */
function isLine(value: unknown): value is AskedProblem & { readonly problem: string } {
  if (!isObject(value) || typeof value.problem !== "string" || !isObject(value.fields)) {
    return false;
  }
  const { prompt, cut = {} } = value;
  const isPrompt = prompt === undefined || typeof prompt === "string" ||
    Array.isArray(prompt) && prompt.every(isMessage);
  return isPrompt && isObject(cut) && Object.values(cut).every(Number.isSafeInteger);
}

/** A line's problem; undefined where it is none. */
function parsed(bytes: Uint8Array) {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the problems of a study by id, which are kept beside its runs.
 *
 * @param store Path or file URL of the runs, as `readRuns` takes it.
 * @returns What was asked and what is right; empty where nobody kept it, as earlier releases did not.
 * @throws {SyntaxError} Where a line is no problem, naming it.
 *
 * @example
 * ```ts
 * import { loadModel, readProblems, runStudy, standard, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const folder = await Deno.makeTempDir(), store = `${folder}/votes.jsonl`;
 * const task = votes({ limit: 2 });
 * await runStudy({ model, task, methods: { standard: standard() } }, { store });
 * const [first] = await task.problems();
 * const { prompt, fields } = (await readProblems(store)).get(first!.id)!;
 * assertEquals([prompt, fields.leaders], [task.prompt(first!), first!.leaders]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function readProblems(
  store: string | URL,
): Promise<ReadonlyMap<string, AskedProblem>> {
  const path = besideOf(store), problems = new Map<string, AskedProblem>();
  let number = 0;
  try {
    using file = await Deno.open(path);
    for await (const { bytes } of rawLines(file)) {
      number++;
      if (bytes.every((byte) => byte <= 32)) continue; // an editor left it
      const line = parsed(bytes);
      if (line === undefined) {
        const rule = "must be a problem with its prompt and fields; a study that goes on without " +
          "the file writes it again";
        throw new SyntaxError(`Cannot read problems as line ${number} of ${path} ${rule}`);
      }
      const { problem, ...asked } = line;
      problems.set(problem, asked);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return problems;
}

/**
 * Keeps problems beside runs; those that are there stay, and of one that is there the later one counts. The file of
 * the runs must be open.
 *
 * @throws {Error} Where the file cannot be written; it is then as it was.
 */
export async function keepProblems(
  store: string | URL,
  problems: ReadonlyMap<string, AskedProblem>,
): Promise<void> {
  const all = new Map(await readProblems(store));
  let isNew = false;
  for (const [id, asked] of problems) {
    isNew ||= canonical(all.get(id)) !== canonical(asked);
    all.set(id, asked);
  }
  if (!isNew) return;
  const lines = [...all].map(([problem, asked]) => `${JSON.stringify({ problem, ...asked })}\n`);
  await replaceFile(besideOf(store), "problems", lines);
}
