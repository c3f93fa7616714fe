/**
 * Rows of a table of any type that ggml knows, as float32: by its own functions, so that they are its own numbers.
 *
 * @module
 */

import { TRAITS } from "../../llama/api.ts";
import type { Llama } from "../../llama/library.ts";
import { structIn } from "../../runtime/structs.ts";
import { GGUF_TENSOR_TYPES, type GgufTensorType } from "../gguf/parse.ts";

/** A table of embeddings as it lies in a file. */
export interface Table {
  /** Name of its type, such as "Q4_K". */
  readonly type: string;
  /** Its bytes, rows one after another. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
}

/** Bytes and numbers of a block of a type, and what widens blocks; null for float32. */
function typeNamed({ call }: Llama, type: string) {
  const refuse = (why: string): never => {
    throw new SyntaxError(`Cannot read embeddings as llama.cpp ${why} ${type}`);
  };
  if (!Object.hasOwn(GGUF_TENSOR_TYPES, type)) return refuse("knows no type");
  const { id, bytes: size, numbers } = GGUF_TENSOR_TYPES[type as GgufTensorType];
  const at = call.ggml_get_type_traits(id); // any number beyond the last type reads what is no type
  const view = structIn(TRAITS, Deno.UnsafePointerView.getArrayBuffer(at!, TRAITS.size).slice(0));
  const widen = Deno.UnsafePointer.create(BigInt(view.number("to_float")));
  const isOther = view.number("bytes") !== size || view.number("numbers") !== numbers;
  if (isOther || (widen === null && type !== "F32")) return refuse("widens no rows of type");
  return { size, numbers, widen };
}

/** What writes a row of a table to an array. */
export type ReadRow = (row: number, into: Float32Array) => void;

/** A reader of the rows of a table, which must stay where it is. */
export function rowReader(llama: Llama, { type, bytes, rows, width }: Table): ReadRow {
  const { size, numbers, widen } = typeNamed(llama, type), stride = width / numbers * size;
  if (bytes.length < rows * stride || !Number.isInteger(stride)) {
    throw new SyntaxError(`Cannot read embeddings as ${bytes.length} bytes are not ${rows} rows`);
  }
  const definition = { parameters: ["pointer", "buffer", "i64"], result: "void" } as const;
  const toFloat = widen &&
    new Deno.UnsafeFnPointer(widen as Deno.PointerObject<typeof definition>, definition);
  const start = Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)!;
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return (row, into) => {
    if (!(Number.isInteger(row) && row >= 0 && row < rows)) {
      throw new RangeError(`Cannot read row ${row} of ${rows}`);
    }
    if (into.length < width) throw new RangeError(`Cannot read a row to ${into.length} numbers`);
    const own = into.subarray(0, width);
    if (toFloat) {
      toFloat.call(
        Deno.UnsafePointer.offset(start, row * stride),
        own as Float32Array<ArrayBuffer>,
        BigInt(width),
      );
    } else {new Uint8Array(own.buffer, own.byteOffset, 4 * width).set(
        plain.subarray(row * stride, (row + 1) * stride),
      );}
  };
}
