/**
 * `config.json` and `generation_config.json` of a Hugging Face checkpoint, parsed and checked.
 *
 * What the graph does not implement is refused by name.
 *
 * @module
 */

import { ARCHITECTURES, type DecoderConfig } from "../graph/mod.ts";
import { shown } from "../_check.ts";

/** Sampler settings that a checkpoint recommends. */
export interface GenerationDefaults {
  /** Softmax temperature. */
  readonly temperature?: number;
  /** Number of most probable tokens kept. */
  readonly topK?: number;
  /** Nucleus mass. */
  readonly topP?: number;
  /** Least probability relative to the largest. */
  readonly minP?: number;
  /** Largest number of generated tokens. */
  readonly maxNewTokens?: number;
}

type Json = Readonly<Record<string, unknown>>;

function refuse(name: string, rule: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot load the model as '${name}' in config.json must ${rule}: current value is ${
      shown(value)
    }`,
  );
}

/** Parses a JSON object; `file` names it in errors. */
export function parseObject(text: string, file: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot load the model as ${file} is not valid JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(`Cannot load the model as ${file} must hold a JSON object`);
  }
  return value as Json;
}

function size(json: Json, name: string, max = 1 << 24): number {
  const value = json[name];
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= max) {
    return value;
  }
  return refuse(name, `be an integer from 1 to ${max}`, value);
}

function positive(json: Json, name: string): number {
  const value = json[name];
  if (typeof value === "number" && value > 0 && value < Infinity) return value;
  return refuse(name, "be a positive number", value);
}

/** Rope settings under their old names (`rope_theta`, `rope_scaling`) or new (`rope_parameters`). */
function ropeTheta(json: Json): number {
  const parameters = json.rope_parameters ?? {};
  if (typeof parameters !== "object" || Array.isArray(parameters)) {
    refuse("rope_parameters", "be an object", parameters);
  }
  const { rope_type: type = "default", rope_theta: theta } = parameters as Json;
  if (type !== "default") refuse("rope_parameters.rope_type", "be default", type);
  const scaling = json.rope_scaling ?? { type: "default" };
  const { rope_type: newType, type: oldType } = scaling as Json;
  const types = [newType, oldType].filter((value) => value !== undefined);
  if (types.length === 0 || types.some((value) => value !== "default")) {
    refuse("rope_scaling", "be absent or of type default", scaling);
  }
  return positive({ rope_theta: theta ?? json.rope_theta }, "rope_theta");
}

/**
 * Parses `config.json`.
 *
 * @param text The file.
 * @returns The decoder's shape.
 * @throws {SyntaxError} Where a field is missing, wrong, or asks for what is not implemented.
 */
export function parseConfig(text: string): DecoderConfig {
  const json = parseObject(text, "config.json");
  const architecture = json.model_type;
  if (typeof architecture !== "string" || !Object.hasOwn(ARCHITECTURES, architecture)) {
    refuse("model_type", `be one of ${Object.keys(ARCHITECTURES).join(", ")}`, architecture);
  }
  const only = (name: string, expected: unknown, fallback: unknown = expected) => {
    const value = json[name] ?? fallback;
    if (value !== expected) refuse(name, `be ${shown(expected)}`, value);
  };
  only("hidden_act", "silu");
  only("attention_bias", false);
  only("use_sliding_window", false);
  const tied = json.tie_word_embeddings ?? false;
  if (typeof tied !== "boolean") refuse("tie_word_embeddings", "be true or false", tied);
  const layerTypes = json.layer_types ?? [];
  if (!Array.isArray(layerTypes) || layerTypes.some((type) => type !== "full_attention")) {
    refuse("layer_types", "hold only full_attention", layerTypes);
  }

  const layers = size(json, "num_hidden_layers", 1024);
  const heads = size(json, "num_attention_heads", 4096);
  const kvHeads = size({ num_key_value_heads: heads, ...json }, "num_key_value_heads", heads);
  if (heads % kvHeads !== 0) refuse("num_key_value_heads", `divide ${heads}`, kvHeads);
  const hiddenSize = size(json, "hidden_size");
  const headDim = json.head_dim === undefined || json.head_dim === null
    ? hiddenSize / heads
    : size(json, "head_dim", 4096);
  if (!Number.isInteger(headDim) || headDim % 16 !== 0) {
    refuse("head_dim", "be a multiple of 16", headDim);
  }
  return {
    architecture,
    hiddenSize,
    layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: size(json, "intermediate_size"),
    vocabularySize: size(json, "vocab_size"),
    maxPositions: size(json, "max_position_embeddings"),
    rmsNormEps: positive(json, "rms_norm_eps"),
    ropeTheta: ropeTheta(json),
    tiedEmbeddings: tied,
    kv: Array.from({ length: layers }, (_, layer) => ({ layer, kvHeads, headDim })),
  };
}

/** Ids of all end-of-text tokens: `eos_token_id` is a number, a list, or absent. */
export function eosTokenIds(generation: Json, config: Json): number[] {
  const value = generation.eos_token_id ?? config.eos_token_id ?? [];
  const ids = Array.isArray(value) ? value : [value];
  if (!ids.every((id) => Number.isInteger(id) && id >= 0)) {
    refuse("eos_token_id", "be a token id or a list of them", value);
  }
  return ids as number[];
}

/** Sampler settings of `generation_config.json`; fields that it lacks stay absent. */
export function generationDefaults(json: Json): GenerationDefaults {
  const names = {
    temperature: "temperature",
    top_k: "topK",
    top_p: "topP",
    min_p: "minP",
    max_new_tokens: "maxNewTokens",
  };
  return Object.fromEntries(
    Object.entries(names)
      .filter(([name]) => typeof json[name] === "number")
      .map(([name, ours]) => [ours, json[name]]),
  );
}
