/**
 * Direct mixture: the distribution itself is fed back, `w = p`; the token is only recorded.
 *
 * Source: the paper's baseline (arXiv 2505.14827, section 4), there over the 20 most probable tokens
 * at temperature 1: `directMixture({ prior: "model", topK: 20 })`.
 *
 * @module
 */

import { checkOptions } from "../../_check.ts";
import type { Method } from "../method.ts";
import { checkPrior, priorOf, type PriorOptions, withToken } from "./prior.ts";

/**
 * Direct mixture.
 *
 * @param options Which distribution is fed back. Default: the one sampled from.
 * @returns The method.
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
export function directMixture(options: PriorOptions = {}): Method<undefined> {
  checkOptions("mix", options, ["prior", "topK"]);
  checkPrior("mix", options);
  const { prior = "sampler", topK = 0 } = options;
  return {
    name: "directMixture",
    parameters: { prior, topK },
    init: () => undefined,
    step(distribution, token) {
      const p = priorOf(distribution, prior, topK);
      const input = p.spread ? withToken(p, 1, token, 0) : { ids: p.ids, weights: p.probabilities };
      return { input, state: undefined };
    },
  };
}
