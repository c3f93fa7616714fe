/**
 * HumanEval: functions to be completed from their signature and docstring (arXiv 2107.03374).
 *
 * @module
 */

import {
  afterThoughts,
  askForCode,
  beforeStops,
  checkCode,
  type CodeOptions,
  type CodeTask,
  functionOf,
} from "./code.ts";
import { type Answer, judgeFunction } from "./judge.ts";
import { columnOf, COLUMNS, idsOf, rowsOnce, textOf, unknownLayout } from "./question.ts";
import type { Row } from "./source/rows.ts";
import type { Problem } from "./task.ts";

/** A function to be completed. */
export interface HumanEvalProblem extends Problem {
  /** Imports, signature and docstring. */
  readonly code: string;
  /** Name of the function. */
  readonly entryPoint: string;
  /** Defines `check(candidate)`. */
  readonly test: string;
  /** The right body, where the source has it. */
  readonly solution?: string;
}

function problemOf(row: Row, id: string, at: number): HumanEvalProblem {
  const own = typeof row.answer === "object" && row.answer !== null ? row.answer as Row : row;
  const code = textOf(row.prompt), test = textOf(own.test), entryPoint = textOf(own.entry_point);
  if (code === undefined || test === undefined || !/^[A-Za-z_]\w*$/.test(entryPoint ?? "")) {
    return unknownLayout("humanEval", "prompt, test and entry_point", row, at);
  }
  if (!/\bdef\s+check\b/.test(test)) {
    return unknownLayout("humanEval", "a test that defines check(candidate)", row, at);
  }
  const solution = textOf(own.canonical_solution);
  const task = textOf(own.task_id) ?? textOf(columnOf(row, COLUMNS.id));
  return {
    id: task ?? id,
    ...{ code, test, entryPoint: entryPoint! },
    ...(solution === undefined ? {} : { solution }),
  };
}

/** Lines before the function: its imports and helpers, for answers that leave them out. */
function preamble({ code, entryPoint }: HumanEvalProblem): string {
  const at = code.search(new RegExp(`^def ${entryPoint}\\b`, "m"));
  return at < 0 ? "" : code.slice(0, at);
}

/** Texts at which the authors' harness ends a completion, and a fence. */
const STOPS = ["\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n```"];

/**
 * The body with which a text goes on from the signature: up to its first unindented line, which every stop
 * text of the benchmark begins, as prose does. Lines within a text in triple quotes, and closing brackets,
 * belong to it. Undefined where the text does not begin with an indented line.
 */
function bodyOf(text: string): string | undefined {
  const lines = text.split("\n"), first = lines.find((line) => line.trim() !== "") ?? "";
  if (!/^(?: {2}|\t)/.test(first)) return undefined;
  let quoted = "";
  const end = lines.findIndex((line) => {
    if (quoted === "" && /^[^\s)\]}]/.test(line)) return true;
    for (const [quotes] of line.matchAll(/"""|'''/g)) {
      if (quoted === "") quoted = quotes;
      else if (quoted === quotes) quoted = "";
    }
    return false;
  });
  return `${lines.slice(0, end < 0 ? undefined : end).join("\n")}\n`;
}

/** A line of prose before an indented one. */
const PROSE = /^\s*[A-Z][^\n]*[:.!][ \t]*\n(?:[ \t]*\n)*(?=(?: {2}|\t)[ \t]*[^\s`~])/;

/** The program of a text, and what is run before it. */
function programOf(problem: HumanEvalProblem, text: string, prompt: "chat" | "plain"): {
  readonly answer: Answer;
  readonly preamble: string;
} {
  const wanted = { names: [problem.entryPoint], body: true, goesOn: prompt === "plain" };
  const found = functionOf(text, wanted), fenced = !found.prefix;
  const body = prompt === "plain" || !fenced
    ? bodyOf(fenced ? afterThoughts(text) : afterThoughts(text).replace(PROSE, ""))
    : undefined;
  if (body !== undefined) {
    return { answer: { ...found, code: problem.code + body, prefix: true }, preamble: "" };
  }
  const at = found.code.search(new RegExp(`^def ${problem.entryPoint}\\b`, "m"));
  if (at < 0) return { answer: { ...found, code: problem.code + found.code }, preamble: "" };
  const code = prompt === "plain" && !fenced
    ? found.code.slice(0, at) + beforeStops(found.code.slice(at), STOPS)
    : found.code;
  return { answer: { ...found, code }, preamble: preamble(problem) };
}

/**
 * HumanEval.
 *
 * On the hub: `openai/openai_humaneval`, and EvalPlus in the same layout. An answer is a whole function, or
 * the body that goes on from the signature; of several blocks the last that defines the function, after
 * those with what it needs. With `prompt: "plain"` it ends where the authors' harness stops
 * a completion (a new line that begins with `class`, `def`, `#`, `if` or `print`), at a fence, and a body at
 * its first unindented line. It is run with its tests in {@linkcode runPython}'s sandbox, a new process
 * each; its `if __name__ == "__main__":` does not run, as in the authors' harness.
 *
 * Tests or answers that import what the sandbox lacks are not gradable: EvalPlus imports numpy, which is
 * loaded where it can be had (see {@linkcode runPython}).
 *
 * @param options Source, prompt, limits.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example One problem
 * ```ts
 * import { humanEval } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * const row = {
 *   ...{ task_id: "H/0", entry_point: "double", prompt: 'def double(x):\n    """2x"""\n' },
 *   test: "def check(candidate):\n    assert candidate(2) == 4\n",
 * };
 * await Deno.writeTextFile(source, JSON.stringify(row));
 * const task = humanEval({ source });
 * const [problem] = await task.problems();
 * assertEquals((await task.grade(problem!, "    return 2 * x\n")).correct, true);
 * await Deno.remove(source);
 * ```
 */
export function humanEval(options: CodeOptions): CodeTask<HumanEvalProblem> {
  const { prompt, limits, parameters } = checkCode("humanEval", options);
  const { system, timeMs: _, memoryMb: __, prompt: ___, ...source } = options;
  const rows = rowsOnce(source);
  return {
    name: "humanEval",
    parameters,
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    async problems() {
      const all = await rows(), ids = idsOf("humanEval", all);
      return all.map((row, i) => problemOf(row, ids[i]!, i));
    },
    prompt: ({ code }) =>
      prompt === "plain"
        ? code
        : askForCode(`Complete this Python function:\n\n\`\`\`python\n${code}\n\`\`\``, system),
    grade(problem, text) {
      const { answer, preamble } = programOf(problem, text, prompt);
      const tests = [`${problem.test}\ncheck(${problem.entryPoint})\n`];
      return judgeFunction(answer, { preamble, tests, limits });
    },
  };
}
