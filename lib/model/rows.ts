/**
 * Rows of a checkpoint's tensors, as they are stored and as float32.
 *
 * @module
 */

import type { OnnxType } from "../graph/mod.ts";
import { elements } from "../runtime/mod.ts";
import { dequantize } from "./gguf/blocks.ts";
import type { GgufType } from "./gguf/parse.ts";
import type { Checkpoint } from "./weights.ts";

/** How a tensor is stored that is used otherwise. */
export interface Encoded {
  /** Type of its numbers. */
  readonly type: GgufType;
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
}

/** Reads rows of a tensor. */
export interface Rows {
  /** Number of rows. */
  readonly count: number;
  /** Numbers of a row. */
  readonly columns: number;
  /** A copy of rows as they are stored. */
  bytes(first: number, count: number): Uint8Array<ArrayBuffer>;
  /** Writes rows as float32, exactly what their bytes stand for (of float64 the nearest). */
  floats(first: number, count: number, into: Float32Array): void;
}

/** Stored numbers as float32: exactly, those of 64 bits rounded. `bytes` starts a buffer. */
function widen(type: OnnxType, bytes: Uint8Array<ArrayBuffer>, floats: Float32Array): void {
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
export function rowsOf(
  name: string,
  { files, weights, encoded }: Pick<Checkpoint, "files" | "weights" | "encoded">,
): Rows {
  const weight = weights.get(name)!, own = encoded?.get(name), { dims } = weight;
  const columns = dims.length === 1 && own?.sourceOf ? 1 : dims.at(-1)!;
  const count = elements(dims) / columns;
  const { location, offset, length } = own ?? weight, size = length / count;
  // copies, as numbers in a file may start at any byte
  const place = (row: number) => offset + row * size;
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
    floats(first, count, into) {
      if (!own) return widen(weight.type, bytes(first, count), into);
      dequantize(own.type, bytes(first, count), into);
      if (own.add) { for (let i = 0; i < into.length; i++) into[i]! += own.add; }
    },
  };
}
