/**
 * Tasks by name, as command lines know them.
 *
 * @module
 */

import { addition } from "./addition.ts";
import { gpqaDiamond } from "./choices.ts";
import { countdown } from "./countdown.ts";
import { humanEval } from "./human_eval.ts";
import { liveCodeBench } from "./live_code_bench.ts";
import { mbpp } from "./mbpp.ts";
import { pancakes } from "./pancakes.ts";
import { aime, amc, gsm8k, math500 } from "./question.ts";
import { repetition } from "./repetition.ts";
import type { Grade, Problem, Task } from "./task.ts";
import { votes } from "./votes.ts";

/** A task that can be made by its name. */
export interface KnownTask {
  /** Whether it must be given a source. */
  readonly needsSource: boolean;
  /** Makes it. Options are checked by the task itself. */
  readonly make: (options: Record<string, unknown>) => Task<Problem, Grade | Promise<Grade>>;
}

/** All tasks by name. */
export const TASKS: Readonly<Record<string, KnownTask>> = {
  ...known({ votes, countdown, pancakes, addition, repetition }, false),
  ...known({ gsm8k, math500, aime, amc, gpqaDiamond, humanEval, mbpp, liveCodeBench }, true),
};

/** The embedded models, and the task that each was trained for. */
export const CONTROLS: Readonly<Record<string, string>> = {
  "votes-tiny": "votes",
  "countdown-tiny-baseline": "countdown",
  "countdown-tiny": "countdown",
  "decisions-tiny-1": "pancakes",
  "decisions-tiny-2": "pancakes",
  "decisions-tiny-3": "pancakes",
};

// The engine hands a task its own problems only, so that the type of a problem can be left open.
function known(tasks: Readonly<Record<string, unknown>>, needsSource: boolean) {
  return Object.fromEntries(
    Object.entries(tasks).map(([name, make]) => [name, { needsSource, make } as KnownTask]),
  );
}
