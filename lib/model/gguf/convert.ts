/**
 * A GGUF file as a Hugging Face folder in the cache, made once.
 *
 * Numbers of block types are written as float32, exactly what their blocks stand for; F32, F16 and BF16
 * tensors are copied. So a load in fp32 computes with the file's very weights, and needs their size in
 * float32 on disk. The file is mapped, and converted a few rows at a time.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { mapFile, type MappedFile } from "../../runtime/mod.ts";
import type { Progress } from "../progress.ts";
import { configOf, eosOf, metadataOf } from "./config.ts";
import { dequantize } from "./dequantize.ts";
import { type Gguf, GGUF_TYPES, type GgufTensor, parseGguf } from "./parse.ts";
import { tokenizerOf } from "./tokenizer.ts";

/** Options of {@linkcode ggufFolder}. */
export interface GgufOptions {
  /** Folder for converted files. */
  readonly cacheDir: string;
  /** Called with the bytes that are written. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the conversion. */
  readonly signal?: AbortSignal;
}

/** Raised when the same file is to be converted otherwise. */
const VERSION = 1;
/** Numbers converted at a time. */
const CHUNK = 2 ** 20;
/** Bytes of a sample of the file's digest, and how many there are. */
const SAMPLE = 4096, SAMPLES = 64;

/** Parts of a layer by their names in the file. */
const PARTS: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  ffn_norm: "post_attention_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Name of a tensor in a Hugging Face checkpoint. */
function nameOf(name: string): string {
  if (name === "token_embd.weight") return "model.embed_tokens.weight";
  if (name === "output_norm.weight") return "model.norm.weight";
  if (name === "output.weight") return "lm_head.weight";
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer === undefined || !Object.hasOwn(PARTS, part!)) {
    throw new SyntaxError(
      `Cannot load the GGUF file as its tensor ${JSON.stringify(name)} is not known`,
    );
  }
  return `model.layers.${layer}.${PARTS[part!]}.${kind}`;
}

/**
 * Where a row of the checkpoint lies in the file: `llama` stores q and k with their rotary pairs side by
 * side, a checkpoint with their halves apart.
 */
function rowOf(name: string, arch: string, heads: number, kvHeads: number, rows: number) {
  const [, part] = /\.attn_([qk])\.(?:weight|bias)$/.exec(name) ?? [];
  if (arch !== "llama" || part === undefined) return (row: number) => row;
  const size = rows / (part === "q" ? heads : kvHeads), half = size / 2;
  return (row: number) => {
    const head = Math.floor(row / size), within = row % size;
    return head * size + 2 * (within % half) + Math.floor(within / half);
  };
}

/** Type of a tensor in the folder, and the bytes of its numbers. */
function storedType({ type }: GgufTensor): { readonly dtype: string; readonly bytes: number } {
  if (type === "F16" || type === "BF16") return { dtype: type, bytes: 2 };
  return { dtype: "F32", bytes: 4 };
}

/** Rows of a tensor as they are stored in the folder, a few at a time. */
function* converted(
  file: MappedFile,
  { type, dims, offset, length }: GgufTensor,
  sourceOf: (row: number) => number,
): Generator<Uint8Array<ArrayBuffer>> {
  const columns = dims.at(-1)!, rows = dims.reduce((a, b) => a * b, 1) / columns;
  const rowBytes = length / rows, step = Math.max(1, Math.floor(CHUNK / columns));
  for (let from = 0; from < rows; from += step) {
    const count = Math.min(step, rows - from), bytes = new Uint8Array(count * rowBytes);
    for (let k = 0; k < count; k++) {
      const at = offset + sourceOf(from + k) * rowBytes;
      bytes.set(new Uint8Array(file.buffer, at, rowBytes), k * rowBytes);
    }
    if (GGUF_TYPES[type].numbers === 1) yield bytes;
    else {
      const floats = new Float32Array(count * columns);
      dequantize(type, bytes, floats);
      yield new Uint8Array(floats.buffer);
    }
  }
  file.forget();
}

