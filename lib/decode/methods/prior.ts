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

/** What a method's distributions must carry, so that the runtime computes what it mixes. */
export function priorNeeds({ prior, topK }: Required<PriorOptions>): readonly Need[] {
  return prior === "model" && topK === 0 ? ["model"] : [];
}

/** The distribution that a method mixes at one step. */
export function priorOf(
  distribution: Distribution,
  { prior, topK }: Required<PriorOptions>,
): Distribution {
  const p = prior === "model" ? distribution.model() : distribution;
  return topK === 0 ? p : p.top(topK);
}
