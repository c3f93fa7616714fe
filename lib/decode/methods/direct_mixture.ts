/**
 * Direct mixture: the distribution itself is fed back, `w = p`; the token is only recorded.
 *
 * Source: the paper's baseline (arXiv 2505.14827, section 4), there over the 20 most probable tokens
 * at temperature 1: `directMixture({ prior: "model", topK: 20 })`.
 *
 * @module
 */

import { checkOptions, type Rules } from "../../_check.ts";
import type { Method } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import { PRIOR_RULES, priorNeeds, priorOf, type PriorOptions } from "./prior.ts";

/** Options of {@linkcode directMixture}. */
export interface DirectMixtureOptions extends PriorOptions, PhaseOptions {}

const RULES: Rules<DirectMixtureOptions> = { ...PRIOR_RULES, ...PHASE_RULES };

/**
 * Direct mixture.
 *
 * @param options Which distribution is fed back (default: the one sampled from), and when.
 * @throws {RangeError} Where a name is unknown.
 *
 * @example
 * ```ts
 * import { directMixture, distributionOf, samplerOf } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const distribution = distributionOf(new Float32Array([0, 0]), samplerOf());
 * const { input } = directMixture().step(distribution, 1, undefined);
 * assertEquals(Array.from(input.weights), [0.5, 0.5]);
 * ```
 */
export function directMixture(options: DirectMixtureOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { prior = "sampler", topK = 0 } = options, mixed = { prior, topK };
  return inPhase<undefined>({
    name: "directMixture",
    parameters: mixed,
    needs: priorNeeds(mixed),
    init: () => undefined,
    step: (distribution, token) => ({
      input: priorOf(distribution, mixed).mixture(1, token),
      state: undefined,
    }),
  }, options);
}
