/**
 * `config.json` and `generation_config.json` of a Hugging Face checkpoint, parsed and checked.
 *
 * What an architecture's config says is read beside its graph, in `lib/graph`; what it does not
 * implement is refused by name.
 *
 * @module
 */

import { ARCHITECTURES, type DecoderConfig, type Json, refuseField } from "../graph/mod.ts";
import { mistakenText, parseJson } from "./_contents.ts";

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
  /** Mass of locally typical tokens. */
  readonly typicalP?: number;
  /** Least probability. */
  readonly epsilonCutoff?: number;
  /** Least probability, falling with the entropy. */
  readonly etaCutoff?: number;
  /** Factor on the logits of tokens that were there. */
  readonly repetitionPenalty?: number;
  /** Largest number of generated tokens. */
  readonly maxNewTokens?: number;
}

/** Parses a JSON object; `file` names it in errors. NaN and Infinity are read, as Python writes them. */
export function parseObject(text: string, file: string): Json {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const what = mistakenText(text);
    const why = what === undefined ? "" : `: it is ${what}`;
    throw new SyntaxError(`Cannot load the model as ${file} is not valid JSON${why}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(`Cannot load the model as ${file} must hold a JSON object`);
  }
  return value as Json;
}

/**
 * Parses `config.json`.
 *
 * @param text The file.
 * @returns The decoder's shape.
 * @throws {SyntaxError} Where a field is missing, wrong, or asks for what is not implemented.
 */
export function parseConfig(text: string): DecoderConfig {
  const json = parseObject(text, "config.json"), architecture = json.model_type;
  if (typeof architecture !== "string" || !Object.hasOwn(ARCHITECTURES, architecture)) {
    const known = Object.keys(ARCHITECTURES).join(", ");
    return refuseField("model_type", `be one of ${known}`, architecture);
  }
  return ARCHITECTURES[architecture]!.parse(json);
}

/** Ids of all end-of-text tokens: `eos_token_id` is a number, a list, or absent. */
export function eosTokenIds(generation: Json, config: Json): number[] {
  const value = generation.eos_token_id ?? config.eos_token_id ?? [];
  const ids = Array.isArray(value) ? value : [value];
  if (!ids.every((id) => Number.isInteger(id) && id >= 0)) {
    refuseField("eos_token_id", "be a token id or a list of them", value);
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
    typical_p: "typicalP",
    epsilon_cutoff: "epsilonCutoff",
    eta_cutoff: "etaCutoff",
    repetition_penalty: "repetitionPenalty",
    max_new_tokens: "maxNewTokens",
  };
  return Object.fromEntries(
    Object.entries(names)
      .filter(([name]) => typeof json[name] === "number")
      .map(([name, ours]) => [ours, json[name]]),
  );
}
