/**
 * LiveCodeBench: contest problems, programs that read stdin and methods of a class (arXiv 2403.07974).
 *
 * @module
 */

import { inflated } from "../_archive.ts";
import { number, type Rules } from "../_check.ts";
import { asText, innerRow, textOf, unknownLayout } from "./benchmark.ts";
import {
  answerOf,
  CODE_RULES,
  type CodeOptions,
  type CodeTask,
  codeTask,
  functionOf,
} from "./code.ts";
import { type Answer, judgeFunction, judgeProgram, ungradable } from "./judge.ts";
import type { PythonOptions } from "./sandbox/python.ts";
import type { Row } from "./source/rows.ts";
import type { Grade, Problem } from "./task.ts";

/** A test: what goes in, and what must come out. */
export interface CodeCase {
  /** Text on stdin, or one argument a line as JSON; or `name = value, …` of a statement's example. */
  readonly input: string;
  /** Text on stdout, or a value as JSON. */
  readonly output: string;
}

/** A contest problem. */
export interface LiveCodeProblem extends Problem {
  /** The statement. */
  readonly question: string;
  /** Beginning of the class, "" for programs that read stdin. */
  readonly starter: string;
  /** Name of the method that is called; "" for programs that read stdin. */
  readonly method: string;
  /** The tests; of a row without any, the examples of its statement. */
  readonly cases: readonly CodeCase[];
  /** Whether the row has no tests: then no answer is gradable. */
  readonly samplesOnly: boolean;
}

/** A test as rows have it. */
type Test = CodeCase & { readonly testtype?: unknown };

/** Largest list of tests, in bytes. */
const LARGEST = 2 ** 28;

/** Bytes before a pickled text: the protocol, a frame, the opcode, and the width of the text's length. */
const PICKLE: Readonly<Record<number, 1 | 4 | 8>> = { 0x58: 4, 0x8c: 1, 0x8d: 8 };
/** Bytes after it, before the end: what remembers it. */
const MEMO: Readonly<Record<number, number>> = { 0x94: 1, 0x71: 2, 0x72: 5 };

/**
 * Text of a pickled string. Only that is read: a pickle can hold instructions, and these are not followed.
 */
function pickledText(bytes: Uint8Array): string {
  const fail = (): never => {
    throw new SyntaxError(
      "Cannot read liveCodeBench as its private tests must be one pickled text",
    );
  };
  let at = bytes[2] === 0x95 ? 11 : 2; // behind the frame
  const width = PICKLE[bytes[at++]!] ?? fail();
  if (bytes[0] !== 0x80 || bytes[1]! > 5 || at + width > bytes.length) fail();
  let length = 0;
  for (let i = width - 1; i >= 0; i--) length = 256 * length + bytes[at + i]!;
  at += width;
  const end = at + length + (MEMO[bytes[at + length]!] ?? 0);
  if (bytes[end] !== 0x2e || end !== bytes.length - 1) fail();
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
}

/** Tests of a column: a list, JSON of one, or base64 of a compressed pickle of JSON. */
function casesOf(value: unknown, row: Row, at: number): Test[] {
  if (value === undefined || value === null || value === "") return [];
  let list = value;
  if (typeof value === "string") {
    try {
      list = JSON.parse(value);
    } catch {
      try {
        const packed = Uint8Array.from(atob(value), (c) => c.charCodeAt(0));
        list = JSON.parse(pickledText(inflated(packed, LARGEST)));
      } catch (cause) {
        const verb = "Cannot read liveCodeBench as";
        if (cause instanceof RangeError) {
          throw new RangeError(`${verb} its tests are too large`, { cause });
        }
        const what = "must be JSON, or base64 of a compressed pickle of it";
        throw new SyntaxError(`${verb} the tests of row ${at + 1} ${what}`, { cause });
      }
    }
  }
  const valid = Array.isArray(list) &&
    list.every((one) => typeof one?.input === "string" && typeof one.output === "string");
  if (!valid) return unknownLayout("liveCodeBench", "tests with input and output", row, at);
  return list as Test[];
}

