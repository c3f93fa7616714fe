/**
 * A method turns (the distribution, the sampled token) into the next input.
 *
 * It is a pure pair, as optimisers are in optax: `init` makes a run's state, `step` returns the
 * mixture to feed back and the next state. Moving the state by return value is what lets any number
 * of runs share a batch.
 *
 * @module
 */

import { isObject, refusal } from "../_check.ts";
import type { Mixture, Tokenizer } from "../model/mod.ts";
import type { Distribution } from "./distribution.ts";
import type { Sampler, Sampling } from "./sampler.ts";
import type { Knobs, Transform } from "./transforms.ts";

/** What a method knows of its run. */
export interface MethodContext {
  /** Size of the vocabulary, V. */
  readonly vocabularySize: number;
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** Largest number of new tokens. */
  readonly maxNewTokens?: number;
  /** The model's tokenizer, for methods that look for words. */
  readonly tokenizer?: Tokenizer;
  /** The run's sampler settings, where its sampler is no list of transforms. */
  readonly sampler?: Sampler;
  /** The run's transforms, where its sampler is a list of them. */
  readonly transforms?: readonly Transform[];
  /** A uniform number in [0, 1): a pure function of the run's seed, the step and the index. */
  readonly uniform: (step: number, index: number) => number;
}

/** What a method makes of one step. */
export interface MethodStep<S> {
  /** Fed to the model at the next position. */
  readonly input: Mixture;
  /** Handed to the next step. */
  readonly state: S;
  /** Recorded in place of the token that was drawn. Default: that token. */
  readonly token?: number;
  /** Tokens recorded and fed next, one a step, whatever is drawn. Default: none. */
  readonly force?: readonly number[];
  /** Whether the generation ends with this token. Default: false. */
  readonly stop?: boolean;
  /** The sampler from the next token on. Default: as before. */
  readonly sampler?: Sampling;
  /** What happened, in a word or two, for the trace: "soft", "cold stop". Default: nothing. */
  readonly event?: string;
}

/**
 * What a method's distributions carry beyond what is sampled from, so that the runtime computes it:
 * "softmax": the distribution before truncation (`untruncated()`); "model": that at temperature 1, as
 * the model means it (`model()`). Both answer without asking, but slowly with large vocabularies.
 */
export type Need = "softmax" | "model";

/** Knobs of a method, recorded with every run. */
export type MethodParameters = Knobs;

/**
 * A decoding method.
 *
 * @example One's own method: half of the sampled token, half of the distribution that it came from
 * ```ts
 * import { generate, type Method } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const half: Method = {
 *   name: "half",
 *   init: () => undefined,
 *   step: (p, token) => ({ input: p.mixture(0.5, token), state: undefined }),
 * };
 * await using model = await loadModel("votes-tiny");
 * const { trace } = await generate(model, [1], { method: half, maxNewTokens: 3, trace: true });
 * for (const step of trace!) assertAlmostEquals(step.offSampleMass, (1 - step.probability) / 2, 1e-6);
 * ```
 */
export interface Method<S = unknown> {
  /** Name, recorded with every run. */
  readonly name: string;
  /** Knobs, recorded with every run. */
  readonly parameters?: MethodParameters;
  /** What its distributions must carry. Default: nothing but what is sampled from. */
  readonly needs?: readonly Need[];
  /**
   * The state before the first token.
   *
   * @throws {RangeError} Where the method cannot do this run.
   */
  init(context: MethodContext): S;
  /**
   * The next input, after `token` was drawn from `distribution`; or was `forced`, by an earlier step
   * of the method: then it is recorded and fed alone, whatever the step says.
   */
  step(distribution: Distribution, token: number, state: S, forced?: boolean): MethodStep<S>;
}

/** Refuses what is no method, as a rule of options: it needs a name and the functions init and step. */
export function checkMethod(verb: string, name: string, method: unknown): void {
  const isMethod = isObject(method) && typeof method.name === "string" && method.name !== "" &&
    [method.init, method.step].every((one) => typeof one === "function");
  if (isMethod) return;
  throw new TypeError(
    refusal(verb, name, "have a name and the functions init and step", method),
  );
}
