/**
 * GGUF metadata as the configuration files of a Hugging Face folder.
 *
 * Where a converter writes nothing because llama.cpp has the value built in (Gemma 3's windows, its
 * factor of the scores), the value of the checkpoints stands here. Keys of an architecture that are not
 * known are refused: they would change what it computes.
 *
 * @module
 */

import { dequantize } from "./blocks.ts";
import type { Gguf, GgufValue } from "./parse.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Refuses a value of the metadata. */
export function refuse(key: string, rule: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot load the GGUF file as '${key}' must ${rule}: current value is ${
      value === undefined ? "missing" : JSON.stringify(value)
    }`,
  );
}

/** Metadata read with its kind checked. */
export interface Metadata {
  number(key: string): number | undefined;
  integer(key: string): number;
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  texts(key: string): readonly string[];
  numbers(key: string): ArrayLike<number> | undefined;
}

/** Reads metadata. */
export function metadataOf({ metadata }: Pick<Gguf, "metadata">): Metadata {
  const of = <T extends GgufValue>(
    key: string,
    rule: string,
    is: (value: GgufValue) => boolean,
  ) => {
    const value = metadata.get(key);
    if (value === undefined || is(value)) return value as T | undefined;
    return refuse(key, rule, value);
  };
  const number = (key: string) => of<number>(key, "be a number", (v) => typeof v === "number");
  return {
    number,
    integer(key) {
      const value = number(key);
      return value !== undefined && Number.isSafeInteger(value) && value >= 0
        ? value
        : refuse(key, "be an integer from 0", value);
    },
    text: (key) => of<string>(key, "be a text", (v) => typeof v === "string"),
    flag: (key) => of<boolean>(key, "be true or false", (v) => typeof v === "boolean"),
    texts: (key) =>
      of<readonly string[]>(
        key,
        "be a list of texts",
        (v) => Array.isArray(v) && v.every((one) => typeof one === "string"),
      ) ??
        refuse(key, "be a list of texts", undefined),
    numbers: (key) =>
      of<ArrayLike<number>>(
        key,
        "be a list of numbers",
        (v) => typeof v === "object" && !Array.isArray(v),
      ),
  };
}

/** Keys of an architecture that say nothing that is not known from elsewhere. */
const SILENT = ["vocab_size", "rope.scaling.finetuned"];

/** Metadata of one architecture: keys without its name, remembered as they are read. */
function keysOf(m: Metadata, arch: string, { metadata }: Gguf) {
  const known = new Set(SILENT), prefix = `${arch}.`;
  const asked = (key: string) => {
    known.add(key);
    return prefix + key;
  };
  return {
    number: (key: string) => m.number(asked(key)),
    integer: (key: string) => m.integer(asked(key)),
    text: (key: string) => m.text(asked(key)),
    positive(key: string): number {
      const value = m.number(asked(key));
      return value !== undefined && value > 0 ? value : refuse(prefix + key, "be positive", value);
    },
    /** Refuses a key whose value is not the one that is understood. */
    only(key: string, value: number, why: string) {
      const found = m.number(asked(key)) ?? value;
      if (found !== value) refuse(prefix + key, `be ${value} (${why})`, found);
    },
    /** Refuses keys that nobody has read. */
    done() {
      for (const [key, value] of metadata) {
        if (!key.startsWith(prefix) || known.has(key.slice(prefix.length))) continue;
        refuse(key, "not be there, as its meaning is not known: load the safetensors", value);
      }
    },
  };
}
type Keys = ReturnType<typeof keysOf>;

/** A float32 as the decimal that was meant: 1e-5 and not 9.999999747378752e-6. */
const decimal = (value: number) => Number(value.toPrecision(6));

/** A short list of numbers that the file holds as a tensor. */
function listOf(
  name: string,
  { tensors }: Gguf,
  files: readonly Uint8Array[],
): number[] | undefined {
  const tensor = tensors.get(name);
  if (!tensor) return undefined;
  const { type, dims, offset, length, part = 0 } = tensor;
  if (dims.length !== 1 || dims[0]! > 4096) refuse(name, "be a list of at most 4096 numbers", dims);
  const numbers = new Float32Array(dims[0]!);
  dequantize(type, files[part]!.subarray(offset, offset + length), numbers);
  return [...numbers];
}

/** The factor of cosines and sines that yarn takes from its factor. */
const yarnFactor = (factor: number) => factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;

/**
 * `rope_scaling`: by metadata, or by lists of factors in tensors.
 *
 * `attn_factor` multiplies cosines and sines whatever else does, as llama.cpp has it; `yarn_attn_factor`
 * is what its converter writes for `attention_factor`, the whole of that factor. Keys that a kind of
 * scaling does not read stay unread, and are refused as all unread ones.
 */
function ropeScaling(
  keys: Keys,
  arch: string,
  gguf: Gguf,
  files: readonly Uint8Array[],
): Json | null {
  const named = (key: string) => `${arch}.rope.scaling.${key}`;
  const factor = keys.number("rope.scaling.factor") || undefined; // 0: none, as in llama.cpp
  const isScaled = factor !== undefined && factor !== 1;
  const type = keys.text("rope.scaling.type") ?? (isScaled ? "linear" : "none");
  const original = keys.number("rope.scaling.original_context_length") || undefined;
  const stated = keys.number("rope.scaling.attn_factor"), attention = stated ?? 1;
  if (!(attention > 0)) refuse(named("attn_factor"), "be positive", attention);
  const freqs = listOf("rope_freqs.weight", gguf, files); // Llama 3: what divides the frequencies
  const long = listOf("rope_factors_long.weight", gguf, files) ?? freqs;
  const short = listOf("rope_factors_short.weight", gguf, files) ?? freqs;
  if (long && short) {
    if (type !== "none" && type !== "longrope") {
      refuse(named("type"), "be none or longrope beside tensors of factors", type);
    }
    const whole = freqs ? attention : stated;
    return {
      ...{ rope_type: "longrope", long_factor: long, short_factor: short },
      ...(whole === undefined ? {} : { attention_factor: whole }),
    };
  }
  if (long || short) refuse("rope_factors_long.weight", "stand beside rope_factors_short", "one");
  if (type === "yarn") {
    if (factor === undefined) refuse(named("factor"), "be a number", factor);
    const whole = keys.number("rope.scaling.yarn_attn_factor");
    if (whole !== undefined && !(whole > 0)) {
      refuse(named("yarn_attn_factor"), "be positive", whole);
    }
    keys.only("rope.scaling.yarn_ext_factor", 1, "the whole of yarn's ramp");
    return {
      ...{ rope_type: "yarn", factor, original_max_position_embeddings: original },
      beta_fast: keys.number("rope.scaling.yarn_beta_fast") ?? 32,
      beta_slow: keys.number("rope.scaling.yarn_beta_slow") ?? 1,
      attention_factor: (whole ?? yarnFactor(factor!)) * attention,
    };
  }
  if (attention !== 1) refuse(named("attn_factor"), `be 1 with scaling of type ${type}`, attention);
  if (type === "none") return null;
  if (type === "linear") return isScaled ? { rope_type: "linear", factor } : null;
  return refuse(named("type"), "be none, linear, yarn or longrope with its tensors", type);
}

/** What an architecture says beside what all say. */
const OWN: Readonly<
  Record<string, (keys: Keys, shape: Shape, has: (name: string) => boolean) => Json>
> = {
  llama(keys, _, has) {
    keys.only("expert_count", 0, "mixtures of experts: load the safetensors");
    keys.only("expert_used_count", 0, "mixtures of experts: load the safetensors");
    return {
      attention_bias: has("attn_q.bias"),
      mlp_bias: has("ffn_gate.bias"),
      hidden_act: "silu",
    };
  },
  qwen2: () => ({ hidden_act: "silu", use_sliding_window: false }),
  qwen3: (_, __, has) => ({
    ...{ hidden_act: "silu", use_sliding_window: false, attention_bias: has("attn_q.bias") },
  }),
  olmo2: (_, __, has) => ({ hidden_act: "silu", attention_bias: has("attn_q.bias") }),
  phi3: (keys, { headDim, rotary }) => ({
    hidden_act: "silu",
    sliding_window: keys.number("attention.sliding_window") || null,
    original_max_position_embeddings: keys.number("rope.scaling.original_context_length") ??
      keys.integer("context_length"),
    ...(rotary === headDim ? {} : { partial_rotary_factor: rotary / headDim }),
  }),
  gemma3: (keys, { layers, heads, headDim, hidden }, has) => ({
    model_type: "gemma3_text",
    hidden_activation: "gelu_pytorch_tanh",
    sliding_window: keys.integer("attention.sliding_window"),
    sliding_window_pattern: keys.number("attention.sliding_window_pattern") ?? 6,
    rope_local_base_freq: decimal(keys.number("rope.freq_base_swa") ?? 10_000),
    query_pre_attn_scalar: layers === 62 ? hidden / heads : headDim, // 62 layers: the 27B model
    final_logit_softcapping: keys.number("final_logit_softcapping") || null,
    attention_bias: has("attn_q.bias"),
  }),
};

/** Architectures whose tensors and metadata are understood. */
export const GGUF_ARCHITECTURES: readonly string[] = Object.keys(OWN);

/** Sizes that an architecture's own part asks for. */
interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly hidden: number;
  readonly rotary: number;
}

/**
 * `config.json` of a GGUF file.
 *
 * @param gguf The header.
 * @param files Its parts, mapped, for lists that they hold as tensors.
 * @throws {SyntaxError} Where the architecture is another, or a field is missing, of the wrong kind, or
 * not known.
 */
export function configOf(gguf: Gguf, files: readonly Uint8Array[]): Json {
  const m = metadataOf(gguf), { tensors } = gguf, arch = m.text("general.architecture");
  if (arch === undefined || !Object.hasOwn(OWN, arch)) {
    const known = GGUF_ARCHITECTURES.join(", ");
    refuse("general.architecture", `be one of ${known} (load other models from safetensors)`, arch);
  }
  const keys = keysOf(m, arch!, gguf);
  const heads = keys.integer("attention.head_count"), hidden = keys.integer("embedding_length");
  const vocabulary = m.texts("tokenizer.ggml.tokens").length;
  const rows = tensors.get("token_embd.weight")?.dims[0];
  if (rows !== vocabulary) {
    refuse(
      "tokenizer.ggml.tokens",
      `be as many as token_embd.weight has rows, ${rows}`,
      vocabulary,
    );
  }
  const headDim = keys.number("attention.key_length") ?? hidden / heads;
  keys.only("attention.value_length", headDim, "heads of values as long as those of keys");
  const rotary = keys.number("rope.dimension_count") ?? headDim;
  if (arch !== "phi3") keys.only("rope.dimension_count", headDim, "a whole head");
  const layers = keys.integer("block_count");
  const config: Json = {
    model_type: arch,
    hidden_size: hidden,
    intermediate_size: keys.integer("feed_forward_length"),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keys.number("attention.head_count_kv") ?? heads,
    head_dim: headDim,
    max_position_embeddings: keys.integer("context_length"),
    rms_norm_eps: decimal(keys.positive("attention.layer_norm_rms_epsilon")),
    rope_theta: decimal(keys.number("rope.freq_base") ?? 10_000),
    rope_scaling: ropeScaling(keys, arch!, gguf, files),
    tie_word_embeddings: !tensors.has("output.weight"),
    vocab_size: vocabulary,
    eos_token_id: eosOf(m),
    ...OWN[arch!]!(
      keys,
      { layers, heads, headDim, hidden, rotary },
      (part) => tensors.has(`blk.0.${part}`),
    ),
  };
  const scaling = config.rope_scaling as Json | null;
  if (scaling?.rope_type === "longrope" && arch !== "phi3") {
    scaling.original_max_position_embeddings = config.max_position_embeddings;
  }
  keys.done();
  return config;
}

/** Ids that end a text. */
export function eosOf(m: Metadata): number[] {
  const ids = ["eos", "eot", "eom"].map((name) => m.number(`tokenizer.ggml.${name}_token_id`))
    .filter((id) => id !== undefined);
  return [...new Set(ids)];
}

/** Names of recommended sampler settings in the file, and in `generation_config.json`. */
const SAMPLING: Readonly<Record<string, string>> = {
  ...{ temp: "temperature", top_k: "top_k", top_p: "top_p", min_p: "min_p" },
  penalty_repeat: "repetition_penalty",
};

/** `generation_config.json` of `general.sampling.*`; what it has no name for keeps its own. */
export function samplingOf({ metadata }: Pick<Gguf, "metadata">): Json {
  const prefix = "general.sampling.";
  return Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => {
      const name = key.slice(prefix.length);
      const decimals = typeof value === "number" ? decimal(value) : value;
      return [Object.hasOwn(SAMPLING, name) ? SAMPLING[name]! : key, decimals];
    }),
  );
}
