/**
 * A checkpoint as a GGUF file, by the rules of llama.cpp's converter: its names and keys, rotary pairs of
 * llama side by side, Gemma's norms as 1 + w, Llama 3's frequencies as a tensor of factors.
 */

import { ropeTables } from "@moi/moi/graph";
import type { GgufTensorType } from "@moi/moi/model";
import type { StoredTensor } from "../../golden/golden.ts";
import { type Entry, gguf, type Tensor } from "./_file.ts";

type Json = Readonly<Record<string, unknown>>;

const NAMES: readonly [RegExp, string][] = [
  [/^model\.embed_tokens/, "token_embd"],
  [/^model\.norm/, "output_norm"],
  [/^lm_head/, "output"],
  [/^model\.layers\.(\d+)\./, "blk.$1."],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/self_attn\.qkv_proj/, "attn_qkv"],
  [/self_attn\.o_proj/, "attn_output"],
  [/self_attn\.([qk])_norm/, "attn_$1_norm"],
  [/mlp\.gate_up_proj/, "ffn_up"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
  [/input_layernorm/, "attn_norm"],
  [/pre_feedforward_layernorm/, "ffn_norm"],
  [/post_feedforward_layernorm/, "post_ffw_norm"],
];

function nameOf(name: string, arch: string): string {
  const after = arch === "gemma3" || arch === "olmo2" ? "post_attention_norm" : "ffn_norm";
  return [...NAMES, [/post_attention_layernorm/, after] as const]
    .reduce((text, [from, to]) => text.replace(from, to), name);
}

/** Rows of a head with their halves interleaved. */
function interleaved(data: Float32Array, rows: number, heads: number): Float32Array {
  const columns = data.length / rows, size = rows / heads, out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / size), within = row % size;
    const to = head * size + 2 * (within % (size / 2)) + Math.floor(within / (size / 2));
    out.set(data.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return out;
}

const bytesOf = (data: ArrayBufferView) =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

function floatsOf({ dtype, data }: StoredTensor): Float32Array {
  if (dtype === "F32") return data as Float32Array;
  return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
}

function scalingOf(config: Json): Json {
  const of = (config.rope_scaling ?? config.rope_parameters ?? {}) as Json;
  return { ...of, type: of.rope_type ?? of.type ?? "default" };
}

function ropeTensors(config: Json, headDim: number, theta: number): Record<string, Float32Array> {
  const scaling = scalingOf(config);
  if (scaling.type === "longrope") {
    return {
      "rope_factors_long.weight": Float32Array.from(scaling.long_factor as number[]),
      "rope_factors_short.weight": Float32Array.from(scaling.short_factor as number[]),
    };
  }
  if (scaling.type !== "llama3") return {};
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling as Record<
    string,
    number
  >;
  const original = scaling.original_max_position_embeddings as number;
  const { sin } = ropeTables(2, headDim, theta),
    { sin: other } = ropeTables(2, headDim, theta, {
      ...{ type: "llama3", factor: factor!, lowFrequencyFactor: low!, highFrequencyFactor: high! },
      originalPositions: original,
    });
  const half = headDim / 2, angle = (table: Float32Array, i: number) => Math.asin(table[half + i]!);
  // at position 1 the first angle is 1 radian and all others are less: asin undoes sin
  return {
    "rope_freqs.weight": Float32Array.from(
      { length: half },
      (_, i) => angle(sin, i) / angle(other, i),
    ),
  };
}

/** Keys of an architecture. */
function keysOf(config: Json, arch: string): Record<string, Entry> {
  const u32 = (key: string, value: unknown) => ({ [`${arch}.${key}`]: { u32: value as number } });
  const f32 = (key: string, value: unknown) => ({ [`${arch}.${key}`]: { f32: value as number } });
  const heads = config.num_attention_heads as number;
  const headDim = (config.head_dim ?? (config.hidden_size as number) / heads) as number;
  const scaling = scalingOf(config), theta = config.rope_theta ?? scaling.rope_theta;
  const partial = (config.partial_rotary_factor ?? scaling.partial_rotary_factor ?? 1) as number;
  const original = config.original_max_position_embeddings ??
    scaling.original_max_position_embeddings;
  const positions = config.max_position_embeddings as number;
  return {
    "general.architecture": { text: arch },
    ...u32("context_length", positions),
    ...u32("embedding_length", config.hidden_size),
    ...u32("feed_forward_length", config.intermediate_size),
    ...u32("block_count", config.num_hidden_layers),
    ...u32("attention.head_count", heads),
    ...u32("attention.head_count_kv", config.num_key_value_heads),
    ...f32("attention.layer_norm_rms_epsilon", config.rms_norm_eps),
    ...f32("rope.freq_base", theta),
    ...(arch === "phi3"
      ? {
        ...u32("rope.dimension_count", headDim * partial),
        ...u32("rope.scaling.original_context_length", original ?? positions),
        ...u32("attention.sliding_window", config.sliding_window ?? 0),
      }
      : { ...u32("attention.key_length", headDim), ...u32("attention.value_length", headDim) }),
    ...(arch === "gemma3" ? u32("attention.sliding_window", config.sliding_window) : {}),
    ...(scaling.type === "linear" || scaling.type === "yarn"
      ? {
        [`${arch}.rope.scaling.type`]: { text: scaling.type },
        ...f32("rope.scaling.factor", scaling.factor),
      }
      : {}),
    ...(scaling.type === "yarn"
      ? {
        ...u32("rope.scaling.original_context_length", original ?? 0),
        ...f32("rope.scaling.yarn_beta_fast", scaling.beta_fast ?? 32),
        ...f32("rope.scaling.yarn_beta_slow", scaling.beta_slow ?? 1),
        ...(scaling.attention_factor === undefined
          ? {}
          : f32("rope.scaling.yarn_attn_factor", scaling.attention_factor)),
      }
      : {}),
  };
}

