/**
 * AMC: competition problems with a number as answer.
 *
 * @module
 */

import { lastNumber } from "./extract.ts";
import { graded, type QuestionOptions, type QuestionProblem, questionTask } from "./question.ts";
import { releasedInteger } from "./released.ts";
import type { Task } from "./task.ts";

/**
 * AMC: competition problems with a number as answer.
 *
 * On the hub: `AI-MO/aimo-validation-amc`. The last number of a text counts; with `grading: "released"` the first
 * boxed integer does, or any integer. Numbers are compared by their value.
 *
 * @param options Source, prompt, grading.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A file of one's own
 * ```ts
 * import { amc } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"problem":"1 + 1?","answer":"2"}');
 * const task = amc({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "It is \\boxed{2}.").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function amc(options: QuestionOptions): Task<QuestionProblem> {
  return questionTask({
    name: "amc",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 16384 },
    gold: (text) => lastNumber(text) ?? undefined,
    goldRule: "hold a number",
    grade(answer, text, grading) {
      const found = grading === "released" ? releasedInteger(text) : lastNumber(text);
      return graded(found, answer, found !== null && Number(found) === Number(answer));
    },
  }, options);
}