/** A digest of the header and of samples of the weights. */
function digestOf(file: Uint8Array): string {
  const hash = createHash("sha256").update(`${VERSION} ${file.length}`);
  const stride = Math.max(SAMPLE, Math.floor(file.length / SAMPLES));
  hash.update(file.subarray(0, Math.min(file.length, 2 ** 22)));
  for (let at = 0; at < file.length; at += stride) hash.update(file.subarray(at, at + SAMPLE));
  return hash.update(file.subarray(-SAMPLE)).digest("hex").slice(0, 16);
}

/** The header of a safetensors file, and its tensors in order. */
function plan(gguf: Gguf): { readonly header: Uint8Array; readonly total: number } {
  const header: Record<string, unknown> = Object.create(null);
  let end = 0;
  for (const [name, tensor] of gguf.tensors) {
    const { dtype, bytes } = storedType(tensor), from = end;
    end += tensor.dims.reduce((a, b) => a * b, 1) * bytes;
    header[nameOf(name)] = { dtype, shape: tensor.dims, data_offsets: [from, end] };
  }
  const json = JSON.stringify(header),
    text = json.padEnd(json.length + 63 - (json.length + 7) % 64);
  const encoded = new TextEncoder().encode(text), bytes = new Uint8Array(8 + encoded.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  return { header: bytes, total: end };
}

/**
 * Folder of a GGUF file in Hugging Face format.
 *
 * @param path The file.
 * @param options Cache folder, progress, signal.
 * @returns The folder, made where it is not there yet.
 * @throws {SyntaxError} Where the file is malformed, or of an architecture, type or vocabulary that is not
 * read.
 * @throws {Deno.errors.NotFound} Where there is no such file.
 */
export async function ggufFolder(path: string, options: GgufOptions): Promise<string> {
  const { cacheDir, onProgress, signal } = options;
  let file: MappedFile;
  try {
    file = mapFile(path);
  } catch (cause) {
    throw new Deno.errors.NotFound(`Cannot load the model as ${path} cannot be read`, { cause });
  }
  using _file = file;
  const all = new Uint8Array(file.buffer), gguf = parseGguf(all);
  const config = configOf(gguf), { definition, config: tokenizer } = tokenizerOf(gguf);
  const name = basename(path).replace(/\.gguf$/i, "").replace(/[^\w.-]/g, "_");
  const folder = join(cacheDir, "gguf", `${name}-${digestOf(all)}`);
  if (await Deno.stat(join(folder, "config.json")).catch(() => undefined)) return folder;

  const part = `${folder}.${crypto.randomUUID().slice(0, 8)}.part`;
  await Deno.mkdir(part, { recursive: true });
  try {
    const { header, total } = plan(gguf), label = `convert ${name}`;
    onProgress?.({ label, done: 0, total });
    {
      using out = await Deno.open(join(part, "model.safetensors"), {
        write: true,
        createNew: true,
      });
      const put = async (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length;) at += await out.write(bytes.subarray(at));
      };
      await put(header);
      const arch = String(config.model_type), heads = Number(config.num_attention_heads);
      const kvHeads = Number(config.num_key_value_heads);
      let done = 0;
      for (const [name, tensor] of gguf.tensors) {
        const source = rowOf(name, arch, heads, kvHeads, tensor.dims[0]!);
        // a bias is one row of numbers: its numbers are what is reordered
        const dims = tensor.dims.length === 1 && name.endsWith(".bias")
          ? [...tensor.dims, 1]
          : tensor.dims;
        for (const bytes of converted(file, { ...tensor, dims }, source)) {
          signal?.throwIfAborted();
          await put(bytes);
          onProgress?.({ label, done: done += bytes.length, total });
        }
      }
      await out.syncData();
    }
    const write = (file: string, json: unknown) =>
      Deno.writeTextFile(join(part, file), JSON.stringify(json));
    await write("tokenizer.json", definition);
    await write("tokenizer_config.json", tokenizer);
    await write("generation_config.json", { eos_token_id: eosOf(metadataOf(gguf)) });
    await write("config.json", config);
    await Deno.rename(part, folder);
  } catch (error) {
    await Deno.remove(part, { recursive: true }).catch(() => {});
    // another process may have been faster
    if (await Deno.stat(join(folder, "config.json")).catch(() => undefined)) return folder;
    throw error;
  }
  return folder;
}
