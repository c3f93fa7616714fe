/**
 * From logits to the distribution that is sampled from, and one draw.
 *
 * Everything is float64. The draw inverts the cumulative distribution over token ids in ascending
 * order, so that a small change of the probabilities seldom changes the token. `sampler.ts` has the
 * order in which settings apply.
 *
 * With a large vocabulary the runtime sorts and sums (see `distributions.ts`) and this file works on
 * a shortlist of the most probable tokens. What is sampled from is the same: where the shortlist
 * cannot tell, it says so. Where nothing is truncated the draw goes through the shortlist first,
 * then through all other tokens, both by ascending id.
 *
 * @module
 */

import { SMALL_VOCABULARY } from "../graph/mod.ts";
import { isPlain, type Sampler } from "./sampler.ts";
import {
  allowedOnly,
  biased,
  countPenalty,
  entropyTemperature,
  epsilonCutoff,
  etaCutoff,
  type History,
  keptCount,
  repetitionPenalty,
  topNSigma,
  typical,
} from "./transforms.ts";

/** Tokens of a shortlist; also the tokens that a draw from the whole vocabulary goes through first. */
export const SHORTLIST = 64;

/** The most probable tokens of a row of logits, as the runtime found them. */
export interface Shortlist {
  /** Their ids by descending logit, the lower id first among equals. */
  readonly ids: ArrayLike<number>;
  /** Their raw logits. */
  readonly logits: ArrayLike<number>;
  /** `softmax(logits / temperature)` of all tokens `[V]`, where it was asked for. */
  readonly probabilities?: Float32Array;
  /** Its entropy in nats. */
  readonly entropy?: number;
  /** `softmax(logits)` of all tokens and its entropy, where it was asked for. */
  readonly model?: { readonly probabilities: Float32Array; readonly entropy: number };
}

