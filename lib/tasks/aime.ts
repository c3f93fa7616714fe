/**
 * AIME: competition problems with an integer from 0 to 999 as answer.
 *
 * @module
 */

import { lastNumber } from "./extract.ts";
import { graded, type QuestionOptions, type QuestionProblem, questionTask } from "./question.ts";
import { releasedInteger } from "./released.ts";
import type { Task } from "./task.ts";

/**
 * AIME: competition problems with an integer from 0 to 999 as answer.
 *
 * On the hub: `AI-MO/aimo-validation-aime`, the paper's 90 problems of 2022 to 2024`. The last number of a text counts; with `grading: "released"` the first
 * boxed integer does, or any integer. Numbers are compared by their value.
 *
 * @param options Source, prompt, grading.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A file of one's own
 * ```ts
 * import { aime } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"problem":"1 + 1?","answer":"2"}');
 * const task = aime({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "It is \\boxed{2}.").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function aime(options: QuestionOptions): Task<QuestionProblem> {
  return questionTask({
    name: "aime",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 32768 },
    gold: (text) => lastNumber(text) ?? undefined,
    goldRule: "hold a number",
    grade(answer, text, grading) {
      const found = grading === "released" ? releasedInteger(text) : lastNumber(text);
      return graded(found, answer, found !== null && Number(found) === Number(answer));
    },
  }, options);
}
