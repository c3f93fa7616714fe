/**
 * Benchmarks of questions with one answer each: a number (GSM8K, AIME, AMC), or mathematics (MATH-500).
 *
 * A benchmark is its name, its token budget and the kind of its answers: how the right one is read, and how
 * another is compared with it.
 *
 * @module
 */

import { number, objectOf, oneOf, type Rule, type Rules, text } from "../_check.ts";
import { goldNumber, gradeMath, gradeNumber, gradeReleased } from "./answer/grade.ts";
import { lastBoxed } from "./answer/math.ts";
import {
  badAnswer,
  benchmark,
  BENCHMARK_RULES,
  type BenchmarkOptions,
  COLUMNS,
  GRADING,
  textOf,
  unknownLayout,
} from "./benchmark.ts";
import type { Row } from "./source/rows.ts";
import type { Problem, Task } from "./task.ts";

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
  plain: (question: string): string => question,
  /** The question, and where to put the answer, as the model cards of reasoning models advise. */
  boxed: (question: string): string =>
    `${question}\n\nPlease reason step by step, and put your final answer within \\boxed{}.`,
  /**
   * The prompt of the released MoI code, corrected: there the "\b" of "\boxed{}" became a backspace.
   */
  paper: (question: string): string => PROMPTS.boxed(`Question: ${question}`),
} as const;

/** Options of the question-answering tasks. */
export interface QuestionOptions extends BenchmarkOptions {
  /** Words around the question. Default: "boxed". */
  readonly prompt?: keyof typeof PROMPTS;
  /** "last": the last answer that the text declares; "released": the rule of the released MoI code. Default: "last". */
  readonly grading?: "last" | "released";
}

const RULES: Rules<QuestionOptions> = {
  ...BENCHMARK_RULES,
  prompt: oneOf(...Object.keys(PROMPTS)),
  grading: GRADING,
};

/** Makes a task on the problems of a source. */
export type MakeTask = (options: QuestionOptions) => Task<QuestionProblem>;

/** What a benchmark of questions is. */
export interface QuestionTask {
  /** Short name, recorded with every run. */
  readonly name: string;
  /** Token budget. */
  readonly maxNewTokens: number;
}

const QUESTION_TASK: Rule = objectOf<QuestionTask>(
  { name: text, maxNewTokens: number({ min: 1, integer: true }) },
  "be a name and a token budget",
  false,
);

/** Refuses what is no benchmark of questions. */
export function checkQuestionTask(task: QuestionTask): QuestionTask {
  QUESTION_TASK("make a benchmark", "task", task);
  return task;
}

/** Answers of one kind. */
interface AnswerKind {
  /** The right answer as it is compared; undefined where the column holds none. */
  readonly gold: (text: string) => string | undefined;
  /** What an answer column must hold, for errors. */
  readonly rule: string;
  /** Grades a text by the answer that it declares last. */
  readonly grade: typeof gradeNumber;
}

/** The right answer of a row: its answer column, else the last box of its solution. */
function goldOf(row: Row): string | undefined {
  const solution = textOf(row, COLUMNS.solution);
  return textOf(row, COLUMNS.answer) ??
    (solution === undefined ? undefined : lastBoxed(solution) ?? undefined);
}

const questionTask = ({ gold, rule, grade }: AnswerKind) => (task: QuestionTask): MakeTask => {
  const { name, maxNewTokens } = checkQuestionTask(task);
  return (options) =>
    benchmark(name, options, RULES, ({ prompt = "boxed", grading = "last", system }) => ({
      maxNewTokens,
      parameters: { prompt, grading, ...(system !== undefined && { system }) },
      problem(row, id, at): QuestionProblem {
        const question = textOf(row, COLUMNS.question), answer = goldOf(row);
        if (question === undefined || answer === undefined) {
          const columns = [...COLUMNS.answer, ...COLUMNS.solution].join(", ");
          const needs = `a question (${COLUMNS.question.join(", ")}) and an answer (${columns})`;
          return unknownLayout(name, needs, row, at);
        }
        return { id, question, answer: gold(answer) ?? badAnswer(name, rule, answer, at) };
      },
      words: ({ question }) => PROMPTS[prompt](question),
      grade: ({ answer }, text) => (grading === "last" ? grade : gradeReleased)(answer, text),
    }));
};

/**
 * A benchmark whose answers are numbers.
 *
 * The number that a text declares last counts, else its last one ({@linkcode lastNumber}), and must equal the
 * right one exactly; a percentage may be said either way. With `grading: "released"` the first boxed integer
 * counts, or any integer.
 *
 * @returns What makes the task of a source. It throws a TypeError where there is no source or an option is
 * unknown, and a RangeError where a value is none of those known.
 *
 * @example A benchmark of one's own
 * ```ts
 * import { numberTask } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const svamp = numberTask({ name: "svamp", maxNewTokens: 1024 });
 *
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"problem":"1 + 1?","answer":"2"}');
 * const task = svamp({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "It is \\boxed{2}.").correct, true);
 * await Deno.remove(source);
 * ```
 */
export const numberTask: (task: QuestionTask) => MakeTask = questionTask({
  gold: goldNumber,
  rule: "hold a number",
  grade: gradeNumber,
});

/**
 * A benchmark whose answers are LaTeX, compared by {@linkcode mathEqual}. The released rule knows integers
 * only, and is offered for those.
 *
 * @returns What makes the task of a source; see {@linkcode numberTask}.
 */
export const mathTask: (task: QuestionTask) => MakeTask = questionTask({
  gold: (text) => text.trim() || undefined,
  rule: "not be empty",
  grade: gradeMath,
});

/** GSM8K: grade-school word problems; see {@linkcode numberTask}. On the hub: `openai/gsm8k` with `config: "main"`. */
export const gsm8k: MakeTask = numberTask({ name: "gsm8k", maxNewTokens: 2048 });

/**
 * AIME: competition problems with an integer from 0 to 999 as answer; see {@linkcode numberTask}. On the hub:
 * `AI-MO/aimo-validation-aime`, the paper's 90 problems of 2022 to 2024.
 */
export const aime: MakeTask = numberTask({ name: "aime", maxNewTokens: 32768 });

/** AMC: competition problems with a number as answer; see {@linkcode numberTask}. On the hub: `AI-MO/aimo-validation-amc`. */
export const amc: MakeTask = numberTask({ name: "amc", maxNewTokens: 16384 });

/**
 * MATH-500 and other files in the layout of MATH: `problem` with `answer`, or with a `solution` whose last
 * box is the answer; see {@linkcode mathTask}. On the hub: `HuggingFaceH4/MATH-500`.
 */
export const math500: MakeTask = mathTask({ name: "math500", maxNewTokens: 32768 });
