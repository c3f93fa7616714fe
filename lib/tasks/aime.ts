/**
 * AIME: competition problems with an integer from 0 to 999 as answer.
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
 * AIME: competition problems with an integer from 0 to 999 as answer.
 *
 * On the hub: `AI-MO/aimo-validation-aime`, the paper's 90 problems of 2022 to 2024.
 * The number that a text declares last counts, else its last one ({@linkcode lastNumber}), and must equal the
 * right one exactly; a percentage may be said either way. With `grading: "released"` the first boxed integer
 * counts, or any integer.
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
    gold: goldNumber,
    goldRule: "hold a number",
    grade: gradeNumber,
  }, options);
}
