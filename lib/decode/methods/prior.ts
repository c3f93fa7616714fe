/**
 * The distribution that a method mixes: the one sampled from, or the model's own.
 *
 * @module
 */

import type { Mixture } from "../../model/mod.ts";
import { checkNumber, refusal } from "../../_check.ts";
import {
  type Distribution,
  softmax,
  softmaxOfShortlist,
  type Spread,
  topOf,
  topTokens,
} from "../sampler.ts";

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

/** Token ids ascending and probabilities summing to 1. */
export interface Prior {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their probabilities. */
  readonly probabilities: readonly number[];
  /** The same over a whole large vocabulary; the arrays above are then made when they are read. */
  readonly spread?: Pick<Spread, "probabilities">;
}

/** Checks the options that say which distribution is mixed. */
export function checkPrior(verb: string, { prior = "sampler", topK = 0 }: PriorOptions): void {
  if (prior !== "sampler" && prior !== "model") {
    throw new RangeError(refusal(verb, "prior", "be 'sampler' or 'model'", prior));
  }
  checkNumber(verb, "topK", topK, { min: 0, integer: true });
}

/** The distribution that a method mixes at one step. */
export function priorOf(
  distribution: Distribution,
  prior: "sampler" | "model",
  topK: number,
): Prior {
  const { shortlist, spread, logits } = distribution;
  const whole = topK === 0 || topK >= logits.length;
  const listed = shortlist && topK > 0 && topK <= shortlist.ids.length ? shortlist : undefined;
  if (prior === "model") {
    if (listed) return softmaxOfShortlist(listed, topK, 1);
    return topTokens(softmax(logits), whole ? logits.length : topK);
  }
  if (topK === 0 || (spread ? whole : topK >= distribution.ids.length)) return distribution;
  if (spread && listed) return softmaxOfShortlist(listed, topK, spread.temperature);
  return topOf(distribution.ids, distribution.probabilities, topK);
}

/**
 * `scale · p + extra · onehot(token)`: every mixture here has this form. A token outside the
 * support of p is added to it.
 */
export function withToken(prior: Prior, scale: number, token: number, extra: number): Mixture {
  if (prior.spread) {
    const { probabilities } = prior.spread;
    return { ids: [token], weights: [extra], spread: { probabilities, weight: scale } };
  }
  const { ids, probabilities } = prior;
  const size = ids.length, weights = new Array<number>(size);
  for (let i = 0; i < size; i++) weights[i] = scale * probabilities[i]!;
  const at = ids[token] === token ? token : ids.indexOf(token);
  if (at < 0) return { ids: [...ids, token], weights: [...weights, extra] };
  weights[at]! += extra;
  return { ids, weights };
}
