/**
 * LiveCodeBench: contest problems, programs that read stdin and methods of a class (arXiv 2403.07974).
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
import { columnOf, graded, idsOf, rowsOnce, textOf, unknownLayout } from "./question.ts";
import { runPython } from "./sandbox/python.ts";
import type { Row } from "./source.ts";
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
  /** The tests. */
  readonly cases: readonly CodeCase[];
  /** Whether the tests are only the examples of the statement. */
  readonly samplesOnly: boolean;
}

/** Largest list of tests, in bytes. */
const LARGEST = 2 ** 28;

/**
 * Text of a pickled string. Only that is read: a pickle can hold instructions, and these are not followed.
 */
function pickledText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = (): never => {
    throw new SyntaxError(
      "Cannot read liveCodeBench as its private tests must be one pickled text",
    );
  };
  let at = 0;
  const need = (count: number) => at + count <= bytes.length ? undefined : fail();
  need(2);
  if (bytes[at++] !== 0x80 || bytes[at++]! > 5) fail();
  if (bytes[at] === 0x95) at += 9; // frame
  const opcode = bytes[at++];
  const sizes: Record<number, number> = { 0x58: 4, 0x8c: 1, 0x8d: 8 };
  const width = sizes[opcode ?? -1] ?? fail();
  need(width);
  const length = width === 1
    ? view.getUint8(at)
    : width === 4
    ? view.getUint32(at, true)
    : Number(view.getBigUint64(at, true));
  at += width;
  need(length);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
  at += length;
  if (bytes[at] === 0x94) at++; // memo
  else if (bytes[at] === 0x71) at += 2;
  else if (bytes[at] === 0x72) at += 5;
  return bytes[at] === 0x2e && at === bytes.length - 1 ? text : fail();
}

