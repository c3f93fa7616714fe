/**
 * A mixture of token embeddings: what every position of a model takes instead of a token.
 *
 * `h = Σ_k weights[k] · E[ids[k]]`; a token alone is the mixture with one entry of weight 1.
 *
 * @module
 */

import { shown } from "../_check.ts";

/**
 * Token ids and their weights, of the same length; weights are at least 0, unless `signed` says
 * otherwise, and sum to 1, that of `dense` included, unless `scaled` says otherwise.
 */
export interface Mixture {
  /** Token ids, each at most once. */
  readonly ids: ArrayLike<number>;
  /** Weights, float64 or float32; the model computes with float32. */
  readonly weights: ArrayLike<number>;
  /**
   * Further weight that lies on all tokens of a large vocabulary, `weight · probabilities`: what a
   * list of V weights would say, without the list. Read before the next step. Exact in fp32 and fp16;
   * in a quantised load to about half a percent (see `dense.ts`).
   */
  readonly dense?: {
    /** Probabilities of all tokens `[V]`. */
    readonly probabilities: Float32Array;
    /** Their weight together. */
    readonly weight: number;
    /** Where an engine holds them, which are then read only where `probabilities` is. Default: nowhere. */
    readonly held?: Held;
  };
  /**
   * Weights may be negative: the embedding is then outside of the convex hull of the tokens'. Without
   * it a negative weight is refused, as it is a mistake nearly always.
   */
  readonly signed?: true;
  /**
   * Weights need not sum to 1: the embedding is then longer or shorter than a mixture's. Without it
   * another sum is refused, as it is a mistake nearly always.
   */
  readonly scaled?: true;
}

/** Probabilities of all tokens that an engine holds where they were computed, until the next step. */
export interface Held {
  /** One of them, where it is known without reading all. */
  of(id: number): number | undefined;
}

/** The same, and what reads them. */
export interface HeldProbabilities {
  /** Where they are. */
  readonly held: Held;
  /** All of them `[V]`, read when this is. */
  readonly probabilities: Float32Array;
}

/** What a position can take: a token id, or a mixture. */
export type Input = number | Mixture;

const ONE: ArrayLike<number> = [1];

/** The mixture with one entry of weight 1: what standard decoding feeds back. */
export function oneToken(id: number): Mixture {
  return { ids: [id], weights: ONE };
}

/** Probabilities of all tokens that sum to 1 by construction, up to float32's rounding. */
const TRUSTED = new WeakSet<Float32Array>();

/** Marks probabilities that a softmax made: {@linkcode checkMixture} does not add them up. */
export function trusted(probabilities: Float32Array): Float32Array {
  TRUSTED.add(probabilities);
  return probabilities;
}

/** Some tokens and their probabilities. */
export interface Listed {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their probabilities. */
  readonly probabilities: readonly number[];
}

/** Probabilities of some tokens, or of all `[V]`. */
export type Weighted = Float32Array | HeldProbabilities | Listed;

/**
 * `scale · p + extra · onehot(token)`: every mixture of the methods is made here. A token outside the
 * support of p is added to it where it has weight; of all tokens p is a dense part, and nothing is listed
 * but the token.
 *
 * @param scale Weight of p.
 * @param tokens The token, or several that share `extra` evenly.
 * @param extra Weight of the token beside that in p.
 */
export function mixed(
  p: Weighted,
  scale: number,
  tokens: number | readonly number[],
  extra: number,
): Mixture {
  const own = typeof tokens === "number" ? [tokens] : [...new Set(tokens)];
  const shares = typeof tokens === "number"
    ? [extra]
    : own.map((id) => extra / tokens.length * tokens.filter((one) => one === id).length);
  if (p instanceof Float32Array) {
    return { ids: own, weights: shares, dense: { probabilities: p, weight: scale } };
  }
  if ("held" in p) {
    const dense = {
      get probabilities() {
        return p.probabilities;
      },
      ...{ weight: scale, held: p.held },
    };
    return { ids: own, weights: shares, dense };
  }
  const { ids, probabilities } = p, size = ids.length, weights = new Array<number>(size);
  for (let k = 0; k < size; k++) weights[k] = scale * probabilities[k]!;
  let listed = ids;
  for (const [i, id] of own.entries()) {
    const at = ids[id] === id ? id : ids.indexOf(id), weight = shares[i]!;
    if (at >= 0) weights[at]! += weight;
    else if (weight !== 0) {
      listed = [...listed, id];
      weights.push(weight);
    }
  }
  return { ids: listed, weights };
}

/** The probability of a token in a dense part. */
export function probabilityIn(
  dense: Pick<NonNullable<Mixture["dense"]>, "probabilities" | "held">,
  token: number,
): number {
  return dense.held?.of(token) ?? dense.probabilities[token]!;
}

