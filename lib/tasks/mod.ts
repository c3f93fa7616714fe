/**
 * Tasks: problems, the words they are put in, and graders.
 *
 * A {@linkcode Task} is a plain value, so a notebook can write its own. Three come with the package
 * and need no network: {@linkcode votes}, whose only error is the noise of a model's own draws,
 * {@linkcode countdown}, where there is almost nothing to mix, and {@linkcode pancakes}, where a model is uncertain of
 * its decisions. Each has tiny models that were trained for it: they show which effects the instrument sees.
 *
 * The benchmarks of the field read their problems from a source; none is shipped. {@linkcode TASKS} has them
 * all by name. Licences are those of the data, as their authors state them.
 *
 * | task | problems, on the hub | licence | how an answer is graded | columns of a row |
 * |---|---|---|---|---|
 * | {@linkcode gsm8k} | 1319 word problems, `openai/gsm8k` (`config: "main"`) | MIT | the number declared last, exactly | `question`, `answer` (after `####`) |
 * | {@linkcode math500} | 500 of MATH, `HuggingFaceH4/MATH-500` | MIT (MATH) | by meaning: {@linkcode mathEqual} | `problem`, `answer` or `solution` |
 * | {@linkcode aime} | 90 of 2022 to 2024, `AI-MO/aimo-validation-aime` | Apache-2.0 | the number declared last, exactly | `problem`, `answer` |
 * | {@linkcode amc} | 83, `AI-MO/aimo-validation-amc` | Apache-2.0 | the number declared last, exactly | `problem`, `answer` |
 * | {@linkcode gpqaDiamond} | 198, `Idavidrein/gpqa` (`config: "gpqa_diamond"`, gated) | CC-BY-4.0 | the letter declared last, or a choice's text | `Question`, `Correct Answer`, `Incorrect Answer 1`…; or `choices`, `answer` |
 * | {@linkcode humanEval} | 164, `openai/openai_humaneval`; EvalPlus | MIT | its tests, in the sandbox | `prompt`, `test`, `entry_point` |
 * | {@linkcode mbpp} | 500, or 257 sanitised, `google-research-datasets/mbpp` | CC-BY-4.0 | its assertions, in the sandbox | `text` or `prompt`, `test_list` |
 * | {@linkcode liveCodeBench} | by release, `livecodebench/code_generation_lite` | CC (see its card) | outputs by the released rule, in the sandbox | `question_content`, `public_test_cases`, … |
 * | {@linkcode countdown} | TinyZero's layout | its source's | exactly, each number once | `nums` or `numbers`, `target` |
 *
 * - **Sources** ({@linkcode readRows}): JSONL, JSON, CSV, TSV or Parquet, packed or not, from a file, a folder,
 *   an address or the hub. An unknown layout is refused, naming the columns found, and so is a data set of
 *   which a part is missing. Numbers that a double cannot hold are text.
 * - **Which answer a text gives**: one mechanism for letters, numbers and formulas. Thoughts are left out; a
 *   final-answer statement or the last box counts, whichever comes later; a text that is cut within its box,
 *   or names two answers, has none. What was taken, and why, stands in {@linkcode Grade.reason}. The rules
 *   of the released MoI code, which differ, are `grading: "released"`.
 * - **Answers by meaning**: on 269 pairs from the tests of Hugging Face's math-verify {@linkcode mathEqual}
 *   gives the expected verdict in 96.3 %.
 * - **Code** is run in WebAssembly, in a process that may read Pyodide's files and nothing else, a new one for
 *   every problem ({@linkcode runPython}); problems without tests, or whose tests need a module that cannot be
 *   had, are ungradable, never 0 %. All 164 canonical solutions of HumanEval and 256 of 257 of an MBPP export
 *   pass (one takes longer than 10 s).
 *
 * @example A benchmark of one's own: its name, its token budget, the kind of its answers
 * ```ts
 * import { choiceTask, mathTask, numberTask } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * const svamp = numberTask({ name: "svamp", maxNewTokens: 1024 });
 * const olympiad = mathTask({ name: "olympiad", maxNewTokens: 32768 });
 * const mmlu = choiceTask({ name: "mmlu", maxNewTokens: 4096 });
 *
 * const made = [svamp, olympiad, mmlu].map((make) => make({ source: "problems.jsonl", limit: 100 }));
 * assertEquals(made.map(({ name }) => name), ["svamp", "olympiad", "mmlu"]);
 * ```
 *
 * @module
 */

export * from "./task.ts"; // Task, Problem, Grade
export type { Message } from "../model/mod.ts"; // what a prompt is made of

// The controls
export { controlNote, type SyntheticOptions } from "./synthetic.ts";
export { votes, type VotesProblem } from "./votes.ts"; // sensitivity check
export { countdown, type CountdownFileOptions, type CountdownProblem } from "./countdown.ts"; // null control
export { pancakes, type PancakesProblem } from "./pancakes.ts"; // control whose decisions are uncertain
export { addition, type AdditionOptions, type AdditionProblem } from "./addition.ts";
export { repetition, type RepetitionProblem } from "./repetition.ts";

// Benchmarks, from files, addresses or the hub
export { readRows, type Row, type SourceOptions } from "./source/rows.ts";
export { type BenchmarkOptions, systemPrompt } from "./benchmark.ts";
export { aime, amc, gsm8k, type MakeTask, math500, mathTask, numberTask } from "./question.ts";
export { PROMPTS } from "./question.ts";
export type { QuestionOptions, QuestionProblem, QuestionTask } from "./question.ts";
export { type ChoiceOptions, type ChoiceProblem, choiceTask, gpqaDiamond } from "./choices.ts";
export { humanEval, type HumanEvalProblem } from "./human_eval.ts";
export { liveCodeBench } from "./live_code_bench.ts";
export type { CodeCase, LiveCodeOptions, LiveCodeProblem } from "./live_code_bench.ts";
export { mbpp, type MbppProblem } from "./mbpp.ts";
export { type KnownTask, TASKS } from "./registry.ts";

// Answers in texts, and whether they are right
export { lastChoice } from "./answer/choice.ts";
export { lastNumber } from "./answer/number.ts";
export { lastAnswer } from "./answer/pieces.ts";
export { lastBoxed, mathAnswer } from "./answer/math.ts";
export { mathEqual } from "./math/mod.ts";
export type { CodeOptions, CodeTask } from "./code.ts";
export { runPython } from "./sandbox/python.ts";
export type { Program, PythonOptions, PythonResult, PythonVerdict } from "./sandbox/python.ts";
export { releasedEquation, releasedInteger, releasedRight } from "./released.ts";
