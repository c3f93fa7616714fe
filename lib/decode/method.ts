/**
 * A method turns (the distribution, the sampled token) into the next input.
 *
 * It is a pure pair, as optimisers are in optax: `init` makes a run's state, `step` returns the
 * mixture to feed back and the next state. Moving the state by return value is what lets any number
 * of runs share a batch.
 *
 * @module
 */

import type { Mixture } from "../model/mod.ts";
import type { Distribution } from "./sampler.ts";

/** What a method knows of its run. */
export interface MethodContext {
  /** Size of the vocabulary, V. */
  readonly vocabularySize: number;
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** A uniform number in [0, 1): a pure function of the run's seed, the step and the index. */
  readonly uniform: (step: number, index: number) => number;
}

/** What a method makes of one step. */
export interface MethodStep<S> {
  /** Fed to the model at the next position. */
  readonly input: Mixture;
  /** Handed to the next step. */
  readonly state: S;
}

/** Knobs of a method, recorded with every run. */
export type MethodParameters = Readonly<Record<string, string | number | boolean | null>>;

/**
 * A decoding method.
 *
 * @example One's own method: the sampled token and the most probable one, half each
 * ```ts
 * import { generate, type Method } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 *
 * const half: Method = {
 *   name: "half",
 *   init: () => undefined,
 *   step({ ids, probabilities }, token) {
 *     const top = ids[probabilities.indexOf(Math.max(...probabilities))]!;
 *     const input = top === token
 *       ? { ids: [token], weights: [1] }
 *       : { ids: [token, top], weights: [0.5, 0.5] };
 *     return { input, state: undefined };
 *   },
 * };
 * await using model = await loadModel("votes-tiny");
 * const { tokens } = await generate(model, [1], { method: half, maxNewTokens: 3, seed: 1 });
 * assertEquals(tokens.length, 3);
 * ```
 */
export interface Method<S = unknown> {
  /** Name, recorded with every run. */
  readonly name: string;
  /** Knobs, recorded with every run. */
  readonly parameters?: MethodParameters;
  /** The state before the first token. */
  init(context: MethodContext): S;
  /** The next input, after `token` was drawn from `distribution`. */
  step(distribution: Distribution, token: number, state: S): MethodStep<S>;
}
