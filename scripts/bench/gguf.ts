/**
 * A quantised checkpoint as a GGUF file, what llama.cpp reads: the int4 weights as Q4_0, those of the
 * head as Q8_0, embedding rows as they are.
 *
 * The integers are the same; a scale is rounded from fp32 to fp16, which is all that the format has.
 * The vocabulary is made up: prompts are token ids.
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @module
 */

import type { DecoderConfig, QuantizedWeight, Weight } from "../../lib/graph/mod.ts";
import { bytesOf, type QuantizedCopy } from "./quantized_copy.ts";

/** Numbers of value types in the metadata. */
const U32 = 4, I32 = 5, F32 = 6, STRING = 8, ARRAY = 9;
/** Names and numbers of tensor types. */
const TENSOR_TYPE = { float32: 0, q4_0: 2, q8_0: 8, bfloat16: 30 } as const;
/** Numbers of a block, and the boundary that tensors start at. */
const BLOCK = 32, ALIGNMENT = 32;

const encoder = new TextEncoder();

/** Bytes that are collected one value after the other, little-endian. */
function byteWriter() {
  let bytes = new Uint8Array(2 ** 16), end = 0;
  const put = (value: Uint8Array) => {
    if (end + value.length > bytes.length) {
      const larger = new Uint8Array(2 * (end + value.length));
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(value, end);
    end += value.length;
  };
  const scratch = new DataView(new ArrayBuffer(8)), scratchBytes = new Uint8Array(scratch.buffer);
  return {
    u32(value: number) {
      scratch.setUint32(0, value, true);
      put(scratchBytes.subarray(0, 4));
    },
    u64(value: number) {
      scratch.setBigUint64(0, BigInt(value), true);
      put(scratchBytes);
    },
    f32(value: number) {
      scratch.setFloat32(0, value, true);
      put(scratchBytes.subarray(0, 4));
    },
    text(value: string) {
      const encoded = encoder.encode(value);
      this.u64(encoded.length);
      put(encoded);
    },
    align: () => put(new Uint8Array((ALIGNMENT - end % ALIGNMENT) % ALIGNMENT)),
    finish: () => bytes.subarray(0, end),
  };
}
type ByteWriter = ReturnType<typeof byteWriter>;

/** Writes a key and its value. */
type Entry = (w: ByteWriter) => void;

const entry = (key: string, type: number, value: Entry): Entry => (w) => {
  w.text(key);
  w.u32(type);
  value(w);
};
const text = (key: string, value: string) => entry(key, STRING, (w) => w.text(value));
const size = (key: string, value: number) => entry(key, U32, (w) => w.u32(value));
const float = (key: string, value: number) => entry(key, F32, (w) => w.f32(value));
const list = <T>(
  key: string,
  type: number,
  values: T[],
  write: (w: ByteWriter, value: T) => void,
) =>
  entry(key, ARRAY, (w) => {
    w.u32(type);
    w.u64(values.length);
    for (const value of values) write(w, value);
  });

function metadata(config: DecoderConfig): Entry[] {
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
    list("tokenizer.ggml.tokens", STRING, names, (w, name) => w.text(name)),
    list("tokenizer.ggml.token_type", I32, names, (w) => w.u32(NORMAL)),
    list("tokenizer.ggml.merges", STRING, [`${names[1]} ${names[2]}`], (w, merge) => w.text(merge)),
    size("tokenizer.ggml.eos_token_id", config.vocabularySize - 1),
  ];
}

/** A tensor of the file. */
interface Tensor {
  readonly name: string;
  readonly type: keyof typeof TENSOR_TYPE;
  /** Rows first. */
  readonly dims: readonly number[];
  readonly length: number;
  bytes(): Uint8Array<ArrayBuffer>;
}

/** Blocks of Q4_0 or Q8_0: a scale, then the integers. */
function blocksOf(
  files: QuantizedCopy["files"],
  { bits, data, scales }: QuantizedWeight,
): Uint8Array<ArrayBuffer> {
  const from = bytesOf(files, data), size = BLOCK * bits / 8, count = from.length / size;
  const s = new Float32Array(files[scales.location]!.buffer, scales.offset, count);
  const to = new Uint8Array(count * (2 + size));
  const half = new Float16Array(1), halfBytes = new Uint8Array(half.buffer);
  for (let block = 0; block < count; block++) {
    const source = block * size, target = block * (2 + size);
    half[0] = s[block]!;
    to.set(halfBytes, target);
    if (bits === 8) { // from 0 … 255 around 128 to signed
      for (let i = 0; i < size; i++) to[target + 2 + i] = from[source + i]! ^ 0x80;
    } else { // from pairs of neighbours to pairs half a block apart
      for (let i = 0; i < size; i += 2) {
        const first = from[source + i / 2]!, second = from[source + (size + i) / 2]!;
        to[target + 2 + i] = (first & 15) | (second & 15) << 4;
        to[target + 3 + i] = first >> 4 | (second & 0xf0);
      }
    }
  }
  return to;
}

function widened(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const halves = new Uint16Array(bytes.slice().buffer);
  return new Uint8Array(Uint32Array.from(halves, (half) => half << 16).buffer);
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

function tensorsOf({ files, tensors: stored }: QuantizedCopy): Tensor[] {
  const exact = (name: string, weight: Weight): Tensor =>
    weight.dims.length === 1
      ? {
        name,
        type: "float32",
        dims: weight.dims,
        length: 2 * weight.length,
        bytes: () => widened(bytesOf(files, weight)),
      }
      : {
        name,
        type: "bfloat16",
        dims: weight.dims,
        length: weight.length,
        bytes: () => bytesOf(files, weight),
      };
  const quantized = (name: string, { dims, quantized }: Weight): Tensor => {
    const { bits, data } = quantized!;
    return {
      name,
      type: bits === 8 ? "q8_0" : "q4_0",
      dims,
      length: data.length + 2 * data.length / (BLOCK * bits / 8),
      bytes: () => blocksOf(files, quantized!),
    };
  };
  const tensors: Tensor[] = [];
  for (const [name, weight] of stored) {
    const layer = /^model\.layers\.(\d+)\.(.*)\.weight$/.exec(name);
    if (name === "model.norm.weight") tensors.push(exact("output_norm.weight", weight));
    else if (name === "model.embed_tokens.weight") {
      tensors.push(exact("token_embd.weight", weight), quantized("output.weight", weight));
    } else {
      const place = `blk.${layer![1]}.${LAYER[layer![2]!]}.weight`;
      tensors.push(weight.quantized ? quantized(place, weight) : exact(place, weight));
    }
  }
  return tensors;
}

/**
 * Writes a GGUF file.
 *
 * @param copy A Qwen3 checkpoint in bf16 with tied embeddings, and its quantised copy.
 * @param path The file.
 */
export async function writeGguf(copy: QuantizedCopy, path: string): Promise<void> {
  const tensors = tensorsOf(copy), entries = metadata(copy.config), w = byteWriter();
  const VERSION = 3, MAGIC = 0x46554747;
  w.u32(MAGIC);
  w.u32(VERSION);
  w.u64(tensors.length);
  w.u64(entries.length);
  for (const write of entries) write(w);
  let offset = 0;
  for (const { name, type, dims, length } of tensors) {
    w.text(name);
    w.u32(dims.length);
    for (const size of dims.toReversed()) w.u64(size);
    w.u32(TENSOR_TYPE[type]);
    w.u64(offset);
    offset += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  w.align();
  using file = await Deno.create(path);
  const put = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await put(w.finish());
  for (const { bytes, length } of tensors) {
    await put(bytes());
    await put(new Uint8Array((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT));
  }
}
