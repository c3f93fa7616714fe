/**
 * What the code tasks share: their options, and finding the program in a text.
 *
 * @module
 */

import { checkNumber, refusal } from "../_check.ts";
import type { Answer } from "./judge.ts";
import { checkSource, messagesOf, type QuestionOptions } from "./question.ts";
import { LIMITS, type PythonOptions } from "./sandbox/python.ts";
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

/** Options of a code task, checked: what its prompts, its grades and its records need. */
export interface CodeSetting {
  readonly prompt: "chat" | "plain";
  readonly limits: PythonOptions;
  readonly parameters: NonNullable<Task["parameters"]>;
}

/** Checks the options of a code task. */
export function checkCode(
  name: string,
  options: CodeOptions,
  more: readonly string[] = [],
): CodeSetting {
  const own = ["source", "limit", "prompt", "system", "timeMs", "memoryMb"];
  checkSource(name, options, [...own, ...more]);
  const { prompt = "chat", system = null, offline = false } = options;
  const { timeMs = LIMITS.timeMs, memoryMb = LIMITS.memoryMb } = options;
  if (prompt !== "chat" && prompt !== "plain") {
    throw new RangeError(refusal(`make ${name}`, "prompt", 'be "chat" or "plain"', prompt));
  }
  checkNumber(`make ${name}`, "timeMs", timeMs, { min: 1, max: 2 ** 31 - 1 });
  checkNumber(`make ${name}`, "memoryMb", memoryMb, { min: 64, max: 2048, integer: true });
  const limits = { timeMs, memoryMb };
  return { prompt, limits: { ...limits, offline }, parameters: { prompt, system, ...limits } };
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
  return answerOf(text).code;
}

/** The text after the thoughts. */
export const afterThoughts = (text: string): string => {
  const end = text.lastIndexOf("</think>");
  return end < 0 ? text : text.slice(end + "</think>".length);
};

/** Whether a text begins with Python: a definition, an import or a decorator. */
const BEGINS = new RegExp(
  "^\\s*(?:(?:async\\s+)?def\\s+\\w+\\s*\\(|class\\s+\\w+\\s*[(:]|from\\s+[\\w.]+\\s+import\\s|@\\w|" +
    "import\\s+[\\w.]+(?:\\s+as\\s+\\w+)?\\s*(?:,[^\\n]*)?(?:\\n|$))",
);

/**
 * The program of a text; outside of a complete block prose may follow it, or it may be cut.
 *
 * @param text A generated text.
 * @param goesOn Whether the text goes on from a prompt: it may begin with the program, and blocks after
 * that are no part of it.
 */
export function answerOf(text: string, goesOn = false): Answer {
  const answer = afterThoughts(text);
  const bare = BEGINS.test(answer)
    ? { code: answer.split(/^[ \t]*```/m, 1)[0]!, prefix: true }
    : undefined;
  if (goesOn && bare) return bare;
  const blocks = [...answer.matchAll(/^[ \t]*```([^\n`]*)\n([\s\S]*?)^[ \t]*```/gm)];
  const python = blocks.filter(([, language]) => /^\s*(?:python|py)/i.test(language!));
  const found = (python.at(-1) ?? blocks.at(-1))?.[2];
  if (found !== undefined) return { code: found, prefix: false };
  if (bare) return bare;
  const open = /^[ \t]*```(?:python|py)?[^\n`]*\n([\s\S]*)$/im.exec(answer); // cut off within its block
  return { code: open?.[1] ?? answer, prefix: true };
}

/** A text up to the first of some stop texts after its first character that is not white space. */
export function beforeStops(text: string, stops: readonly string[]): string {
  const from = Math.max(0, text.search(/\S/));
  const ends = stops.map((stop) => text.indexOf(stop, from)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

/** A request for code, as a conversation. */
export function askForCode(text: string, system: string | undefined) {
  return messagesOf(
    `${text}\n\nGive the whole program in one Python code block (\`\`\`python … \`\`\`).`,
    system,
  );
}
