/**
 * Fixed mass: other tokens always have the same weight, however certain the model is.
 *
 * ```text
 * w = (1 − m) · onehot(y) + m · p(· | not y),   p(i | not y) = p_i / (1 − p_y)
 * ```
 *
 * MoI's weight on other tokens, `H · (1 − p_y) / (β + 1)`, vanishes where the model is certain, as
 * reasoning models are at nearly all steps; a comparison there compares standard decoding with itself.
 * Here it is m at every step at which another token has any probability, so that an effect of mixed
 * inputs shows where there is one.
 *
 * p is by default the model's own distribution, at temperature 1 and before truncation: what a
 * sampler leaves often holds y alone. With topK, p is that of its K most probable tokens, y among
 * them or not. Where no other token has probability, the token alone is fed. (Large vocabularies have
 * their probabilities in float32: those below 1e-45 count as none.)
 *
 * Source: ours, after the critique that MoI's mixtures are confident ones ("Confidently Wrong").
 * Default: m = 0.1, a choice of ours.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, type Rules } from "../../_check.ts";
import type { Method } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import { PRIOR_RULES, priorOf, type PriorOptions } from "./prior.ts";

/** Options of {@linkcode fixedMass}. */
export interface FixedMassOptions extends PriorOptions, PhaseOptions {
  /** Weight of the other tokens together, m, from 0 to 1. Default: 0.1. */
  readonly mass?: number;
  /** Which distribution the other tokens' shares come from. Default: "model". */
  readonly prior?: "sampler" | "model";
}

const RULES: Rules<FixedMassOptions> = {
  mass: number({ min: 0, max: 1 }),
  ...PRIOR_RULES,
  ...PHASE_RULES,
};

/**
 * Fixed mass.
 *
 * @example A certain model is given other tokens all the same
 * ```ts
 * import { distributionOf, fixedMass, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const logits = Float32Array.from([0.998, 0.0015, 0.0005], Math.log);
 * const distribution = distributionOf(logits, samplerOf({ topP: 0.9 }));
 * const method = fixedMass({ mass: 0.2 });
 * const state = method.init({ vocabularySize: 3, prompt: [], uniform: () => 0 });
 * const { input } = method.step(distribution, 0, state);
 * [0.8, 0.15, 0.05].forEach((w, i) => assertAlmostEquals(input.weights[i]!, w, 1e-6));
 * ```
 */
export function fixedMass(options: FixedMassOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { mass = 0.1, prior = "model" } = options;
  const { of, needs, parameters } = priorOf({ ...options, prior });
  return inPhase({
    name: "fixedMass",
    parameters: { mass, ...parameters },
    needs: mass === 0 ? [] : needs,
    step(distribution, token) {
      const others = mass === 0 ? undefined : of(distribution).others(token);
      return { input: others?.mixture(mass, token) ?? oneToken(token) };
    },
  }, options);
}