/** Weight of a mixture on other tokens than this one. */
export function offSampleMass({ ids, weights, dense }: Mixture, token: number): number {
  let mass = dense ? dense.weight * (1 - probabilityIn(dense, token)) : 0;
  for (let k = 0; k < ids.length; k++) if (ids[k] !== token) mass += weights[k]!;
  return mass;
}

/** The same mixture in arrays of its own: it outlives the step that made it. */
export function kept({ ids, weights, dense, ...flags }: Mixture): Mixture {
  return {
    ...{ ids: Array.from(ids), weights: Array.from(weights), ...flags },
    ...(dense && {
      dense: { probabilities: dense.probabilities.slice(), weight: dense.weight },
    }),
  };
}

/** How far the sum of n weights may be from 1: 1e-6, and a rounding of float32 for each of them. */
function tolerance(size: number): number {
  return 1e-6 + size * 2 ** -24;
}

/** An id that is there twice; undefined where there is none, as where they ascend. */
function twice(ids: ArrayLike<number>): number | undefined {
  let ascending = true;
  for (let k = 1; k < ids.length && ascending; k++) ascending = ids[k]! > ids[k - 1]!;
  const seen = new Set<number>();
  for (let k = 0; k < ids.length && !ascending; k++) {
    if (seen.has(ids[k]!)) return ids[k]!;
    seen.add(ids[k]!);
  }
}

function refuse(what: string, rule: string, value: string): never {
  throw new RangeError(`Cannot feed ${what} as ${rule}: current value is ${value}`);
}

/** Refuses what is no token of so many; `what` is fed. */
export function checkId(what: string, id: number, size: number): void {
  if (Number.isInteger(id) && id >= 0 && id < size) return;
  refuse(what, `'ids' must be integers from 0 to ${size - 1}`, shown(id));
}

/** Refuses what is no weight of a mixture; −∞ itself is none of a signed one. */
export function checkWeight(what: string, weight: number, signed?: true): void {
  const least = signed ? -Number.MAX_VALUE : 0;
  if (typeof weight === "number" && weight >= least && weight < Infinity) return;
  const rule = signed ? "be finite" : "be finite and at least 0 (or it be 'signed')";
  refuse(what, `'weights' must ${rule}`, shown(weight));
}

/** Refuses a mixture of nothing, or whose ids and weights do not match. */
export function checkSizes(what: string, mixture: Mixture): void {
  const { ids, weights, dense } = mixture ?? {}, size = ids?.length, count = weights?.length;
  if (size !== undefined && count === size && (size > 0 || dense)) return;
  const value = size === undefined || count === undefined
    ? shown(mixture)
    : `${size} ids and ${count} weights`;
  refuse(what, "it must have at least one id and as many weights", value);
}

/**
 * Refuses what is no mixture: an id that is no token or is there twice, a weight that is no finite
 * number or, unless the mixture is `signed`, negative, and, unless it is `scaled`, a sum of weights
 * that is not 1. A sum may be off by 1e-6 and 2⁻²⁴ an entry, which is what float32 needs.
 *
 * @param maker Who made it, for the message, such as "the method 'mine'".
 * @throws {RangeError} Where it is none.
 */
export function checkMixture(mixture: Mixture, vocabularySize: number, maker: string): void {
  const what = `the mixture of ${maker}`;
  checkSizes(what, mixture);
  const { ids, weights, dense, signed, scaled } = mixture, size = ids.length;
  let sum = 0;
  if (dense) {
    checkWeight(what, dense.weight, signed);
    // one that is negative makes the sum no number
    const all = dense.held || TRUSTED.has(dense.probabilities)
      ? 1
      : dense.probabilities.reduce((sum, p) => sum + (p >= 0 ? p : NaN), 0);
    if (!(Math.abs(all - 1) <= tolerance(vocabularySize))) {
      const rule = "'dense.probabilities' must be at least 0 and sum to 1";
      refuse(what, rule, `${Number(all.toPrecision(9))}`);
    }
    sum = dense.weight;
  }
  for (let k = 0; k < size; k++) {
    checkId(what, ids[k]!, vocabularySize);
    checkWeight(what, weights[k]!, signed);
    sum += weights[k]!;
  }
  const double = size > 1 ? twice(ids) : undefined;
  if (double !== undefined) refuse(what, "'ids' must differ", `token ${double} twice`);
  if (!scaled && Math.abs(sum - 1) > tolerance(size)) {
    const value = `${Number(sum.toPrecision(9))}`;
    refuse(what, "'weights' must sum to 1 (or it be 'scaled')", value);
  }
}