/** Inflates base64 of zlib, refused above a size. */
async function inflated(base64: string): Promise<Uint8Array> {
  const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if ((size += chunk.length) > LARGEST) {
      throw new RangeError("Cannot read liveCodeBench as its tests are too large");
    }
    chunks.push(chunk);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Tests of a column: a list, JSON of one, or base64 of a compressed pickle of JSON. */
async function casesOf(value: unknown, row: Row, at: number): Promise<CodeCase[]> {
  if (value === undefined || value === null || value === "") return [];
  let list = value;
  if (typeof value === "string") {
    try {
      list = JSON.parse(value);
    } catch {
      try {
        list = JSON.parse(pickledText(await inflated(value)));
      } catch (cause) {
        if (cause instanceof RangeError) throw cause;
        throw new SyntaxError(
          `Cannot read liveCodeBench as the tests of row ${
            at + 1
          } must be JSON, or base64 of a compressed pickle of it`,
          { cause },
        );
      }
    }
  }
  const valid = Array.isArray(list) &&
    list.every((one) => typeof one?.input === "string" && typeof one.output === "string");
  if (!valid) return unknownLayout("liveCodeBench", "tests with input and output", row, at);
  return (list as CodeCase[]).map(({ input, output }) => ({ input, output }));
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

async function problemOf(row: Row, id: string, at: number): Promise<LiveCodeProblem> {
  const own = typeof row.answer === "object" && row.answer !== null ? row.answer as Row : row;
  const question = textOf(columnOf(row, ["question_content", "prompt", "question"]));
  if (question === undefined) {
    return unknownLayout("liveCodeBench", "question_content, with public_test_cases", row, at);
  }
  const given = [
    ...await casesOf(own.public_test_cases, row, at),
    ...await casesOf(own.private_test_cases, row, at),
  ];
  const cases = given.length > 0 ? given : samplesOf(question);
  if (cases.length === 0) {
    return unknownLayout(
      "liveCodeBench",
      "public_test_cases, or a statement with examples",
      row,
      at,
    );
  }
  const starter = textOf(own.starter_code) ?? "";
  let named: unknown;
  try {
    named = JSON.parse(textOf(own.metadata) ?? "{}")?.func_name;
  } catch {
    named = undefined;
  }
  const method = /def\s+(?!__)(\w+)\s*\(\s*self/.exec(starter)?.[1] ?? "";
  return {
    id: textOf(columnOf({ ...own, ...row }, ["question_id", "id"])) ?? id,
    ...{ question, starter, cases, samplesOnly: given.length === 0 },
    method: starter === "" ? "" : typeof named === "string" && /^\w+$/.test(named) ? named : method,
  };
}

/** Imports that contest programs take for granted. */
const IMPORTS = [
  "import sys, math, re, random, string, heapq, bisect, itertools, functools, operator, collections",
  "from typing import *",
  "from collections import *",
  "from itertools import *",
  "from functools import *",
  "from heapq import *",
  "from bisect import *",
  "from math import *",
  "",
].join("\n");

/** Whether two outputs are the same: line by line without white space around, numbers by their value. */
export function sameOutput(expected: string, given: string): boolean {
  const lines = (text: string) => text.trim().split("\n").map((line) => line.trim());
  const a = lines(expected), b = lines(given);
  return a.length === b.length && a.every((line, i) => {
    if (line === b[i]) return true;
    const left = line.split(/\s+/), right = b[i]!.split(/\s+/);
    return left.length === right.length &&
      left.every((word, k) =>
        word === right[k] || (/^-?[\d.]/.test(word) && Number(word) === Number(right[k]))
      );
  });
}

/** A call of the method with a case's arguments, and the comparison. */
function callOf({ method }: LiveCodeProblem, { input, output }: CodeCase): string {
  const named = /^\s*[A-Za-z_]\w*\s*=/.test(input);
  const json = (text: string) => `_json.loads(${JSON.stringify(text)})`;
  const args = named
    ? `**eval(${
      JSON.stringify(`dict(${input})`)
    }, {"true": True, "false": False, "null": None, "dict": dict})`
    : `*[_json.loads(line) for line in ${JSON.stringify(input)}.split("\\n") if line.strip()]`;
  return [
    "import json as _json",
    "def _plain(v):",
    "    return [_plain(x) for x in v] if isinstance(v, (list, tuple)) else v",
    `_got = Solution().${method}(${args})`,
    `assert _plain(_got) == ${json(output)}, f"got {_got!r}"`,
    "",
  ].join("\n");
}

/**
 * LiveCodeBench.
 *
 * On the hub: `livecodebench/code_generation_lite` (files `test*.jsonl`: name one as `split`, such as
 * "test5"). Public and private tests are run; private ones are read without following their pickle. A
 * source without tests is graded by the examples of its statements, and each grade says so: that is not
 * the benchmark's score.
 *
 * @param options Source, prompt, limits.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A program that reads stdin
 * ```ts
 * import { liveCodeBench } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * const tests = JSON.stringify([{ input: "2\n", output: "4\n", testtype: "stdin" }]);
 * await Deno.writeTextFile(source, JSON.stringify({ question_content: "Double it.", public_test_cases: tests }));
 * const task = liveCodeBench({ source });
 * const [problem] = await task.problems();
 * assertEquals((await task.grade(problem!, "print(2 * int(input()))")).correct, true);
 * await Deno.remove(source);
 * ```
 */
export function liveCodeBench(options: CodeOptions): CodeTask<LiveCodeProblem> {
  const { prompt } = checkCode("liveCodeBench", options);
  const { system, timeMs, memoryMb, prompt: _, ...source } = options;
  const rows = rowsOnce(source);
  const limits = {
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
  };
  /** Runs a program on each input, and compares what it prints. */
  const onStdin = async (code: string, { cases }: LiveCodeProblem): Promise<Grade> => {
    const programs = cases.map(({ input }) => ({ code: `${IMPORTS}${code}`, stdin: input }));
    const results = await runPython(programs, limits);
    for (const [i, { verdict, output, error }] of results.entries()) {
      const wrong = verdict === "pass" && !sameOutput(cases[i]!.output, output);
      if (verdict === "pass" && !wrong) continue;
      const reason = wrong
        ? "wrong answer"
        : `${verdict}${error === undefined ? "" : `: ${error.slice(0, 200)}`}`;
      return {
        ...graded(code, "right", false),
        reason: `${reason} in test ${i + 1} of ${cases.length}`,
      };
    }
    return { ...graded(code, "right", true), reason: `pass: ${cases.length} tests` };
  };
  return {
    name: "liveCodeBench",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    async problems() {
      const all = await rows(), ids = idsOf("liveCodeBench", all);
      return await Promise.all(all.map((row, i) => problemOf(row, ids[i]!, i)));
    },
    prompt({ question, starter }) {
      const how = starter === ""
        ? "Read the input from stdin, and print the answer to stdout."
        : `Begin with this code:\n\n\`\`\`python\n${starter}\n\`\`\``;
      const text = `${question}\n\n${how}`;
      return prompt === "plain" ? text : askForCode(text, system);
    },
    async grade(problem, text) {
      const code = codeOf(text);
      const grade = problem.method === "" ? await onStdin(code, problem) : await gradeCode(code, [
        { code: `${IMPORTS}${code}` },
        ...problem.cases.map((one) => ({ code: callOf(problem, one), fresh: false })),
      ], options);
      return problem.samplesOnly
        ? { ...grade, reason: `${grade.reason} (the statement's examples only)` }
        : grade;
    },
  };
}
