/**
 * What the code tasks share: finding the program in a text, and running it against its tests.
 *
 * @module
 */

import { checkNumber, refusal } from "../_check.ts";
import { checkSource, messagesOf, type QuestionOptions } from "./question.ts";
import { type Program, type PythonOptions, runPython } from "./sandbox/python.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** A task whose grader takes a moment: the program is run. */
export type CodeTask<P extends Problem> = Task<P, Promise<Grade>>;

/** Options of the code tasks. */
export interface CodeOptions extends Omit<QuestionOptions, "prompt" | "grading"> {
  /** "chat": asks for the code in a block; "plain": the text of the data set alone. Default: "chat". */
  readonly prompt?: "chat" | "plain";
  /** Milliseconds of each program. Default: 10,000. */
  readonly timeMs?: number;
  /** Mebibytes of the interpreter. Default: 512. */
  readonly memoryMb?: number;
}

/** Checks the options of a code task. */
export function checkCode(
  name: string,
  options: CodeOptions,
): Required<Pick<CodeOptions, "prompt">> {
  const own = ["source", "limit", "prompt", "system", "timeMs", "memoryMb"];
  checkSource(name, options, own);
  const { prompt = "chat", timeMs = 1, memoryMb = 64 } = options;
  if (prompt !== "chat" && prompt !== "plain") {
    throw new RangeError(refusal(`make ${name}`, "prompt", 'be "chat" or "plain"', prompt));
  }
  checkNumber(`make ${name}`, "timeMs", timeMs, { min: 1 });
  checkNumber(`make ${name}`, "memoryMb", memoryMb, { min: 64, max: 2048, integer: true });
  return { prompt };
}

/**
 * The program of a generated text: the last complete code block, those marked as Python first; without one
 * the text after the thoughts.
 *
 * @param text A generated text.
 *
 * @example
 * ```ts
 * import { codeOf } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const fence = "`".repeat(3);
 * assertEquals(codeOf(`So:\n${fence}python\nx = 1\n${fence}\nDone.`), "x = 1\n");
 * assertEquals(codeOf("    return 1\n"), "    return 1\n");
 * ```
 */
export function codeOf(text: string): string {
  const end = text.lastIndexOf("</think>");
  const answer = end < 0 ? text : text.slice(end + "</think>".length);
  const blocks = [...answer.matchAll(/^[ \t]*```([^\n`]*)\n([\s\S]*?)^[ \t]*```/gm)];
  const python = blocks.filter(([, language]) => /^\s*(?:python|py)/i.test(language!));
  const found = (python.at(-1) ?? blocks.at(-1))?.[2];
  if (found !== undefined) return found;
  const open = /^[ \t]*```(?:python|py)?[^\n`]*\n([\s\S]*)$/im.exec(answer); // cut off within its block
  return open?.[1] ?? answer;
}

/**
 * Runs programs and grades the last.
 *
 * @param code What is reported as the answer.
 * @param programs A solution and its tests.
 */
export async function gradeCode(
  code: string,
  programs: readonly Program[],
  { timeMs, memoryMb }: CodeOptions,
): Promise<Grade> {
  const options: PythonOptions = {
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
  };
  const results = await runPython(programs, options), { verdict, error } = results.at(-1)!;
  const correct = verdict === "pass" && results.length === programs.length;
  const extracted = code.trim() === ""
    ? null
    : code.length > 2000
    ? `${code.slice(0, 1999)}…`
    : code;
  const detail = error === undefined ? "" : `: ${error.slice(0, 200)}`;
  return { correct, extracted, reason: correct ? "pass" : `${verdict}${detail}` };
}

/** A request for code, as a conversation. */
export function askForCode(text: string, system: string | undefined) {
  return messagesOf(
    `${text}\n\nGive the whole program in one Python code block (\`\`\`python … \`\`\`).`,
    system,
  );
}
