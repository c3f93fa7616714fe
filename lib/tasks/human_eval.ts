/**
 * HumanEval: functions to be completed from their signature and docstring (arXiv 2107.03374).
 *
 * @module
 */

import { asText, innerRow, unknownLayout } from "./benchmark.ts";
import {
  afterThoughts,
  beforeStops,
  CODE_RULES,
  type CodeOptions,
  type CodeTask,
  codeTask,
  functionOf,
} from "./code.ts";
import { type Answer, judgeFunction } from "./judge.ts";
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
  const own = innerRow(row), solution = asText(own.canonical_solution);
  const code = asText(row.prompt), test = asText(own.test), entryPoint = asText(own.entry_point);
  if (code === undefined || test === undefined || !/^[A-Za-z_]\w*$/.test(entryPoint ?? "")) {
    return unknownLayout("humanEval", "prompt, test and entry_point", row, at);
  }
  if (!/\bdef\s+check\b/.test(test)) {
    return unknownLayout("humanEval", "a test that defines check(candidate)", row, at);
  }
  return {
    ...{ id: asText(own.task_id) ?? id, code, test, entryPoint: entryPoint! },
    ...(solution !== undefined && { solution }),
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
function programOf(problem: HumanEvalProblem, text: string, goesOn: boolean): {
  readonly answer: Answer;
  readonly preamble: string;
} {
  const wanted = { names: [problem.entryPoint], body: true, goesOn };
  const found = functionOf(text, wanted), fenced = !found.prefix;
  const body = goesOn || !fenced
    ? bodyOf(fenced ? afterThoughts(text) : afterThoughts(text).replace(PROSE, ""))
    : undefined;
  if (body !== undefined) {
    return { answer: { ...found, code: problem.code + body, prefix: true }, preamble: "" };
  }
  const at = found.code.search(new RegExp(`^def ${problem.entryPoint}\\b`, "m"));
  if (at < 0) return { answer: { ...found, code: problem.code + found.code }, preamble: "" };
  const code = goesOn && !fenced
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
  return codeTask<HumanEvalProblem>("humanEval", options, CODE_RULES, {
    problem: problemOf,
    words: ({ code }) => ({
      plain: code,
      chat: `Complete this Python function:\n\n\`\`\`python\n${code}\n\`\`\``,
    }),
    grade(problem, text, { goesOn, limits }) {
      const tests = [`${problem.test}\ncheck(${problem.entryPoint})\n`];
      const { answer, preamble } = programOf(problem, text, goesOn);
      return judgeFunction(answer, { preamble, tests, limits });
    },
  });
}
