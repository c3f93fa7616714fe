/**
 * MBPP: mostly basic Python problems (arXiv 2108.07732).
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
import { columnOf, idsOf, rowsOnce, textOf, unknownLayout } from "./question.ts";
import type { Row } from "./source.ts";
import type { Problem } from "./task.ts";

/** A program to be written. */
export interface MbppProblem extends Problem {
  /** What it should do. */
  readonly question: string;
  /** Assertions. */
  readonly tests: readonly string[];
  /** Imports and definitions before the assertions. */
  readonly setup: string;
  /** A right program, where the source has it. */
  readonly solution?: string;
}

const linesOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.filter((line) => typeof line === "string").join("\n")
    : textOf(value) ?? "";

function problemOf(row: Row, id: string, at: number): MbppProblem {
  const own = typeof row.answer === "object" && row.answer !== null ? row.answer as Row : row;
  const question = textOf(columnOf(row, ["prompt", "text", "question"])), tests = own.test_list;
  if (
    question === undefined || !Array.isArray(tests) || !tests.every((t) => typeof t === "string")
  ) {
    return unknownLayout("mbpp", "text or prompt, and test_list", row, at);
  }
  const solution = textOf(own.code);
  const setup = [own.test_imports, own.test_import, own.test_setup_code].map(linesOf).filter((
    part,
  ) => part);
  return {
    ...{ id, question, tests: tests as string[], setup: setup.join("\n") },
    ...(solution === undefined ? {} : { solution }),
  };
}

/**
 * MBPP, the full set and the sanitised one.
 *
 * On the hub: `google-research-datasets/mbpp` with `config: "sanitized"` or `"full"`. The prompt shows the
 * tests, as they name the function. An answer is run with them in {@linkcode runPython}'s sandbox.
 *
 * @param options Source, prompt, limits.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example One problem
 * ```ts
 * import { mbpp } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"task_id":1,"text":"Add one.","test_list":["assert f(1) == 2"]}');
 * const task = mbpp({ source });
 * const [problem] = await task.problems();
 * assertEquals((await task.grade(problem!, "def f(x): return x")).correct, false);
 * await Deno.remove(source);
 * ```
 */
export function mbpp(options: CodeOptions): CodeTask<MbppProblem> {
  const { prompt } = checkCode("mbpp", options);
  const { system, timeMs: _, memoryMb: __, prompt: ___, ...source } = options;
  const rows = rowsOnce(source);
  return {
    name: "mbpp",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    async problems() {
      const all = await rows();
      const ids = idsOf("mbpp", all.map((row) => ({ ...row.answer as Row | undefined, ...row })));
      return all.map((row, i) => problemOf(row, ids[i]!, i));
    },
    prompt({ question, tests }) {
      const text = `${question}\nYour code should pass these tests:\n\n${tests.join("\n")}`;
      return prompt === "plain" ? `"""\n${text}\n"""\n` : askForCode(text, system);
    },
    grade({ setup, tests }, text) {
      const code = codeOf(text), test = `${setup}\n${tests.join("\n")}\n`;
      return gradeCode(code, [{ code }, { code: test, fresh: false }], options);
    },
  };
}
