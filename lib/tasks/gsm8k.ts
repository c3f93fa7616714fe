/**
 * GSM8K: grade-school word problems with a number as answer.
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
 * GSM8K: grade-school word problems with a number as answer.
 *
 * On the hub: `openai/gsm8k` with `config: "main"`.
 * The number that a text declares last counts, else its last one ({@linkcode lastNumber}), and must equal the
 * right one exactly; a percentage may be said either way. With `grading: "released"` the first boxed integer
 * counts, or any integer.
 *
 * @param options Source, prompt, grading.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A file of one's own
 * ```ts
 * import { gsm8k } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"problem":"1 + 1?","answer":"2"}');
 * const task = gsm8k({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "It is \\boxed{2}.").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function gsm8k(options: QuestionOptions): Task<QuestionProblem> {
  return questionTask({
    name: "gsm8k",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 2048 },
    gold: goldNumber,
    goldRule: "hold a number",
    grade: gradeNumber,
  }, options);
}
