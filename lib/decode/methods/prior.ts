/**
 * The distribution that a method mixes: the one sampled from, or the model's own.
 *
 * @module
 */

import type { Mixture } from "../../model/mod.ts";
import { checkNumber, refusal } from "../../_check.ts";
import { type Distribution, softmax, topTokens } from "../sampler.ts";

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
  if (prior === "sampler" && (topK === 0 || topK >= distribution.ids.length)) return distribution;
  const all = prior === "model" ? softmax(distribution.logits) : spread(distribution);
  return topTokens(all, topK === 0 ? all.length : topK);
}

/** Probabilities over the whole vocabulary. */
function spread({ ids, probabilities, vocabularySize }: Distribution): number[] {
  const all = new Array<number>(vocabularySize).fill(0);
  ids.forEach((id, i) => all[id] = probabilities[i]!);
  return all;
}

/**
 * `scale · p + extra · onehot(token)`: every mixture here has this form. A token outside the
 * support of p is added to it.
 */
export function withToken(
  { ids, probabilities }: Prior,
  scale: number,
  token: number,
  extra: number,
): Mixture {
  const size = ids.length, weights = new Array<number>(size);
  for (let i = 0; i < size; i++) weights[i] = scale * probabilities[i]!;
  const at = ids[token] === token ? token : ids.indexOf(token);
  if (at < 0) return { ids: [...ids, token], weights: [...weights, extra] };
  weights[at]! += extra;
  return { ids, weights };
}
