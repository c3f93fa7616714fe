/**
 * HumanEval: functions to be completed from their signature and docstring (arXiv 2107.03374).
 *
 * @module
 */

import {
  askForCode,
  checkCode,
  codeOf,
  type CodeOptions,
  type CodeTask,
  gradeCode,
} from "./code.ts";
import { columnOf, COLUMNS, idsOf, rowsOnce, textOf, unknownLayout } from "./question.ts";
import type { Row } from "./source.ts";
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

/**
 * HumanEval.
 *
 * On the hub: `openai/openai_humaneval`. An answer is a whole function, or the body that goes on from the
 * signature. It is run with its tests in {@linkcode runPython}'s sandbox, a new process each.
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
  const { prompt } = checkCode("humanEval", options);
  const { system, timeMs: _, memoryMb: __, prompt: ___, ...source } = options;
  const rows = rowsOnce(source);
  return {
    name: "humanEval",
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
      const found = codeOf(text),
        whole = new RegExp(`^def ${problem.entryPoint}\\b`, "m").test(found);
      const code = whole ? `${preamble(problem)}\n${found}` : `${problem.code}${found}`;
      const test = `${problem.test}\ncheck(${problem.entryPoint})\n`;
      return gradeCode(found, [{ code }, { code: test, fresh: false }], options);
    },
  };
}
