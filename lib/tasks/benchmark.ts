/**
 * What all tasks on problems from a source share: options, rows that are read once, ids, columns by the names
 * that the field gives them.
 *
 * @module
 */

import {
  checkOptions,
  isObject,
  kind,
  number,
  oneOf,
  type Rule,
  type Rules,
  text,
} from "../_check.ts";
import type { Message } from "../model/mod.ts";
import { readRows, type Row, SOURCE_RULES, type SourceOptions } from "./source/rows.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** Options of the tasks on problems from a source. */
export interface BenchmarkOptions extends SourceOptions {
  /** Where the problems are: see {@linkcode readRows}. */
  readonly source: string | URL;
  /** Only the first problems. Default: all. */
  readonly limit?: number;
  /** System prompt. Default: none; {@linkcode systemPrompt} knows what a model family needs. */
  readonly system?: string;
}

/** A number of problems. */
export const LIMIT: Rule = (verb, name, value) => {
  if (value !== Infinity) number({ min: 1, integer: true })(verb, name, value);
};

/** How a text is graded: by its last answer, or as the released MoI code does. */
export const GRADING: Rule = oneOf("last", "released");

/** Rules of {@linkcode BenchmarkOptions}. */
export const BENCHMARK_RULES: Rules<BenchmarkOptions> = {
  ...SOURCE_RULES,
  source: kind(
    "be a file, an address or 'org/name' of a data set on the hub",
    (value) => typeof value === "string" || value instanceof URL,
  ),
  limit: LIMIT,
  system: text,
};

/** Checks the options of a task, of which a source is one. */
export function checkBenchmark<Options extends BenchmarkOptions>(
  name: string,
  options: Options,
  rules: Rules<Options>,
): void {
  checkOptions(`make ${name}`, options, rules);
  BENCHMARK_RULES.source(`make ${name}`, "source", options.source);
}

/** What a benchmark adds. */
export interface Benchmark<P extends Problem, G extends Grade | Promise<Grade>>
  extends Pick<Task<P, G>, "parameters" | "prompt" | "grade"> {
  /** Token budget. */
  readonly maxNewTokens: number;
  /** The problem of a row. */
  readonly problem: (row: Row, id: string, at: number, all: readonly Row[]) => P | Promise<P>;
}

/**
 * A task on problems from a source, sampled as the model cards of reasoning models advise.
 *
 * A smaller limit reads the first problems as a larger one does: `problem` is given all rows.
 */
export function benchmark<P extends Problem, G extends Grade | Promise<Grade> = Grade>(
  name: string,
  { source, limit, ...options }: BenchmarkOptions,
  { maxNewTokens, problem, ...rest }: Benchmark<P, G>,
): Task<P, G> {
  const own = Object.entries(options).filter(([option]) => Object.hasOwn(SOURCE_RULES, option));
  let rows: Promise<Row[]> | undefined;
  return {
    name,
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens },
    ...rest,
    async problems() {
      const all = await (rows ??= readRows(source, Object.fromEntries(own))),
        ids = idsOf(name, all);
      return await Promise.all(
        all.slice(0, limit ?? Infinity).map((row, i) => problem(row, ids[i]!, i, all)),
      );
    },
  };
}

/** Columns that hold a thing, in the order in which they are looked for. */
export const COLUMNS = {
  id: ["id", "ID", "unique_id", "problem_id", "Record ID", "task_id", "question_id", "problem_idx"],
  question: ["question", "problem", "prompt", "Question", "Problem", "query"],
  answer: ["answer", "Answer", "final_answer", "expected_answer", "target"],
  solution: ["solution", "Solution"],
} as const;

/** Value of the first of some columns that is there. */
export function columnOf(row: Row, names: readonly string[]): unknown {
  const name = names.find((name) => row[name] !== undefined && row[name] !== null);
  return name === undefined ? undefined : row[name];
}

/** The same as text; a number by its digits. */
export const textOf = (row: Row, names: readonly string[]): string | undefined =>
  asText(columnOf(row, names));

/** A value as text; undefined where it is neither text nor a number. */
export const asText = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;

/** The columns of a program's tests, which some files nest in an answer. */
export const innerRow = (row: Row): Row => isObject(row.answer) ? row.answer : row;

/** The ids of rows; those without one are counted. Equal ids get the number of their row. */
function idsOf(task: string, rows: readonly Row[]): string[] {
  const seen = new Set<string>();
  return rows.map((row, i) => {
    const id = textOf({ ...innerRow(row), ...row }, COLUMNS.id) ?? `${task}/${i}`;
    const unique = seen.has(id) ? `${id}#${i}` : id;
    seen.add(unique);
    return unique;
  });
}

/** Refuses a layout that is not known, naming what is there. */
export function unknownLayout(task: string, needs: string, row: Row, at: number): never {
  throw new TypeError(
    `Cannot read ${task} as row ${at + 1} must have ${needs}: it has ${
      Object.keys(row).join(", ") || "no columns"
    }`,
  );
}

/** Refuses the answer of a row. */
export function badAnswer(task: string, rule: string, answer: unknown, at: number): never {
  const shown = typeof answer === "string" ? answer.slice(0, 80) : answer;
  throw new TypeError(
    `Cannot read ${task} as the answer of row ${at + 1} must ${rule}: current value is ${
      JSON.stringify(shown)
    }`,
  );
}

/** Messages of a question. */
export function messagesOf(content: string, system: string | undefined): Message[] {
  const user = { role: "user", content } as const;
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}
