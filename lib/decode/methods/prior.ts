/**
 * The distribution that a method mixes: the one sampled from, or the model's own.
 *
 * @module
 */

import { number, oneOf, type Rules } from "../../_check.ts";
import type { Distribution } from "../distribution.ts";
import type { Need } from "../method.ts";

/** Which distribution a method mixes. */
export interface PriorOptions {
  /**
   * "sampler": the distribution that the token was drawn from, after temperature and truncation.
   * "model": `softmax(logits)` at temperature 1, before any truncation. Default: "sampler".
   */
  readonly prior?: "sampler" | "model";
  /** Only its most probable tokens, renormalised; 0 takes all. Default: 0. */
  readonly topK?: number;
}

/** Rules of {@linkcode PriorOptions}. */
export const PRIOR_RULES: Rules<PriorOptions> = {
  prior: oneOf("sampler", "model"),
  topK: number({ min: 0, integer: true }),
};

/** What a method with these options records and needs, and the distribution that it mixes at a step. */
export function priorOf({ prior = "sampler", topK = 0 }: PriorOptions) {
  const isModel = prior === "model", needs: Need[] = isModel && topK === 0 ? ["model"] : [];
  return {
    parameters: { prior, topK },
    needs,
    of(distribution: Distribution): Distribution {
      const p = isModel ? distribution.model() : distribution;
      return topK === 0 ? p : p.top(topK);
    },
  };
}
