/**
 * What all tasks on problems from a source share: options, rows that are read once, ids, columns by the names
 * that the field gives them.
 *
 * @module
 */

import { checkOptions, isObject, number, oneOf, type Rule, type Rules, text } from "../_check.ts";
import type { Message } from "../model/mod.ts";
import { readRows, type Row, SOURCE, SOURCE_RULES, type SourceOptions } from "./source/rows.ts";
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
  source: SOURCE,
  limit: LIMIT,
  system: text,
};

/** What a benchmark adds. */
export interface Benchmark<P extends Problem, G extends Grade | Promise<Grade>>
  extends Pick<Task<P, G>, "parameters" | "grade"> {
  /** Token budget. */
  readonly maxNewTokens: number;
  /** What is asked. */
  readonly words: (problem: P) => string;
  /** Whether that is text to be continued, and not a message. Default: false. */
  readonly isText?: boolean;
  /** The problem of a row. */
  readonly problem: (row: Row, id: string, at: number, all: readonly Row[]) => P | Promise<P>;
}

/**
 * A task on problems from a source, sampled as the model cards of reasoning models advise. Its options are
 * checked before what depends on them is made.
 *
 * A smaller limit reads the first problems as a larger one does: `problem` is given all rows.
 */
export function benchmark<
  P extends Problem,
  Options extends BenchmarkOptions,
  G extends Grade | Promise<Grade> = Grade,
>(
  name: string,
  options: Options,
  rules: Rules<Options>,
  make: (options: Options) => Benchmark<P, G>,
): Task<P, G> {
  checkOptions(`make ${name}`, options, rules);
  const { source, limit, system } = options;
  SOURCE(`make ${name}`, "source", source);
  const { maxNewTokens, problem, words, isText, ...rest } = make(options);
  const own = Object.entries(options).filter(([option]) => Object.hasOwn(SOURCE_RULES, option));
  let rows: Promise<Row[]> | undefined;
  return {
    name,
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens },
    ...rest,
    async problems() {
      const all = await (rows ??= readRows(source, Object.fromEntries(own)));
      const ids = idsOf(name, all);
      return await Promise.all(
        all.slice(0, limit ?? Infinity).map((row, i) => problem(row, ids[i]!, i, all)),
      );
    },
    prompt(problem): string | Message[] {
      const content = words(problem), user = { role: "user", content } as const;
      if (isText) return content;
      return system === undefined ? [user] : [{ role: "system", content: system }, user];
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
  const has = Object.keys(row).join(", ") || "no columns";
  throw new TypeError(`Cannot read ${task} as row ${at + 1} must have ${needs}: it has ${has}`);
}

/** Refuses the answer of a row. */
export function badAnswer(task: string, rule: string, answer: unknown, at: number): never {
  const shown = JSON.stringify(typeof answer === "string" ? answer.slice(0, 80) : answer);
  const what = `the answer of row ${at + 1} must ${rule}: current value is ${shown}`;
  throw new TypeError(`Cannot read ${task} as ${what}`);
}

/**
 * The system prompt that a model's family wants, by the id or folder of a model, to switch its reasoning on;
 * undefined where none is needed or the family is not known.
 *
 * Nemotron's says so on the card of Llama-3.3-Nemotron-Super-49B-v1, and the released MoI code has it. The other
 * families of the paper need none: QwQ's template opens `<think>`, DAPO has its template alone, Gemma 3 has no
 * reasoning mode.
 */
export function systemPrompt(id: string): string | undefined {
  return /nemotron/i.test(id) ? "detailed thinking on" : undefined;
}
