/**
 * From logits to the distribution that is sampled from, and one draw.
 *
 * Order: temperature → softmax → top-k → top-p → min-p → renormalisation (that of Hugging Face
 * transformers; llama.cpp applies the temperature last). Everything is float64. The draw inverts
 * the cumulative distribution over token ids in ascending order, so that a small change of the
 * probabilities seldom changes the token.
 *
 * @module
 */

import { checkNumber } from "../_check.ts";

/** Sampler settings, all explicit. */
export interface Sampler {
  /** Softmax temperature; 0 takes the most probable token (the lowest id among equals). */
  readonly temperature: number;
  /** Number of most probable tokens kept; 0 keeps all. */
  readonly topK: number;
  /** Smallest set of most probable tokens with at least this mass is kept; 1 keeps all. */
  readonly topP: number;
  /** Tokens with at least this share of the largest probability are kept; 0 keeps all. */
  readonly minP: number;
}

/** What a sampler made of one row of logits. */
export interface Distribution {
  /** Index of the token about to be generated, from 0. */
  readonly step: number;
  /** Token ids that can be sampled, ascending. */
  readonly ids: readonly number[];
  /** Their probabilities, summing to 1: the distribution sampled from. */
  readonly probabilities: readonly number[];
  /** Entropy of the distribution sampled from, in nats. */
  readonly entropy: number;
  /** The same divided by ln V: 0 is certain, 1 is uniform over the vocabulary. */
  readonly normalizedEntropy: number;
  /** Size of the vocabulary, V. */
  readonly vocabularySize: number;
  /** The model's raw logits `[V]`; valid until the next step. */
  readonly logits: Float32Array;
}

/**
 * Checks sampler settings and fills in what is left out.
 *
 * @param settings Settings; default: temperature 1, nothing truncated.
 * @throws {TypeError} Where a setting is no number.
 * @throws {RangeError} Where a setting is outside its rule.
 *
 * @example A negative temperature is refused
 * ```ts
 * import { samplerOf } from "@moi/moi/decode";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => samplerOf({ temperature: -1 }), RangeError, "at least 0: current value is -1");
 * ```
 */
export function samplerOf(settings: Partial<Sampler> = {}): Sampler {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = settings;
  checkNumber("sample", "temperature", temperature, { min: 0 });
  checkNumber("sample", "topK", topK, { min: 0, integer: true });
  checkNumber("sample", "topP", topP, { min: 0, max: 1, exclusiveMin: true });
  checkNumber("sample", "minP", minP, { min: 0, max: 1 });
  return { temperature, topK, topP, minP };
}

// Rows are plain arrays: making a typed array costs more than a small row's arithmetic.
const identities = new Map<number, readonly number[]>();

/** The ids 0 … size − 1, one shared array a size. */
function identity(size: number): readonly number[] {
  let ids = identities.get(size);
  if (!ids) identities.set(size, ids = Array.from({ length: size }, (_, id) => id));
  return ids;
}

function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * `softmax(logits / temperature)` in float64.
 *
 * @param logits Raw logits; −∞ gives probability 0.
 * @param temperature Greater than 0.
 * @throws {RangeError} Where no logit is finite or one is NaN or +∞.
 */
export function softmax(logits: ArrayLike<number>, temperature = 1): number[] {
  const size = logits.length, probabilities = new Array<number>(size);
  const max = logits[argmax(logits)]!;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    sum += probabilities[i] = Math.exp((logits[i]! - max) / temperature);
  }
  if (!(sum > 0 && sum < Infinity)) {
    throw new RangeError("Cannot sample as the model's logits must be finite: they hold NaN or ∞");
  }
  for (let i = 0; i < size; i++) probabilities[i]! /= sum;
  return probabilities;
}

/** Entropy in nats of a distribution; 0 · ln 0 counts as 0. */
export function entropyOf(probabilities: ArrayLike<number>): number {
  let entropy = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i]!;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return entropy > 0 ? entropy : 0;
}

/** Ids by descending probability, the lower id first among equals. */
function ranked(ids: number[], probabilities: ArrayLike<number>): number[] {
  return ids.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
}

