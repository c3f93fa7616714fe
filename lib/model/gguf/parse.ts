/**
 * The header of a GGUF file: metadata and the index of tensors.
 *
 * Files are untrusted. Every count, length and offset is checked against what is left of the file before
 * anything is read or allocated, so that a header costs time and memory in proportion to the file.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
 *
 * @module
 */

import { mistaken } from "../_contents.ts";

/** A value of the metadata; numbers of arrays are typed arrays. */
export type GgufValue =
  | number
  | boolean
  | string
  | readonly string[]
  | readonly GgufValue[]
  | ArrayLike<number>;

/** A tensor as it lies in the file. */
export interface GgufTensor {
  /** Type of its numbers, such as "Q4_K". */
  readonly type: GgufTensorType;
  /** Shape, rows first, as in numpy; GGUF lists it the other way round. */
  readonly dims: readonly number[];
  /** First byte in the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** The part of a split file that holds it, from 0. Default: 0. */
  readonly part?: number;
}

/** What a header says. */
export interface Gguf {
  /** Values by key. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Types whose numbers can be read: number in the file, bytes of a block, numbers in it. */
export const GGUF_TYPES = {
  F32: { id: 0, bytes: 4, numbers: 1 },
  F16: { id: 1, bytes: 2, numbers: 1 },
  Q4_0: { id: 2, bytes: 18, numbers: 32 },
  Q4_1: { id: 3, bytes: 20, numbers: 32 },
  Q5_0: { id: 6, bytes: 22, numbers: 32 },
  Q5_1: { id: 7, bytes: 24, numbers: 32 },
  Q8_0: { id: 8, bytes: 34, numbers: 32 },
  Q2_K: { id: 10, bytes: 84, numbers: 256 },
  Q3_K: { id: 11, bytes: 110, numbers: 256 },
  Q4_K: { id: 12, bytes: 144, numbers: 256 },
  Q5_K: { id: 13, bytes: 176, numbers: 256 },
  Q6_K: { id: 14, bytes: 210, numbers: 256 },
  BF16: { id: 30, bytes: 2, numbers: 1 },
} as const;

/** Name of a type whose numbers can be read. */
export type GgufType = keyof typeof GGUF_TYPES;

/** All types that a file may have: number in the file, bytes of a block, numbers in it. */
export const GGUF_TENSOR_TYPES = {
  ...GGUF_TYPES,
  Q8_1: { id: 9, bytes: 36, numbers: 32 },
  Q8_K: { id: 15, bytes: 292, numbers: 256 },
  IQ2_XXS: { id: 16, bytes: 66, numbers: 256 },
  IQ2_XS: { id: 17, bytes: 74, numbers: 256 },
  IQ3_XXS: { id: 18, bytes: 98, numbers: 256 },
  IQ1_S: { id: 19, bytes: 50, numbers: 256 },
  IQ4_NL: { id: 20, bytes: 18, numbers: 32 },
  IQ3_S: { id: 21, bytes: 110, numbers: 256 },
  IQ2_S: { id: 22, bytes: 82, numbers: 256 },
  IQ4_XS: { id: 23, bytes: 136, numbers: 256 },
  I8: { id: 24, bytes: 1, numbers: 1 },
  I16: { id: 25, bytes: 2, numbers: 1 },
  I32: { id: 26, bytes: 4, numbers: 1 },
  I64: { id: 27, bytes: 8, numbers: 1 },
  F64: { id: 28, bytes: 8, numbers: 1 },
  IQ1_M: { id: 29, bytes: 56, numbers: 256 },
  TQ1_0: { id: 34, bytes: 54, numbers: 256 },
  TQ2_0: { id: 35, bytes: 66, numbers: 256 },
  MXFP4: { id: 39, bytes: 17, numbers: 32 },
  NVFP4: { id: 40, bytes: 36, numbers: 64 },
  Q1_0: { id: 41, bytes: 18, numbers: 128 },
  Q2_0: { id: 42, bytes: 18, numbers: 64 },
} as const;

/** Name of a type that a tensor of a file may have. */
export type GgufTensorType = keyof typeof GGUF_TENSOR_TYPES;

/** Names of all types by their number in the file. */
const TYPE_NAMES = new Map(
  Object.entries(GGUF_TENSOR_TYPES).map(([name, { id }]) => [id as number, name as GgufTensorType]),
);

const MAGIC = 0x46554747;
/** Most dimensions of a tensor, deepest nesting of arrays, longest key or name of a tensor. */
const MOST_DIMS = 4, DEEPEST = 2, LONGEST_NAME = 1024;

/** Bytes of a number of the metadata, and how it is read. */
const NUMBERS: Readonly<Record<number, { readonly bytes: number; readonly make: TypedArray }>> = {
  0: { bytes: 1, make: Uint8Array },
  1: { bytes: 1, make: Int8Array },
  2: { bytes: 2, make: Uint16Array },
  3: { bytes: 2, make: Int16Array },
  4: { bytes: 4, make: Uint32Array },
  5: { bytes: 4, make: Int32Array },
  6: { bytes: 4, make: Float32Array },
  7: { bytes: 1, make: Uint8Array },
  10: { bytes: 8, make: BigUint64Array },
  11: { bytes: 8, make: BigInt64Array },
  12: { bytes: 8, make: Float64Array },
};
type TypedArray = new (buffer: ArrayBuffer) => ArrayLike<number | bigint>;
const BOOL = 7, STRING = 8, ARRAY = 9;

function fail(why: string): never {
  throw new SyntaxError(`Cannot read the GGUF file as ${why}`);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The type of a tensor whose numbers are to be read; a SyntaxError for one that cannot be. */
export function readableType(name: string, type: GgufTensorType): GgufType {
  if (Object.hasOwn(GGUF_TYPES, type)) return type as GgufType;
  const readable = Object.keys(GGUF_TYPES).join(", ");
  return fail(`${name} is of type ${type}: those that can be read are ${readable}`);
}

/**
 * Reads a header. The tensors may be of any type that the format has: not all of them can be read by
 * {@linkcode dequantize}.
 *
 * @param file The whole file, mapped; only the header is touched.
 * @throws {SyntaxError} Where it is malformed, cut off, or has tensors of an unknown type,
 * naming the fault.
 *
 * @example Not a GGUF file
 * ```ts
 * import { parseGguf } from "@moi/moi/model";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => parseGguf(new Uint8Array(64)), SyntaxError, "does not begin with GGUF");
 * ```
 */
export function parseGguf(file: Uint8Array): Gguf {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let at = 0;
  const need = (bytes: number, what: string) => {
    if (!(bytes <= file.length - at)) fail(`${what} goes beyond its end, ${file.length} bytes`);
  };
  const u32 = (what: string) => {
    need(4, what);
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const u64 = (what: string) => {
    need(8, what);
    at += 8;
    const value = Number(view.getBigUint64(at - 8, true));
    return Number.isSafeInteger(value) ? value : fail(`${what} is too large: ${value}`);
  };
  const text = (what: string, longest = Infinity) => {
    const length = u64(`the length of ${what}`);
    need(length, what);
    if (length > longest) fail(`${what} is too long: ${length} bytes`);
    at += length;
    return decoder.decode(file.subarray(at - length, at));
  };
  const numbers = (type: number, count: number, what: string): ArrayLike<number> => {
    const { bytes, make } = NUMBERS[type] ?? fail(`${what} has the unknown type ${type}`);
    need(bytes * count, what);
    const copy = file.slice(at, at += bytes * count).buffer as ArrayBuffer; // numbers may start anywhere
    const values = new make(copy);
    return type === 10 || type === 11
      ? Float64Array.from(values as ArrayLike<bigint>, Number)
      : values as ArrayLike<number>;
  };
  const value = (type: number, what: string, depth = 0): GgufValue => {
    if (type === STRING) return text(what);
    if (type !== ARRAY) {
      const [number] = Array.from(numbers(type, 1, what));
      return type === BOOL ? number !== 0 : number!;
    }
    if (depth === DEEPEST) fail(`${what} has arrays nested deeper than ${DEEPEST}`);
    const inner = u32(what), count = u64(`the length of ${what}`);
    if (inner !== STRING && inner !== ARRAY) return numbers(inner, count, what);
    need((inner === STRING ? 8 : 12) * count, what);
    return Array.from({ length: count }, () => value(inner, what, depth + 1));
  };

  const what = mistaken(file);
  if (what !== undefined) fail(`it does not begin with GGUF: it is ${what}`);
  if (file.length < 24 || view.getUint32(0, true) !== MAGIC) fail("it does not begin with GGUF");
  at = 4;
  const version = u32("the version");
  if (version !== 2 && version !== 3) {
    const why = version > 0xffff ? " (big-endian files cannot be read)" : "";
    fail(`its version must be 2 or 3: current value is ${version}${why}`);
  }
  const tensorCount = u64("the number of tensors"), entryCount = u64("the number of keys");
  if (tensorCount > file.length / 32) fail(`it cannot hold ${tensorCount} tensors`);
  if (entryCount > file.length / 13) fail(`it cannot hold ${entryCount} keys`);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = text(`key ${i}`, LONGEST_NAME);
    if (metadata.has(key)) fail(`the key ${JSON.stringify(key)} is there twice`);
    metadata.set(key, value(u32(`the type of ${key}`), key));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment !== "number" || !(alignment >= 8 && Number.isInteger(Math.log2(alignment)))
  ) {
    fail(`general.alignment must be a power of two from 8: current value is ${String(alignment)}`);
  }
  const listed = new Map<string, GgufTensor>(); // each from where the tensors start
  for (let i = 0; i < tensorCount; i++) {
    const name = text(`the name of tensor ${i}`, LONGEST_NAME);
    if (listed.has(name)) fail(`the tensor ${JSON.stringify(name)} is there twice`);
    const rank = u32(`the shape of ${name}`);
    if (rank < 1 || rank > MOST_DIMS) {
      fail(`${name} must have 1 to ${MOST_DIMS} dimensions, not ${rank}`);
    }
    const dims = Array.from({ length: rank }, () => u64(`the shape of ${name}`)).reverse();
    const number = u32(`the type of ${name}`);
    const type = TYPE_NAMES.get(number) ?? fail(`${name} is of the unknown type ${number}`);
    const { bytes, numbers: block } = GGUF_TENSOR_TYPES[type];
    const count = dims.reduce((a, b) => a * b, 1);
    if (!Number.isSafeInteger(count) || dims.at(-1)! % block !== 0) {
      fail(`${name} of type ${type} cannot have the shape ${dims.join(" × ")}`);
    }
    const offset = u64(`the place of ${name}`);
    listed.set(name, { type, dims, offset, length: count / block * bytes });
  }
  const start = Math.ceil(at / alignment) * alignment;
  const tensors = new Map(
    listed.entries().map(([name, tensor]) => {
      const offset = start + tensor.offset, end = offset + tensor.length;
      if (tensor.offset % alignment !== 0) {
        fail(`${name} must start at a multiple of ${alignment}, not at ${tensor.offset}`);
      }
      if (!(end <= file.length)) {
        fail(`${name} goes beyond its end: ${end} of ${file.length} bytes`);
      }
      return [name, { ...tensor, offset }];
    }),
  );
  let before = "", end = 0;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset);
  for (const [name, { offset, length }] of inOrder) {
    if (offset < end) fail(`${before} and ${name} overlap`);
    [before, end] = [name, offset + length];
  }
  return { metadata, tensors };
}
