/**
 * Models to measure, made on the machine: shapes of real ones with random weights.
 *
 * Of 16 GB no number is drawn by itself: a block of random ones is written again and again. int4 is a
 * GGUF file of random Q4_0 blocks with a Q8_0 head, which loads as it is ("native"); fp16 a checkpoint.
 */

import { join } from "node:path";
import { type Dtype, parseConfig } from "../../lib/model/mod.ts";
import { QWEN3_06B, type Shape, SMALL, spreadOf, tensorsOf, writeHalves } from "./checkpoint.ts";
import { ggufName, type GgufTensor, writeTensors } from "./gguf.ts";

/** Qwen3-8B, by its published `config.json`. */
export const QWEN3_8B: Shape = {
  ...QWEN3_06B,
  ...{ hidden_size: 4096, num_hidden_layers: 36, num_attention_heads: 32, head_dim: 128 },
  ...{ intermediate_size: 12288, tie_word_embeddings: false },
};

/** The models by name. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  "small": SMALL,
  "0.6b": QWEN3_06B,
  "8b": QWEN3_8B,
};

/** Number formats that are measured. */
export type Format = "int4" | "fp16";

const countOf = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/** Bytes of a number in the formats of files: Q4_0 and Q8_0 have a scale of 2 bytes for 32 numbers. */
const BYTES = { float16: 2, float32: 4, q4_0: 18 / 32, q8_0: 34 / 32 } as const;

/** The type of a tensor in the int4 file. */
function typeOf(name: string, dims: readonly number[]): keyof typeof BYTES {
  if (dims.length === 1) return "float32";
  return name === "model.embed_tokens.weight" ? "float16" : name === "output" ? "q8_0" : "q4_0";
}

/** Tensors under their names, the head under "output" wherever it comes from. */
function partsOf(shape: Shape): [name: string, dims: number[]][] {
  const own = tensorsOf(shape).filter(([name]) => name !== "lm_head.weight");
  return [...own, ["output", [shape.vocab_size, shape.hidden_size]]];
}

/**
 * Bytes of weights that a step must read at the least: every matrix once, the table of embeddings
 * only as the head.
 */
export function stepBytes(shape: Shape, format: Format): number {
  return partsOf(shape)
    .filter(([name, dims]) => dims.length > 1 && name !== "model.embed_tokens.weight")
    .reduce((sum, [name, dims]) => {
      return sum + countOf(dims) * (format === "fp16" ? 2 : BYTES[typeOf(name, dims)]);
    }, 0);
}

/** Bytes of the files of a model. */
export function fileBytes(shape: Shape, format: Format): number {
  const count = ([, dims]: [string, number[]]) => 2 * countOf(dims);
  if (format === "fp16") return tensorsOf(shape).reduce((sum, part) => sum + count(part), 0);
  return partsOf(shape).reduce(
    (sum, [name, dims]) => sum + countOf(dims) * BYTES[typeOf(name, dims)],
    0,
  );
}

/** Numbers of a block that is written again and again: a whole number of rows of any of the shapes. */
const BLOCK = 3 * 2 ** 20;

/** Pieces of a block, to so many bytes in all. */
function* repeated(block: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < length; at += block.length) {
    yield length - at < block.length ? block.subarray(0, length - at) : block;
  }
}

/** The same random bytes at every call (xorshift32). */
function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** A block of uniform numbers in fp16 or float32. */
function uniform(dims: readonly number[], type: "float16" | "float32"): Uint8Array {
  const { middle, reach } = spreadOf(dims), count = dims.length === 1 ? dims[0]! : BLOCK;
  const random = new Uint16Array(randomBytes(2 * count).buffer);
  const value = (word: number) => middle + reach * (word / 2 ** 15 - 1);
  const numbers = type === "float16"
    ? Float16Array.from(random.subarray(0, count), value)
    : Float32Array.from(random.subarray(0, count), value);
  return new Uint8Array(numbers.buffer);
}

/** Random Q4_0 or Q8_0 blocks whose numbers have the size of trained ones. */
function quantized(dims: readonly number[], type: "q4_0" | "q8_0"): Uint8Array {
  const size = 32 * BYTES[type], bytes = randomBytes(BLOCK / 32 * size);
  const spread = type === "q4_0" ? Math.sqrt((16 ** 2 - 1) / 12) : Math.sqrt((2 ** 16 - 1) / 12);
  const scale = new Uint8Array(Float16Array.of(1 / (spread * Math.sqrt(dims[1]!))).buffer);
  for (let at = 0; at < bytes.length; at += size) bytes.set(scale, at);
  return bytes;
}

/** Blocks by the length of a row and the type: of a shape there are a handful. */
function blocks(): (dims: readonly number[], type: keyof typeof BYTES) => Uint8Array {
  const made = new Map<string, Uint8Array>();
  return (dims, type) => {
    const key = `${type} ${dims.length} ${dims.at(-1)}`;
    const block = made.get(key) ??
      (type === "q4_0" || type === "q8_0" ? quantized(dims, type) : uniform(dims, type));
    made.set(key, block);
    return block;
  };
}

/** A model on disk, and what `loadModel` takes. */
export interface Made {
  readonly id: string;
  readonly dtype: Dtype;
}

/** Where a model of a folder lies. */
export function placeOf(folder: string, name: string, format: Format): Made {
  return format === "fp16"
    ? { id: join(folder, `${name}-fp16`), dtype: "fp16" }
    : { id: join(folder, `${name}-q4_0.gguf`), dtype: "native" };
}

/** Writes a model. */
export async function makeModel(folder: string, name: string, format: Format): Promise<Made> {
  const shape = SHAPES[name]!, place = placeOf(folder, name, format), blockOf = blocks();
  if (format === "fp16") {
    await Deno.mkdir(place.id, { recursive: true });
    await writeHalves(
      place.id,
      shape,
      "F16",
      (count, dims) => repeated(blockOf(dims, "float16"), 2 * count),
    );
    return place;
  }
  const tensors = partsOf(shape).map(([name, dims]): GgufTensor => {
    const type = typeOf(name, dims), length = countOf(dims) * BYTES[type];
    const own = name === "output"
      ? "output.weight"
      : name === "model.embed_tokens.weight"
      ? "token_embd.weight"
      : ggufName(name);
    return { name: own, type, dims, length, bytes: () => repeated(blockOf(dims, type), length) };
  });
  await writeTensors(parseConfig(JSON.stringify(shape)), tensors, `${place.id}.part`);
  await Deno.rename(`${place.id}.part`, place.id);
  return place;
}