/** A distribution over a whole large vocabulary, as the runtime left it. */
export interface Dense {
  /** Probabilities of all tokens `[V]`, float32; valid until the next step. */
  readonly probabilities: Float32Array;
  /** Ids of the most probable tokens, ascending: the first that the draw goes through. */
  readonly first: readonly number[];
  /** Temperature of the softmax. */
  readonly temperature: number;
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
  /**
   * The model's raw logits `[V]`, −∞ for rows of the vocabulary that stand for no token; valid until
   * the next step.
   */
  readonly logits: Float32Array;
  /** Temperature of the distribution; 0: greedy. Default: 1. */
  readonly temperature?: number;
  /** The most probable tokens, where the runtime found them: with large vocabularies. */
  readonly shortlist?: Shortlist;
  /**
   * The probabilities as the runtime left them, where a whole large vocabulary can be sampled. Then
   * `ids` and `probabilities` are arrays of V that are made when they are first read.
   */
  readonly dense?: Dense;
  /** Whether the sampler changed the logits, or cut before the temperature. Default: no. */
  readonly transformed?: true;
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

function refuseLogits(): never {
  throw new RangeError("Cannot sample as the model's logits must be finite: they hold NaN or ∞");
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
  if (!(sum > 0 && sum < Infinity)) refuseLogits();
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

/** Indices by descending probability, the lower index first among equals. */
function ranked(indices: number[], probabilities: ArrayLike<number>): number[] {
  return indices.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
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
  return k >= all.length ? { ids: all, probabilities } : topOf(all, probabilities, k);
}

/** The same of some tokens, ids ascending, fewer than there are. */
export function topOf(
  ids: readonly number[],
  probabilities: readonly number[],
  k: number,
): { ids: number[]; probabilities: number[] } {
  const kept = ranked(Array.from(ids.keys()), probabilities).slice(0, k);
  const { ids: indices, probabilities: renormalised } = restrict(probabilities, kept);
  return { ids: indices.map((index) => ids[index]!), probabilities: renormalised };
}

/** Keeps a set of indices, which it sorts, and renormalises. */
function restrict(probabilities: readonly number[], ids: number[]) {
  ids.sort((a, b) => a - b);
  const kept = ids.map((id) => probabilities[id]!);
  const sum = kept.reduce((a, b) => a + b, 0);
  return { ids, probabilities: kept.map((p) => p / sum) };
}

/** `softmax(logits / temperature)` over a set of ids, which it sorts. */
function temperedOf(logits: ArrayLike<number>, ids: number[], temperature: number) {
  ids.sort((a, b) => a - b);
  return { ids, probabilities: softmax(ids.map((id) => logits[id]!), temperature) };
}

/** The support after top-k, top-p and min-p, and its probabilities. */
function truncate(probabilities: readonly number[], sampler: Sampler) {
  const { topK, topP, minP } = sampler, size = probabilities.length;
  const cutsK = topK > 0 && topK < size;
  const all = identity(size);
  if (!cutsK && topP === 1 && minP === 0) return { ids: all, probabilities };
  // Tokens below (1 − topP) / V have less than 1 − topP together: no nucleus needs them.
  const floor = cutsK
    ? 0
    : Math.max((1 - topP) / size, minP * probabilities[argmax(probabilities)]!);
  const order = ranked(all.filter((id) => probabilities[id]! >= floor), probabilities);
  const weights = order.map((id) => probabilities[id]!);
  return restrict(probabilities, order.slice(0, keptCount(weights, 1, true, sampler)));
}

/** Whether a plain sampler needs the softmax over all tokens, or a shortlist will do. */
export function needsSoftmax(
  { temperature, topK, topP, minP }: Sampler,
  vocabularySize: number,
): boolean {
  const cutsK = topK > 0 && topK < vocabularySize;
  return temperature > 0 && !cutsK && (topP < 1 || minP === 0);
}

/**
 * The distribution that a sampler makes of a row of logits.
 *
 * @param logits Raw logits `[V]`.
 * @param sampler Sampler settings.
 * @param step Index of the token about to be generated.
 * @param history Tokens before it, for penalties. Default: none.
 * @returns Support, probabilities and entropy.
 * @throws {RangeError} Where logits are not finite, or the sampler leaves no token.
 *
 * @example Top-p keeps the smallest set that reaches the mass
 * ```ts
 * import { distributionOf, samplerOf } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const logits = new Float32Array([Math.log(0.5), Math.log(0.3), Math.log(0.2)]);
 * assertEquals([...distributionOf(logits, samplerOf({ topP: 0.7 })).ids], [0, 1]);
 * ```
 */
export function distributionOf(
  logits: Float32Array,
  sampler: Sampler,
  step = 0,
  history: History = NOTHING,
): Distribution {
  if (!isPlain(sampler)) return chained(logits, sampler, step, history);
  if (sampler.temperature === 0) {
    softmax(logits); // refuses logits that are not finite
    return certain(logits, argmax(logits), step);
  }
  const { temperature } = sampler;
  const { ids, probabilities } = truncate(softmax(logits, temperature), sampler);
  return distribution(logits, temperature, step, ids, probabilities, entropyOf(probabilities));
}

const NOTHING: History = { prompt: [], generated: [] };

/** Logits after penalties, bias, mask and top-nσ. */
function changed(logits: Float32Array, sampler: Sampler, history: History): ArrayLike<number> {
  const { presencePenalty = 0, frequencyPenalty = 0, logitBias, allowedTokens } = sampler;
  let row: ArrayLike<number> = logits;
  if (sampler.repetitionPenalty !== undefined) {
    row = repetitionPenalty(row, history, sampler.repetitionPenalty);
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    row = countPenalty(row, history.generated, presencePenalty, frequencyPenalty);
  }
  if (logitBias !== undefined) row = biased(row, logitBias);
  if (allowedTokens !== undefined) row = allowedOnly(row, allowedTokens);
  if (sampler.topNSigma !== undefined) row = topNSigma(row, sampler.topNSigma);
  return row;
}

/** The whole chain, over all tokens of the row. */
function chained(
  logits: Float32Array,
  sampler: Sampler,
  step: number,
  history: History,
): Distribution {
  for (let id = 0; id < logits.length; id++) if (!(logits[id]! < Infinity)) refuseLogits();
  const row = changed(logits, sampler, history), { order, entropyTemperature: edt } = sampler;
  const temperature = edt
    ? entropyTemperature(sampler.temperature, entropyOf(softmax(row)), edt)
    : sampler.temperature;
  const tempered = softmax(row, temperature > 0 ? temperature : 1);
  if (temperature === 0) return { ...certain(logits, argmax(row), step), transformed: true };
  const isLast = order === "temperature-last" && temperature !== 1;
  const kept = support(isLast ? softmax(row) : tempered, sampler);
  // what is kept may be without the most probable tokens, and have no mass that a number can hold
  const { ids, probabilities } = isLast
    ? temperedOf(row, kept, temperature)
    : restrict(tempered, kept);
  const found = distribution(
    logits,
    temperature,
    step,
    ids,
    probabilities,
    entropyOf(probabilities),
  );
  const dense = logits.length > SMALL_VOCABULARY && ids.length > SMALL_VOCABULARY;
  return { ...found, ...(dense ? { dense: denseOf(found) } : {}), transformed: true };
}

/** The k most probable tokens in descending order, the lower id first among equals. */
function mostProbable(probabilities: readonly number[], k: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < probabilities.length; id++) {
    const p = probabilities[id]!;
    if (p === 0 || (best.length === k && p <= probabilities[best[k - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && probabilities[best[at - 1]!]! < p) at--;
    best.splice(at, 0, id);
    if (best.length > k) best.pop();
  }
  return best;
}

/** The tokens that the cuts keep of a distribution over all tokens. */
function support(probabilities: readonly number[], sampler: Sampler): number[] {
  const { topK, topP, minP, typicalP, epsilonCutoff: epsilon, etaCutoff: eta } = sampler;
  const size = probabilities.length, cutsK = topK > 0 && topK < size;
  // Tokens below (1 − topP) / V have less than 1 − topP together: no nucleus needs them.
  const floor = Math.max((1 - topP) / size, minP * probabilities[argmax(probabilities)]!);
  const possible = () => identity(size).filter((id) => probabilities[id]! > 0);
  let ids = cutsK
    ? mostProbable(probabilities, topK)
    : floor > 0
    ? ranked(possible().filter((id) => probabilities[id]! >= floor), probabilities)
    : possible();
  const weights = () => ids.map((id) => probabilities[id]!);
  if (cutsK || floor > 0) ids = ids.slice(0, keptCount(weights(), 1, true, sampler));
  const keep = (places: readonly number[]) => {
    ids = places.map((place) => ids[place]!);
  };
  if (typicalP !== undefined) keep(typical(weights(), typicalP));
  if (epsilon !== undefined) keep(epsilonCutoff(weights(), epsilon));
  if (eta !== undefined) keep(etaCutoff(weights(), eta));
  return ids;
}

/** The form in which a distribution over much of a large vocabulary is mixed and drawn from. */
function denseOf({ ids, probabilities, vocabularySize, temperature = 1 }: Distribution): Dense {
  const all = new Float32Array(vocabularySize);
  for (let k = 0; k < ids.length; k++) all[ids[k]!] = probabilities[k]!;
  const least = Float64Array.from(probabilities).sort()[ids.length - SHORTLIST]!;
  const likely = ids.filter((id) => all[id]! >= Math.fround(least));
  const first = ranked(likely, all).slice(0, SHORTLIST).sort((a, b) => a - b);
  return { probabilities: all, first, temperature };
}

function distribution(
  logits: Float32Array,
  temperature: number,
  step: number,
  ids: readonly number[],
  probabilities: readonly number[],
  entropy: number,
): Distribution {
  const vocabularySize = logits.length;
  const normalizedEntropy = vocabularySize > 1 ? entropy / Math.log(vocabularySize) : 0;
  return {
    step,
    ids,
    probabilities,
    entropy,
    normalizedEntropy,
    vocabularySize,
    logits,
    temperature,
  };
}

/** All on one token: temperature 0. */
function certain(logits: Float32Array, id: number, step: number): Distribution {
  return distribution(logits, 0, step, [id], [1], 0);
}

/** `exp((logits − the largest) / temperature)` of a shortlist, in its order. */
function shortlistWeights({ logits }: Shortlist, count: number, temperature: number): number[] {
  const weights = new Array<number>(count), best = logits[0]!;
  for (let i = 0; i < count; i++) weights[i] = Math.exp((logits[i]! - best) / temperature);
  return weights;
}

/** The first tokens of a shortlist by ascending id, and their weights renormalised. */
function byId({ ids }: Shortlist, weights: readonly number[], count: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i]!;
  // places in the list, sorted by id without a call of a function per comparison
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = ids[i]! * count + i;
  keys.sort();
  const sorted = new Array<number>(count), probabilities = new Array<number>(count);
  for (let k = 0; k < count; k++) {
    const i = keys[k]! % count;
    sorted[k] = ids[i]!;
    probabilities[k] = weights[i]! / sum;
  }
  return { ids: sorted, probabilities };
}

/** `softmax(logits / temperature)` over the first tokens of a shortlist, by ascending id. */
export function softmaxOfShortlist(
  shortlist: Shortlist,
  count: number,
  temperature: number,
): { ids: number[]; probabilities: number[] } {
  return byId(shortlist, shortlistWeights(shortlist, count, temperature), count);
}

/**
 * The same as {@linkcode distributionOf} from what the runtime found.
 *
 * @param logits Raw logits `[V]`.
 * @param shortlist The most probable tokens, and the softmax where {@linkcode needsSoftmax} says so.
 * @param sampler Sampler settings.
 * @param step Index of the token about to be generated.
 * @returns The distribution; undefined where a longer shortlist is needed.
 */
export function distributionFrom(
  logits: Float32Array,
  shortlist: Shortlist,
  sampler: Sampler,
  step: number,
): Distribution | undefined {
  const { temperature, topK, topP, minP } = sampler, best = shortlist.logits[0]!;
  const size = shortlist.ids.length, top = shortlist.probabilities?.[shortlist.ids[0]!];
  if (!Number.isFinite(best) || (top !== undefined && !(top > 0))) refuseLogits();
  if (temperature === 0) return { ...certain(logits, shortlist.ids[0]!, step), shortlist };
  const cutsK = topK > 0 && topK < logits.length;
  if (!cutsK && topP === 1 && minP === 0) {
    return denseDistribution(logits, shortlist, temperature, step);
  }
  if (cutsK && topK > size) return undefined;
  const weights = shortlistWeights(shortlist, cutsK ? topK : size, temperature);
  const total = top === undefined ? NaN : 1 / top; // in units of the most probable token
  const count = keptCount(weights, total, size === logits.length, sampler);
  if (count === undefined) return undefined;
  const { ids, probabilities } = byId(shortlist, weights, count);
  const entropy = entropyOf(probabilities);
  return { ...distribution(logits, temperature, step, ids, probabilities, entropy), shortlist };
}

/** A distribution over all tokens, whose arrays of V are made when they are read. */
function denseDistribution(
  logits: Float32Array,
  shortlist: Shortlist,
  temperature: number,
  step: number,
): Distribution {
  const vocabularySize = logits.length, probabilities = shortlist.probabilities!;
  const entropy = Number.isNaN(shortlist.entropy) // 0 · ln 0, where a logit is −∞
    ? entropyOf(probabilities)
    : Math.max(0, shortlist.entropy!);
  const first = Array.from({ length: SHORTLIST }, (_, i) => shortlist.ids[i]!);
  let all: readonly number[] | undefined;
  return {
    step,
    get ids() {
      return identity(vocabularySize);
    },
    get probabilities() {
      return all ??= normalized(probabilities);
    },
    entropy,
    normalizedEntropy: entropy / Math.log(vocabularySize),
    vocabularySize,
    logits,
    temperature,
    shortlist,
    dense: { probabilities, first: first.sort((a, b) => a - b), temperature },
  };
}

/**
 * The distribution before truncation, `softmax(logits / temperature)`, of the raw logits also where
 * penalties, bias or a mask changed them.
 *
 * @param distribution Any distribution; a method that {@linkcode Need}s "softmax" gets it from the
 * runtime.
 * @returns The same where nothing is truncated, and at temperature 0.
 */
export function untruncated(distribution: Distribution): Distribution {
  const { ids, dense, shortlist, logits, temperature = 1, step, transformed } = distribution;
  if (temperature === 0) return distribution;
  if (!transformed && (dense || ids.length === distribution.vocabularySize)) return distribution;
  return shortlist?.probabilities
    ? denseDistribution(logits, shortlist, temperature, step)
    : distributionOf(logits, { temperature, ...UNTRUNCATED }, step);
}

/**
 * The distribution as the model means it, `softmax(logits)`: temperature 1, nothing truncated.
 *
 * @param distribution Any distribution; a method that {@linkcode Need}s "model" gets it from the
 * runtime.
 */
export function modelDistribution(distribution: Distribution): Distribution {
  const { shortlist, logits, temperature = 1, step } = distribution;
  if (temperature === 1) return untruncated(distribution);
  return shortlist?.model
    ? denseDistribution(logits, { ...shortlist, ...shortlist.model }, 1, step)
    : distributionOf(logits, { temperature: 1, ...UNTRUNCATED }, step);
}

const UNTRUNCATED = { topK: 0, topP: 1, minP: 0 } as const;

function normalized(values: Float32Array): number[] {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Array.from(values, (value) => value / sum);
}

/**
 * Draws a token.
 *
 * @param distribution Distribution to draw from.
 * @param u Uniform number in [0, 1).
 * @returns The token's index in `distribution.ids`.
 */
export function draw(distribution: Distribution, u: number): number {
  if (distribution.dense) return drawDense(distribution.dense, u);
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

/**
 * Goes through the first tokens, then through all others; ids are their own indices. Probabilities in
 * float32 sum to 1 up to 1e-5 only: where the sum is below u, what u has beyond it is drawn with anew.
 */
function drawDense(dense: Dense, u: number): number {
  const { probabilities, first } = dense;
  let cumulative = 0;
  for (const id of first) {
    cumulative += probabilities[id]!;
    if (u < cumulative) return id;
  }
  let next = 0;
  for (let id = 0; id < probabilities.length; id++) {
    if (id === first[next]) {
      next++;
      continue;
    }
    cumulative += probabilities[id]!;
    if (u < cumulative) return id;
  }
  return drawDense(dense, (u - cumulative) / (1 - cumulative));
}
