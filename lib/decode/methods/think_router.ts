/**
 * ThinkRouter: the distribution where the model is confident, the token where it is not.
 *
 * ```text
 * w = p where max p ≥ τ,   else w = onehot(y)
 * ```
 *
 * The opposite of MoI and SeLaR, which mix where the model is uncertain: a mixture of many weak
 * alternatives is held to be noise.
 *
 * Source: ThinkRouter (arXiv 2602.11683), **from second-hand notes only**: neither its code nor the
 * details of its implementation were seen. p is here the distribution sampled from, or another one by
 * `prior` and `topK`, both for the gate and for the mixture; the paper is said to add the Cold Stop of
 * Soft Thinking, which is left out, and to tune τ on every model and data set. Default: τ = 0.5, a
 * choice of ours, not the paper's.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkNumber, checkOptions } from "../../_check.ts";
import type { Method } from "../method.ts";
import { checkPhase, inPhase, PHASE_OPTIONS, type PhaseOptions } from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import type { AboutMethod } from "./about.ts";
import {
  checkPrior,
  type Prior,
  priorMixture,
  priorNeeds,
  priorOf,
  type PriorOptions,
} from "./prior.ts";

/** Options of {@linkcode thinkRouter}. */
export interface ThinkRouterOptions extends PriorOptions, PhaseOptions {
  /** Largest probability from which the distribution is fed, τ, from 0; above 1 it never is. Default: 0.5. */
  readonly threshold?: number;
}

/** The largest probability. */
function largest(p: Prior, { shortlist }: Distribution): number {
  if (p.dense && shortlist) return p.dense.probabilities[shortlist.ids[0]!]!;
  return p.probabilities.reduce((a, b) => a > b ? a : b);
}

/**
 * ThinkRouter.
 *
 * @param options τ, which distribution is meant, and when it acts.
 * @returns The method.
 * @throws {RangeError} Where τ is negative or NaN, or a name is unknown.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { distributionOf, samplerOf, thinkRouter } from "@moi/moi/decode";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const distribution = distributionOf(Float32Array.from([0.7, 0.3], Math.log), samplerOf());
 * const fed = (threshold: number) => {
 *   const method = thinkRouter({ threshold });
 *   const state = method.init({ vocabularySize: 2, prompt: [], uniform: () => 0 });
 *   return Array.from(method.step(distribution, 1, state).input.weights);
 * };
 * assertAlmostEquals(fed(0.6)[0]!, 0.7, 1e-6);
 * assertEquals(fed(0.8), [1]);
 * ```
 */
export function thinkRouter(options: ThinkRouterOptions = {}): Method {
  const verb = "mix";
  checkOptions(verb, options, ["threshold", "prior", "topK", ...PHASE_OPTIONS]);
  checkPrior(verb, options);
  checkPhase(verb, options);
  const { threshold = 0.5, prior = "sampler", topK = 0 } = options;
  checkNumber(verb, "threshold", threshold, { min: 0 });
  return inPhase<undefined>({
    name: "thinkRouter",
    parameters: { threshold, prior, topK },
    needs: priorNeeds(prior, topK),
    init: () => undefined,
    step(distribution, token) {
      const p = priorOf(distribution, prior, topK);
      return largest(p, distribution) >= threshold
        ? { input: priorMixture(p, token), state: undefined, event: "soft" }
        : { input: oneToken(token), state: undefined };
    },
  }, options);
}

/** For the table of methods. */
export const aboutThinkRouter: AboutMethod = {
  make: thinkRouter,
  input: "p, or the token",
  randomness: "y",
  gate: "max p ≥ τ",
  source: "arXiv 2602.11683, from second-hand notes",
  licence: "paper only",
};
