/**
 * Outputs of the reference implementations, and checkpoints made from the golden one.
 *
 * `qwen3/` is a tiny Qwen3 with random weights; its outputs come from transformers 4.57.6 (float32,
 * eager attention). `votes-tiny.json`, `countdown-tiny.json` and `countdown-tiny-baseline.json` are outputs of the embedded models in
 * torch. `golden.json` in `qwen3/` names the tensors and formulas.
 */

import { fileURLToPath } from "node:url";
import { parseSafetensors } from "@moi/moi/model";
import { type TemporaryFolder, temporaryFolder } from "../_temporary.ts";

/** Folder of the golden checkpoint. */
export const QWEN3: URL = new URL("./qwen3/", import.meta.url);

/** Tensors of a safetensors file, copied out by name. */
export interface GoldenTensors {
  readonly names: readonly string[];
  dims(name: string): readonly number[];
  /** A float32 tensor. */
  floats(name: string): Float32Array<ArrayBuffer>;
  /** An int64 tensor. */
  ids(name: string): number[];
}

export async function readTensors(url: URL): Promise<GoldenTensors> {
  const file = await Deno.readFile(url);
  const table = parseSafetensors(file, url.pathname);
  const find = (name: string, type?: string) => {
    const found = table.get(name);
    if (!found || (type && found.type !== type)) throw new Error(`internal: no ${type} ${name}`);
    return found;
  };
  const bytes = (name: string, type: string) => {
    const { offset, length } = find(name, type);
    return file.slice(offset, offset + length).buffer;
  };
  return {
    names: [...table.keys()],
    dims: (name) => find(name).dims,
    floats: (name) => new Float32Array(bytes(name, "float32")),
    ids: (name) => Array.from(new BigInt64Array(bytes(name, "int64")), Number),
  };
}

/** A tensor to be written: dtype as safetensors names it. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView<ArrayBuffer>;
}

/** The bytes of a safetensors file. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {}, parts: ArrayBufferView<ArrayBuffer>[] = [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end += data.byteLength] };
    parts.push(data);
  }
  return safetensorsOf(JSON.stringify(header), end, (bytes) => {
    let at = 0;
    for (const { buffer, byteOffset, byteLength } of parts) {
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += byteLength;
    }
  });
}

/** A safetensors file with any header, followed by `size` bytes. */
export function safetensorsOf(
  header: string | Uint8Array,
  size: number,
  fill: (bytes: Uint8Array) => void = () => {},
): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  fill(file.subarray(8 + text.length));
  return file;
}

/** All tensors of the golden checkpoint as they would be stored. */
export async function qwen3Weights(): Promise<Record<string, StoredTensor>> {
  const { names, dims, floats } = await readTensors(new URL("model.safetensors", QWEN3));
  return Object.fromEntries(
    names.map((name) => [name, { dtype: "F32", shape: dims(name), data: floats(name) }]),
  );
}

/** The golden checkpoint with changed files and fields of config.json, in a temporary folder. */
export async function checkpoint(
  config: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TemporaryFolder> {
  const golden = JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3)));
  return await temporaryFolder({
    "config.json": JSON.stringify({ ...golden, ...config }),
    "model.safetensors": await Deno.readFile(fileURLToPath(new URL("model.safetensors", QWEN3))),
    ...files,
  });
}

/** The rows of a table, and random rows of the same size of numbers up to `rows` of them. */
function grown({ dtype, shape, data }: StoredTensor, rows: number, seed: number): StoredTensor {
  const known = data as Float32Array<ArrayBuffer>, width = shape[1]!;
  const square = known.reduce((sum, x) => sum + x * x, 0) / known.length;
  const random = randomNumbers(seed), values = new Float32Array(rows * width);
  values.forEach((_, i) => values[i] = Math.sqrt(12 * square) * (random() - 0.5));
  values.set(known);
  return { dtype, shape: [rows, width], data: values };
}

/** The upper halves of float32. */
function halved({ shape, data }: StoredTensor): StoredTensor {
  const halves = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return { dtype: "BF16", shape, data: halves.filter((_, i) => i % 2 === 1) };
}

/** The golden checkpoint with random rows after those of its embedding table and its head. */
export async function wideCheckpoint(
  vocabulary: number,
  dtype: "F32" | "BF16" = "F32",
): Promise<TemporaryFolder> {
  const weights = await qwen3Weights();
  for (const [seed, name] of ["model.embed_tokens.weight", "lm_head.weight"].entries()) {
    weights[name] = grown(weights[name]!, vocabulary, seed);
  }
  if (dtype === "BF16") {
    for (const [name, stored] of Object.entries(weights)) weights[name] = halved(stored);
  }
  return await checkpoint({ vocab_size: vocabulary }, {
    "model.safetensors": encodeSafetensors(weights),
  });
}

/** Largest absolute difference; NaN where a number is NaN or the lengths differ. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(difference)) return NaN;
    max = Math.max(max, difference);
  }
  return max;
}

/** Index of the largest number, the first among equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Numbers in [0, 1) from a seed (mulberry32): the same on every machine. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
