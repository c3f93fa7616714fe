/**
 * C structs: their fields in the order of the header, offsets by the rule of C, values read and
 * written within their bounds.
 *
 * A field lies at the next multiple of its own alignment; a struct is as aligned as its most aligned
 * field, and as long as a multiple of that. So a table of fields is all that is written down. 64-bit
 * platforms, little-endian.
 *
 * @module
 */

import type { Pointer } from "./api.ts";

/**
 * Numbers, and text of single bytes. A pointer or `size_t` is a u64, an `int` or `enum` a u32 (−1 is 2³² − 1), a
 * `bool` a u8; what is not read may be any.
 */
type Scalar = "u8" | "u32" | "u64" | "char";
const BYTES: Readonly<Record<Scalar, number>> = { u8: 1, u32: 4, u64: 8, char: 1 };

/** Those that are numbers. */
const NUMBERS: readonly Scalar[] = ["u8", "u32", "u64"];

/** What a field holds: one, or an array of `[type, count]`. */
type Declared = Scalar | Struct<string> | readonly [Scalar | Struct<string>, number];

/** Where a field lies. */
interface Field {
  readonly type: Scalar | Struct<string>;
  readonly count: number;
  readonly offset: number;
}

/** The layout of a struct: see {@linkcode struct}. */
export interface Struct<Name extends string> {
  /** Its size in bytes. */
  readonly size: number;
  /** Its address is a multiple of this. */
  readonly align: number;
  /** Its fields by name. */
  readonly fields: Readonly<Record<Name, Field>>;
}

const sizeOf = (type: Scalar | Struct<string>) =>
  typeof type === "string" ? BYTES[type] : type.size;
const alignOf = (type: Scalar | Struct<string>) =>
  typeof type === "string" ? BYTES[type] : type.align;
const upTo = (offset: number, align: number) => Math.ceil(offset / align) * align;

/** The layout of a struct from its fields, in the order of the header. */
export function struct<Name extends string>(
  declared: Readonly<Record<Name, Declared>>,
): Struct<Name> {
  let end = 0, align = 1;
  const fields = Object.entries<Declared>(declared).map(([name, one]) => {
    const [type, count] = Array.isArray(one) ? one : [one, 1];
    const offset = upTo(end, alignOf(type));
    end = offset + count * sizeOf(type);
    align = Math.max(align, alignOf(type));
    return [name, { type, count, offset }];
  });
  return { size: upTo(end, align), align, fields: Object.fromEntries(fields) };
}

/** A struct in memory: its fields by name; a name, index or type that is not its is refused. */
export interface View<Name extends string> {
  /** Its first byte. */
  readonly pointer: Pointer;
  /** A number; above 2⁵³ − 1 that, as no size is larger. */
  number(name: Name, index?: number): number;
  /** Text up to its NUL, or to the end of the field. */
  text(name: Name): string;
  /** A struct inside. */
  inside<Inner extends string>(name: Name, layout: Struct<Inner>, index?: number): View<Inner>;
  /** Writes a number, or an address. */
  write(name: Name, value: number | bigint | Deno.PointerValue): void;
}

/** A struct at a place in memory, which lives as long as the view. */
function viewOf<Name extends string>(
  layout: Struct<Name>,
  buffer: ArrayBuffer,
  start: number,
): View<Name> {
  const data = new DataView(buffer, start, layout.size);
  const placeOf = (name: Name, types: readonly unknown[], index: number): [Field, number] => {
    const field = layout.fields[name];
    if (!field || !types.includes(field.type) || !(index >= 0 && index < field.count)) {
      throw new RangeError(`Cannot use a struct as its '${name}' at ${index} must be there`);
    }
    return [field, field.offset + index * sizeOf(field.type)];
  };
  return {
    pointer: Deno.UnsafePointer.of(data)!,
    number(name, index = 0) {
      const [{ type }, at] = placeOf(name, NUMBERS, index);
      if (type === "u8") return data.getUint8(at);
      if (type === "u32") return data.getUint32(at, true);
      return Math.min(Number(data.getBigUint64(at, true)), Number.MAX_SAFE_INTEGER);
    },
    text(name) {
      const [{ count }, at] = placeOf(name, ["char"], 0);
      const bytes = new Uint8Array(buffer, start + at, count), end = bytes.indexOf(0);
      return new TextDecoder().decode(bytes.subarray(0, end < 0 ? count : end));
    },
    inside(name, inner, index = 0) {
      return viewOf(inner, buffer, start + placeOf(name, [inner], index)[1]);
    },
    write(name, value) {
      const [{ type }, at] = placeOf(name, NUMBERS, 0);
      const isNumber = typeof value === "number" || typeof value === "bigint";
      const number = isNumber ? value : Deno.UnsafePointer.value(value);
      if (type === "u8") data.setUint8(at, Number(number));
      else if (type === "u32") data.setUint32(at, Number(number), true);
      else data.setBigUint64(at, BigInt(number), true);
    },
  };
}

/** A struct of zeros; or over bytes that are there. */
export function structIn<Name extends string>(
  layout: Struct<Name>,
  bytes: ArrayBuffer = new ArrayBuffer(layout.size),
): View<Name> {
  return viewOf(layout, bytes, 0);
}
