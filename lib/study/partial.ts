/** What a study that was stopped leaves: its finished runs, and how many were planned. @module */

import { counted } from "../_counted.ts";
import type { Run } from "./run.ts";

/** The size of a study. */
export interface Planned {
  /** Number of problems. */
  readonly problems: number;
  /** The methods' keys. */
  readonly methods: readonly string[];
  /** Runs of each problem and method. */
  readonly repeats: number;
  /** Runs altogether: problems × methods × repeats. */
  readonly runs: number;
}

/**
 * Finished runs that know how many were planned: an array like any other, with a property that
 * neither JSON nor a comparison sees. Copies (`filter`, `slice`, `[...runs]`) do not have it. A notebook
 * shows their number where a cell ends with them.
 */
export interface StudyRuns extends Array<Run> {
  /** What the study was to have; there are fewer runs where it was stopped. Absent in copies. */
  readonly planned?: Planned;
}

/** How much of a study is there. */
export interface PartialStudy {
  /** Finished runs. */
  readonly finished: number;
  /** Planned runs. */
  readonly planned: number;
}

/** Marks runs, or rows made of them, with the size of their study, in place; JSON does not see it. */
export function withPlanned<T>(values: T[], planned: Planned): T[] & { readonly planned: Planned } {
  const mark = { value: planned, enumerable: false, configurable: true };
  return Object.defineProperty(values, "planned", mark) as T[] & { readonly planned: Planned };
}

/** The size of the study that runs, or rows made of them, come from; undefined where they do not know. */
export function plannedOf(values: readonly unknown[]): Planned | undefined {
  return (values as { readonly planned?: Planned }).planned;
}

/**
 * How much of a stopped study is there; undefined where all of it is, or where nobody knows.
 *
 * @example Stopped after one run of four
 * ```ts
 * import { partialOf, partialText, type Run, withPlanned } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const planned = { problems: 2, methods: ["standard", "moi"], repeats: 1, runs: 4 };
 * const runs = withPlanned([{ problem: "1", method: "standard" } as Run], planned);
 * assertEquals(partialText(partialOf(runs)!), "partial: 1 of 4 runs");
 * assertEquals(partialOf([...runs]), undefined);
 * ```
 */
export function partialOf(runs: readonly unknown[]): PartialStudy | undefined {
  const planned = plannedOf(runs);
  if (planned === undefined || runs.length >= planned.runs) return undefined;
  return { finished: runs.length, planned: planned.runs };
}

/** The words for what {@linkcode partialOf} returned: "partial: 37 of 120 runs". */
export function partialText({ finished, planned }: PartialStudy): string {
  return `partial: ${finished} of ${planned} runs`;
}

/** What a study is, in words: "360 runs: 30 problems × 3 methods × 4 repeats". */
export function sizeText(runs: readonly unknown[], planned: Planned): string {
  const { problems, methods, repeats } = planned, partial = partialOf(runs);
  const size = [
    counted(problems, "problem"),
    counted(methods.length, "method"),
    counted(repeats, "repeat"),
  ]
    .join(" × ");
  return partial ? `${partialText(partial)} (${size})` : `${counted(runs.length, "run")}: ${size}`;
}

/**
 * The runs of those problems that every method has finished in every repeat: what a study that was
 * stopped can already be judged by.
 *
 * @param runs Runs of one study. Those of `runStudy` know its methods and repeats; of others these are
 * the methods and repeats that occur.
 * @returns The runs that can be compared; where `runs` know how many were planned, they know it, too.
 *
 * @example A problem that one method has not finished is left out
 * ```ts
 * import { completePairs, type Run } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const run = (problem: string, method: string) => ({ problem, method, repeat: 0 }) as Run;
 * const runs = [run("1", "a"), run("1", "b"), run("2", "a")];
 * assertEquals(completePairs(runs).length, 2);
 * ```
 */
export function completePairs<R extends Pick<Run, "problem" | "method" | "repeat">>(
  runs: readonly R[],
): R[] {
  const planned = plannedOf(runs);
  const expected = planned
    ? planned.methods.length * planned.repeats
    : new Set(runs.map(({ method, repeat }) => JSON.stringify([method, repeat]))).size;
  const byProblem = Map.groupBy(runs, ({ problem }) => problem);
  const judged = [...byProblem.values()].filter((own) => own.length === expected).flat();
  return planned ? withPlanned(judged, planned) : judged;
}
