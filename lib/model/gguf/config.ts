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
import { type Json, type Metadata, metadataOf } from "./metadata.ts";
import { type Gguf, readableType } from "./parse.ts";

/** A float32 as the decimal that was meant: 1e-5 and not 9.999999747378752e-6. */
const decimal = (value: number) => Number(value.toPrecision(6));

/** A short list of numbers that the file holds as a tensor. */
function listOf(name: string, gguf: Gguf, files: readonly Uint8Array[]): number[] | undefined {
  const tensor = gguf.tensors.get(name);
  if (!tensor) return undefined;
  const { dims, offset, length, part = 0 } = tensor, [count] = dims;
  const type = readableType(name, tensor.type);
  if (dims.length !== 1 || count! > 4096) {
    return metadataOf(gguf).refuse(name, "be a list of at most 4096 numbers", dims);
  }
  const numbers = new Float32Array(count!);
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
function ropeScaling(keys: Metadata, gguf: Gguf, files: readonly Uint8Array[]): Json | null {
  const at = (key: string) => `rope.scaling.${key}`;
  const number = (key: string) => keys.number(at(key));
  const factor = number("factor") || undefined; // 0: none, as in llama.cpp
  const isScaled = factor !== undefined && factor !== 1;
  const type = keys.text(at("type")) ?? (isScaled ? "linear" : "none");
  const original = number("original_context_length") || undefined;
  const stated = number("attn_factor"), attention = stated ?? 1;
  if (!(attention > 0)) keys.refuse(at("attn_factor"), "be positive", attention);
  const freqs = listOf("rope_freqs.weight", gguf, files); // Llama 3: what divides the frequencies
  const long = listOf("rope_factors_long.weight", gguf, files) ?? freqs;
  const short = listOf("rope_factors_short.weight", gguf, files) ?? freqs;
  if (long && short) {
    if (type !== "none" && type !== "longrope") {
      keys.refuse(at("type"), "be none or longrope beside tensors of factors", type);
    }
    const whole = freqs ? attention : stated;
    return {
      ...{ rope_type: "longrope", long_factor: long, short_factor: short },
      ...(whole === undefined ? {} : { attention_factor: whole }),
    };
  }
  if (long || short) {
    const rule = "stand beside rope_factors_short";
    return metadataOf(gguf).refuse("rope_factors_long.weight", rule, "one");
  }
  if (type === "yarn") {
    if (factor === undefined) return keys.refuse(at("factor"), "be a number", factor);
    const whole = number("yarn_attn_factor");
    if (whole !== undefined && !(whole > 0)) {
      keys.refuse(at("yarn_attn_factor"), "be positive", whole);
    }
    keys.only(at("yarn_ext_factor"), 1, "the whole of yarn's ramp");
    return {
      ...{ rope_type: "yarn", factor, original_max_position_embeddings: original },
      beta_fast: number("yarn_beta_fast") ?? 32,
      beta_slow: number("yarn_beta_slow") ?? 1,
      attention_factor: (whole ?? yarnFactor(factor)) * attention,
    };
  }
  if (attention !== 1) {
    keys.refuse(at("attn_factor"), `be 1 with scaling of type ${type}`, attention);
  }
  if (type === "none") return null;
  if (type === "linear") return isScaled ? { rope_type: "linear", factor } : null;
  return keys.refuse(at("type"), "be none, linear, yarn or longrope with its tensors", type);
}

type Own = (keys: Metadata, shape: Shape, has: (name: string) => boolean) => Json;
/** What an architecture says beside what all say. */
const OWN: Readonly<Record<string, Own>> = {
  llama(keys, _, has) {
    keys.only("expert_count", 0, "mixtures of experts: load the safetensors");
    keys.only("expert_used_count", 0, "mixtures of experts: load the safetensors");
    const attention_bias = has("attn_q.bias");
    return { attention_bias, mlp_bias: has("ffn_gate.bias"), hidden_act: "silu" };
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

/** Sizes that an architecture's own part asks for. */
type Shape = Readonly<Record<"layers" | "heads" | "headDim" | "hidden" | "rotary", number>>;

/**
 * `config.json` of a header and the parts of its file, which may hold lists as tensors; a SyntaxError
 * for what is not known.
 */
export function configOf(gguf: Gguf, files: readonly Uint8Array[]): Json {
  const m = metadataOf(gguf), { tensors } = gguf, arch = m.text("general.architecture");
  if (arch === undefined || !Object.hasOwn(OWN, arch)) {
    const known = Object.keys(OWN).join(", ");
    const rule = `be one of ${known} with ONNX Runtime (llama.cpp reads others)`;
    return m.refuse("general.architecture", rule, arch);
  }
  const keys = metadataOf(gguf, `${arch}.`);
  const heads = keys.integer("attention.head_count"), hidden = keys.integer("embedding_length");
  const vocabulary = m.texts("tokenizer.ggml.tokens").length;
  const rows = tensors.get("token_embd.weight")?.dims[0];
  if (rows !== vocabulary) {
    const rule = `be as many as token_embd.weight has rows, ${rows}`;
    m.refuse("tokenizer.ggml.tokens", rule, vocabulary);
  }
  const headDim = keys.number("attention.key_length") ?? hidden / heads;
  keys.only("attention.value_length", headDim, "heads of values as long as those of keys");
  const rotary = keys.number("rope.dimension_count") ?? headDim;
  if (arch !== "phi3") keys.only("rope.dimension_count", headDim, "a whole head");
  const layers = keys.integer("block_count");
  const shape = { layers, heads, headDim, hidden, rotary };
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
    rope_scaling: ropeScaling(keys, gguf, files),
    tie_word_embeddings: !tensors.has("output.weight"),
    vocab_size: vocabulary,
    eos_token_id: eosOf(gguf),
    ...OWN[arch]!(keys, shape, (part) => tensors.has(`blk.0.${part}`)),
  };
  const scaling = config.rope_scaling as Json | null;
  if (scaling?.rope_type === "longrope" && arch !== "phi3") {
    scaling.original_max_position_embeddings = config.max_position_embeddings;
  }
  keys.done("vocab_size", "rope.scaling.finetuned"); // known from elsewhere
  return config;
}

/** Ids that end a text. */
export function eosOf(gguf: Pick<Gguf, "metadata">): number[] {
  const m = metadataOf(gguf, "tokenizer.ggml.");
  const ids = ["eos", "eot", "eom"].map((name) => m.number(`${name}_token_id`))
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
