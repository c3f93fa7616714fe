/** Distributions to mix, and a mixture laid out over the vocabulary. */

import {
  type Distribution,
  distributionOf,
  type Method,
  type MethodContext,
  type Mixture,
  type Sampler,
  samplerOf,
  uniform,
} from "@moi/moi/decode";
import { type Random, seeded } from "../../_random.ts";

/** A distribution and a token that can come of it. */
export interface Sample {
  readonly distribution: Distribution;
  readonly token: number;
}

function randomLogits(random: Random): Float32Array {
  const size = random.pick([1, 2, 3, 7, 19, 20, 21, 40, 100]);
  const scale = random.pick([0, 0.1, 1, 3, 10, 100]);
  const logits = Float32Array.from({ length: size }, () => scale * random.normal());
  const kind = random.below(4);
  if (kind === 1) logits.forEach((logit, id) => logits[id] = Math.round(logit)); // ties
  if (kind === 2) {
    const kept = random.below(size); // zeros
    logits.forEach((_, id) => {
      if (id !== kept && random.below(2) === 0) logits[id] = -Infinity;
    });
  }
  return logits;
}

/** Random distributions: flat and peaked, with ties, zeros, one token, truncated support. */
export function samples(count: number, seed: number): Sample[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, step) => {
    const logits = randomLogits(random);
    const sampler: Sampler = samplerOf({
      temperature: random.pick([0, 0.3, 1, 1, 1, 2]),
      topK: random.pick([0, 0, 1, 2, 5, 30]),
      topP: random.pick([1, 1, 0.9, 0.5]),
      minP: random.pick([0, 0, 0.05]),
    });
    const distribution = distributionOf(logits, sampler, step);
    const possible = distribution.ids.filter((_, i) => distribution.probabilities[i]! > 0);
    return { distribution, token: random.pick([...possible]) };
  });
}

/** What a method knows of a run with this seed. */
export function contextOf(vocabularySize: number, seed = 0): MethodContext {
  return { vocabularySize, prompt: [1], uniform: (step, index) => uniform(seed, 1, step, index) };
}

/** The mixture that a method makes of one sample. */
export function mixtureOf<S>(
  method: Method<S>,
  { distribution, token }: Sample,
  seed = 0,
): Mixture {
  const state = method.init(contextOf(distribution.vocabularySize, seed));
  return method.step(distribution, token, state).input;
}

/** Weights over the vocabulary, those of a dense part included. */
export function dense({ ids, weights, dense }: Mixture, size: number): number[] {
  const all = Array.from(
    { length: size },
    (_, id) => dense ? dense.weight * dense.probabilities[id]! : 0,
  );
  for (let k = 0; k < ids.length; k++) all[ids[k]!]! += weights[k]!;
  return all;
}

/** Weights on the whole of a large vocabulary, where a distribution has that form. */
export function floatsOf(distribution: Distribution): Float32Array | undefined {
  return distribution.mixture(1, 0).dense?.probabilities;
}

/** The tokens with the largest logits, the lower id first among equals. */
export function likeliest({ logits }: Distribution, count: number): number[] {
  return [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
}

/** What a distribution says, copied. */
export function saidBy(distribution: Distribution): unknown {
  const { step, temperature, entropy, ids, probabilities, logits } = distribution;
  return structuredClone({ step, temperature, entropy, ids, probabilities, logits });
}

/** The distribution sampled from, over the whole vocabulary. */
export function denseOf({ ids, probabilities, vocabularySize }: Distribution): number[] {
  return dense({ ids, weights: probabilities }, vocabularySize);
}
