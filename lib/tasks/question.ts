/**
 * What the question-answering tasks share: rows of any known layout become problems, a prompt is put
 * around the question, a rule reads the answer.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import type { Message } from "../model/mod.ts";
import type { Finding } from "./answer/evidence.ts";
import { equalNumbers, findNumber, type NumberFinding } from "./answer/number.ts";
import { lastBoxed } from "./answer/math.ts";
import { releasedInteger } from "./released.ts";
import { readRows, type Row, SOURCE_OPTIONS, type SourceOptions } from "./source/rows.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** A question and its answer. */
export interface QuestionProblem extends Problem {
  /** The question. */
  readonly question: string;
  /** The right answer. */
  readonly answer: string;
}

/** Prompts around a question. */
export const PROMPTS = {
  /** The question alone. */
  plain: (question: string) => question,
  /** The question, and where to put the answer, as the model cards of reasoning models advise. */
  boxed: (question: string) =>
    `${question}\n\nPlease reason step by step, and put your final answer within \\boxed{}.`,
  /**
   * The prompt of the released MoI code, corrected: there the "\b" of "\boxed{}" became a backspace.
   */
  paper: (question: string) =>
    `Question: ${question}\n\n` +
    "Please reason step by step, and put your final answer within \\boxed{}.",
} as const;

