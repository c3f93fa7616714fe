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
import { checkOptions, number, type Rules } from "../../_check.ts";
import type { Method } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import { PRIOR_RULES, priorOf, type PriorOptions } from "./prior.ts";

/** Options of {@linkcode thinkRouter}. */
export interface ThinkRouterOptions extends PriorOptions, PhaseOptions {
  /** Largest probability from which the distribution is fed, τ, from 0; above 1 it never is. Default: 0.5. */
  readonly threshold?: number;
}

const RULES: Rules<ThinkRouterOptions> = {
  threshold: number({ min: 0 }),
  ...PRIOR_RULES,
  ...PHASE_RULES,
};

/**
 * ThinkRouter.
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
  checkOptions("mix", options, RULES);
  const { threshold = 0.5 } = options, { of, ...prior } = priorOf(options);
  return inPhase({
    name: "thinkRouter",
    parameters: { threshold, ...prior.parameters },
    needs: prior.needs,
    step(distribution, token) {
      const p = of(distribution), [best] = p.top(1).ids;
      return p.probability(best!) >= threshold
        ? { input: p.mixture(1, token), event: "soft" }
        : { input: oneToken(token) };
    },
  }, options);
}
