/**
 * Of what is something made, and how much of each? Weights of parts, for distributions and for streams.
 *
 * @module
 */

import { argmax } from "./softmax.ts";

type Numbers = ArrayLike<number>;

/** Nats within which shares are the best, and most exchanges. */
const GAP = 1e-6, EXCHANGES = 200;
/** Most steps of one exchange. */
const STEPS = 40;

/** `Σ w_i p_i`. */
export function blendOf(parts: readonly Numbers[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array(parts[0]!.length);
  for (const [i, part] of parts.entries()) {
    const weight = weights[i]!;
    for (let x = 0; x < sum.length; x++) sum[x]! += weight * part[x]!;
  }
  return sum;
}

/** First and second derivative of `Σ q ln(m + t d)` by t. */
function slopesAt(q: Numbers, m: Numbers, d: Numbers, t: number): readonly [number, number] {
  let first = 0, second = 0;
  for (let x = 0; x < q.length; x++) {
    const own = d[x]!;
    if (own === 0 || q[x] === 0) continue;
    const ratio = own / (m[x]! + t * own);
    first += q[x]! * ratio;
    second -= q[x]! * ratio * ratio;
  }
  return [first, second];
}

/** The t from 0 to `most` at which `Σ q ln(m + t d)`, which rises at 0, is largest: Newton's steps within a bracket. */
function bestStep(q: Numbers, m: Numbers, d: Numbers, most: number): number {
  let low = 0, high = most, t = most;
  for (let step = 0; step < STEPS; step++) {
    const [first, second] = slopesAt(q, m, d, t);
    if (Math.abs(first) < GAP / 10 || (first > 0 && t === most)) return t;
    if (first > 0) low = t;
    else high = t;
    const next = t - first / second;
    t = next > low && next < high ? next : (low + high) / 2;
  }
  return low;
}

/**
 * The weights that make `Σ a_i p_i` explain q best: the maximum-likelihood proportions of known distributions, by
 * exchanges between the part that would explain more and the one that explains least. They end where no weights are
 * better by more than a gap of nats, which `max_i Σ q p_i / Σ a p − 1` bounds. They begin at given weights, where they
 * stay if the parts are the same.
 */
export function sharesOf(
  q: Numbers,
  parts: readonly Numbers[],
  weights: readonly number[],
): number[] {
  const shares = [...weights];
  const sum = blendOf(parts, shares);
  for (let exchange = 0; exchange < EXCHANGES; exchange++) {
    const gains = parts.map((p) => {
      let gain = 0;
      for (let x = 0; x < q.length; x++) if (sum[x]! > 0) gain += q[x]! * p[x]! / sum[x]!;
      return gain;
    });
    const used = [...shares.keys()].filter((i) => shares[i]! > 0);
    const more = argmax(gains), less = used.reduce((a, b) => gains[b]! < gains[a]! ? b : a);
    if (gains[more]! - 1 < GAP || more === less) break;
    const [p, other] = [parts[more]!, parts[less]!];
    const away = blendOf([p, other], [1, -1]);
    const t = bestStep(q, sum, away, shares[less]!);
    if (t === 0) break;
    shares[more]! += t;
    shares[less] = t === shares[less] ? 0 : shares[less]! - t;
    for (let x = 0; x < q.length; x++) sum[x] = Math.max(0, sum[x]! + t * away[x]!);
  }
  return shares;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
};

/**
 * The weights of sum 1 whose `Σ b_i h_i` is nearest to a stream, by conjugate gradients on what the others differ from
 * the first: k − 1 steps. Where streams are the same, those nearest to the given weights. And what they leave of the
 * square of what the stream differs from the first.
 */
export function streamSharesOf(
  stream: Float32Array,
  parts: readonly Float32Array[],
  weights: readonly number[],
): { readonly shares: number[]; readonly unexplained: number } {
  const [first, ...others] = parts as [Float32Array, ...Float32Array[]];
  const away = (own: Float32Array) => Float64Array.from(own, (x, d) => x - first[d]!);
  const columns = others.map(away), target = away(stream);
  const matrix = columns.map((a) => columns.map((b) => dot(a, b)));
  const found = weights.slice(1);
  let rest = columns.map((a, i) => dot(a, target) - dot(matrix[i]!, found));
  let direction = rest, size = dot(rest, rest);
  const enough = 1e-24 * dot(target, target) ** 2;
  for (let step = 0; step < 2 * others.length && size > enough; step++) {
    const image = matrix.map((row) => dot(row, direction)), curve = dot(direction, image);
    if (!(curve > 0)) break;
    const length = size / curve;
    direction.forEach((x, i) => found[i]! += length * x);
    rest = rest.map((x, i) => x - length * image[i]!);
    const left = dot(rest, rest);
    direction = rest.map((x, i) => x + left / size * direction[i]!);
    size = left;
  }
  const shares = [1 - found.reduce((a, b) => a + b, 0), ...found];
  const all = dot(target, target),
    left = blendOf([target, ...columns], [1, ...found.map((b) => -b)]);
  return { shares, unexplained: all > 0 ? dot(left, left) / all : 0 };
}
