/**
 * AMC: competition problems with a number as answer.
 *
 * @module
 */

import {
  goldNumber,
  gradeNumber,
  type QuestionOptions,
  type QuestionProblem,
  questionTask,
} from "./question.ts";
import type { Task } from "./task.ts";

/**
 * AMC: competition problems with a number as answer.
 *
 * On the hub: `AI-MO/aimo-validation-amc`.
 * The number that a text declares last counts, else its last one ({@linkcode lastNumber}), and must equal the
 * right one exactly; a percentage may be said either way. With `grading: "released"` the first boxed integer
 * counts, or any integer.
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
    gold: goldNumber,
    goldRule: "hold a number",
    grade: gradeNumber,
  }, options);
}
