/**
 * Tasks: problems, the words they are put in, and graders.
 *
 * A {@linkcode Task} is a plain value, so a notebook can write its own. Two come with the package
 * and need no network: {@linkcode votes}, whose only error is the noise of a model's own draws, and
 * {@linkcode countdown}, where there is almost nothing to mix. Each has a tiny model that was trained for
 * it: they show which effects the instrument sees.
 *
 * The benchmarks of the field read their problems from a file, an address or a data set on the hub
 * ({@linkcode readRows}); none is shipped. {@linkcode TASKS} has them all by name.
 *
 * @example Ask, answer, grade
 * ```ts
 * import { countdown } from "@moi/moi/tasks";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const task = countdown({ limit: 3 });
 * const problems = await task.problems();
 * assertEquals(problems.length, 3);
 *
 * const [, , problem] = problems;
 * assert(problem);
 * const text = "24 - 13 = 11 [11, 6] 11 * 6 = 66\n</think>\n<answer> (24 - 13) * 6 </answer>";
 * assertEquals(task.grade(problem, text).correct, true);
 * ```
 *
 * @module
 */

export * from "./task.ts"; // Task, Problem, Grade
export type { Message } from "../model/mod.ts"; // what a prompt is made of

// The controls
export type { SyntheticOptions } from "./synthetic.ts";
export { votes, type VotesProblem } from "./votes.ts"; // sensitivity check
export { countdown, type CountdownFileOptions, type CountdownProblem } from "./countdown.ts"; // null control
export { addition, type AdditionOptions, type AdditionProblem } from "./addition.ts";
export { repetition, type RepetitionProblem } from "./repetition.ts";
export { controlNote } from "./controls.ts"; // what the two controls show

// Benchmarks, from files, addresses or the hub
export { readRows, type Row, type SourceOptions } from "./source/rows.ts";
export type { BenchmarkOptions } from "./benchmark.ts";
export { aime, amc, gsm8k, type MakeTask, math500, mathTask, numberTask } from "./question.ts";
export {
  PROMPTS,
  type QuestionOptions,
  type QuestionProblem,
  type QuestionTask,
} from "./question.ts";
export { type ChoiceOptions, type ChoiceProblem, choiceTask, gpqaDiamond } from "./choices.ts";
export { humanEval, type HumanEvalProblem } from "./human_eval.ts";
export {
  type CodeCase,
  liveCodeBench,
  type LiveCodeOptions,
  type LiveCodeProblem,
} from "./live_code_bench.ts";
export { mbpp, type MbppProblem } from "./mbpp.ts";
export { FAMILIES, type ModelFamily, systemPrompt } from "./families.ts";
export { type KnownTask, TASKS } from "./registry.ts";

// Answers in texts, and whether they are right
export { lastAnswer } from "./answer.ts";
export { lastChoice } from "./answer/choice.ts";
export { lastNumber } from "./answer/number.ts";
export { lastBoxed, mathAnswer } from "./answer/math.ts";
export { mathEqual } from "./math/mod.ts";
export { codeOf, type CodeOptions, type CodeTask } from "./code.ts";
export {
  type Program,
  type PythonOptions,
  type PythonResult,
  type PythonVerdict,
  runPython,
} from "./sandbox/python.ts";
export { releasedEquation, releasedInteger, releasedRight } from "./released.ts";
