/**
 * Transforms: a sampler is a list of them, from the model's logits to the distribution that is sampled.
 *
 * ```ts ignore
 * [repetitionPenalty(1.1), temperature(0.8), topP(0.95), myOwn]
 * ```
 *
 * Each works on what the one before left, renormalised, in the order of the list; `distribution.ts` runs
 * it. A transform is a value that does one of four things: it **maps** logits to logits, where −∞ cuts a
 * token (what one's own does); it **heats**, that is, changes the temperature; it keeps the **most
 * probable** tokens; or it **cuts** others by their probabilities.
 *
 * @module
 */

import { checkNumber, isObject, refusal } from "../_check.ts";
import { argmax, entropyOf, softmax, sumOf } from "./softmax.ts";

/** Knobs of a method or a transform, recorded with every run. */
export type Knobs = Readonly<Record<string, string | number | boolean | null>>;

/** Tokens before the one about to be generated. */
export interface History {
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** Token ids generated so far. */
  readonly generated: readonly number[];
}

/** What a transform may look at beside the logits. */
export interface TransformContext extends History {
  /** Index of the token about to be generated, from 0. */
  readonly step: number;
}

/** A transform as it is recorded. */
export interface TransformRecord {
  /** Its name. */
  readonly name: string;
  /** Its knobs. */
  readonly parameters?: Knobs;
}

/** Logits to logits. */
export interface MapTransform extends TransformRecord {
  /**
   * A pure function from the logits of all tokens `[V]`, a copy in which −∞ says that a token is cut, to
   * as many, each a number or −∞, and at least one a number.
   */
  readonly map: (logits: Float64Array, context: TransformContext) => ArrayLike<number>;
}

/** Another temperature. */
export interface HeatTransform extends TransformRecord {
  /** From the temperature so far and the logits; 0 takes the most probable token. */
  readonly heat: (temperature: number, logits: ArrayLike<number>) => number;
  /** The factor, where it is one whatever the logits. */
  readonly factor?: number;
}

/** The most probable tokens. */
export interface RankTransform extends TransformRecord {
  /** So many; the smallest set of this mass; those with this share of the largest probability. */
  readonly keep: { readonly most: number } | { readonly mass: number } | { readonly share: number };
}

/** Any tokens. */
export interface CutTransform extends TransformRecord {
  /** Places that are kept, ascending, of tokens with these weights, in any unit. */
  readonly cut: (weights: readonly number[]) => number[];
}

/**
 * One step of a sampler. One's own is a {@linkcode MapTransform}; the others are made here.
 *
 * @example One's own: no token twice in a row
 * ```ts
 * import { generate, temperature, topP, type Transform } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 *
 * const noEcho: Transform = {
 *   name: "noEcho",
 *   map: (logits, { generated }) => logits.map((l, id) => id === generated.at(-1) ? -Infinity : l),
 * };
 * await using model = await loadModel("votes-tiny");
 * const sampler = [noEcho, temperature(0.8), topP(0.95)];
 * const { tokens } = await generate(model, [1], { sampler, maxNewTokens: 20, ignoreEos: true });
 * assertEquals(tokens.some((id, i) => id === tokens[i - 1]), false);
 * ```
 */
export type Transform = MapTransform | HeatTransform | RankTransform | CutTransform;

const isScalar = (value: unknown) =>
  value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);

/** Refuses what is no list of transforms. */
export function checkTransforms(list: unknown): asserts list is readonly Transform[] {
  const verb = "sample";
  if (!Array.isArray(list)) {
    throw new TypeError(refusal(verb, "sampler", "be a list of transforms", list));
  }
  for (const [i, one] of list.entries()) {
    const own = isObject(one) ? one : {}, { name, parameters = {} } = own;
    const acts = ["map", "heat", "cut", "keep"].filter((act) => act in own), act = own[acts[0]!];
    const isOne = acts.length === 1 && (typeof act === "function" || isObject(act));
    if (!isOne || typeof name !== "string" || name === "") {
      const rule = "have a name and a function 'map', which is all that it does";
      throw new TypeError(refusal(verb, `sampler[${i}]`, rule, one));
    }
    if (!isObject(parameters) || !Object.values(parameters).every(isScalar)) {
      const rule = "be an object of finite numbers, texts, true, false and null";
      throw new TypeError(refusal(verb, `sampler[${i}].parameters`, rule, parameters));
    }
  }
}

/** Bounds of what is a number, here and in the settings of the same names. */
export const BOUNDS = {
  temperature: { min: 0 },
  topK: { min: 0, integer: true },
  topP: { min: 0, max: 1, exclusiveMin: true },
  minP: { min: 0, max: 1 },
  typicalP: { min: 0, max: 1, exclusiveMin: true },
  topNSigma: { min: 0 },
  epsilonCutoff: { min: 0, max: 1 },
  etaCutoff: { min: 0, max: 1 },
  repetitionPenalty: { min: 0, exclusiveMin: true },
} as const;

/** Name and knob of a transform with one number. */
function known(name: keyof typeof BOUNDS, knob: string, value: number): TransformRecord {
  checkNumber("sample", name, value, BOUNDS[name]);
  return { name, parameters: { [knob]: value } };
}

/**
 * Divides positive logits of tokens in prompt and text, and multiplies negative ones. Source: CTRL (arXiv
 * 1909.05858), as in Hugging Face transformers.
 */
export const repetitionPenalty = (penalty: number): MapTransform => ({
  ...known("repetitionPenalty", "penalty", penalty),
  map(logits, { prompt, generated }) {
    for (const id of new Set([...prompt, ...generated])) {
      logits[id]! *= logits[id]! > 0 ? 1 / penalty : penalty;
    }
    return logits;
  },
});

