/**
 * `config.json` and `generation_config.json` of a Hugging Face checkpoint, parsed and checked.
 *
 * What an architecture's config says is read beside its graph, in `lib/graph`; what it does not
 * implement is refused by name.
 *
 * @module
 */

import { ARCHITECTURES, type DecoderConfig, type Json, refuseField } from "../graph/mod.ts";
import { boolean, checkNumber, isObject, type NumberRule, shown } from "../_check.ts";
import { parseJson } from "../_json.ts";
import { mistakenText } from "./_contents.ts";

/** Sampler settings that a checkpoint recommends. */
export interface GenerationDefaults {
  /** Softmax temperature; 0 where sampling is switched off (`do_sample: false`). */
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
  /** Subtracted from the logit of every token in the text. */
  readonly presencePenalty?: number;
  /** Subtracted once for every time that a token is in the text. */
  readonly frequencyPenalty?: number;
  /** Largest number of generated tokens. */
  readonly maxNewTokens?: number;
}

/** Stands for NaN while the rest is read. */
const NAN = "\uE000NaN";
/** JSON for the numbers that it has not. */
const WORDS: Readonly<Record<string, string>> = {
  ...{ NaN: `"${NAN}"`, Infinity: "1e999", "-Infinity": "-1e999" },
};

function parsePlain(json: string): unknown {
  return JSON.parse(json, json.includes(NAN) ? (_, v) => v === NAN ? NaN : v : undefined);
}

/** Parses a JSON object; `file` names it in errors. NaN and Infinity are read, as Python writes them. */
export function parseObject(text: string, file: string): Json {
  let value: unknown;
  try {
    value = parseJson(text, parsePlain, (word) => WORDS[word]!);
  } catch (cause) {
    const what = mistakenText(text);
    const why = what === undefined ? "" : `: it is ${what}`;
    throw new SyntaxError(`Cannot load the model as ${file} is not valid JSON${why}`, { cause });
  }
  if (isObject(value)) return value;
  throw new SyntaxError(`Cannot load the model as ${file} must hold a JSON object`);
}

/** The part of a config that is about text: `text_config` of a multimodal one, else all of it. */
export function textConfig(json: Json): Json {
  return isObject(json.text_config) ? json.text_config : json;
}

/** Refuses weights that another tool quantised: nothing here reads their formats. */
function refuseQuantized(json: Json): void {
  for (const name of ["quantization_config", "compression_config"]) {
    const settings = json[name] ?? textConfig(json)[name] ?? undefined;
    if (settings === undefined || Object.keys(settings).length === 0) continue;
    const { quant_method: method, quant_type: type } = isObject(settings) ? settings : {};
    const rule = "be left out: weights quantised " +
      (method || type ? `by ${method ?? type} ` : "") +
      "are not read, load the model's unquantised files, or a GGUF file";
    refuseField(name, rule, settings);
  }
}

/**
 * Parses `config.json`. Of a multimodal model whose text part is a known architecture
 * (`text_config.model_type`) that part is taken.
 *
 * @throws {SyntaxError} Where a field is missing, wrong, or asks for what is not implemented.
 */
export function parseConfig(text: string): DecoderConfig {
  const json = parseObject(text, "config.json"), architecture = json.model_type;
  refuseQuantized(json);
  const isKnown = (name: unknown): name is string =>
    typeof name === "string" && Object.hasOwn(ARCHITECTURES, name);
  if (isKnown(architecture)) return ARCHITECTURES[architecture]!.parse(json);
  const own = textConfig(json), part = own.model_type;
  if (typeof architecture !== "string" || !isKnown(part)) {
    const known = Object.keys(ARCHITECTURES).join(", ");
    return refuseField("model_type", `be one of ${known}`, architecture);
  }
  const tied = json.tie_word_embeddings ?? own.tie_word_embeddings; // the whole decides over its part
  return ARCHITECTURES[part]!.parse({ ...own, tie_word_embeddings: tied ?? null });
}

/**
 * The config with the head that the checkpoint has (`lm_head.weight`): where it has none and the
 * file does not say whether the embeddings are tied, they are; where the file says both, as
 * multimodal ones may, a head that is there is used. One that is due and missing is a SyntaxError.
 */
export function headed(config: DecoderConfig, text: string, hasHead: boolean): DecoderConfig {
  const json = parseObject(text, "config.json"), own = textConfig(json).tie_word_embeddings;
  const stated = own ?? json.tie_word_embeddings ?? undefined;
  if (hasHead) return own === false ? { ...config, tiedEmbeddings: false } : config;
  if (config.tiedEmbeddings) return config;
  const classes = Array.isArray(json.architectures) ? json.architectures : [];
  const isLm = classes.every((name) => /(ForCausalLM|ForConditionalGeneration|Model)$/.test(name));
  if (stated === undefined && isLm) return { ...config, tiedEmbeddings: true };
  throw new SyntaxError(
    `Cannot load the model as the checkpoint has no tensor 'lm_head.weight' and 'tie_word_embeddings' ` +
      `in config.json is ${stated ?? "absent"}: it was saved without the head that makes text` +
      (classes.length > 0 ? ` (${classes.join(", ")})` : ""),
  );
}

