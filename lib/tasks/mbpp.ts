/**
 * MBPP: mostly basic Python problems (arXiv 2108.07732).
 *
 * @module
 */

import { asText, innerRow, textOf, unknownLayout } from "./benchmark.ts";
import {
  afterThoughts,
  beforeStops,
  CODE_RULES,
  type CodeOptions,
  type CodeTask,
  codeTask,
  functionOf,
} from "./code.ts";
import { judgeFunction, ungradable } from "./judge.ts";
import type { Row } from "./source/rows.ts";
import type { Problem } from "./task.ts";

/** A program to be written. */
export interface MbppProblem extends Problem {
  /** What it should do. */
  readonly question: string;
  /** Assertions. */
  readonly tests: readonly string[];
  /** Imports and definitions before the assertions. */
  readonly setup: string;
  /** Further tests, as one program; "" where there are none. */
  readonly more: string;
  /** A right program, where the source has it. */
  readonly solution?: string;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const linesOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.filter((line) => typeof line === "string").join("\n")
    : asText(value) ?? "";

function problemOf(row: Row, id: string, at: number): MbppProblem {
  const own = innerRow(row), question = textOf(row, ["prompt", "text", "question"]);
  const tests = own.test_list, solution = asText(own.code);
  if (question === undefined || !isTexts(tests)) {
    return unknownLayout("mbpp", "text or prompt, and test_list", row, at);
  }
  const setup = [own.test_imports, own.test_import, own.test_setup_code].map(linesOf);
  return {
    ...{ id, question, tests, setup: setup.filter((part) => part).join("\n") },
    ...{ more: asText(own.test) ?? "", ...(solution !== undefined && { solution }) },
  };
}

/** Texts at which harnesses end a completion. */
const STOPS = ["\nclass", "\nassert", '\n"""', "\nprint", "\nif", "\n```", "[DONE]"];

/** Python's own functions that tests call around the one they test. */
const OWN = new Set(
  ("abs all any bool bytes complex dict enumerate filter float frozenset int isinstance len list map max " +
    "min next not and or in is pow print range repr reversed round set sorted str sum tuple type zip")
    .split(" "),
);

/** Names that tests call: the function, and what its arguments are made with. */
const calledBy = (tests: readonly string[]): string[] => {
  const calls = tests.flatMap((test) => [...test.matchAll(/(?<![.\w])([A-Za-z_]\w*)\s*\(/g)]);
  return [...new Set(calls.map(([, name]) => name!))].filter((name) => !OWN.has(name));
};

/** An answer between the benchmark's own markers, where it has them. */
function unmarked(text: string, goesOn: boolean): string {
  const answer = afterThoughts(text);
  const parts = answer.split(/^[ \t]*\[(?:BEGIN|PYTHON)\][ \t]*\n?/m);
  const first = /^(?:def|class|import|from|@)/m.test(parts[0]!) ? parts[0]! : parts[1];
  const part = (goesOn ? first : parts.at(-1)) ?? answer;
  const end = /^[ \t]*\[\/?(?:DONE|END|BEGIN|PYTHON)\][ \t]*$/m;
  return part.split(end, 1)[0]!.replace(/\[\/?DONE\]\s*$/, "");
}

/**
 * MBPP, the full set and the sanitised one.
 *
 * On the hub: `google-research-datasets/mbpp` with `config: "sanitized"` or `"full"`. The prompt shows the
 * tests, as they name the function. An answer is run with them in {@linkcode runPython}'s sandbox; its
 * `if __name__ == "__main__":` does not run. EvalPlus's rows have a `test` beside: it is run too.
 *
 * With `prompt: "plain"` an answer ends at the texts at which the field's harnesses stop a completion: a new
 * line with `class`, `assert`, `"""`, `print`, `if` or a fence, and `[DONE]`. Prose or a cut statement at the
 * end of an answer without a complete block is left out.
 *
 * Of several blocks the last that defines a function that the tests call counts, after those with what it
 * needs. The benchmark's markers (`[BEGIN]` and `[DONE]` on lines of their own) are no part of an answer.
 *
 * Rows without a test are not gradable, nor are tests or answers that import what the sandbox lacks.
 *
 * @param options Source, prompt, limits; see the example of {@linkcode humanEval}.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 */
export function mbpp(options: CodeOptions): CodeTask<MbppProblem> {
  return codeTask<MbppProblem>("mbpp", options, CODE_RULES, {
    problem: problemOf,
    words({ question, tests }) {
      const chat = `${question}\nYour code should pass these tests:\n\n${tests.join("\n")}`;
      return { plain: `"""\n${chat}\n"""\n`, chat };
    },
    async grade({ setup, tests, more }, text, { goesOn, limits }) {
      const names = calledBy(tests.length > 0 ? tests : [more]);
      const found = functionOf(unmarked(text, goesOn), { names, goesOn });
      const code = goesOn && found.prefix ? beforeStops(found.code, STOPS) : found.code;
      const answer = { ...found, code }, [first, ...rest] = more === "" ? tests : [...tests, more];
      if (first === undefined) return ungradable(answer, "the row has no tests");
      const all = [`${setup}\n${first}\n`, ...rest];
      return await judgeFunction(answer, { preamble: "", tests: all, counted: true, limits });
    },
  });
}