/** Subtracts `presence + count · frequency` from logits of tokens in the text, the prompt left out. */
export const countPenalty = (presence: number, frequency = 0): MapTransform => ({
  name: "countPenalty",
  parameters: { presence, frequency },
  map(logits, { generated }) {
    const counts = new Map<number, number>();
    for (const id of generated) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) logits[id]! -= presence + count * frequency;
    return logits;
  },
});

/** Refuses a token that there is not. */
function checkToken(name: string, logits: Float64Array, id: string | number): void {
  if (id in logits) return;
  throw new RangeError(refusal("sample", name, `name tokens from 0 to ${logits.length - 1}`, id));
}

/** Adds to logits, by token id. */
export const logitBias = (bias: Readonly<Record<number, number>>): MapTransform => ({
  name: "logitBias",
  parameters: { ...bias },
  map(logits) {
    for (const [id, value] of Object.entries(bias)) {
      checkToken("logitBias", logits, id);
      logits[Number(id)]! += value;
    }
    return logits;
  },
});

/** Cuts all tokens but some. */
export const allowedTokens = (ids: readonly number[]): MapTransform => ({
  name: "allowedTokens",
  parameters: { ids: ids.join(",") },
  map(logits) {
    const out = new Float64Array(logits.length).fill(-Infinity);
    for (const id of ids) {
      checkToken("allowedTokens", logits, id);
      out[id] = logits[id]!;
    }
    return out;
  },
});

/**
 * Cuts logits below `max − n · σ`, σ the standard deviation of the finite logits (of the population). A
 * temperature changes neither side of the rule. Source: top-nσ, arXiv 2411.07641.
 */
export const topNSigma = (n: number): MapTransform => ({
  ...known("topNSigma", "n", n),
  map(logits) {
    const finite = logits.filter(Number.isFinite), mean = sumOf(finite) / finite.length;
    const variance = sumOf(finite.map((l) => (l - mean) ** 2)) / finite.length;
    const least = finite[argmax(finite)]! - n * Math.sqrt(variance);
    return logits.map((l) => l >= least ? l : -Infinity);
  },
});

/** Multiplies the temperature; 0 takes the most probable token, the lowest id among equals. */
export const temperature = (factor: number): HeatTransform => ({
  ...known("temperature", "temperature", factor),
  heat: (before) => before * factor,
  factor,
});

/**
 * Multiplies the temperature by `base^(theta / H)`, H the entropy in nats of the logits at the temperature
 * so far, before any cut. Source: EDT, arXiv 2403.14541.
 */
export const entropyTemperature = (
  { base, theta }: { readonly base: number; readonly theta: number },
): HeatTransform => ({
  name: "entropyTemperature",
  parameters: { base, theta },
  heat(before, logits) {
    if (base === 1 || theta === 0 || before === 0) return before;
    const entropy = entropyOf(softmax(logits, before));
    return entropy > 0 ? before * base ** (theta / entropy) : 0;
  },
});

/** Keeps the k most probable tokens; 0 keeps all. */
export const topK = (k: number): RankTransform => ({
  ...known("topK", "k", k),
  keep: { most: k === 0 ? Infinity : k },
});

/** Keeps the smallest set of most probable tokens with at least this mass; 1 keeps all. */
export const topP = (mass: number): RankTransform => ({
  ...known("topP", "mass", mass),
  keep: { mass: mass === 1 ? Infinity : mass },
});

/** Keeps tokens with at least this share of the largest probability. */
export const minP = (share: number): RankTransform => ({
  ...known("minP", "share", share),
  keep: { share },
});

/** A cut of probabilities that sum to 1. */
function cut(
  record: TransformRecord,
  keep: (p: readonly number[]) => number[],
): CutTransform {
  return {
    ...record,
    cut(weights) {
      const sum = sumOf(weights);
      return keep(weights.map((weight) => weight / sum));
    },
  };
}

/** Places of probabilities from a bound on, and of the largest one always. */
function atLeast(p: readonly number[], bound: number): number[] {
  const least = Math.min(bound, p[argmax(p)]!);
  return Array.from(p.keys()).filter((place) => p[place]! >= least);
}

/**
 * Keeps tokens whose surprisal is nearest to the entropy, up to a mass; those as near as the last one are
 * kept as well, and the most probable one may not be. Source: locally typical sampling, arXiv 2202.00666.
 */
export const typicalP = (mass: number): CutTransform =>
  cut(known("typicalP", "mass", mass), (p) => {
    const entropy = entropyOf(p);
    const distance = p.map((own) => Math.abs(-Math.log(own) - entropy));
    const order = Array.from(p.keys()).sort((a, b) => distance[a]! - distance[b]! || a - b);
    let kept = 0, cumulative = 0;
    while (kept < order.length && cumulative < mass) cumulative += p[order[kept++]!]!;
    const farthest = distance[order[kept - 1]!]!;
    return order.filter((place) => distance[place]! <= farthest).sort((a, b) => a - b);
  });

/** Keeps tokens of at least this probability. Source: arXiv 2210.15191. */
export const epsilonCutoff = (epsilon: number): CutTransform =>
  cut(known("epsilonCutoff", "epsilon", epsilon), (p) => atLeast(p, epsilon));

/** Keeps tokens of at least `min(η, √η · e^−H)`, H the entropy in nats. Source: arXiv 2210.15191. */
export const etaCutoff = (eta: number): CutTransform =>
  cut(
    known("etaCutoff", "eta", eta),
    (p) => atLeast(p, Math.min(eta, Math.sqrt(eta) * Math.exp(-entropyOf(p)))),
  );
