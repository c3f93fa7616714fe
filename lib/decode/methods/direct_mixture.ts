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
import { PRIOR_RULES, priorOf, type PriorOptions } from "./prior.ts";

/** Options of {@linkcode directMixture}. */
export interface DirectMixtureOptions extends PriorOptions, PhaseOptions {}

const RULES: Rules<DirectMixtureOptions> = { ...PRIOR_RULES, ...PHASE_RULES };

/**
 * Direct mixture.
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
  const { of, ...prior } = priorOf(options);
  return inPhase({
    name: "directMixture",
    ...prior,
    step: (distribution, token) => ({ input: of(distribution).mixture(1, token) }),
  }, options);
}
