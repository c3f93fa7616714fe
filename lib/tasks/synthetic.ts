/**
 * What the two synthetic tasks share: held-out problems from the package, or new ones from a seed.
 *
 * @module
 */

import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { type Random, seededRandom } from "./_random.ts";
import type { Problem } from "./task.ts";

/**
 * Options of `votes` and `countdown`: which problems they pose.
 *
 * @example The same seed gives the same problems
 * ```ts
 * import { countdown, type SyntheticOptions } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * const options: SyntheticOptions = { source: "generated", count: 5, seed: 1 };
 * assertEquals(await countdown(options).problems(), await countdown(options).problems());
 * ```
 */
export interface SyntheticOptions {
  /**
   * `"held-out"` – the 1000 problems published beside the model; `"generated"` – new ones by the
   * rule that made its training problems.
   *
   * @default {"held-out"}
   */
  readonly source?: "held-out" | "generated";
  /**
   * Number of problems to generate. With one seed, a smaller count gives the first of a larger one.
   * Refused for held-out problems: see `limit`.
   *
   * @default {200}
   */
  readonly count?: number;
  /**
   * Seed of the generator, a safe integer of at least 0. Refused for held-out problems.
   *
   * @default {0}
   */
  readonly seed?: number;
  /** Poses the first so many problems of either source; default all. */
  readonly limit?: number;
}

/** What a synthetic task says about itself. */
export interface SyntheticSource<P extends Problem> {
  /** Name of the task, the start of every problem id. */
  readonly name: string;
  /** Largest `count`. */
  readonly mostGenerated: number;
  /** Makes a problem of one line of the held-out module. */
  readonly parse: (line: string, id: string) => P;
  /** The held-out module. */
  readonly heldOut: string;
  /** Makes problems without end; the i-th depends on the draws before it alone. */
  readonly generate: (random: Random, id: (index: number) => string) => Iterable<P>;
}

/**
 * Checks the options and returns what lists the problems they ask for.
 *
 * Ids are `name-test-0000`, as published, and `name-seed7-0000` for problems of seed 7. The list is
 * made on the first call and kept.
 */
export function syntheticProblems<P extends Problem>(
  task: SyntheticSource<P>,
  options: SyntheticOptions,
): () => P[] {
  const verb = `make ${task.name}`;
  checkOptions(verb, options, ["source", "count", "seed", "limit"]);
  const { source = "held-out", count = 200, seed = 0, limit = Infinity } = options;
  if (source !== "held-out" && source !== "generated") {
    const Refusal = typeof source === "string" ? RangeError : TypeError;
    throw new Refusal(refusal(verb, "source", 'be "held-out" or "generated"', source));
  }
  checkNumber(verb, "count", count, { integer: true, min: 1, max: task.mostGenerated });
  checkNumber(verb, "seed", seed, { integer: true, min: 0 });
  if (limit !== Infinity) checkNumber(verb, "limit", limit, { integer: true, min: 1 });
  for (const name of ["count", "seed"] as const) {
    if (source === "held-out" && options[name] !== undefined) {
      throw new TypeError(
        refusal(verb, name, "be left out unless 'source' is \"generated\"", options[name]),
      );
    }
  }

  let all: P[] | undefined;
  return () => {
    all ??= source === "held-out" ? published() : generated();
    return [...all];
  };

  function published(): P[] {
    return task.heldOut.split("\n").slice(0, limit)
      .map((line, i) => task.parse(line, `${task.name}-test-${digits(i)}`));
  }

  function generated(): P[] {
    const id = (index: number) => `${task.name}-seed${seed}-${digits(index)}`;
    const problems: P[] = [];
    for (const problem of task.generate(seededRandom(seed), id)) {
      problems.push(problem);
      if (problems.length >= Math.min(count, limit)) break;
    }
    return problems;
  }
}

function digits(index: number): string {
  return `${index}`.padStart(4, "0");
}
