/** Grading again: texts keep, verdicts change. @module */

import { given } from "../_given.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import manifest from "../../deno.json" with { type: "json" };
import { fieldDigests, scalars } from "./_digest.ts";
import type { Run } from "./run.ts";

/** Columns of a question, as files name them. */
export const QUESTIONS = ["question", "problem", "prompt", "Question", "Problem", "query"];

/** The words of a problem's question, without differences of spaces and forms of letters. */
function wordsOf(problem: Problem): string {
  const text = QUESTIONS.map((name) => problem[name]).find((one) => typeof one === "string");
  return typeof text === "string" ? text.normalize("NFKC").replace(/\s+/g, " ").trim() : "";
}

/**
 * The problem that each id of a file stands for: the one that asks the same, or else that of the same id,
 * where it does not ask something else, or else the only one whose question is within the file's.
 */
function matched<P extends Problem>(
  told: readonly Problem[],
  problems: readonly P[],
): Map<string, P> {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const found = new Map(byId);
  const asked = problems.map((problem) => ({ problem, words: wordsOf(problem) }));
  const byWords = Map.groupBy(asked, ({ words }) => words), others: Problem[] = [];
  const taken = new Set<P>();
  for (const problem of told) {
    const words = wordsOf(problem), sameId = byId.get(problem.id);
    if (words === "") continue;
    const same = byWords.get(words) ?? [], own = sameId ? wordsOf(sameId) : "";
    const [only, another] = same.length > 0 || sameId
      ? same
      : asked.filter((one) => one.words !== "" && words.includes(one.words));
    if (only && !another) {
      if (taken.has(only.problem)) others.push(problem);
      taken.add(only.problem);
      found.set(problem.id, only.problem);
    } else if (own !== "" && !words.includes(own) && !own.includes(words)) others.push(problem);
  }
  if (others.length === 0) return found;
  throw new RangeError(
    `Cannot grade again as the problems must be those that the texts answer: ${others.length} of ${told.length} ask something else, such as '${
      others[0]!.id
    }'. The source or its split is another`,
  );
}

/** "they are 'gsm8k/0', 'gsm8k/1' and 98 others". */
function idsOf(problems: readonly Problem[]): string {
  const some = problems.slice(0, 2).map(({ id }) => `'${id}'`).join(", ");
  const more = problems.length - 2;
  return `they are ${some || "none"}${more > 0 ? ` and ${more} others` : ""}`;
}

/**
 * The same runs with new verdicts.
 *
 * @param runs Runs, imported ones as well; why they ended is kept.
 * @param told The problems as the runs' file tells them, see {@linkcode Imported}. Tools number their rows
 * in their own way; so a problem is known by its question, where the file tells it, and else by its id.
 * Default: none, so that the ids count.
 * @returns The runs, of the problems' ids.
 * @throws {RangeError} Where a run's problem is not among them, or asks something else than in `told`.
 *
 * @example Strict grading
 * ```ts
 * import { regrade, type Run } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const run = { problem: "1", text: "2", grade: { correct: true, extracted: "2" } } as Run;
 * const [again] = await regrade([run], [{ id: "1", answer: "3" }], ({ answer }, text) => ({
 *   correct: text === answer,
 *   extracted: text,
 * }));
 * assertEquals(again?.grade.correct, false);
 * ```
 */
export async function regrade<
  P extends Problem,
  R extends Pick<Run, "problem" | "text" | "grade">,
>(
  runs: readonly R[],
  problems: readonly P[],
  grade: (problem: P, text: string) => Grade | Promise<Grade>,
  told: readonly Problem[] = [],
): Promise<R[]> {
  const byId = matched(told, problems), out: R[] = [];
  for (const run of runs) {
    const problem = byId.get(run.problem);
    if (!problem) {
      throw new RangeError(
        `Cannot grade again as the problems must hold '${run.problem}': ${idsOf(problems)}`,
      );
    }
    out.push({ ...run, problem: problem.id, grade: await grade(problem, run.text) });
  }
  return out;
}

/**
 * A run with a new grade, and by what it was given: the problem's fields, the task's options, this
 * release. `runStudy` continues such runs with that task.
 *
 * @throws {TypeError} Where a field of the problem refers to itself.
 */
export function regradedRun<P extends Problem>(
  run: Run,
  problem: P,
  task: Pick<Task<P, Grade | Promise<Grade>>, "parameters">,
  grade: Grade,
): Run {
  const { taskParameters: _, ...rest } = run;
  return {
    ...rest,
    ...given({ taskParameters: task.parameters && scalars(task.parameters) }),
    problemFields: fieldDigests(problem),
    grade,
    versions: { ...run.versions, graded: manifest.version },
  };
}
