/**
 * Linear mixture: `w = λ · p + (1 − λ) · onehot(y)`, the ablation of MoI's entropy weighting that the
 * paper lacks.
 *
 * Source: ours. λ = 0 is standard decoding, λ = 1 the direct mixture.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkNumber, checkOptions } from "../../_check.ts";
import type { Method } from "../method.ts";
import { checkPhase, inPhase, PHASE_OPTIONS, type PhaseOptions } from "../phase.ts";
import type { AboutMethod } from "./about.ts";
import { checkPrior, priorNeeds, priorOf, type PriorOptions, withToken } from "./prior.ts";

/** Options of {@linkcode linearMixture}. */
export interface LinearMixtureOptions extends PriorOptions, PhaseOptions {
  /** Weight λ of the distribution, from 0 to 1. Default: 0.5. */
  readonly weight?: number;
}

/**
 * Linear mixture.
 *
 * @param options λ, which distribution is mixed, and when.
 * @returns The method.
 * @throws {RangeError} Where λ is outside [0, 1].
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
  checkOptions("mix", options, ["weight", "prior", "topK", ...PHASE_OPTIONS]);
  checkPrior("mix", options);
  checkPhase("mix", options);
  const { weight = 0.5, prior = "sampler", topK = 0 } = options;
  checkNumber("mix", "weight", weight, { min: 0, max: 1 });
  return inPhase<undefined>({
    name: "linearMixture",
    parameters: { weight, prior, topK },
    needs: priorNeeds(prior, topK),
    init: () => undefined,
    step: (distribution, token) => ({
      input: weight === 0
        ? oneToken(token)
        : withToken(priorOf(distribution, prior, topK), weight, token, 1 - weight),
      state: undefined,
    }),
  }, options);
}

/** For the table of methods. */
export const aboutLinearMixture: AboutMethod = {
  make: linearMixture,
  input: "λ·p + (1−λ)·onehot(y)",
  randomness: "y",
  gate: "none",
  source: "ours: the ablation of MoI's entropy weighting",
  licence: "–",
};
