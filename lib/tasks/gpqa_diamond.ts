/**
 * GPQA Diamond: 198 multiple-choice questions of graduate science.
 *
 * @module
 */

import { checkNumber, refusal } from "../_check.ts";
import { lastChoice } from "./extract.ts";
import {
  checkSource,
  columnOf,
  COLUMNS,
  graded,
  idsOf,
  messagesOf,
  type QuestionOptions,
  type QuestionProblem,
  rowsOnce,
  shuffled,
  textOf,
  unknownLayout,
} from "./question.ts";
import type { Row } from "./source.ts";
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
function problemOf(row: Row, id: string, seed: number, at: number): ChoiceProblem {
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
  const { choices } = row, answer = textOf(columnOf(row, COLUMNS.answer));
  const list = Array.isArray(choices)
    ? choices.map((text, k) => [LETTERS[k]!, text])
    : typeof choices === "object" && choices !== null
    ? Object.entries(choices)
    : [];
  const known = list.every(([letter, text]) =>
    LETTERS.includes(letter) && typeof text === "string"
  );
  if (question === undefined || answer === undefined || list.length < 2 || !known) {
    const needs =
      "Question, Correct Answer and Incorrect Answer 1 to 3, or a question, choices and an answer";
    return unknownLayout("gpqaDiamond", needs, row, at);
  }
  const named = Object.fromEntries(list) as Record<string, string>;
  const letter = Object.hasOwn(named, answer)
    ? answer
    : LETTERS.find((letter) => named[letter] === answer);
  if (letter === undefined) {
    throw new TypeError(
      `Cannot read gpqaDiamond as the answer of row ${
        at + 1
      } must be one of its choices: current value is ${JSON.stringify(answer)}`,
    );
  }
  return { id, question, choices: named, answer: letter };
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
 * put in an order that seed and problem decide; the last letter chosen in a text counts.
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
  const rows = rowsOnce(source);
  return {
    name: "gpqaDiamond",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    async problems() {
      const all = await rows(), ids = idsOf("gpqaDiamond", all);
      return all.map((row, i) => problemOf(row, ids[i]!, seed, i));
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
      const found = lastChoice(text, Object.keys(choices).join(""));
      return graded(found, answer, found === answer);
    },
  };
}
