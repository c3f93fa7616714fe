/**
 * The distribution that a method mixes: the one sampled from, or the model's own.
 *
 * @module
 */

import type { Mixture } from "../../model/mod.ts";
import { checkNumber, refusal } from "../../_check.ts";
import type { Need } from "../method.ts";
import {
  type Dense,
  type Distribution,
  modelDistribution,
  softmax,
  softmaxOfShortlist,
  topOf,
  topTokens,
} from "../distribution.ts";

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
  /** Their entropy in nats, where it is known. */
  readonly entropy?: number;
  /** The same over a whole large vocabulary; the arrays above are then made when they are read. */
  readonly dense?: Pick<Dense, "probabilities">;
}

/** Checks the options that say which distribution is mixed. */
export function checkPrior(verb: string, { prior = "sampler", topK = 0 }: PriorOptions): void {
  if (prior !== "sampler" && prior !== "model") {
    throw new RangeError(refusal(verb, "prior", "be 'sampler' or 'model'", prior));
  }
  checkNumber(verb, "topK", topK, { min: 0, integer: true });
}

/** What a method's distributions must carry, so that the runtime computes what it mixes. */
export function priorNeeds(prior: "sampler" | "model", topK: number): readonly Need[] {
  return prior === "model" && topK === 0 ? ["model"] : [];
}

/** The distribution that a method mixes at one step. */
export function priorOf(
  distribution: Distribution,
  prior: "sampler" | "model",
  topK: number,
): Prior {
  const { shortlist, dense, logits } = distribution;
  const whole = topK === 0 || topK >= logits.length;
  const listed = shortlist && topK > 0 && topK <= shortlist.ids.length ? shortlist : undefined;
  if (prior === "model") {
    if (listed) return softmaxOfShortlist(listed, topK, 1);
    return whole ? modelDistribution(distribution) : topTokens(softmax(logits), topK);
  }
  if (topK === 0 || (dense ? whole : topK >= distribution.ids.length)) return distribution;
  if (dense && listed) return softmaxOfShortlist(listed, topK, dense.temperature);
  return topOf(distribution.ids, distribution.probabilities, topK);
}

/** A token's probability; undefined outside of the support. */
export function probabilityOf(prior: Prior, token: number): number | undefined {
  if (prior.dense) return prior.dense.probabilities[token];
  const { ids, probabilities } = prior;
  return probabilities[ids[token] === token ? token : ids.indexOf(token)];
}

/** The distribution itself as a mixture, which lists a token and no more of a large vocabulary. */
export function priorMixture(prior: Prior, token: number): Mixture {
  return prior.dense
    ? withToken(prior, 1, token, 0)
    : { ids: prior.ids, weights: prior.probabilities };
}

/**
 * `scale · p + extra · onehot(token)`: every mixture here has this form. A token outside the
 * support of p is added to it.
 */
export function withToken(prior: Prior, scale: number, token: number, extra: number): Mixture {
  if (prior.dense) {
    const { probabilities } = prior.dense;
    return { ids: [token], weights: [extra], dense: { probabilities, weight: scale } };
  }
  const { ids, probabilities } = prior;
  const size = ids.length, weights = new Array<number>(size);
  for (let i = 0; i < size; i++) weights[i] = scale * probabilities[i]!;
  const at = ids[token] === token ? token : ids.indexOf(token);
  if (at < 0) return { ids: [...ids, token], weights: [...weights, extra] };
  weights[at]! += extra;
  return { ids, weights };
}
