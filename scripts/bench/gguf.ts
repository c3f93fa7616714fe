/**
 * A GGUF file of a Qwen3 model. The vocabulary is made up: prompts are token ids.
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import { Buffer } from "node:buffer";
import type { DecoderConfig } from "../../lib/graph/mod.ts";

/** Numbers of value types in the metadata. */
const U32 = 4, I32 = 5, F32 = 6, STRING = 8, ARRAY = 9;
/** Names and numbers of tensor types. */
const TENSOR_TYPE = { float32: 0, float16: 1, q4_0: 2, q8_0: 8 } as const;
/** The boundary that tensors start at. */
const ALIGNMENT = 32;

const encoder = new TextEncoder();

/** Bytes in their order. */
type Parts = Uint8Array | readonly Parts[];

const u32 = (value: number): Parts => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number): Parts => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const string = (value: string): Parts => {
  const bytes = encoder.encode(value);
  return [u64(bytes.length), bytes];
};
/** What fills up to the next boundary. */
const padding = (length: number) => new Uint8Array((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT);

const entry = (key: string, type: number, value: Parts): Parts => [string(key), u32(type), value];
const text = (key: string, value: string) => entry(key, STRING, string(value));
const size = (key: string, value: number) => entry(key, U32, u32(value));
const float = (key: string, value: number) =>
  entry(key, F32, new Uint8Array(Float32Array.of(value).buffer));
const list = (key: string, type: number, values: readonly Parts[]) =>
  entry(key, ARRAY, [u32(type), u64(values.length), values]);

function metadata(config: DecoderConfig): Parts[] {
  const MOSTLY_Q4_0 = 2, NORMAL = 1, arch = "qwen3";
  const names = Array.from({ length: config.vocabularySize }, (_, id) => `<${id}>`);
  names[0] = "\u010a"; // a line feed, which llama.cpp looks for
  return [
    text("general.architecture", arch),
    text("general.name", "random"),
    size("general.file_type", MOSTLY_Q4_0),
    size("general.quantization_version", 2),
    size(`${arch}.block_count`, config.layers),
    size(`${arch}.context_length`, config.maxPositions),
    size(`${arch}.embedding_length`, config.hiddenSize),
    size(`${arch}.feed_forward_length`, config.intermediateSize),
    size(`${arch}.attention.head_count`, config.heads),
    size(`${arch}.attention.head_count_kv`, config.kvHeads),
    size(`${arch}.attention.key_length`, config.headDim),
    size(`${arch}.attention.value_length`, config.headDim),
    float(`${arch}.attention.layer_norm_rms_epsilon`, config.rmsNormEps),
    float(`${arch}.rope.freq_base`, config.ropeTheta),
    text("tokenizer.ggml.model", "gpt2"),
    text("tokenizer.ggml.pre", "qwen2"),
    list("tokenizer.ggml.tokens", STRING, names.map(string)),
    list("tokenizer.ggml.token_type", I32, names.map(() => u32(NORMAL))),
    list("tokenizer.ggml.merges", STRING, [string(`${names[1]} ${names[2]}`)]),
    size("tokenizer.ggml.eos_token_id", config.vocabularySize - 1),
  ];
}

/** A tensor of the file. */
export interface GgufTensor {
  /** Its name in the format. */
  readonly name: string;
  readonly type: keyof typeof TENSOR_TYPE;
  /** Rows first. */
  readonly dims: readonly number[];
  /** Number of bytes. */
  readonly length: number;
  /** The bytes in pieces, as they are written. */
  bytes(): Iterable<Uint8Array>;
}

/** Names of a layer's tensors, without prefix and `.weight`. */
const LAYER: Readonly<Record<string, string>> = {
  "input_layernorm": "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "post_attention_layernorm": "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** Name in the format of a checkpoint's tensor, the table of embeddings and the head apart. */
export function ggufName(name: string): string {
  const layer = /^model\.layers\.(\d+)\.(.*)\.weight$/.exec(name);
  return layer ? `blk.${layer[1]}.${LAYER[layer[2]!]}.weight` : "output_norm.weight";
}

/** Writes a GGUF file of a Qwen3 model. */
export async function writeTensors(
  config: DecoderConfig,
  tensors: readonly GgufTensor[],
  path: string,
): Promise<void> {
  const entries = metadata(config);
  const VERSION = 3, MAGIC = 0x46554747;
  let offset = 0;
  const infos = tensors.map(({ name, type, dims, length }): Parts => {
    const at = u64(offset);
    offset += length + padding(length).length;
    const sizes = dims.toReversed().map(u64);
    return [string(name), u32(dims.length), sizes, u32(TENSOR_TYPE[type]), at];
  });
  const counts = [u64(tensors.length), u64(entries.length)];
  const head: readonly unknown[] = [u32(MAGIC), u32(VERSION), counts, entries, infos];
  using file = await Deno.create(path);
  const put = async (pieces: Iterable<Uint8Array>) => {
    let length = 0;
    const write = async (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      length += bytes.length;
    };
    for (const piece of pieces) await write(piece);
    await write(padding(length));
  };
  await put([Buffer.concat(head.flat(Infinity) as Uint8Array[])]);
  for (const { bytes } of tensors) await put(bytes());
}
