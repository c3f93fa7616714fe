/**
 * Rows of a table of any type that ggml knows, as float32: by its own functions, so that they are its own numbers.
 *
 * @module
 */

import type { Llama } from "../../llama/library.ts";
import { GGUF_TENSOR_TYPES, type GgufTensorType } from "../gguf/parse.ts";

/** A table of embeddings as it lies in a file. */
export interface Table {
  readonly type: GgufTensorType;
  /** Its bytes, rows one after another. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
}

/** What writes a row of a table to an array. */
export type ReadRow = (row: number, into: Float32Array) => void;

/** What widens a type to float32: by its symbol, which Deno calls ten times as fast as a pointer. */
function widenerOf({ base }: Llama, type: GgufTensorType) {
  const floats: Partial<Record<GgufTensorType, string>> = {
    ...{ F16: "ggml_fp16_to_fp32_row", BF16: "ggml_bf16_to_fp32_row" },
  };
  const name = floats[type] ?? `dequantize_row_${type.toLowerCase().replace(/_k$/, "_K")}`;
  const definition = { parameters: ["pointer", "buffer", "i64"], result: "void" } as const;
  const { widen } = Deno.dlopen(base, { widen: { ...definition, name, optional: true } }).symbols;
  if (widen) return widen;
  throw new SyntaxError(`Cannot read embeddings as llama.cpp widens no ${type} to float32`);
}

/** A reader of the rows of a table, which must stay where it is. */
export function rowReader(llama: Llama, { type, bytes, rows, width }: Table): ReadRow {
  const { bytes: size, numbers } = GGUF_TENSOR_TYPES[type], stride = width / numbers * size;
  if (bytes.length < rows * stride || !Number.isInteger(stride)) {
    throw new SyntaxError(`Cannot read embeddings as ${bytes.length} bytes are not ${rows} rows`);
  }
  const widen = type === "F32" ? undefined : widenerOf(llama, type), count = BigInt(width);
  const start = Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)!;
  return (row, into) => {
    if (!(Number.isInteger(row) && row >= 0 && row < rows)) {
      throw new RangeError(`Cannot read row ${row} of ${rows}`);
    }
    if (into.length < width) throw new RangeError(`Cannot read a row to ${into.length} numbers`);
    const own = into.subarray(0, width) as Float32Array<ArrayBuffer>;
    if (widen) widen(Deno.UnsafePointer.offset(start, row * stride), own, count);
    else {
      const target = new Uint8Array(own.buffer, own.byteOffset, 4 * width);
      target.set(bytes.subarray(row * stride, (row + 1) * stride));
    }
  };
}
