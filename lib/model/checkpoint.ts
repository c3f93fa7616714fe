/**
 * A checkpoint: mapped files, the tensors in them, and how rows of these are read, as they are stored
 * and as float32.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type DecoderConfig, namesIn, type OnnxType, type Weight } from "../graph/mod.ts";
import { elements, type MappedFile } from "../runtime/mod.ts";
import { checkId } from "./mixture.ts";

/** How the blocks of a number format lie in a matrix for MatMulNBits. */
export interface Packing {
  /** Bits of an integer. */
  readonly bits: 4 | 8;
  /** Integers that share a scale. */
  readonly blockSize: number;
  /** Whether there are minima. */
  readonly minima: boolean;
}

/** A packed matrix, or rows of one. */
export interface Packed {
  /** The integers, with the middle of their range for 0; of 4 bits the even column is the low half. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The scales. */
  readonly scales: Float32Array;
  /** What is added to every number of a group; empty where there are no minima. */
  readonly minima: Float32Array;
}

/** How a tensor is stored that is used otherwise. */
export interface Encoded {
  /** Name of its number format, a part of what tells conversions apart. */
  readonly type: string;
  /** File that holds it. */
  readonly location: string;
  /** First byte in the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** The stored row of a row; default: the same. */
  readonly sourceOf?: (row: number) => number;
  /** What is added to its numbers; default: 0. */
  readonly add?: number;
  /** Writes the numbers of whole rows as float32. */
  readonly widen: (bytes: Uint8Array<ArrayBuffer>, into: Float32Array) => void;
  /** How its blocks are packed; absent where it has none. */
  readonly packing?: Packing | undefined;
  /** Packs whole rows. */
  readonly pack?: (bytes: Uint8Array<ArrayBuffer>, into: Packed) => void;
}

/** Mapped files and the tensors in them. */
export interface Checkpoint extends Disposable {
  /** Files by the location name that the graph uses. */
  readonly files: Readonly<Record<string, MappedFile>>;
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, Weight>;
  /** Those that are stored otherwise than they are used, by name: a conversion makes them usable. */
  readonly encoded?: ReadonlyMap<string, Encoded>;
  /** Whether a tensor that no graph uses is refused, as it would change what is computed. */
  readonly strict?: boolean;
}

/** Stored numbers as float32: exactly, those of 64 bits rounded. `bytes` starts a buffer. */
export function widen(type: OnnxType, bytes: Uint8Array<ArrayBuffer>, floats: Float32Array): void {
  const { buffer, byteOffset } = bytes, { length } = floats;
  if (type === "float32") floats.set(new Float32Array(buffer, byteOffset, length));
  else if (type === "float64") floats.set(new Float64Array(buffer, byteOffset, length));
  else if (type === "float16") floats.set(new Float16Array(buffer, byteOffset, length));
  else {
    const halves = new Uint16Array(buffer, byteOffset, length);
    const bits = new Uint32Array(floats.buffer, floats.byteOffset, length);
    for (let i = 0; i < length; i++) bits[i] = halves[i]! << 16;
  }
}

/** A reader of a tensor's rows; a vector is one row, unless its numbers are reordered. */
export function rowsOf(name: string, { files, tensors, encoded }: Checkpoint) {
  const weight = tensors.get(name)!, own = encoded?.get(name), { dims } = weight;
  const columns = dims.length === 1 && own?.sourceOf ? 1 : dims.at(-1)!;
  const count = elements(dims) / columns;
  const { location, offset, length } = own ?? weight, size = length / count;
  const place = (row: number) => offset + row * size;
  /** A copy of rows as they are stored, as numbers in a file may start at any byte. */
  const bytes = (first: number, count: number): Uint8Array<ArrayBuffer> => {
    const { buffer } = files[location]!;
    if (!own?.sourceOf) return new Uint8Array(buffer.slice(place(first), place(first + count)));
    const copy = new Uint8Array(count * size);
    for (let k = 0; k < count; k++) {
      copy.set(new Uint8Array(buffer, place(own.sourceOf(first + k)), size), k * size);
    }
    return copy;
  };
  return {
    count,
    columns,
    bytes,
    /** Writes rows as float32, exactly what their bytes stand for (of float64 the nearest). */
    floats(first: number, count: number, into: Float32Array): void {
      if (!own) return widen(weight.type, bytes(first, count), into);
      own.widen(bytes(first, count), into);
      if (own.add) { for (let i = 0; i < into.length; i++) into[i]! += own.add; }
    },
  };
}

/**
 * A reader of the embedding table's rows, as new arrays; undefined where there is no such table.
 */
export function embeddingRows(
  checkpoint: Checkpoint,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): ((ids: ArrayLike<number>) => Float32Array[]) | undefined {
  const { tensors } = checkpoint;
  const name = namesIn(new Set(tensors.keys()))("model.embed_tokens.weight");
  if (String(tensors.get(name)?.dims) !== String([vocabularySize, hiddenSize])) return undefined;
  const rows = rowsOf(name, checkpoint);
  return (ids) =>
    Array.from(ids, (id) => {
      checkId("a token", id, vocabularySize);
      const row = new Float32Array(hiddenSize);
      rows.floats(id, 1, row);
      return row;
    });
}

/** A digest that tells checkpoints apart without reading all of a large one. */
export function fingerprint(config: string, { files }: Pick<Checkpoint, "files">): string {
  const SAMPLES = 64, SAMPLE = 4096, hash = createHash("sha256").update(config);
  for (const { buffer } of Object.values(files)) {
    const file = new Uint8Array(buffer);
    hash.update(`${file.length}`);
    const stride = Math.max(SAMPLE, Math.floor(file.length / SAMPLES));
    for (let at = 0; at < file.length; at += stride) hash.update(file.subarray(at, at + SAMPLE));
    hash.update(file.subarray(-SAMPLE));
  }
  return hash.digest("hex").slice(0, 16);
}
