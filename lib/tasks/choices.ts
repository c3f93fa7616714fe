/**
 * Benchmarks of multiple choice: GPQA Diamond, and files of the same layouts.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { isObject, number, oneOf, type Rules } from "../_check.ts";
import { findChoice } from "./answer/choice.ts";
import { judged } from "./answer/grade.ts";
import {
  asText,
  badAnswer,
  benchmark,
  BENCHMARK_RULES,
  type BenchmarkOptions,
  columnOf,
  COLUMNS,
  textOf,
  unknownLayout,
} from "./benchmark.ts";
import { checkQuestionTask, type QuestionProblem, type QuestionTask } from "./question.ts";
import type { Row } from "./source/rows.ts";
import type { Task } from "./task.ts";

/** A question with its choices; `answer` is the right letter. */
export interface ChoiceProblem extends QuestionProblem {
  /** Texts by letter. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Options of the tasks of multiple choice. */
export interface ChoiceOptions extends BenchmarkOptions {
  /**
   * "boxed": a conversation that asks for the letter in a box; "paper": text without a chat template,
   * as lm-evaluation-harness words it and the paper used it (with Gemma-3 it used the template).
   * Default: "boxed".
   */
  readonly prompt?: "boxed" | "paper";
  /** Seed of the order of choices, where the source has the right one first. Default: 0. */
  readonly seed?: number;
}

const RULES: Rules<ChoiceOptions> = {
  ...BENCHMARK_RULES,
  prompt: oneOf("boxed", "paper"),
  seed: number({ min: 0, integer: true }),
};

const LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
const SORTED = ["Correct Answer", ...[1, 2, 3].map((n) => `Incorrect Answer ${n}`)];

/** Numbers 0 … n − 1 in an order that a seed and a problem decide. */
function shuffled(n: number, seed: number, id: string): number[] {
  const key = (i: number) =>
    createHash("sha256").update(JSON.stringify([seed, id, i])).digest("hex");
  return Array.from({ length: n }, (_, i) => ({ i, key: key(i) }))
    .sort((a, b) => a.key < b.key ? -1 : 1).map(({ i }) => i);
}

/** Choices by letter, of a list or as they are; undefined where a row has none. */
function choicesOf({ choices }: Row): Record<string, string> | undefined {
  const all = Array.isArray(choices)
    ? choices.map((text, k) => [LETTERS[k], text])
    : Object.entries(isObject(choices) ? choices : {});
  const list = all.map(([letter, text]) => [letter, asText(text)]);
  const known = list.every(([letter, text]) => LETTERS.includes(letter!) && text !== undefined);
  return list.length < 2 || !known ? undefined : Object.fromEntries(list);
}

const answerOf = (row: Row) => columnOf(row, COLUMNS.answer);

/** The index that an answer may be: a whole number, or its digits. */
function indexOf(answer: unknown): number | undefined {
  if (typeof answer === "string" && !/^\s*\d{1,2}\s*$/.test(answer)) return undefined;
  const index = typeof answer === "string" ? Number(answer) : answer;
  return typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : undefined;
}

/**
 * From where the indices of a file count, as a column has one meaning: nowhere where some answer can be no index,
 * from 0 where one is 0, from 1 where one is as many as there are choices; undefined where no row tells.
 */
function basesOf(rows: readonly Row[]): readonly number[] | undefined {
  let base: number | undefined;
  for (const row of rows) {
    const choices = choicesOf(row), answer = answerOf(row);
    if (choices === undefined || answer === undefined) continue;
    const index = indexOf(answer), count = Object.keys(choices).length;
    if (index === undefined || index > count) return [];
    if (index === 0) base = 0;
    else if (index === count) base ??= 1;
  }
  return base === undefined ? undefined : [base];
}

/**
 * What an answer column can mean, and the letter: a letter of its own, also as "(B)" or "b"; the text of one
 * choice; or an index.
 */
function readingsOf(
  answer: unknown,
  choices: Readonly<Record<string, string>>,
  known: readonly number[] | undefined,
): [meaning: string, letters: string[], joint: string][] {
  const letters = Object.keys(choices), text = asText(answer)?.trim() ?? "";
  const bare = /^[("'[]?([a-z])[)."'\]:]?$/i.exec(text)?.[1]?.toUpperCase();
  const index = indexOf(answer);
  // the field counts from 0 where answers are numbers; digits in a text say nothing by themselves
  const bases = known ?? (typeof answer === "number" ? [0] : [0, 1]);
  const byIndex = bases.flatMap((from) => index === undefined ? [] : letters[index - from] ?? []);
  const byText = letters.filter((letter) => choices[letter]!.trim() === text);
  return [
    ["the letter", letters.filter((letter) => letter === bare), ""],
    ["the text of", byText, " and "],
    ["the index of", byIndex, " or "],
  ];
}

/** The question with its choices below, unless it has them already. */
function worded({ question, choices }: ChoiceProblem): string {
  const lines = Object.entries(choices).map(([letter, text]) => `${letter}. ${text}`);
  return lines.every((line) => question.includes(line))
    ? question
    : [question, ...lines].join("\n");
}

const WORDS = {
  boxed: (problem: ChoiceProblem) =>
    `${worded(problem)}\n\nPlease reason step by step, and put the letter of your choice (${
      Object.keys(problem.choices).join(", ")
    }) within \\boxed{}.`,
  paper: ({ question, choices }: ChoiceProblem) =>
    `What is the correct answer to this question:${question}\nChoices:\n${
      Object.entries(choices).map(([letter, text]) => `(${letter}) ${text}`).join("\n")
    }\nLet's think step by step: `,
};

/**
 * A benchmark of multiple choice. The letter that a text declares last counts ({@linkcode lastChoice}), or the
 * text of exactly one choice in its place.
 *
 * Rows have `Question`, `Correct Answer` and `Incorrect Answer 1` to 3, whose order seed and problem decide; or
 * `choices`, a list or by letter, and an answer: a letter, the text of one choice, or an index. Indices count
 * from 0, or from 1 where the file shows it: some answer is the number of its choices, and none is 0. An answer
 * that can be read in two ways (2, of the choices "1" to "4") is refused.
 *
 * @returns What makes the task of a source. It throws a TypeError where there is no source or an option is
 * unknown, and a RangeError where a value is outside its rule.
 *
 * @example A benchmark of one's own
 * ```ts
 * import { choiceTask } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"question":"Even?","choices":["1","2"],"answer":"B"}');
 * const task = choiceTask({ name: "mmlu", maxNewTokens: 4096 })({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "The answer is (B).").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function choiceTask(task: QuestionTask): (options: ChoiceOptions) => Task<ChoiceProblem> {
  const { name, maxNewTokens } = checkQuestionTask(task);
  return (options) => {
    let asked: readonly Row[] | undefined, bases: readonly number[] | undefined;
    return benchmark(name, options, RULES, ({ prompt = "boxed", seed = 0, system }) => ({
      maxNewTokens,
      parameters: { prompt, seed, ...(system !== undefined && { system }) },
      problem(row, id, at, all): ChoiceProblem {
        const question = textOf(row, COLUMNS.question);
        const sorted = SORTED.map((own) => asText(row[own]));
        if (question !== undefined && !sorted.includes(undefined)) {
          const order = shuffled(sorted.length, seed, id);
          const choices = order.map((from, k) => [LETTERS[k]!, sorted[from]!.trim()]);
          const answer = LETTERS[order.indexOf(0)]!;
          return { id, question: question.trim(), choices: Object.fromEntries(choices), answer };
        }
        const choices = choicesOf(row), answer = answerOf(row);
        if (question === undefined || answer === undefined || choices === undefined) {
          const needs = "Question, Correct Answer and Incorrect Answer 1 to 3, or ";
          return unknownLayout(name, `${needs}a question, choices and an answer`, row, at);
        }
        if (asked !== all) [asked, bases] = [all, basesOf(all)];
        const readings = readingsOf(answer, choices, bases);
        const found = readings.filter(([, letters]) => letters.length > 0);
        const [letter, another] = new Set(found.flatMap(([, letters]) => letters));
        if (letter === undefined) {
          return badAnswer(name, "be one of its choices, their letter or index", answer, at);
        }
        if (another === undefined) return { id, question, choices, answer: letter };
        const meanings = found.map(([what, letters, by]) => `${what} ${letters.join(by)}`);
        const rule = `have one meaning (it may be ${meanings.join(", or ")})`;
        return badAnswer(name, rule, answer, at);
      },
      words: WORDS[prompt],
      isText: prompt === "paper",
      grade({ answer, choices }, text) {
        const found = findChoice(text, choices);
        return judged(found, answer, found.value === answer);
      },
    }));
  };
}

/**
 * GPQA Diamond: 198 questions of graduate science; see {@linkcode choiceTask}. On the hub: `Idavidrein/gpqa` with
 * `config: "gpqa_diamond"` (gated: accept its terms first).
 */
export const gpqaDiamond: (options: ChoiceOptions) => Task<ChoiceProblem> = choiceTask({
  name: "gpqaDiamond",
  maxNewTokens: 16384,
});
