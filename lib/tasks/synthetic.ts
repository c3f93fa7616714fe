/**
 * What the synthetic tasks share: held-out problems from the package, or new ones from a seed.
 *
 * @module
 */

import { checkOptions, number, oneOf, refusal, type Rules } from "../_check.ts";
import { type Random, seededRandom } from "./_random.ts";
import { LIMIT } from "./benchmark.ts";
import type { Problem } from "./task.ts";

/** Options of `votes`, `countdown` and `pancakes`: which problems they pose. */
export interface SyntheticOptions {
  /**
   * "held-out": the 1000 problems published beside the model; "generated": new ones by the rule that made
   * its training problems. Default: "held-out".
   */
  readonly source?: "held-out" | "generated";
  /**
   * Number of problems to generate. With one seed, a smaller count gives the first of a larger one.
   * Refused for held-out problems: see `limit`. Default: 200.
   */
  readonly count?: number;
  /** Seed of the generator, a safe integer of at least 0. Refused for held-out problems. Default: 0. */
  readonly seed?: number;
  /** Only the first problems, of either source. Default: all. */
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

const rulesOf = (mostGenerated: number): Rules<SyntheticOptions> => ({
  source: oneOf("held-out", "generated"),
  count: number({ integer: true, min: 1, max: mostGenerated }),
  seed: number({ integer: true, min: 0 }),
  limit: LIMIT,
});

/**
 * Checks the options and returns what lists the problems they ask for. Ids are `name-test-0000`, as published, and `name-seed7-0000` for problems of seed 7. The list is
 * made on the first call and kept.
 */
export function syntheticProblems<P extends Problem>(
  { name, heldOut, mostGenerated, parse, generate }: SyntheticSource<P>,
  options: SyntheticOptions,
): () => P[] {
  const verb = `make ${name}`;
  checkOptions(verb, options, rulesOf(mostGenerated));
  const { source = "held-out", count = 200, seed = 0, limit = Infinity } = options;
  for (const name of ["count", "seed"] as const) {
    if (source === "held-out" && options[name] !== undefined) {
      throw new TypeError(
        refusal(verb, name, "be left out unless 'source' is \"generated\"", options[name]),
      );
    }
  }
  const idOf = (part: string) => (index: number) => `${name}-${part}-${numbered(index)}`;
  let all: P[] | undefined;
  return () => {
    all ??= source === "held-out" ? published() : generated();
    return [...all];
  };

  function published(): P[] {
    return heldOut.split("\n").slice(0, limit).map((line, i) => parse(line, idOf("test")(i)));
  }
  function generated(): P[] {
    const endless = Iterator.from(generate(seededRandom(seed), idOf(`seed${seed}`)));
    return endless.take(Math.min(count, limit)).toArray();
  }
}

/** An index as ids have it. */
export const numbered = (index: number, digits = 4): string => `${index}`.padStart(digits, "0");

/** What the embedded controls are for, in words that belong beside every curve of theirs. */
const NOTES: Readonly<Record<string, string>> = {
  votes:
    "A sensitivity check, built so that its only error is the noise of its own draws: the answer " +
    "is a poll of twelve sampled ballots, and a draw fed back as the distribution it came from carries no " +
    "noise. A lower temperature removes that noise better; MoI recovers part of what sampling at " +
    "temperature 1 loses. It shows that the instrument sees effects of this size, nothing about language " +
    "models.",
  countdown:
    "A null control: countdown-tiny-baseline never saw a mixture in training, and is certain about " +
    "nearly every token, so that MoI has almost nothing to mix and an honest instrument shows no effect. Its " +
    "accuracy is the share of answers that are finished within the token limit. (countdown-tiny, its twin, " +
    "did see MoI's mixtures in the last phase of its training.) Nothing about language models.",
  pancakes:
    "A control whose decisions are uncertain: decisions-tiny-1, -2 and -3 were taught one way to sort each " +
    "stack, by tokens alone, and training was stopped while they were still unsure of flips that need looking " +
    "ahead. What they are uncertain of is their own ignorance, not the noise of a draw. Tiny models of one " +
    "puzzle: nothing about language models.",
};

/** What an embedded control shows and does not show; undefined for the name of a task that is no control. */
export function controlNote(task: string): string | undefined {
  return Object.hasOwn(NOTES, task) ? NOTES[task] : undefined;
}
