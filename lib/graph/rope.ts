/**
 * Rotary position embedding: settings of a checkpoint, and the tables made from them.
 *
 * `angle[p, i] = p · f_i`, `f_i = theta^(−2i/d)`, i < d/2 (RoFormer, arXiv 2104.09864), in float64.
 * Longer contexts are reached by scaling the frequencies; the rules and their names are those of
 * `modeling_rope_utils.py` in transformers 4.57 and 5.24. What each allows, where P is
 * `max_position_embeddings` and O `original_max_position_embeddings` (default: P):
 *
 * - linear: `f / factor`. P positions, and P · factor when asked for (O · factor where there is an O), as
 *   some configs state P before scaling and some after it. Gemma 3 states it after: P.
 * - dynamic: plain up to P. Beyond, all frequencies change with the length of the sequence, also those
 *   of keys in the cache: refused.
 * - llama3: by wavelength, kept, divided, or between the two (Llama 3.1). P is the context after
 *   scaling: P.
 * - yarn: kept below a dimension, divided above another, a ramp between them, and cosines and sines
 *   times an attention factor (arXiv 2309.00071; bounds rounded outwards unless `truncate` is false).
 *   O · factor positions, or P where that is more.
 * - longrope: one factor per frequency, from a list for short or for long contexts, and an attention
 *   factor (arXiv 2402.13753). P, O unless more is asked for.
 *
 * Deviation: transformers chooses longrope's list anew at each call, by the length of the sequence so
 * far, while keys in the cache keep the rotation they had. Here one table serves the whole cache, as
 * in vLLM: the long list where the model is loaded for more than the original context, else the short.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { type Fields, fieldsOf, type Json } from "./fields.ts";

/** How the rotary frequencies are scaled. */
export type RopeScaling =
  | { readonly type: "default" }
  | { readonly type: "linear" | "dynamic"; readonly factor: number }
  | {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly originalPositions: number;
  }
  | {
    readonly type: "yarn";
    readonly factor: number;
    readonly betaFast: number;
    readonly betaSlow: number;
    readonly originalPositions: number;
    readonly truncate: boolean;
    readonly attentionFactor: number;
  }
  | {
    readonly type: "longrope";
    readonly short: readonly number[];
    readonly long: readonly number[];
    readonly originalPositions: number;
    readonly attentionFactor: number;
  };

/** Rotary settings of a model. */
export interface Rope {
  /** Number of dimensions of a head that are rotated, from the first on; even. */
  readonly dims: number;
  /** Base of the frequencies. */
  readonly theta: number;
  /** Scaling of the frequencies. */
  readonly scaling: RopeScaling;
}

/** Frequencies of a scaling. */
function scaled(
  scaling: RopeScaling,
  plain: readonly number[],
  theta: number,
  positions: number,
): readonly number[] {
  const dims = 2 * plain.length;
  switch (scaling.type) {
    case "default":
    case "dynamic": // as far as positions are allowed
      return plain;
    case "linear":
      return plain.map((f) => f / scaling.factor);
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      return plain.map((f) => {
        const turns = scaling.originalPositions * f / (2 * Math.PI); // within the original context
        if (turns > high) return f;
        if (turns < low) return f / factor;
        const kept = (turns - low) / (high - low);
        return (1 - kept) * f / factor + kept * f;
      });
    }
    case "yarn": {
      /** The dimension whose frequency makes so many turns within the original context. */
      const dimensionOf = (turns: number) =>
        dims * Math.log(scaling.originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
      const bounds = [dimensionOf(scaling.betaFast), dimensionOf(scaling.betaSlow)] as const;
      const low = Math.max(scaling.truncate ? Math.floor(bounds[0]) : bounds[0], 0);
      let high = Math.min(scaling.truncate ? Math.ceil(bounds[1]) : bounds[1], dims - 1);
      if (low === high) high += 0.001;
      return plain.map((f, i) => {
        const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
        return f / scaling.factor * ramp + f * (1 - ramp);
      });
    }
    case "longrope": {
      const list = positions > scaling.originalPositions ? scaling.long : scaling.short;
      return plain.map((f, i) => f / list[i]!);
    }
  }
}

/**
 * Tables of cosines and sines for positions 0 … positions − 1, each `[positions, dims / 2]`, row by row.
 *
 * @param dims Number of rotated dimensions of a head, even.
 * @param theta Base of the frequencies.
 * @param scaling Scaling of the frequencies; default: none.
 *
 * @example The first position is not rotated
 * ```ts
 * import { ropeTables } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const { cos, sin } = ropeTables(2, 4, 10_000);
 * assertEquals([cos[0], cos[1], sin[0], sin[1]], [1, 1, 0, 0]);
 * assertEquals(cos[2], Math.fround(Math.cos(1)));
 * ```
 */
