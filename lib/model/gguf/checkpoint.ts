/**
 * The tensors of a GGUF file under the names that checkpoints give them.
 *
 * Floats lie in the file as a checkpoint has them, and are used where they lie. What is in blocks, and
 * what the format reorders or shifts, is encoded: a load converts it into the form that it needs.
 *
 * @module
 */

import type { Weight } from "../../graph/mod.ts";
import { elements } from "../../runtime/mod.ts";
import type { Checkpoint, Encoded } from "../checkpoint.ts";
import { dequantize, FLOATS, pack, packingOf } from "./blocks.ts";
import type { Json } from "./metadata.ts";
import { GGUF_TYPES, type GgufTensor, readableType } from "./parse.ts";
import { openGguf } from "./split.ts";

/** Location names of the file's parts, and of what it cannot give as it is. */
const fileOf = (part: number) => part === 0 ? ":gguf" : `:gguf${part + 1}`, ENCODED = ":encoded";

/** Parts of a layer by their names in the file. */
const PARTS: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  ffn_norm: "post_attention_layernorm",
  post_attention_norm: "post_attention_layernorm",
  post_ffw_norm: "post_feedforward_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_qkv: "self_attn.qkv_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Where an architecture names a part otherwise. */
const OWN_PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gemma3: { ffn_norm: "pre_feedforward_layernorm" },
  phi3: { ffn_up: "mlp.gate_up_proj" },
};

/** Tensors that say how positions are rotated; the configuration holds them. */
const ROPE = /^rope_(freqs|factors_(long|short))\.weight$/;

/** Name of a tensor in a checkpoint. */
function nameOf(name: string, arch: string): string {
  if (name === "token_embd.weight") return "model.embed_tokens.weight";
  if (name === "output_norm.weight") return "model.norm.weight";
  if (name === "output.weight") return "lm_head.weight";
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer === undefined || !Object.hasOwn(PARTS, part!)) {
    const shown = JSON.stringify(name);
    throw new SyntaxError(`Cannot load the GGUF file as its tensor ${shown} is not known`);
  }
  return `model.layers.${layer}.${OWN_PARTS[arch]?.[part!] ?? PARTS[part!]}.${kind}`;
}

/**
 * Where a row of the checkpoint lies in the file: `llama` stores q and k with their rotary pairs side by
 * side, a checkpoint with their halves apart.
 */
function sourceOf(name: string, { dims }: GgufTensor, config: Json, arch: string) {
  const [, part] = /\.attn_([qk])\.(?:weight|bias)$/.exec(name) ?? [];
  if (arch !== "llama" || part === undefined) return undefined;
  const heads = Number(part === "q" ? config.num_attention_heads : config.num_key_value_heads);
  const size = dims[0]! / heads, half = size / 2;
  if (!Number.isInteger(half)) {
    const rule = `${name} must have ${heads} heads of equal and even size`;
    throw new SyntaxError(`Cannot load the GGUF file as ${rule}: current value is ${dims[0]} rows`);
  }
  return (row: number) => {
    const head = Math.floor(row / size), within = row % size;
    return head * size + 2 * (within % half) + Math.floor(within / half);
  };
}

/** Opens the tensors of a file, of a split one by any part; a SyntaxError for an unknown one. */
export function ggufCheckpoint(path: string, config: Json): Checkpoint {
  using scope = new DisposableStack();
  const { gguf, files } = scope.use(openGguf(path));
  const arch = String(gguf.metadata.get("general.architecture"));
  const tensors = new Map<string, Weight>(), encoded = new Map<string, Encoded>();
  for (const [stored, tensor] of gguf.tensors) {
    if (ROPE.test(stored)) continue;
    const name = nameOf(stored, arch), { dims, offset, length, part = 0 } = tensor;
    const type = readableType(stored, tensor.type);
    const place = { location: fileOf(part), offset, length };
    const rows = sourceOf(stored, tensor, config, arch);
    const isShifted = arch === "gemma3" && stored.endsWith("norm.weight"); // 1 + w is in the file
    if (GGUF_TYPES[type].numbers === 1 && !rows && !isShifted) {
      tensors.set(name, { type: FLOATS[type as keyof typeof FLOATS], dims, ...place });
      continue;
    }
    encoded.set(name, {
      ...{ type, ...place },
      ...(rows && { sourceOf: rows }),
      ...(isShifted && { add: -1 }),
      widen: (bytes, into) => dequantize(type, bytes, into),
      packing: packingOf(type),
      pack: (bytes, into) => pack(type, bytes, into),
    });
    tensors.set(name, {
      ...{ type: "float32", dims, location: ENCODED, offset: 0, length: 4 * elements(dims) },
    });
  }
  const opened = scope.move();
  return {
    files: Object.fromEntries(files.map((file, part) => [fileOf(part), file])),
    tensors,
    encoded,
    strict: true, // an unused tensor would change what is computed
    [Symbol.dispose]: () => opened.dispose(),
  };
}