/** Ids of all end-of-text tokens: `eos_token_id` is a number, a list, or absent. */
export function eosTokenIds(generation: Json, config: Json): number[] {
  const value = generation.eos_token_id ?? config.eos_token_id ??
    textConfig(config).eos_token_id ?? [];
  const ids = Array.isArray(value) ? value : [value];
  if (!ids.every((id) => Number.isInteger(id) && id >= 0)) {
    refuseField("eos_token_id", "be a token id or a list of them", value);
  }
  return ids as number[];
}

/** Fields of `generation_config.json` that are followed, their names here, and their rules. */
const FOLLOWED: Readonly<
  Record<string, readonly [name: keyof GenerationDefaults, rule: NumberRule]>
> = {
  temperature: ["temperature", { min: 0 }],
  top_k: ["topK", { min: 0, integer: true }],
  top_p: ["topP", { min: 0, max: 1, exclusiveMin: true }],
  min_p: ["minP", { min: 0, max: 1 }],
  typical_p: ["typicalP", { min: 0, max: 1, exclusiveMin: true }],
  epsilon_cutoff: ["epsilonCutoff", { min: 0, max: 1 }],
  eta_cutoff: ["etaCutoff", { min: 0, max: 1 }],
  repetition_penalty: ["repetitionPenalty", { min: 0, exclusiveMin: true }],
  presence_penalty: ["presencePenalty", {}],
  frequency_penalty: ["frequencyPenalty", {}],
  max_new_tokens: ["maxNewTokens", { min: 1, integer: true }],
};

/** Fields that ask for nothing, or are read elsewhere. */
const SILENT = new Set([
  ...["do_sample", "eos_token_id", "bos_token_id", "pad_token_id", "decoder_start_token_id"],
  ...["transformers_version", "_from_model_config", "trust_remote_code", "use_cache"],
  ...["cache_implementation", "cache_config", "return_legacy_cache", "compile_config"],
  ...["disable_compile", "low_memory", "prefill_chunk_size", "output_attentions"],
  ...["output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate"],
  ...["num_return_sequences", "renormalize_logits", "remove_invalid_values", "is_assistant"],
  ...["num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold"],
  ...["assistant_early_exit", "assistant_lookbehind", "target_lookbehind"],
  ...["prompt_lookup_num_tokens", "max_matching_ngram_size", "generation_kwargs", "chat_format"],
  ...["length_penalty", "early_stopping", "diversity_penalty", "num_beam_groups"], // of beams alone
]);

/** Values at which other fields ask for nothing, beside null, false, 0, "" and what is empty. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  ...{ num_beams: 1, encoder_repetition_penalty: 1, guidance_scale: 1, top_h: 1 },
};

/** What some of the others would do. */
const MEANING: Readonly<Record<string, string>> = {
  num_beams: "beam search",
  penalty_alpha: "contrastive search",
  max_length: "a limit to prompt and answer together; give maxNewTokens",
};

/**
 * Sampler settings of `generation_config.json`; fields that it lacks stay absent. `do_sample: false` is
 * temperature 0, whatever temperature stands beside it.
 */
export function generationDefaults(json: Json): GenerationDefaults {
  const found: Record<string, number> = {}, sample = json.do_sample ?? undefined;
  try {
    for (const [name, [ours, rule]] of Object.entries(FOLLOWED)) {
      const stated = json[name] ?? undefined;
      if (stated === undefined) continue;
      const value = name === "top_k" && stated === -1 ? 0 : stated; // vLLM's word for all
      found[ours] = checkNumber("load the model", name, value, rule);
    }
    if (sample !== undefined) boolean("load the model", "do_sample", sample);
  } catch (cause) {
    const { message } = cause as Error;
    throw new SyntaxError(message.replace(/'\w+'/, "$& in generation_config.json"), { cause });
  }
  return sample === false ? { ...found, temperature: 0 } : found;
}

/** What `generation_config.json` recommends and is not followed: one sentence, or none. */
export function generationNotes(json: Json): string[] {
  const isOff = (value: unknown) =>
    !value || (typeof value === "object" && Object.keys(value).length === 0);
  const names = Object.entries(json).filter(([name, value]) =>
    !Object.hasOwn(FOLLOWED, name) && !SILENT.has(name) && !isOff(value) &&
    !(Object.hasOwn(NEUTRAL, name) && NEUTRAL[name] === value) &&
    !(name === "max_length" && typeof json.max_new_tokens === "number")
  );
  const told = names.map(([name, value]) => {
    const meaning = Object.hasOwn(MEANING, name) ? ` (${MEANING[name]})` : "";
    return `${name} ${shown(value)}${meaning}`;
  });
  return told.length === 0
    ? []
    : [`generation_config.json asks for what is not followed here: ${told.join(", ")}`];
}