/** Options of the question-answering tasks. */
export interface QuestionOptions extends SourceOptions {
  /** Where the problems are: see {@linkcode readRows}. */
  readonly source: string | URL;
  /** Only the first problems. Default: all. */
  readonly limit?: number;
  /** Words around the question. Default: "boxed". */
  readonly prompt?: keyof typeof PROMPTS;
  /** System prompt. Default: none; {@linkcode systemPrompt} knows what a model family needs. */
  readonly system?: string;
  /** "last": the last answer that the text declares; "released": the rule of the released MoI code. Default: "last". */
  readonly grading?: "last" | "released";
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

/** Refuses a layout that is not known, naming what is there. */
export function unknownLayout(task: string, needs: string, row: Row, at: number): never {
  throw new TypeError(
    `Cannot read ${task} as row ${at + 1} must have ${needs}: it has ${
      Object.keys(row).join(", ") || "no columns"
    }`,
  );
}

/** A value as text: numbers without a trailing ".0". */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/** The id of a row; rows without one are counted. Equal ids get the number of their row. */
export function idsOf(task: string, rows: readonly Row[]): string[] {
  const seen = new Set<string>();
  return rows.map((row, i) => {
    const own = textOf(columnOf(row, COLUMNS.id));
    const id = own === undefined ? `${task}/${i}` : own;
    const unique = seen.has(id) ? `${id}#${i}` : id;
    seen.add(unique);
    return unique;
  });
}

/** The right answer of a row: its answer column, else the last box of its solution. */
function goldOf(row: Row): string | undefined {
  const direct = textOf(columnOf(row, COLUMNS.answer));
  if (direct !== undefined) return direct;
  const solution = textOf(columnOf(row, COLUMNS.solution));
  return solution === undefined ? undefined : lastBoxed(solution) ?? undefined;
}

/** What a task adds to the shared parts. */
export interface QuestionTask {
  /** Short name. */
  readonly name: string;
  /** Sampler settings and token budget of its source. */
  readonly defaults: NonNullable<Task["defaults"]>;
  /** The right answer as it is compared; undefined where the column holds none. */
  readonly gold: (text: string) => string | undefined;
  /** What an answer column must hold, for errors. */
  readonly goldRule: string;
  /** Grades a text. */
  readonly grade: (answer: string, text: string, grading: "last" | "released") => Grade;
}

/** Checks what all tasks with a source check. */
export function checkSource(name: string, options: object, more: readonly string[]): void {
  const verb = `make ${name}`;
  checkOptions(verb, options, [...SOURCE_OPTIONS, ...more]);
  const { source, limit = Infinity } = options as { source?: unknown; limit?: number };
  if (typeof source !== "string" && !(source instanceof URL)) {
    const rule = "be a file, an address or 'org/name' of a data set on the hub";
    throw new TypeError(refusal(verb, "source", rule, source));
  }
  checkNumber(verb, "limit", limit, { min: 1, integer: limit !== Infinity, infinite: true });
}

/** Reads rows once. */
export function rowsOnce({ source, limit, ...options }: SourceOptions & {
  readonly source: string | URL;
  readonly limit?: number;
}): () => Promise<Row[]> {
  let rows: Promise<Row[]> | undefined;
  return () => rows ??= readRows(source, options).then((all) => all.slice(0, limit ?? Infinity));
}

/** Messages of a question. */
export function messagesOf(content: string, system: string | undefined): Message[] {
  const user = { role: "user", content } as const;
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}

/** A task of questions with one answer each. */
export function questionTask(
  { name, defaults, gold, goldRule, grade }: QuestionTask,
  options: QuestionOptions,
): Task<QuestionProblem> {
  checkSource(name, options, ["source", "limit", "prompt", "system", "grading"]);
  const { prompt = "boxed", grading = "last", system, ...source } = options;
  if (!Object.hasOwn(PROMPTS, prompt)) {
    const rule = `be one of ${Object.keys(PROMPTS).join(", ")}`;
    throw new RangeError(refusal(`make ${name}`, "prompt", rule, prompt));
  }
  if (grading !== "last" && grading !== "released") {
    throw new RangeError(refusal(`make ${name}`, "grading", 'be "last" or "released"', grading));
  }
  const rows = rowsOnce(source);
  return {
    name,
    defaults,
    parameters: { prompt, grading, ...(system !== undefined && { system }) },
    async problems() {
      const all = await rows(), ids = idsOf(name, all);
      return all.map((row, i) => {
        const question = textOf(columnOf(row, COLUMNS.question)), answer = goldOf(row);
        if (question === undefined || answer === undefined) {
          const needs = `a question (${COLUMNS.question.join(", ")}) and an answer (${
            [...COLUMNS.answer, ...COLUMNS.solution].join(", ")
          })`;
          return unknownLayout(name, needs, row, i);
        }
        const right = gold(answer);
        if (right === undefined) {
          throw new TypeError(
            `Cannot read ${name} as the answer of row ${i + 1} must ${goldRule}: current value is ${
              JSON.stringify(answer.slice(0, 80))
            }`,
          );
        }
        return { id: ids[i]!, question, answer: right };
      });
    },
    prompt: ({ question }) => messagesOf(PROMPTS[prompt](question), system),
    grade: ({ answer }, text) => grade(answer, text, grading),
  };
}

/** A grade of an answer that was found or not. */
export function graded(found: string | null, right: string, correct: boolean): Grade {
  if (found === null) return { correct: false, extracted: null, reason: "no answer found" };
  const extracted = found.length > 200 ? `${found.slice(0, 199)}…` : found;
  return { correct, extracted, reason: correct ? `is ${right}` : `is not ${right}` };
}

/** The same for a finding: the reason says where it was found, too. */
export function judged({ value, because }: Finding, right: string, correct: boolean): Grade {
  const grade = graded(value, right, correct);
  return { ...grade, reason: value === null ? because : `${because}; ${grade.reason}` };
}

/** Grades a number: by the mechanism of `extract.ts`, exactly, or by the released rule. */
export function gradeNumber(answer: string, text: string, grading: "last" | "released"): Grade {
  if (grading === "released") return gradeReleased(answer, text);
  const found = findNumber(text);
  return judged(
    { ...found, value: numberText(found) },
    answer,
    equalNumbers(found, findNumber(answer)),
  );
}

/** A number as it is told apart from others: "50%" is neither 50 alone nor one half alone. */
function numberText({ value, values: [whole, part] }: NumberFinding): string | null {
  if (value === null || whole === undefined || part === undefined) return value;
  const isPercent =
    whole.numerator * part.denominator === 100n * part.numerator * whole.denominator;
  return isPercent ? `${value}%` : value;
}

/** Grades an integer as the released MoI code does. */
export function gradeReleased(answer: string, text: string): Grade {
  const value = releasedInteger(text);
  const because = value === null ? "no answer found" : `released rule: "${value.slice(0, 60)}"`;
  return judged({ value, because }, answer, value !== null && Number(value) === Number(answer));
}

/** The right answer of a task of numbers. */
export const goldNumber = (text: string): string | undefined =>
  numberText(findNumber(text)) ?? undefined;

/** Numbers 0 … n − 1 in an order that a seed and a problem decide. */
export function shuffled(n: number, seed: number, id: string): number[] {
  const key = (i: number) =>
    createHash("sha256").update(JSON.stringify([seed, id, i])).digest("hex");
  return Array.from({ length: n }, (_, i) => ({ i, key: key(i) }))
    .sort((a, b) => a.key < b.key ? -1 : 1).map(({ i }) => i);
}
