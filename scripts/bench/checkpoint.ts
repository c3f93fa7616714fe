/**
 * Random checkpoints of real shapes: what a step costs depends on the shapes of the weights and not
 * on what they hold, so that no download is needed to measure it.
 */

import { join } from "node:path";

/** Qwen3-0.6B, by its published `config.json`. */
export const QWEN3_06B = {
  model_type: "qwen3",
  hidden_size: 1024,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  intermediate_size: 3072,
  vocab_size: 151936,
  hidden_act: "silu",
  max_position_embeddings: 40960,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
};

/** Experts of a layer, those of a token, and their width. */
const experts = (num_experts: number, num_experts_per_tok: number, width: number) => ({
  ...{ model_type: "qwen3_moe", num_experts, num_experts_per_tok },
  ...{ moe_intermediate_size: width, norm_topk_prob: true },
});

/** Fields of a `config.json`. */
export type Shape = typeof QWEN3_06B & Partial<ReturnType<typeof experts>>;

/** A mixture of experts in the manner of Qwen3-30B-A3B, small enough for 1 GB in bf16. */
export const QWEN3_MOE: Shape = {
  ...QWEN3_06B,
  ...{ num_hidden_layers: 12, num_key_value_heads: 4, head_dim: 64 },
  ...experts(32, 8, 256),
};

/** Both in small, to see that everything runs: their figures mean nothing. */
export const SMALL: Shape = {
  ...QWEN3_06B,
  ...{ hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
  ...{ head_dim: 32, intermediate_size: 96, vocab_size: 2048 },
};

/** See {@linkcode SMALL}. */
export const SMALL_MOE: Shape = { ...SMALL, ...experts(4, 2, 32) };

/** Names and shapes of a checkpoint's tensors, in the order of the file. */
export function tensorsOf(shape: Shape): [name: string, dims: number[]][] {
  const { hidden_size: D, intermediate_size: M, head_dim: H, num_experts: E } = shape;
  const Q = shape.num_attention_heads * H, K = shape.num_key_value_heads * H;
  const tensors: [string, number[]][] = [
    ["model.embed_tokens.weight", [shape.vocab_size, D]],
    ["model.norm.weight", [D]],
  ];
  if (!shape.tie_word_embeddings) tensors.push(["lm_head.weight", [shape.vocab_size, D]]);
  const mlp = (prefix: string, width: number): Record<string, number[]> => ({
    [`${prefix}.gate_proj`]: [width, D],
    [`${prefix}.up_proj`]: [width, D],
    [`${prefix}.down_proj`]: [D, width],
  });
  for (let layer = 0; layer < shape.num_hidden_layers; layer++) {
    const own: Record<string, number[]> = {
      "input_layernorm": [D],
      "post_attention_layernorm": [D],
      "self_attn.q_proj": [Q, D],
      "self_attn.k_proj": [K, D],
      "self_attn.v_proj": [K, D],
      "self_attn.o_proj": [D, Q],
      "self_attn.q_norm": [H],
      "self_attn.k_norm": [H],
    };
    if (E === undefined) Object.assign(own, mlp("mlp", M));
    else {
      own["mlp.gate"] = [E, D];
      for (let expert = 0; expert < E; expert++) {
        Object.assign(own, mlp(`mlp.experts.${expert}`, shape.moe_intermediate_size!));
      }
    }
    for (const [name, dims] of Object.entries(own)) {
      tensors.push([`model.layers.${layer}.${name}.weight`, dims]);
    }
  }
  return tensors;
}

/** Number of a tensor's elements. */
const countOf = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/** Middle of a tensor's uniform weights, and how far they reach from it: the size of trained ones. */
export function spreadOf(dims: readonly number[]): { middle: number; reach: number } {
  return dims.length === 1
    ? { middle: 1, reach: 0.1 }
    : { middle: 0, reach: Math.sqrt(3 / dims[1]!) };
}

/** Writes `model.safetensors` of 16-bit tensors, whose bytes come in pieces, and then `config.json`. */
export async function writeHalves(
  folder: string,
  shape: Shape,
  dtype: "BF16" | "F16",
  bytesOf: (count: number, dims: readonly number[]) => Iterable<Uint8Array>,
): Promise<void> {
  const tensors = tensorsOf(shape), header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, dims] of tensors) {
    header[name] = { dtype, shape: dims, data_offsets: [end, end += 2 * countOf(dims)] };
  }
  const json = JSON.stringify(header); // the tensors start at a multiple of 64, as in real files
  const text = new TextEncoder().encode(json.padEnd(Math.ceil((json.length + 8) / 64) * 64 - 8));
  using file = await Deno.open(join(folder, "model.safetensors"), { write: true, create: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer));
  await write(text);
  for (const [, dims] of tensors) {
    for (const piece of bytesOf(countOf(dims), dims)) await write(piece);
  }
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(shape));
}

/** Writes a checkpoint in bf16, the same at every call. */
export async function writeCheckpoint(folder: string, shape: Shape): Promise<void> {
  const floats = new Float32Array(2 ** 22), halves = new Uint16Array(floats.length);
  const bits = new Uint32Array(floats.buffer);
  let state = 1;
  await writeHalves(folder, shape, "BF16", function* (count, dims) {
    const { middle, reach } = spreadOf(dims);
    for (let done = 0; done < count; done += floats.length) {
      const size = Math.min(floats.length, count - done);
      for (let i = 0; i < size; i++) { // xorshift32
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        floats[i] = middle + reach * state / 2 ** 31;
        halves[i] = bits[i]! >>> 16;
      }
      yield new Uint8Array(halves.buffer, 0, 2 * size);
    }
  });
}
