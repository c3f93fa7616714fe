/**
 * MATH-500: competition problems whose answers are LaTeX, compared by meaning.
 *
 * @module
 */

import { findMath } from "./answer/math.ts";
import { mathEqual } from "./math/mod.ts";
import {
  gradeReleased,
  judged,
  type QuestionOptions,
  type QuestionProblem,
  questionTask,
} from "./question.ts";
import type { Task } from "./task.ts";

/**
 * MATH-500 and other files in the layout of MATH: `problem` with `answer`, or with a `solution` whose last
 * box is the answer.
 *
 * On the hub: `HuggingFaceH4/MATH-500`. Answers are compared by {@linkcode mathEqual}; the released rule
 * knows integers only, and is offered for those.
 *
 * @param options Source, prompt, grading.
 * @throws {TypeError} Where there is no source, or an option is unknown.
 *
 * @example A file of one's own
 * ```ts
 * import { math500 } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const source = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(source, '{"problem":"Half of 1?","answer":"\\\\frac{1}{2}"}');
 * const task = math500({ source });
 * const [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "It is $0.5$.").correct, true);
 * await Deno.remove(source);
 * ```
 */
export function math500(options: QuestionOptions): Task<QuestionProblem> {
  return questionTask({
    name: "math500",
    defaults: { temperature: 0.6, topP: 0.95, maxNewTokens: 32768 },
    gold: (text) => text.trim() || undefined,
    goldRule: "not be empty",
    grade(answer, text, grading) {
      if (grading === "released") return gradeReleased(answer, text);
      const found = findMath(text);
      return judged(found, answer, found.value !== null && mathEqual(answer, found.value));
    },
  }, options);
}