/** A small vocabulary of one letter each, the first two tokens being BOS and EOS. */
export function vocabulary(size: number): Record<string, Entry> {
  const tokens = Array.from(
    { length: size },
    (_, i) => i < 2 ? `<|${i}|>` : String.fromCharCode(95 + i),
  );
  return {
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.pre": { text: "qwen2" },
    "tokenizer.ggml.tokens": { texts: tokens },
    "tokenizer.ggml.token_type": { i32s: tokens.map((_, i) => i < 2 ? 3 : 1) },
    "tokenizer.ggml.merges": { texts: [] },
    "tokenizer.ggml.bos_token_id": { u32: 0 },
    "tokenizer.ggml.eos_token_id": { u32: 1 },
    "tokenizer.chat_template": { text: "{{ messages[0].content }}" },
  };
}

/** The parts of a split file, as gguf-split makes them; a part may be without tensors. */
export function partsOf(
  metadata: Readonly<Record<string, Entry>>,
  parts: readonly Readonly<Record<string, Tensor>>[],
  changed: (part: number) => Readonly<Record<string, Entry>> = () => ({}),
): Uint8Array[] {
  const total = parts.reduce((sum, tensors) => sum + Object.keys(tensors).length, 0);
  return parts.map((tensors, no) => {
    const split: Record<string, Entry> = {
      ...{ "split.no": { u32: no }, "split.count": { u32: parts.length } },
      "split.tensors.count": { u32: total },
    };
    return gguf({ ...(no === 0 ? metadata : {}), ...split, ...changed(no) }, tensors);
  });
}

/** What the file is to have beside the checkpoint, or instead. */
export interface ConvertOptions {
  /** Keys of the metadata that are added or replaced. */
  readonly metadata?: Readonly<Record<string, Entry>>;
  /** Turns a matrix into blocks of a type; default: float32. */
  readonly blocks?: { readonly type: GgufTensorType; encode(values: Float32Array): Uint8Array };
}

/** A GGUF file of a checkpoint. */
export function ggufOf(
  config: Json,
  tensors: Readonly<Record<string, StoredTensor>>,
  options: ConvertOptions = {},
): Uint8Array {
  return gguf(...contentsOf(config, tensors, options));
}

/** What it holds. */
export function contentsOf(
  config: Json,
  tensors: Readonly<Record<string, StoredTensor>>,
  { metadata = {}, blocks }: ConvertOptions = {},
): [metadata: Record<string, Entry>, tensors: Record<string, Tensor>] {
  const type = String(config.model_type), arch = type === "gemma3_text" ? "gemma3" : type;
  const heads = Number(config.num_attention_heads), kvHeads = Number(config.num_key_value_heads);
  const keys = keysOf(config, arch);
  const headDim = Number(config.head_dim ?? Number(config.hidden_size) / heads);
  const theta = (keys[`${arch}.rope.freq_base`] as { f32: number }).f32;
  const stored: Record<string, Tensor> = {};
  for (const [name, data] of Object.entries(ropeTensors(config, headDim, theta))) {
    stored[name] = { type: "F32", dims: [data.length], data: bytesOf(data) };
  }
  for (const [hf, tensor] of Object.entries(tensors)) {
    const name = nameOf(hf, arch), { shape } = tensor;
    let data = floatsOf(tensor);
    const [, part] = /\.attn_([qk])\./.exec(name) ?? [];
    if (arch === "llama" && part) {
      data = interleaved(data, shape[0]!, part === "q" ? heads : kvHeads);
    }
    if (arch === "gemma3" && name.endsWith("norm.weight")) data = data.map((w) => w + 1);
    stored[name] = blocks && shape.length === 2
      ? { type: blocks.type, dims: [...shape], data: blocks.encode(data) }
      : { type: "F32", dims: [...shape], data: bytesOf(data) };
  }
  return [{ ...keys, ...vocabulary(Number(config.vocab_size)), ...metadata }, stored];
}
