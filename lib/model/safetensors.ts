/**
 * Safetensors: eight bytes of header length, a JSON header, the tensors' bytes.
 *
 * The file is untrusted: every length and offset is checked before it is used, and the tensors stay
 * where they are.
 *
 * Source: https://github.com/huggingface/safetensors (format specification).
 *
 * @module
 */

import { ELEMENT_TYPES, elements } from "../runtime/mod.ts";
import type { OnnxType, Weight } from "../graph/mod.ts";
import { isObject, shown } from "../_check.ts";
import { mistaken } from "./_contents.ts";

const TYPES: Readonly<Record<string, OnnxType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I8: "int8",
  U8: "uint8",
};

/** Bits of a number of the specification's other types: their tensors are placed, and never read. */
const UNREAD: Readonly<Record<string, number>> = {
  ...{ C64: 64, U64: 64, U32: 32, U16: 16, I16: 16, BOOL: 8 },
  ...{ F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
};

/** The name that a type may have which came into the specification later. */
const LATER = /^[A-Z][A-Z0-9_]{0,31}$/;

/** The specification's own limit. */
const MAX_HEADER = 100_000_000;

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** A tensor of the header; `fail` says what is wrong with it. */
function parseTensor(
  entry: unknown,
  { location, start, size }: { location: string; start: number; size: number },
  fail: (why: string) => never,
): Weight {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !LATER.test(dtype)) {
    return fail(`has the unsupported dtype ${shown(dtype)}`);
  }
  if (!isSizes(shape) || shape.length > 8) return fail(`has the bad shape ${shown(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail(`has the bad offsets ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number], held = end - begin;
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype]! : undefined;
  const bits = type ? 8 * ELEMENT_TYPES[type].bytes : UNREAD[dtype];
  const length = bits === undefined ? held : elements(shape) * bits / 8;
  if (held !== length) {
    fail(`must hold ${length} bytes for its shape: current value is ${held}`);
  }
  if (held < 0 || start + end > size) {
    const cut = "(is the file cut off? download it again)";
    fail(`must end within the file's ${size} bytes: it ends at ${start + end} ${cut}`);
  }
  const place = { dims: shape, location, offset: start + begin, length };
  return type ? { type, ...place } : { type: "uint8" as const, ...place, unread: dtype };
}

/**
 * Reads the header of a safetensors file.
 *
 * @param file The whole file's bytes (mapped: only the header is touched).
 * @param location Name of the file, for the graph's external data and for errors.
 * @returns The tensors by name; those of types that nothing here reads (BOOL, F8_E4M3, …) are placed,
 * with the type's name as `unread`: a graph that needs one refuses it.
 * @throws {SyntaxError} Where the header is no valid one, a tensor lies outside the file or overlaps
 * another, bytes belong to no tensor, or the file is none, such as a Git LFS pointer.
 *
 * @example A file with one tensor
 * ```ts
 * import { parseSafetensors } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * const header = `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`;
 * const file = new Uint8Array(8 + header.length + 4);
 * new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
 * file.set(new TextEncoder().encode(header), 8);
 * assertEquals(parseSafetensors(file, "x.safetensors").get("x")?.dims, [1]);
 * ```
 */
export function parseSafetensors(file: Uint8Array, location: string): Map<string, Weight> {
  const fail = (why: string): never => {
    throw new SyntaxError(`Cannot read ${location} as ${why}`);
  };
  const size = file.byteLength, what = mistaken(file);
  if (what !== undefined) fail(`it is ${what}`);
  if (size < 10) fail(`it must be longer than 10 bytes: current value is ${size}`);
  const headerLength = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const start = 8 + headerLength;
  if (headerLength > MAX_HEADER || start > size) {
    const cut = "(is it cut off, or no safetensors? download it again)";
    fail(`its header of ${headerLength} bytes must fit into the file's ${size} bytes ${cut}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, start)));
  } catch {
    fail("its header is not valid JSON");
  }
  if (!isObject(header)) return fail("its header must be a JSON object");
  const tensors = new Map<string, Weight>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const refuse = (why: string): never => fail(`tensor ${shown(name)} ${why}`);
    tensors.set(name, parseTensor(entry, { location, start, size }, refuse));
  }
  // one after the other: a gap would be what is left of a tensor that the header names twice
  const inOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.length - b.length);
  let end = start;
  for (const { offset, length } of [...inOrder, { offset: size, length: 0 }]) {
    if (offset < end) fail("two of its tensors overlap");
    if (offset > end) fail(`no tensor holds its bytes from ${end} to ${offset}`);
    end += length;
  }
  return tensors;
}
