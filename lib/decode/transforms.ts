/**
 * The transforms of a sampler, each a pure function: logits to logits, or probabilities to those kept.
 * `sampler.ts` has their order and sources.
 *
 * @module
 */

/** Tokens before the one about to be generated. */
export interface History {
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** Token ids generated so far. */
  readonly generated: readonly number[];
}

/** Σ −p ln p in nats. */
function entropyOf(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => p > 0 ? sum - p * Math.log(p) : sum, 0);
}

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Repetition penalty: logits of tokens in prompt and text, positive ones divided, negative multiplied.
 *
 * @example
 * ```ts
 * import { repetitionPenalty } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * const history = { prompt: [0], generated: [1, 1] };
 * assertEquals([...repetitionPenalty([3, -3, 1], history, 1.5)], [2, -4.5, 1]);
 * ```
 */
export function repetitionPenalty(
  logits: ArrayLike<number>,
  { prompt, generated }: History,
  penalty: number,
): Float64Array {
  const out = new Float64Array(logits);
  for (const id of new Set([...prompt, ...generated])) {
    out[id]! *= out[id]! > 0 ? 1 / penalty : penalty;
  }
  return out;
}

/** Presence and frequency penalty: logits of tokens in the text less `presence + count · frequency`. */
export function countPenalty(
  logits: ArrayLike<number>,
  generated: readonly number[],
  presence: number,
  frequency: number,
): Float64Array {
  const out = new Float64Array(logits), counts = new Map<number, number>();
  for (const id of generated) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [id, count] of counts) out[id]! -= presence + count * frequency;
  return out;
}

/** Logits with a number added to some. */
export function biased(
  logits: ArrayLike<number>,
  bias: Readonly<Record<number, number>>,
): Float64Array {
  const out = new Float64Array(logits);
  for (const [id, value] of Object.entries(bias)) out[Number(id)]! += value;
  return out;
}

/** Logits of some tokens; −∞ for all others. */
export function allowedOnly(logits: ArrayLike<number>, allowed: readonly number[]): Float64Array {
  const out = new Float64Array(logits.length).fill(-Infinity);
  for (const id of allowed) out[id] = logits[id]!;
  return out;
}

/**
 * Top-nσ: logits below `max − n · σ` become −∞, σ the standard deviation of the finite logits (of the
 * population). A temperature changes neither side of the rule.
 */
export function topNSigma(logits: ArrayLike<number>, n: number): Float64Array {
  const all = new Float64Array(logits), finite = all.filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  const variance = finite.reduce((sum, l) => sum + (l - mean) ** 2, 0) / finite.length;
  const least = finite.reduce((a, b) => Math.max(a, b), -Infinity) - n * Math.sqrt(variance);
  return all.map((l) => l >= least ? l : -Infinity);
}

/** Entropy-dependent temperature: `temperature · base^(theta / entropy)`; 0 where the entropy is 0. */
export function entropyTemperature(
  temperature: number,
  entropy: number,
  { base, theta }: { readonly base: number; readonly theta: number },
): number {
  if (base === 1 || theta === 0) return temperature;
  return entropy > 0 ? temperature * base ** (theta / entropy) : 0;
}

/**
 * How many tokens top-k, top-p and min-p keep, each of what the one before left.
 *
 * @param weights Of the most probable tokens in descending order, in any unit.
 * @param total What all tokens weigh together.
 * @param complete Whether all tokens are there that could be kept.
 * @returns How many of them are kept; undefined where tokens beyond the last could be kept as well.
 */
export function keptCount(
  weights: ArrayLike<number>,
  total: number,
  complete: boolean,
  { topK, topP, minP }: { readonly topK: number; readonly topP: number; readonly minP: number },
): number | undefined {
  const cutsK = topK > 0 && topK <= weights.length;
  let count = cutsK ? topK : weights.length, whole = complete || cutsK;
  if (topP < 1) {
    let mass = total;
    if (cutsK) {
      mass = 0;
      for (let i = 0; i < count; i++) mass += weights[i]!;
    }
    let kept = 0, cumulative = 0;
    while (kept < count && cumulative < topP * mass) cumulative += weights[kept++]!;
    whole ||= cumulative >= topP * mass;
    count = Math.max(1, kept); // topP · mass may have become 0
  }
  if (minP > 0) {
    const least = minP * weights[0]!, before = count;
    while (weights[count - 1]! < least) count--;
    whole ||= count < before;
  }
  return whole ? count : undefined;
}

/**
 * Typical-p: places of the tokens whose surprisal is nearest to the entropy, up to a mass; those as
 * near as the last one are kept as well.
 *
 * @param weights Probabilities in any unit.
 * @param mass The mass, of all of them.
 * @returns Places kept, ascending.
 *
 * @example The most probable token may be the one that is cut
 * ```ts
 * import { typical } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * assertEquals(typical([0.4, 0.15, 0.15, 0.15, 0.15], 0.5), [1, 2, 3, 4]);
 * ```
 */
export function typical(weights: readonly number[], mass: number): number[] {
  const p = normalized(weights), entropy = entropyOf(p);
  const distance = p.map((own) => Math.abs(-Math.log(own) - entropy));
  const order = Array.from(p.keys()).sort((a, b) => distance[a]! - distance[b]! || a - b);
  let kept = 0, cumulative = 0;
  while (kept < order.length && cumulative < mass) cumulative += p[order[kept++]!]!;
  const farthest = distance[order[kept - 1]!]!;
  return order.filter((place) => distance[place]! <= farthest).sort((a, b) => a - b);
}

/** ε cutoff: places of tokens of at least this probability; the most probable one always. */
export function epsilonCutoff(weights: readonly number[], least: number): number[] {
  const p = normalized(weights), most = p.reduce((a, b) => Math.max(a, b));
  return Array.from(p.keys()).filter((place) => p[place]! >= Math.min(least, most));
}

/** η cutoff: the same with `min(η, √η · e^−H)`. */
export function etaCutoff(weights: readonly number[], eta: number): number[] {
  const entropy = entropyOf(normalized(weights));
  return epsilonCutoff(weights, Math.min(eta, Math.sqrt(eta) * Math.exp(-entropy)));
}
