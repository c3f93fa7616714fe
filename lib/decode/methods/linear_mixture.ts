/**
 * Linear mixture: `w = λ · p + (1 − λ) · onehot(y)`, the ablation of MoI's entropy weighting that the
 * paper lacks.
 *
 * Source: ours. λ = 0 is standard decoding, λ = 1 the direct mixture.
 *
 * MoI is `λ = H / (β + 1)`, anew at every step. With `matchBeta` λ is that in the mean over the steps so far,
 *
 * ```text
 * λ_t = Σ_s≤t H_s · (1 − p_y) / Σ_s≤t (1 − p_y) / (β + 1),
 * ```
 *
 * so that a run spends about as much weight on other tokens as MoI would, but not more where the model is
 * less certain: what is left of a difference to MoI is what the weighting by entropy does.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, refusal, type Rules } from "../../_check.ts";
import type { Method } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import { PRIOR_RULES, priorOf, type PriorOptions } from "./prior.ts";

/** Options of {@linkcode linearMixture}. */
export interface LinearMixtureOptions extends PriorOptions, PhaseOptions {
  /** Weight λ of the distribution, from 0 to 1. Default: 0.5. */
  readonly weight?: number;
  /**
   * In place of `weight`: β of the MoI whose weight on other tokens is matched in the mean, from 0. The
   * distribution is then the one sampled from, whole. Default: none.
   */
  readonly matchBeta?: number;
}

const RULES: Rules<LinearMixtureOptions> = {
  weight: number({ min: 0, max: 1 }),
  matchBeta: number({ min: 0 }),
  ...PRIOR_RULES,
  ...PHASE_RULES,
};

/**
 * Linear mixture.
 *
 * @throws {TypeError} Where `matchBeta` is given beside what it decides.
 *
 * @example
 * ```ts
 * import { distributionOf, linearMixture, samplerOf } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const distribution = distributionOf(new Float32Array([0, 0]), samplerOf());
 * const { input } = linearMixture({ weight: 0.5 }).step(distribution, 1, undefined);
 * assertEquals(Array.from(input.weights), [0.25, 0.75]);
 * ```
 */
export function linearMixture(options: LinearMixtureOptions = {}): Method {
  checkOptions("mix", options, RULES);
  if (options.matchBeta !== undefined) return matched(options.matchBeta, options);
  const { weight = 0.5 } = options, { of, ...prior } = priorOf(options);
  return inPhase({
    name: "linearMixture",
    parameters: { weight, ...prior.parameters },
    needs: prior.needs,
    step: (distribution, token) => ({
      input: weight === 0 ? oneToken(token) : of(distribution).mixture(weight, token),
    }),
  }, options);
}

/** λ as MoI's, in the mean over the steps so far. */
function matched(beta: number, options: LinearMixtureOptions): Method {
  for (const name of ["weight", "prior", "topK"] as const) {
    if (options[name] === undefined) continue;
    const rule = "be left out, as 'matchBeta' decides it";
    throw new TypeError(refusal("mix", name, rule, options[name]));
  }
  return inPhase({
    name: "linearMixture",
    parameters: { matchBeta: beta },
    init: () => ({ weighted: 0, rest: 0 }), // Σ H · (1 − p_y), Σ (1 − p_y)
    step(distribution, token, { weighted, rest }) {
      const others = 1 - distribution.probability(token);
      const H = Math.min(1, distribution.normalizedEntropy);
      const state = { weighted: weighted + H * others, rest: rest + others };
      const weight = state.rest === 0 ? 0 : state.weighted / state.rest / (beta + 1);
      return {
        input: weight === 0 ? oneToken(token) : distribution.mixture(weight, token),
        state,
      };
    },
  }, options);
}
