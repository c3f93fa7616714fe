/**
 * GPQA Diamond: 198 multiple-choice questions of graduate science.
 *
 * @module
 */

import { checkNumber, refusal } from "../_check.ts";
import { findChoice } from "./answer/choice.ts";
import {
  checkSource,
  columnOf,
  COLUMNS,
  idsOf,
  judged,
  messagesOf,
  type QuestionOptions,
  type QuestionProblem,
  rowsOnce,
  shuffled,
  textOf,
  unknownLayout,
} from "./question.ts";
import type { Row } from "./source/rows.ts";
import type { Grade, Task } from "./task.ts";

/** A question with its choices; `answer` is the right letter. */
export interface ChoiceProblem extends QuestionProblem {
  /** Texts by letter. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Options of {@linkcode gpqaDiamond}. */
export interface GpqaOptions extends Omit<QuestionOptions, "prompt" | "grading"> {
  /**
   * "boxed": a conversation that asks for the letter in a box; "paper": text without a chat template,
   * as lm-evaluation-harness words it and the paper used it (with Gemma-3 it used the template).
   * Default: "boxed".
   */
  readonly prompt?: "boxed" | "paper";
  /** Seed of the order of choices, where the source has the right one first. Default: 0. */
  readonly seed?: number;
}

const LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
const WRONG = ["Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"];

/** Question and choices of a row of a known layout. */
function problemOf(
  row: Row,
  id: string,
  seed: number,
  at: number,
  base: Base,
): ChoiceProblem {
  const question = textOf(columnOf(row, COLUMNS.question));
  const right = textOf(row["Correct Answer"]), wrong = WRONG.map((name) => textOf(row[name]));
  if (question !== undefined && right !== undefined && wrong.every((text) => text !== undefined)) {
    const texts = [right, ...wrong as string[]].map((text) => text.trim());
    const order = shuffled(texts.length, seed, id);
    return {
      id,
      question: question.trim(),
      choices: Object.fromEntries(order.map((from, k) => [LETTERS[k]!, texts[from]!])),
      answer: LETTERS[order.indexOf(0)]!,
    };
  }
  const named = choicesOf(row), answer = answerOf(row);
  if (question === undefined || answer === undefined || named === undefined) {
    const needs =
      "Question, Correct Answer and Incorrect Answer 1 to 3, or a question, choices and an answer";
    return unknownLayout("gpqaDiamond", needs, row, at);
  }
  return { id, question, choices: named, answer: letterOf(answer, named, base, at) };
}

/** Choices by letter: of a list, or as they are; undefined where a row has none. */
function choicesOf({ choices }: Row): Record<string, string> | undefined {
  const list = Array.isArray(choices)
    ? choices.map((text, k) => [LETTERS[k], textOf(text)])
    : typeof choices === "object" && choices !== null
    ? Object.entries(choices).map(([letter, text]) => [letter, textOf(text)])
    : [];
  const known = list.every(([letter, text]) =>
    letter !== undefined && LETTERS.includes(letter) && text !== undefined
  );
  return list.length < 2 || !known ? undefined : Object.fromEntries(list);
}

const answerOf = (row: Row) => columnOf(row, COLUMNS.answer);

/** The index that an answer may be: a whole number, or its digits. */
function indexOf(answer: unknown): number | undefined {
  if (typeof answer === "string" && !/^\s*\d{1,2}\s*$/.test(answer)) return undefined;
  const index = typeof answer === "string" ? Number(answer) : answer;
  return typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : undefined;
}

/** From where a file's indices count; "none" where its answers are no indices, undefined where no row tells. */
type Base = 0 | 1 | "none" | undefined;

/**
 * What all rows of a file say about their answers, as a column has one meaning: an answer that can be no index
 * says that none is, an index 0 that they count from 0, an index of as many as there are choices that they
 * count from 1.
 */
function baseOf(rows: readonly Row[]): Base {
  let base: Base;
  for (const row of rows) {
    const choices = choicesOf(row), answer = answerOf(row);
    if (choices === undefined || answer === undefined) continue;
    const index = indexOf(answer), count = Object.keys(choices).length;
    if (index === undefined || index > count) return "none";
    if (index === 0) base = 0;
    else if (index === count) base ??= 1;
  }
  return base;
}

/**
 * The letter that an answer column means: a letter of its own, also as "(B)" or "b"; the text of one choice; or
 * an index. What can be read in two ways that differ is refused.
 */
function letterOf(
  answer: unknown,
  choices: Readonly<Record<string, string>>,
  base: Base,
  at: number,
): string {
  const refuse = (rule: string): never => {
    throw new TypeError(
      `Cannot read gpqaDiamond as the answer of row ${at + 1} must ${rule}: current value is ${
        JSON.stringify(answer)
      }`,
    );
  };
  const letters = Object.keys(choices), text = textOf(answer)?.trim() ?? "";
  const bare = /^[("'[]?([a-z])[)."'\]:]?$/i.exec(text)?.[1] ?? "";
  const byText = letters.filter((letter) => choices[letter]!.trim() === text);
  const byLetter = letters.filter((letter) => letter === bare.toUpperCase());
  const index = indexOf(answer);
  // the field counts from 0 where answers are numbers; digits in a text say nothing by themselves
  const bases = base === "none"
    ? []
    : base !== undefined
    ? [base]
    : typeof answer === "number"
    ? [0]
    : [0, 1];
  const byIndex = index === undefined ? [] : bases.flatMap((from) => letters[index - from] ?? []);
  const readings = new Set([...byLetter, ...byText, ...byIndex]);
  if (readings.size === 1) return [...readings][0]!;
  if (readings.size === 0) return refuse("be one of its choices, their letter or index");
  const names = [
    byLetter.length > 0 && `the letter ${byLetter[0]}`,
    byText.length > 0 && `the text of ${byText.join(" and ")}`,
    byIndex.length > 0 && `the index of ${byIndex.join(" or ")}`,
  ].filter((name) => name !== false);
  return refuse(`have one meaning (it may be ${names.join(", or ")})`);
}

/** The question with its choices below, unless it has them already. */
function worded({ question, choices }: ChoiceProblem, wrap: (letter: string) => string): string {
  const entries = Object.entries(choices);
  const there = entries.every(([letter, text]) => question.includes(`${letter}. ${text}`));
  const lines = entries.map(([letter, text]) => `${wrap(letter)} ${text}`);
  return there ? question : [question, ...lines].join("\n");
}

/**
 * GPQA Diamond.
 *
 * On the hub: `Idavidrein/gpqa` with `config: "gpqa_diamond"` (gated: accept its terms first). Choices are
 * put in an order that seed and problem decide. The letter that a text declares last counts
 * ({@linkcode lastChoice}), or the text of exactly one choice in its place.
 *
 * Other files have `choices`, a list or by letter, and an answer: a letter, the text of one choice, or an
 * index. Indices count from 0, or from 1 where the file shows it: some answer is the number of its choices,
 * and none is 0. An answer that can be read in two ways (2, of the choices "1" to "4") is refused.
 *
 * @param options Source, prompt, seed.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A file of one's own
 * ```ts
 * import { gpqaDiamond } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"question":"Even?","choices":["1","2"],"answer":"B"}');
 * const task = gpqaDiamond({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "The answer is (B).").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function gpqaDiamond(options: GpqaOptions): Task<ChoiceProblem> {
  checkSource("gpqaDiamond", options, ["source", "limit", "prompt", "system", "seed"]);
  const { prompt = "boxed", seed = 0, system, ...source } = options;
  const verb = "make gpqaDiamond";
  if (prompt !== "boxed" && prompt !== "paper") {
    throw new RangeError(refusal(verb, "prompt", 'be "boxed" or "paper"', prompt));
  }
  checkNumber(verb, "seed", seed, { min: 0, integer: true });
  // all rows are asked whether indices count from 0, so that a smaller limit reads the first as a larger does
  const { limit = Infinity, ...whole } = source, rows = rowsOnce(whole);
  return {
    name: "gpqaDiamond",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    parameters: { prompt, seed, ...(system !== undefined && { system }) },
    async problems() {
      const all = await rows(), ids = idsOf("gpqaDiamond", all), base = baseOf(all);
      return all.slice(0, limit).map((row, i) => problemOf(row, ids[i]!, seed, i, base));
    },
    prompt(problem) {
      if (prompt === "paper") {
        return `What is the correct answer to this question:${problem.question}\nChoices:\n${
          Object.entries(problem.choices).map(([letter, text]) => `(${letter}) ${text}`).join("\n")
        }\nLet's think step by step: `;
      }
      const text = worded(problem, (letter) => `${letter}.`);
      const letters = Object.keys(problem.choices).join(", ");
      return messagesOf(
        `${text}\n\nPlease reason step by step, and put the letter of your choice (${letters}) within \\boxed{}.`,
        system,
      );
    },
    grade({ answer, choices }, text): Grade {
      const found = findChoice(text, choices);
      return judged(found, answer, found.value === answer);
    },
  };
}
