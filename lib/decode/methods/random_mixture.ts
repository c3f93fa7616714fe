/**
 * Random mixture: MoI's weights on tokens that have nothing to do with the distribution.
 *
 * ```text
 * w = (H · q + (β + 1 − H) · onehot(y)) / (β + 1)
 * q = uniform over the vocabulary, or p with its tokens permuted at random
 * ```
 *
 * The control that tells the information in p from the mere effect of a blurred input: the same H
 * and the same weight on other tokens, but other tokens.
 *
 * Source: ours.
 *
 * @module
 */

import { SMALL_VOCABULARY } from "../../graph/mod.ts";
import { checkNumber, checkOptions, refusal } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { checkPhase, inPhase, PHASE_OPTIONS, type PhaseOptions } from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import type { AboutMethod } from "./about.ts";
import { type Prior, withToken } from "./prior.ts";

/** Options of {@linkcode randomMixture}. */
export interface RandomMixtureOptions extends PhaseOptions {
  /** β of the MoI whose off-sample mass is imitated, from 0. Default: 1. */
  readonly beta?: number;
  /**
   * "uniform": the mean over random tokens, all of equal weight. "permuted": p's own weights on
   * tokens that are drawn anew at every step. Default: "uniform".
   */
  readonly tokens?: "uniform" | "permuted";
}

/** All tokens alike; with a large vocabulary without lists of its size. */
function uniformPrior(size: number): Prior {
  if (size > SMALL_VOCABULARY) {
    const probabilities = new Float32Array(size).fill(1 / size);
    return { ids: [], probabilities: [], spread: { probabilities } };
  }
  const ids = Array.from({ length: size }, (_, id) => id);
  return { ids, probabilities: new Array<number>(size).fill(1 / size) };
}

/** p on other tokens: the beginning of a Fisher–Yates shuffle, of as many ids as p has. */
function permuted({ step, probabilities, vocabularySize }: Distribution, context: MethodContext) {
  const moved = new Map<number, number>(), at = (i: number) => moved.get(i) ?? i;
  const ids = probabilities.map((_, i) => {
    const j = i + Math.floor(context.uniform(step, i) * (vocabularySize - i)), id = at(j);
    moved.set(j, at(i));
    return id;
  });
  return { ids, probabilities };
}

/**
 * Random mixture.
 *
 * @param options β, which tokens take the weight, and when.
 * @returns The method.
 * @throws {RangeError} Where β is negative, NaN or infinite, or `tokens` is unknown.
 *
 * @example The weights sum to 1
 * ```ts
 * import { distributionOf, randomMixture, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const method = randomMixture({ beta: 1 });
 * const state = method.init({ vocabularySize: 2, prompt: [], uniform: () => 0.5 });
 * const distribution = distributionOf(new Float32Array([0, 0]), samplerOf());
 * const { input } = method.step(distribution, 1, state);
 * assertAlmostEquals(Array.from(input.weights).reduce((a, b) => a + b), 1);
 * ```
 */
export function randomMixture(options: RandomMixtureOptions = {}): Method {
  checkOptions("mix", options, ["beta", "tokens", ...PHASE_OPTIONS]);
  checkPhase("mix", options);
  const { beta = 1, tokens = "uniform" } = options;
  checkNumber("mix", "beta", beta, { min: 0 });
  if (tokens !== "uniform" && tokens !== "permuted") {
    throw new RangeError(refusal("mix", "tokens", "be 'uniform' or 'permuted'", tokens));
  }
  return inPhase<{ context: MethodContext; uniform: Prior }>({
    name: "randomMixture",
    parameters: { beta, tokens },
    init: (context) => ({ context, uniform: uniformPrior(context.vocabularySize) }),
    step(distribution, token, state) {
      const H = Math.min(1, distribution.normalizedEntropy);
      const q = tokens === "uniform" ? state.uniform : permuted(distribution, state.context);
      const input = withToken(q, H / (beta + 1), token, (beta + 1 - H) / (beta + 1));
      return { input, state };
    },
  }, options);
}

/** For the table of methods. */
export const aboutRandomMixture: AboutMethod = {
  make: randomMixture,
  input: "MoI's weights on random tokens",
  randomness: "y, and the tokens",
  gate: "none: H fades it",
  source: "ours: the control",
  licence: "–",
};
