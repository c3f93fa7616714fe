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

import { checkNumber, checkOptions, refusal } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import type { Distribution } from "../sampler.ts";
import { type Prior, withToken } from "./prior.ts";

/** Options of {@linkcode randomMixture}. */
export interface RandomMixtureOptions {
  /** β of the MoI whose off-sample mass is imitated, from 0. Default: 1. */
  readonly beta?: number;
  /**
   * "uniform": the mean over random tokens, all of equal weight. "permuted": p's own weights on
   * tokens that are drawn anew at every step. Default: "uniform".
   */
  readonly tokens?: "uniform" | "permuted";
}

function uniformPrior(size: number): Prior {
  const ids = Array.from({ length: size }, (_, id) => id);
  return { ids, probabilities: new Array<number>(size).fill(1 / size) };
}

/** p on other tokens: a Fisher–Yates shuffle of as many ids as p has. */
function permuted({ step, probabilities, vocabularySize }: Distribution, context: MethodContext) {
  const ids = Array.from({ length: vocabularySize }, (_, id) => id);
  for (let i = 0; i < probabilities.length; i++) {
    const j = i + Math.floor(context.uniform(step, i) * (vocabularySize - i));
    [ids[i], ids[j]] = [ids[j]!, ids[i]!];
  }
  return { ids: ids.slice(0, probabilities.length), probabilities };
}

/**
 * Random mixture.
 *
 * @param options β, and which tokens take the weight.
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
export function randomMixture(
  options: RandomMixtureOptions = {},
): Method<{ context: MethodContext; uniform: Prior }> {
  checkOptions("mix", options, ["beta", "tokens"]);
  const { beta = 1, tokens = "uniform" } = options;
  checkNumber("mix", "beta", beta, { min: 0 });
  if (tokens !== "uniform" && tokens !== "permuted") {
    throw new RangeError(refusal("mix", "tokens", "be 'uniform' or 'permuted'", tokens));
  }
  return {
    name: "randomMixture",
    parameters: { beta, tokens },
    init: (context) => ({ context, uniform: uniformPrior(context.vocabularySize) }),
    step(distribution, token, state) {
      const H = Math.min(1, distribution.normalizedEntropy);
      const q = tokens === "uniform" ? state.uniform : permuted(distribution, state.context);
      const input = withToken(q, H / (beta + 1), token, (beta + 1 - H) / (beta + 1));
      return { input, state };
    },
  };
}