export function ropeTables(
  positions: number,
  dims: number,
  theta: number,
  scaling: RopeScaling = { type: "default" },
): { readonly cos: Float32Array<ArrayBuffer>; readonly sin: Float32Array<ArrayBuffer> } {
  const half = dims / 2;
  const plain = Array.from({ length: half }, (_, i) => theta ** (-2 * i / dims));
  const frequencies = scaled(scaling, plain, theta, positions);
  const factor = "attentionFactor" in scaling ? scaling.attentionFactor : 1;
  const cos = new Float32Array(positions * half), sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      cos[position * half + i] = factor * Math.cos(angle);
      sin[position * half + i] = factor * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** What rotary settings leave to the rest of the config. */
interface RopeContext {
  readonly headDim: number;
  /** Share of a head that is rotated. Default: what the settings say, else 1. */
  readonly partial: number | undefined;
  readonly maxPositions: number;
  /** Context before scaling, a field of its own in configs with longrope. */
  readonly originalPositions?: number | undefined;
}

function longrope(f: Fields, dims: number, context: RopeContext): RopeScaling {
  const { maxPositions, originalPositions } = context;
  const list = (name: string) => {
    const value = f.take(name);
    const valid = Array.isArray(value) && value.length === dims / 2 &&
      value.every((item) => typeof item === "number" && item > 0 && item < Infinity);
    if (valid) return value as number[];
    return f.refuse(name, `be a list of ${dims / 2} positive numbers`, value);
  };
  const original = originalPositions ?? f.size("original_max_position_embeddings");
  const factor = maxPositions / original; // the settings' own factor does not count in transformers
  f.skip("factor");
  const attentionFactor = f.optionalPositive("attention_factor") ??
    (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original)));
  return {
    type: "longrope",
    short: list("short_factor"),
    long: list("long_factor"),
    originalPositions: original,
    attentionFactor,
  };
}

function yarn(f: Fields, { maxPositions, originalPositions }: RopeContext): RopeScaling {
  /** What the library takes for absent where it is 0. */
  const positive = (name: string) => f.take(name) === 0 ? undefined : f.optionalPositive(name);
  const inside = f.optionalSize("original_max_position_embeddings");
  const stated = originalPositions ?? inside;
  const factor = f.take("factor") === undefined && stated !== undefined
    ? maxPositions / stated
    : f.positive("factor");
  const m = positive("mscale"), all = positive("mscale_all_dim");
  const mscale = (m: number) => factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1;
  const inferred = m !== undefined && all !== undefined ? mscale(m) / mscale(all) : mscale(1);
  return {
    type: "yarn",
    factor,
    betaFast: positive("beta_fast") ?? 32,
    betaSlow: positive("beta_slow") ?? 1,
    originalPositions: stated ?? maxPositions,
    truncate: f.flag("truncate"),
    attentionFactor: f.optionalPositive("attention_factor") ?? inferred,
  };
}

function llama3(f: Fields): RopeScaling {
  const low = f.positive("low_freq_factor"), high = f.positive("high_freq_factor");
  if (high <= low) f.refuse("high_freq_factor", `be greater than ${low}`, high);
  return {
    type: "llama3",
    factor: f.positive("factor"),
    lowFrequencyFactor: low,
    highFrequencyFactor: high,
    originalPositions: f.size("original_max_position_embeddings"),
  };
}

/** Checks rotary settings, under the names of transformers 5; `path` is their name in errors. */
function ropeOf(settings: Json, path: string, context: RopeContext): Rope {
  const f = fieldsOf(settings, path, { rope_type: "default", truncate: true });
  const type = f.take("rope_type"), theta = f.positive("rope_theta");
  const own = f.optionalPositive("partial_rotary_factor");
  const { partial = own ?? 1, headDim } = context;
  if (own !== undefined && own !== partial) {
    f.refuse("partial_rotary_factor", `be ${partial}`, own);
  }
  const dims = Math.trunc(headDim * partial);
  if (dims < 2 || dims > headDim || dims % 2 !== 0) {
    f.refuse("partial_rotary_factor", `make an even number of ${headDim} dimensions`, partial);
  }
  const scalings: Readonly<Record<string, () => RopeScaling>> = {
    default: () => ({ type: "default" }),
    linear: () => ({ type: "linear", factor: f.positive("factor") }),
    dynamic: () => ({ type: "dynamic", factor: f.positive("factor") }),
    llama3: () => llama3(f),
    yarn: () => yarn(f, context),
    longrope: () => longrope(f, dims, context),
  };
  if (typeof type !== "string" || !Object.hasOwn(scalings, type)) {
    f.refuse("rope_type", `be one of ${Object.keys(scalings).join(", ")}`, type);
  }
  const scaling = scalings[type as string]!();
  f.skip("original_max_position_embeddings", "finetuned"); // some configs say it where nothing uses it
  f.done({ strict: true });
  return { dims, theta, scaling };
}