/**
 * The k most probable tokens and their probabilities, renormalised.
 *
 * @param probabilities Over the whole vocabulary `[V]`.
 * @param k Number kept; at least V keeps all.
 * @returns Ids ascending, probabilities summing to 1.
 */
export function topTokens(
  probabilities: readonly number[],
  k: number,
): { ids: readonly number[]; probabilities: readonly number[] } {
  const all = identity(probabilities.length);
  if (k >= all.length) return { ids: all, probabilities };
  return restrict(probabilities, ranked([...all], probabilities).slice(0, k));
}

/** Keeps a set of ids, which it sorts, and renormalises. */
function restrict(probabilities: readonly number[], ids: number[]) {
  ids.sort((a, b) => a - b);
  const kept = ids.map((id) => probabilities[id]!);
  const sum = kept.reduce((a, b) => a + b, 0);
  return { ids, probabilities: kept.map((p) => p / sum) };
}

/** The support after top-k, top-p and min-p, and its probabilities. */
function truncate(probabilities: readonly number[], { topK, topP, minP }: Sampler) {
  const size = probabilities.length;
  const cutsK = topK > 0 && topK < size;
  const all = identity(size);
  if (!cutsK && topP === 1 && minP === 0) return { ids: all, probabilities };
  // Tokens below (1 − topP) / V have less than 1 − topP together: no nucleus needs them.
  const floor = cutsK
    ? 0
    : Math.max((1 - topP) / size, minP * probabilities[argmax(probabilities)]!);
  let kept = ranked(all.filter((id) => probabilities[id]! >= floor), probabilities);
  if (cutsK) kept = kept.slice(0, topK);
  if (topP < 1) {
    let mass = 0;
    if (cutsK) { for (const id of kept) mass += probabilities[id]!; }
    else mass = 1;
    let count = 0, cumulative = 0;
    while (count < kept.length && cumulative < topP * mass) {
      cumulative += probabilities[kept[count++]!]!;
    }
    kept = kept.slice(0, count);
  }
  if (minP > 0) {
    const least = minP * probabilities[kept[0]!]!;
    kept = kept.filter((id) => probabilities[id]! >= least);
  }
  return restrict(probabilities, kept);
}

/**
 * The distribution that a sampler makes of a row of logits.
 *
 * @param logits Raw logits `[V]`.
 * @param sampler Sampler settings.
 * @param step Index of the token about to be generated.
 * @returns Support, probabilities and entropy.
 *
 * @example Top-p keeps the smallest set that reaches the mass
 * ```ts
 * import { distributionOf, samplerOf } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const logits = new Float32Array([Math.log(0.5), Math.log(0.3), Math.log(0.2)]);
 * assertEquals([...distributionOf(logits, samplerOf({ topP: 0.7 })).ids], [0, 1]);
 * ```
 */
export function distributionOf(logits: Float32Array, sampler: Sampler, step = 0): Distribution {
  const vocabularySize = logits.length;
  if (sampler.temperature === 0) {
    softmax(logits); // refuses logits that are not finite
    const ids = [argmax(logits)], probabilities = [1];
    return { step, ids, probabilities, entropy: 0, normalizedEntropy: 0, vocabularySize, logits };
  }
  const { ids, probabilities } = truncate(softmax(logits, sampler.temperature), sampler);
  const entropy = entropyOf(probabilities);
  const normalizedEntropy = vocabularySize > 1 ? entropy / Math.log(vocabularySize) : 0;
  return { step, ids, probabilities, entropy, normalizedEntropy, vocabularySize, logits };
}

/**
 * Draws a token.
 *
 * @param distribution Distribution to draw from.
 * @param u Uniform number in [0, 1).
 * @returns The token's index in `distribution.ids`.
 */
export function draw(distribution: Distribution, u: number): number {
  const { probabilities } = distribution;
  let cumulative = 0, last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i]!;
    if (p > 0) last = i;
    cumulative += p;
    if (u < cumulative) return i;
  }
  return last; // rounding left the sum below u
}