/** The examples of a statement. */
function samplesOf(question: string): CodeCase[] {
  const stdin = [...question.matchAll(
    /Sample Input(?: \d+)?:?\s*\n+([\s\S]*?)\n+\s*Sample Output(?: \d+)?:?\s*\n+([\s\S]*?)(?=\n\s*\n|$)/g,
  )];
  const calls = [...question.matchAll(/Input:\s*(\S[^\n]*)\n+\s*Output:\s*([^\n]+)/g)];
  return (stdin.length > 0 ? stdin : calls).map(([, input, output]) => ({
    input: input!.replaceAll("\r", ""),
    output: output!.replaceAll("\r", "").trim(),
  }));
}

/** Name of the method in the metadata of a row. */
function namedIn(metadata: unknown): string | undefined {
  try {
    const name = JSON.parse(asText(metadata) ?? "{}")?.func_name;
    return typeof name === "string" && /^\w+$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function problemOf(row: Row, id: string, at: number): LiveCodeProblem {
  const own = innerRow(row), question = textOf(row, ["question_content", "prompt", "question"]);
  const unknown = (needs: string) => unknownLayout("liveCodeBench", needs, row, at);
  if (question === undefined) return unknown("question_content, with public_test_cases");
  const columns = [own.public_test_cases, own.private_test_cases];
  const given = columns.flatMap((column) => casesOf(column, row, at));
  const samples = given.length === 0 ? samplesOf(question) : [];
  if (given.length + samples.length === 0 && columns.every((column) => column === undefined)) {
    return unknown("public_test_cases, or a statement with examples");
  }
  const cases = [...given, ...samples].map(({ input, output }) => ({ input, output }));
  const starter = asText(own.starter_code) ?? "", types = new Set(given.map((one) => one.testtype));
  const named = namedIn(own.metadata) ?? /def\s+(?!__)(\w+)\s*\(\s*self/.exec(starter)?.[1] ?? "";
  const functional = types.has("functional");
  if (functional && (named === "" || types.has("stdin"))) {
    return unknown(
      "tests of one testtype: all stdin, or all functional, with the name of the function",
    );
  }
  return {
    id: textOf({ ...own, ...row }, ["question_id", "id"]) ?? id,
    ...{ question, starter, cases, samplesOnly: given.length === 0 },
    method: functional || !types.has("stdin") ? named : "",
  };
}

/** Modules whose names the released harness imports before a program, in its order. */
const NAMES = "string re datetime collections heapq bisect copy math random statistics itertools " +
  "functools operator io sys json typing";

/**
 * What is there before a program: all names of those modules, then the modules. Builtins stay what they
 * are (the released text imports them again, which a program that rebinds one would not see).
 */
export const PREAMBLE = [
  ...NAMES.split(" ").map((name) => `from ${name} import *`),
  `import ${NAMES.split(" ").slice(0, -1).join(", ")}`,
  "for _name in dir(__builtins__):",
  "    if _name[0] != '_': globals().pop(_name, None)",
  "del _name",
  "sys.setrecursionlimit(50000)",
].join("\n");

/** Python's comparison of numbers that may have an error. */
const NEAR = `
def _near(a, b, tolerance):
    if isinstance(b, list):
        return isinstance(a, (list, tuple)) and len(a) == len(b) and all(
            _near(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(
            _near(a[key], b[key], tolerance) for key in b)
    if isinstance(b, float) and isinstance(a, (int, float)):
        return a == b or abs(a - b) <= tolerance * max(1, abs(b)) * (1 + 1e-9)
    return a == b
`;

/**
 * A call of the method with a case's arguments, and the comparison: by Python's equality, a tuple as the
 * list of its items.
 */
function callOf({ method }: LiveCodeProblem, { input, output }: CodeCase, tolerance: number) {
  const named = /^\s*[A-Za-z_]\w*\s*=/.test(input);
  const text = (value: string) => JSON.stringify(value.toWellFormed());
  const args = named
    ? `**eval(${
      text(`dict(${input})`)
    }, {"true": True, "false": False, "null": None, "dict": dict})`
    : `*[_json.loads(line) for line in ${text(input)}.split("\\n") if line.strip()]`;
  return [
    "import json as _json",
    `_right = _json.loads(${text(output)})`,
    `_got = Solution().${method}(${args})`,
    "if isinstance(_got, tuple): _got = list(_got)",
    ...(tolerance > 0
      ? [NEAR, `assert _near(_got, _right, ${tolerance}), f"got {_got!r}"`]
      : ['assert _got == _right, f"got {_got!r}"']),
    "",
  ].join("\n");
}

/** Options of {@linkcode liveCodeBench}. */
export interface LiveCodeOptions extends CodeOptions {
  /**
   * Absolute or relative error, greater than 0 and at most 1, that a number may have where the right one
   * has a point or an exponent; whole numbers stay exact. Statements that allow an error need one: by the
   * released rule, which is the default, 0.3333333333333333 is not 0.333333333333. Default: none.
   */
  readonly tolerance?: number;
}

const RULES: Rules<LiveCodeOptions> = {
  ...CODE_RULES,
  tolerance: number({ min: 0, max: 1, exclusiveMin: true }),
};

/**
 * LiveCodeBench.
 *
 * On the hub: `livecodebench/code_generation_lite` (files `test*.jsonl`: name one as `split`, such as
 * "test5"). Public and private tests are run; private ones are read without following their pickle.
 *
 * Outputs are compared by the released rule: lines equal as text, else their words equal as exact
 * decimals; values of calls by Python's equality. Before a program come the imports of the released harness
 * and its recursion limit of 50,000. A program may end by exiting with code 0; what it writes to stderr is
 * not looked at; it may print 16 MiB. A verdict says where only the tolerance decided.
 *
 * Of several blocks the last one is a program on stdin, as in the released harness; the class of a call is
 * in the last that defines it, after those with what it needs.
 *
 * A row without tests (some exports have statements alone) is not gradable: the examples of its statement
 * are run, and the reason tells what came of them, but a program that only these accept is not known to be
 * right. Nor is one gradable that imports a module of CPython, or of Pyodide's distribution, which the
 * sandbox lacks.
 *
 * @param options Source, prompt, tolerance, limits; see the example of {@linkcode humanEval}.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 * @throws {RangeError} Where one is outside its rule.
 */
export function liveCodeBench(options: LiveCodeOptions): CodeTask<LiveCodeProblem> {
  return codeTask<LiveCodeProblem, LiveCodeOptions>("liveCodeBench", options, RULES, {
    parameters: { tolerance: options?.tolerance ?? null },
    problem: problemOf,
    words({ question, starter }) {
      const how = starter === ""
        ? "Read the input from stdin, and print the answer to stdout."
        : `Begin with this code:\n\n\`\`\`python\n${starter}\n\`\`\``;
      return { plain: `${question}\n\n${how}`, chat: `${question}\n\n${how}` };
    },
    async grade(problem, text, { limits }) {
      const { method: member, cases, samplesOnly } = problem;
      const answer = member === ""
        ? answerOf(text)
        : functionOf(text, { names: ["Solution"], member });
      if (cases.length === 0) return ungradable(answer, "the row has no tests");
      const grade = await judge(answer, problem, options.tolerance ?? 0, limits);
      return samplesOnly
        ? ungradable(answer, `the row has no tests (its statement's examples: ${grade.reason})`)
        : grade;
    },
  });
}

/** Runs the tests of a problem. */
async function judge(
  answer: Answer,
  problem: LiveCodeProblem,
  tolerance: number,
  limits: PythonOptions,
): Promise<Grade> {
  const rule = { preamble: PREAMBLE, limits };
  if (problem.method === "") return judgeProgram(answer, problem.cases, { ...rule, tolerance });
  const called = (tolerance: number) => {
    const tests = problem.cases.map((one) => callOf(problem, one, tolerance));
    return judgeFunction(answer, { ...rule, tests, counted: true });
  };
  const grade = await called(0);
  if (tolerance === 0 || !grade.reason?.startsWith("wrong answer")) return grade;
  const near = await called(tolerance);
  if (!near.correct) return near;
  return { ...near, reason: `${near.reason}, only within the tolerance of ${tolerance}` };
}
