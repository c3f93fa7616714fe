/**
 * Tasks by name, as command lines know them.
 *
 * @module
 */

import { addition } from "./addition.ts";
import { aime } from "./aime.ts";
import { amc } from "./amc.ts";
import { countdown } from "./countdown.ts";
import { gpqaDiamond } from "./gpqa_diamond.ts";
import { gsm8k } from "./gsm8k.ts";
import { humanEval } from "./human_eval.ts";
import { liveCodeBench } from "./live_code_bench.ts";
import { math500 } from "./math500.ts";
import { mbpp } from "./mbpp.ts";
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

// The engine hands a task its own problems only, so that the type of a problem can be left open.
const known = (make: unknown, needsSource: boolean): KnownTask => ({
  needsSource,
  make: make as KnownTask["make"],
});

/**
 * All tasks by name.
 *
 * @example Those that need no file
 * ```ts
 * import { TASKS } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const own = Object.entries(TASKS).filter(([, { needsSource }]) => !needsSource);
 * assertEquals(own.map(([name]) => name), [
 *   ...["votes", "countdown", "addition", "repetition"],
 * ]);
 * ```
 */
export const TASKS: Readonly<Record<string, KnownTask>> = {
  votes: known(votes, false),
  countdown: known(countdown, false),
  addition: known(addition, false),
  repetition: known(repetition, false),
  gsm8k: known(gsm8k, true),
  math500: known(math500, true),
  aime: known(aime, true),
  amc: known(amc, true),
  gpqaDiamond: known(gpqaDiamond, true),
  humanEval: known(humanEval, true),
  mbpp: known(mbpp, true),
  liveCodeBench: known(liveCodeBench, true),
};