/** The largest `max_position_embeddings` that a config may state. */
const MOST_POSITIONS = 1 << 24;

/** How many positions a model has: unless told otherwise, and at most. */
function reachOf(scaling: RopeScaling, stated: number, originalPositions: number) {
  const reach = (original: number, factor: number) =>
    Math.min(MOST_POSITIONS, Math.max(stated, Math.floor(original * factor)));
  if (scaling.type === "yarn") {
    return { maxPositions: reach(scaling.originalPositions, scaling.factor) };
  }
  const longest = scaling.type === "linear" ? reach(originalPositions, scaling.factor) : stated;
  return { maxPositions: stated, ...(longest > stated && { longestPositions: longest }) };
}

/**
 * Rotary settings as they stand in a config: `rope_parameters` (transformers 5), or `rope_theta` and
 * `rope_scaling` (before), or both where they agree.
 */
function ropeSettings(f: Fields): { settings: Json; path: string } {
  const optional = (name: string) => f.take(name) === undefined ? undefined : f.object(name);
  const parameters = optional("rope_parameters") ?? {}, scaling = optional("rope_scaling");
  const base = f.positive("rope_theta");
  const path = scaling === undefined ? "rope_parameters" : "rope_scaling";
  const { type: oldType, ...named } = scaling ?? {};
  const old: Json = oldType === undefined ? named : { rope_type: oldType, ...named };
  if (scaling !== undefined) {
    // what the library calls rope_type was called type
    const type = old.rope_type ?? undefined;
    if (type === undefined || (oldType !== undefined && oldType !== type)) {
      f.refuse("rope_scaling", "name one rope_type", scaling);
    }
    for (const [name, value] of Object.entries(parameters)) {
      if (name in old && JSON.stringify(old[name]) !== JSON.stringify(value)) {
        f.refuse("rope_scaling", "agree with rope_parameters", scaling);
      }
    }
  }
  return { settings: { rope_theta: base, ...old, ...parameters }, path };
}

/** What the rotary settings of an architecture may say. */
export interface RopeOptions {
  /** Whether `partial_rotary_factor` may leave part of each head as it is; default false. */
  readonly partialRotary?: boolean;
  /** Whether layers with a window have a rotation of their own, as in Gemma 3; default false. */
  readonly hasLocalRope?: boolean;
}

/** Reads the rotary settings of a config, and how many positions it has by them. */
export function ropesOf(f: Fields, headDim: number, maxPositions: number, options: RopeOptions) {
  const partial = options.partialRotary ? f.optionalPositive("partial_rotary_factor") : 1;
  const context = { headDim, partial, maxPositions };
  if (options.hasLocalRope) {
    const ropes = ropesByLayer(f, context), { theta, scaling } = ropes.rope;
    const reach = reachOf(scaling, maxPositions, maxPositions); // linear: stated after scaling
    return { ...ropes, ropeTheta: theta, maxPositions: reach.maxPositions };
  }
  const { settings, path } = ropeSettings(f);
  const originalPositions = f.optionalSize("original_max_position_embeddings");
  const rope = ropeOf(settings, path, { ...context, originalPositions });
  const inside = settings.original_max_position_embeddings;
  const stated = Number.isSafeInteger(inside) && Number(inside) > 0 ? Number(inside) : maxPositions;
  const reach = reachOf(rope.scaling, maxPositions, originalPositions ?? stated);
  return { rope, ropeTheta: rope.theta, ...reach };
}

/** One set a kind of layer (transformers 5), or the global ones and a local base. */
function ropesByLayer(f: Fields, context: RopeContext) {
  const parameters = f.take("rope_parameters"), local = f.positive("rope_local_base_freq");
  const isByLayer = (named: Json) => "full_attention" in named || "sliding_attention" in named;
  if (isObject(parameters) && isByLayer(parameters)) {
    const own = fieldsOf(parameters, "rope_parameters");
    const of = (kind: string, theta: number) =>
      ropeOf({ rope_theta: theta, ...own.object(kind) }, `rope_parameters.${kind}`, context);
    const ropes = { rope: of("full_attention", 1e6), localRope: of("sliding_attention", local) };
    own.done({ strict: true });
    f.only("rope_scaling", undefined);
    f.skip("rope_theta");
    return ropes;
  }
  const { settings, path } = ropeSettings(f);
  const localRope: Rope = { dims: context.headDim, theta: local, scaling: { type: "default" } };
  return { rope: ropeOf(settings, path, context), localRope };
}
