/**
 * Sums over probabilities, in float64, and the most probable of them. Rows are plain arrays: making a
 * typed array costs more than a small row's arithmetic.
 *
 * @module
 */

/** Place of the largest value, the first among equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Refuses logits of which no distribution can be made. */
export function refuseLogits(): never {
  throw new RangeError("Cannot sample as the model's logits must be finite: they hold NaN or ∞");
}

/**
 * `softmax(logits / temperature)` in float64, of a temperature above 0; −∞ gives probability 0.
 *
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

/** Jensen–Shannon divergence of two lists of probabilities, nats, 0 to ln 2. */
export function jsOf(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const own = p[i]!, other = q[i]!, middle = (own + other) / 2;
    if (own > 0) sum += own * Math.log(own / middle);
    if (other > 0) sum += other * Math.log(other / middle);
  }
  return Math.min(Math.LN2, Math.max(0, sum / 2)); // rounding leaves the bounds by 1e−16
}

/** Sum of the first `count` weights. */
export function sumOf(weights: ArrayLike<number>, count = weights.length): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i]!;
  return sum;
}

const identities = new Map<number, readonly number[]>();

/** The ids 0 … size − 1, one shared array a size. */
export function identity(size: number): readonly number[] {
  let ids = identities.get(size);
  if (!ids) identities.set(size, ids = Array.from({ length: size }, (_, id) => id));
  return ids;
}

/** Places by descending weight, the lower place first among equals. */
export function ranked(places: readonly number[], weights: ArrayLike<number>): number[] {
  return places.toSorted((a, b) => weights[b]! - weights[a]! || a - b);
}

/** The first k of these, without sorting them all. */
export function mostProbable(
  places: readonly number[],
  weights: ArrayLike<number>,
  k: number,
): number[] {
  const best: number[] = [];
  for (const place of places) {
    const own = weights[place]!;
    if (best.length === k && own <= weights[best[k - 1]!]!) continue;
    let at = best.length;
    while (at > 0 && weights[best[at - 1]!]! < own) at--;
    best.splice(at, 0, place);
    if (best.length > k) best.pop();
  }
  return best;
}
