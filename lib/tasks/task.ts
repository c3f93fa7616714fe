/**
 * A task makes problems, words the prompt and grades the answer.
 *
 * The three are plain functions on plain values: nothing here decodes, so the same task serves every
 * method, and generated texts can be graded again at any time.
 *
 * @module
 */

import type { Sampler } from "../decode/mod.ts";
import type { Message } from "../model/mod.ts";

/** One problem of a task. */
export interface Problem {
  /** Stable and unique within the task; runs are paired by it. */
  readonly id: string;
  /** Whatever else prompt and grader use. */
  readonly [field: string]: unknown;
}

/** The verdict on one generated text. */
export interface Grade {
  /** Whether the answer is right; false where that cannot be told. */
  readonly correct: boolean;
  /**
   * Set where nothing can say whether the answer is right: a problem without tests, say. Such runs
   * are left out of accuracies and gains, and counted apart.
   */
  readonly ungradable?: true;
  /** The answer as found in the text, or null where there is none. */
  readonly extracted: string | null;
  /** A number beside the verdict, where the task gives one; see `scoreGains`. */
  readonly score?: number;
  /** Why the answer counts or does not, in a few words. */
  readonly reason?: string;
}

/**
 * What the scores of a task are: a number alone says neither its unit nor which way is up.
 *
 * @example Shares, written in percent, of which fewer are better
 * ```ts
 * import { type Measure, measured } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const measure: Measure = { name: "repeated 4-grams", unit: "%", scale: 100, better: "lower" };
 * assertEquals(measured(measure, 0.0033), "0.33 %");
 * ```
 */
export interface Measure {
  /** What is measured, such as "repeated 4-grams". */
  readonly name: string;
  /** Unit that is written after the number, such as "%". Default: none. */
  readonly unit?: string;
  /** What a score is multiplied with to be in that unit. Default: 1. */
  readonly scale?: number;
  /** Decimals. Default: 2. */
  readonly digits?: number;
  /** Which of two scores is the better one, all else being equal. */
  readonly better: "lower" | "higher";
  /** What else can make a score look good, in a sentence. */
  readonly caution?: string;
}

/** A score, or a mean of scores, with its unit: 0.0033 → "0.33 %". */
export function measured({ scale = 1, digits = 2, unit = "" }: Measure, score: number): string {
  return `${(scale * score).toFixed(digits).replace("-", "−")} ${unit}`.trimEnd();
}

/**
 * Problems, their prompt and their grader.
 *
 * @typeParam P What a problem of this task holds.
 * @typeParam G What grading gives: a grade, or the promise of one where a program has to be run.
 *
 * @example A task of one's own
 * ```ts
 * import { lastAnswer, type Problem, type Task } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * interface Sum extends Problem {
 *   readonly left: number;
 *   readonly right: number;
 * }
 *
 * const sums: Task<Sum> = {
 *   name: "sums",
 *   problems: () => [{ id: "sums-0", left: 2, right: 3 }, { id: "sums-1", left: 4, right: 4 }],
 *   prompt: ({ left, right }) => [{ role: "user", content: `What is ${left} + ${right}?` }],
 *   grade: ({ left, right }, text) => {
 *     const extracted = lastAnswer(text);
 *     return { correct: extracted === `${left + right}`, extracted };
 *   },
 * };
 *
 * const [first] = await sums.problems();
 * assertEquals(first && sums.grade(first, "<answer>5</answer>").correct, true);
 * ```
 */
export interface Task<P extends Problem = Problem, G extends Grade | Promise<Grade> = Grade> {
  /** Short name, recorded with every run. */
  readonly name: string;
  /**
   * The options that decide prompts and verdicts, such as `{ grading: "last", prompt: "boxed" }`:
   * recorded with every run, and part of what a stored study is known by.
   */
  readonly parameters?: Readonly<Record<string, string | number | boolean | null>>;
  /**
   * What the numbers beside the verdicts are, where there are any; recorded with every run. A task
   * that has it is judged by its scores, not by accuracies.
   */
  readonly measure?: Measure;
  /** Sampler settings that the task's source recommends; a study uses them unless told otherwise. */
  readonly defaults?: Partial<Sampler> & {
    /** Largest number of generated tokens. */
    readonly maxNewTokens?: number;
  };
  /** The problems, in a fixed order. */
  problems(): P[] | Promise<P[]>;
  /** What the model is asked: chat messages, or plain text that is continued as it is. */
  prompt(problem: P): Message[] | string;
  /** Grades a generated text (the text alone, without the prompt). */
  grade(problem: P, text: string): G;
}
