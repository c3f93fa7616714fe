/** A small task for the mock model, and runs without what differs from call to call. */

import type { Run } from "@moi/moi/study";
import type { Problem, Task } from "@moi/moi/tasks";
import { temporaryFolder } from "../_temporary.ts";

/** Letters to continue. */
export interface Letters extends Problem {
  readonly letters: string;
}

/** Prompts of one to five letters; a text is right where it has an "e". */
export function letters(
  { count = 4, name = "letters", ...rest }: Partial<Task<Letters>> & { count?: number } = {},
): Task<Letters> {
  return {
    name,
    problems: () =>
      Array.from({ length: count }, (_, i) => ({
        id: `letters-${i}`,
        letters: "abcdefghij".slice(i % 7, i % 7 + 1 + i % 5),
      })),
    prompt: ({ letters }) => letters,
    grade: (_, text) => ({
      correct: text.includes("e"),
      extracted: text.match(/e/)?.[0] ?? null,
      reason: "an e",
    }),
    ...rest,
  };
}

/** Runs without their timing, which no two calls share. */
export function timeless(runs: readonly Run[]): Omit<Run, "timing">[] {
  return runs.map(({ timing: _, ...run }) => run);
}

/** Runs without what another device, and another time, make of them. */
export function placeless(runs: readonly Run[]): Partial<Run>[] {
  return timeless(runs).map(({ versions: _, device: __, study: ___, ...run }) => run);
}

/** The runs of a file in an order of their own. */
export function sorted<R extends Pick<Run, "problem" | "method" | "repeat">>(
  runs: readonly R[],
): R[] {
  const key = ({ problem, method, repeat }: R) => JSON.stringify([problem, method, repeat]);
  return runs.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
}

/** Does something with a path in a folder of its own. */
export async function withStore(use: (path: string) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await use(`${folder.path}/runs.jsonl`);
}
