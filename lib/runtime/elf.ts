/**
 * Which libraries a shared library of Linux needs: the `DT_NEEDED` entries of its dynamic section.
 *
 * A provider of ONNX Runtime is loaded only where all of them are found, and names the version of
 * CUDA that it was built for. Only the headers and the names are read, not the file.
 *
 * Source: System V gABI, chapter 5 ("Program Header", "Dynamic Section"); 64 bits, little endian.
 *
 * @module
 */

/** Bytes of a file from an offset on; fewer than asked where it ends. */
export type Read = (offset: number, length: number) => Uint8Array;

const LOAD = 1, DYNAMIC = 2; // kinds of segments
const END = 0, NEEDED = 1, STRINGS = 5; // kinds of entries of the dynamic section
const HEADER = 64, SEGMENT = 56, ENTRY = 16; // bytes
const MOST_BYTES = 1 << 20; // of a table; the largest providers have some kilobytes
const MOST_NAME = 256;

/** What a file lacks that is no shared library. */
class Malformed extends Error {}

/** A view of bytes that must be there. */
function viewOf(read: Read, offset: number, length: number): DataView {
  if (length > MOST_BYTES) throw new Malformed("a table is too long");
  const bytes = read(offset, length);
  if (bytes.byteLength < length) throw new Malformed("it ends too early");
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** An unsigned number of 64 bits that is a place in a file. */
function placeAt(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > Number.MAX_SAFE_INTEGER) throw new Malformed("an offset is beyond any file");
  return Number(value);
}

/** The segments of a file that are loaded or hold the dynamic section. */
function segmentsOf(read: Read) {
  const header = viewOf(read, 0, HEADER);
  const MAGIC = 0x7f454c46, BITS_64 = 2, LITTLE_ENDIAN = 1;
  const isKnown = header.getUint32(0) === MAGIC && header.getUint8(4) === BITS_64 &&
    header.getUint8(5) === LITTLE_ENDIAN && header.getUint16(54, true) === SEGMENT;
  if (!isKnown) throw new Malformed("it does not begin as one");
  const count = header.getUint16(56, true);
  const table = viewOf(read, placeAt(header, 32), count * SEGMENT);
  return Array.from({ length: count }, (_, index) => index * SEGMENT)
    .map((at) => ({ kind: table.getUint32(at, true), at }))
    .filter(({ kind }) => kind === LOAD || kind === DYNAMIC)
    .map(({ kind, at }) => ({
      kind,
      offset: placeAt(table, at + 8),
      address: placeAt(table, at + 16),
      size: placeAt(table, at + 32),
    }));
}

/** The text that begins at a place and ends with a NUL. */
function textAt(read: Read, offset: number): string {
  const bytes = read(offset, MOST_NAME), end = bytes.indexOf(0);
  if (end < 0) throw new Malformed("a name has no end");
  return new TextDecoder().decode(bytes.subarray(0, end));
}

function neededIn(read: Read): string[] {
  const segments = segmentsOf(read), found = segments.find(({ kind }) => kind === DYNAMIC);
  if (!found) return []; // linked statically
  const { offset, size } = found, section = viewOf(read, offset, size - size % ENTRY);
  const needed: number[] = [];
  let strings: number | undefined;
  for (let at = 0; at < section.byteLength; at += ENTRY) {
    const kind = placeAt(section, at);
    if (kind === END) break;
    if (kind === NEEDED) needed.push(placeAt(section, at + 8));
    if (kind === STRINGS) strings = placeAt(section, at + 8);
  }
  if (needed.length === 0) return [];
  const home = segments.find(({ kind, address, size }) =>
    kind === LOAD && strings !== undefined && strings >= address && strings < address + size
  );
  if (!home) throw new Malformed("its names are nowhere");
  const table = strings! - home.address + home.offset;
  return needed.map((name) => textAt(read, table + name));
}

/**
 * Names of the libraries that a shared library needs, in its order, such as "libcudart.so.13".
 *
 * @param name What an error calls it.
 * @throws {Error} Where it is no shared library of 64 bits, or cut off.
 *
 * @example A text is none
 * ```ts
 * import { neededFrom } from "./elf.ts";
 * import { assertThrows } from "@std/assert";
 * const text = new TextEncoder().encode("no library");
 * const read = (offset: number, length: number) => text.subarray(offset, offset + length);
 * assertThrows(() => neededFrom(read, "a.so"), Error, "as a.so is no shared library of Linux");
 * ```
 */
export function neededFrom(read: Read, name: string): string[] {
  try {
    return neededIn(read);
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause;
    throw new Error(
      `Cannot tell which libraries are needed as ${name} is no shared library of Linux with ` +
        `64 bits, or cut off: ${cause.message}`,
      { cause },
    );
  }
}

/** {@linkcode neededFrom} a file. */
export function neededLibraries(path: string): string[] {
  using file = Deno.openSync(path);
  return neededFrom((offset, length) => {
    file.seekSync(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const count = file.readSync(bytes.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }, path);
}
