/**
 * The two judges of programs: one for programs that read stdin, one for functions that are called or
 * asserted about. What a benchmark adds (imports, tests, a rule) is data.
 *
 * | how it ends | a program on stdin | a function |
 * |---|---|---|
 * | to its end, or exit code 0 | judged by what it printed | exit: wrong, its tests have not run |
 * | another exit code, an exception | wrong, with the code or the exception | the same |
 * | time, memory, 16 MiB of output | wrong, with the limit | the same, without one of output |
 * | a module, threads, timers or processes that only the sandbox lacks | not gradable, with what it is | the same |
 * | the sandbox itself fails | an error is thrown | the same |
 * | a module that the tests need and the sandbox lacks | | not gradable, whatever the answer is |
 *
 * stderr is no part of a verdict.
 *
 * @module
 */

import { counted } from "../_counted.ts";
import { compareOutputs } from "./output.ts";
import {
  type Program,
  type PythonOptions,
  type PythonResult,
  runPython,
} from "./sandbox/python.ts";
import type { Grade } from "./task.ts";

/** A program, as it was found in a text; see {@linkcode Program}. */
export type Answer = Pick<Program, "code" | "defines" | "cut"> & { readonly prefix: boolean };

/** What is reported of an answer. */
const shown = ({ code }: Answer): string | null =>
  code.trim() === "" ? null : code.length > 2000 ? `${code.slice(0, 1999)}…` : code;

const graded = (correct: boolean, answer: Answer, reason: string): Grade => ({
  correct,
  extracted: shown(answer),
  reason,
});

/** A grade that says why nothing can be said. */
export const ungradable = (answer: Answer, why: string): Grade => ({
  ...graded(false, answer, `not gradable: ${why}`),
  ungradable: true,
});

/** The grade of a program that did not pass. */
function failed(answer: Answer, { verdict, error, module }: PythonResult, where: string): Grade {
  if (verdict === "unavailable") {
    const why = module === undefined ? error! : `the sandbox has no module '${module}'`;
    return ungradable(answer, `${why}${where}`);
  }
  const detail = error === undefined ? "" : `: ${error.slice(0, 200)}`;
  return graded(false, answer, `${verdict}${detail}${where}`);
}

/** A test of a program: what goes in, and what must come out. */
interface Case {
  readonly input: string;
  readonly output: string;
}

/** How a program on stdin is judged. */
interface ProgramRule {
  /** The benchmark's imports. */
  readonly preamble: string;
  /** Error that numbers with a point or an exponent may have. */
  readonly tolerance: number;
  /** Limits of the sandbox. */
  readonly limits: PythonOptions;
}

/** Runs a program on each input, and compares what it prints with what it should. */
export async function judgeProgram(
  answer: Answer,
  cases: readonly Case[],
  { preamble, tolerance, limits }: ProgramRule,
): Promise<Grade> {
  const programs = cases.map(({ input: stdin }): Program => (
    { ...answer, stdin, preamble, program: true }
  ));
  const results = await runPython(programs, limits), near: number[] = [];
  for (const [i, result] of results.entries()) {
    const where = ` in test ${i + 1} of ${cases.length}`;
    if (result.verdict !== "pass") return failed(answer, result, where);
    const likeness = compareOutputs(cases[i]!.output, result.output, tolerance);
    if (likeness === "different") return graded(false, answer, `wrong answer${where}`);
    if (likeness === "near") near.push(i + 1);
  }
  const only = near.length === 0
    ? ""
    : `, ${near.length} only within the tolerance of ${tolerance} (first test ${near[0]})`;
  return graded(true, answer, `pass: ${counted(cases.length, "test")}${only}`);
}

/** How a function is judged. */
interface FunctionRule {
  /** Python source before the answer, in its globals. */
  readonly preamble: string;
  /** Python sources that are run after it, in its globals: assertions and calls. */
  readonly tests: readonly string[];
  /** How many tests those are, where a verdict should name them. */
  readonly counted?: boolean;
  /** Limits of the sandbox. */
  readonly limits: PythonOptions;
}

/**
 * Imports what tests import, outside of `try`, before any answer is looked at: where that cannot be had,
 * the problem is not gradable for wrong answers either, which would else be all that is left of it.
 */
const importsOf = (tests: readonly string[]): string => `
import ast as _ast
def _imports(node):
    for child in _ast.iter_child_nodes(node):
        if isinstance(child, (_ast.Import, _ast.ImportFrom)):
            exec(compile(_ast.Module([child], []), "tests.py", "exec"), {})
        elif not isinstance(child, _ast.Try):
            _imports(child)
for _source in ${JSON.stringify(tests.map((test) => test.toWellFormed()))}:
    try: _tree = _ast.parse(_source)
    except SyntaxError: continue
    _imports(_tree)
`;

/** Runs an answer, then its tests, in one interpreter. */
export async function judgeFunction(
  answer: Answer,
  { preamble, tests, counted: isCounted = false, limits }: FunctionRule,
): Promise<Grade> {
  const name = "solution"; // so that its `if __name__ == "__main__":` does not run
  const needs = tests.filter((test) => /\bimport\b/.test(test));
  const before: Program[] = needs.length > 0 ? [{ code: importsOf(needs) }] : [];
  const results = await runPython([
    ...before,
    { ...answer, preamble, name },
    ...tests.map((code): Program => ({ code, name, fresh: false })),
  ], limits);
  const last = results.at(-1)!, ran = results.length - before.length;
  if (ran <= 0) { // what tests import is not there: no answer's fault
    const why = last.module === undefined
      ? last.error
      : `no module '${last.module}' in the sandbox`;
    return ungradable(answer, `its tests cannot run: ${why ?? last.verdict}`);
  }
  const where = isCounted && ran > 1 ? ` in test ${ran - 1} of ${tests.length}` : "";
  if (last.verdict !== "pass") return failed(answer, last, where);
  return graded(true, answer, isCounted ? `pass: ${counted(tests.length, "test")}` : "pass");
}
