/**
 * Packed files: gzip and Zstandard streams, and members of zip archives.
 *
 * All sizes and places in them are untrusted: nothing is read outside of the bytes, nothing is unpacked
 * beyond a limit.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import zlib from "node:zlib";

type Bytes = Uint8Array<ArrayBuffer>;

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** Unpacks with a bound: RangeError beyond it, SyntaxError where the bytes are damaged. */
function bounded(unpack: Unpack, bytes: Uint8Array, limit: number): Bytes {
  let out: Uint8Array;
  try {
    out = unpack(bytes, { maxOutputLength: Math.max(1, limit) });
  } catch (cause) {
    if (cause instanceof RangeError && unpack === unzstd) throw cause;
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
      throw new RangeError(`more than ${limit} bytes are packed in it`, { cause });
    }
    throw new SyntaxError((cause as Error).message, { cause });
  }
  return new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, out.byteLength);
}

/** Inflates a stream of zlib; throws as {@linkcode bounded} does. */
export const inflated = (bytes: Bytes, limit: number): Bytes =>
  bounded(zlib.inflateSync, bytes, limit);

/** Reads unsigned little-endian numbers; those outside of the bytes `fail`. */
const numbersIn =
  (bytes: Uint8Array, fail: () => never) => (at: number, length: number): number => {
    if (!(at >= 0 && at + length <= bytes.length)) fail();
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
    return value;
  };

/** The frames of Zstandard data (RFC 8878): the runtime reads one, and a cut one without a word. */
function zstdFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const cut = (): never => {
    throw new SyntaxError("unexpected end of file");
  };
  const number = numbersIn(bytes, cut);
  for (let start = 0; start < bytes.length;) {
    const magic = number(start, 4);
    let at = start + 4;
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) { // skippable
      start = at + 4 + number(at, 4);
      if (start > bytes.length) cut();
      continue;
    }
    if (magic !== 0xfd2fb528) throw new SyntaxError("no frame of Zstandard");
    const head = number(at, 1), single = head & 32;
    at += 1 + (single ? 0 : 1) + [0, 1, 2, 4][head & 3]! + [single ? 1 : 0, 2, 4, 8][head >> 6]!;
    for (let last = 0; !last;) {
      const block = number(at, 3), length = (block >> 1 & 3) === 1 ? 1 : block >> 3;
      last = block & 1;
      at += 3 + length;
    }
    if (head & 4) at += 4; // a checksum
    if (at > bytes.length) cut();
    frames.push(bytes.subarray(start, at));
    start = at;
  }
  return frames;
}

/** Unpacks Zstandard data as {@linkcode bounded} does. */
const unzstd: Unpack = (bytes, { maxOutputLength: limit }) => {
  const parts: Bytes[] = [];
  let size = 0;
  for (const frame of zstdFrames(bytes)) {
    const part = bounded(zlib.zstdDecompressSync, frame, limit - size);
    size += part.length;
    if (size > limit) throw new RangeError(`more than ${limit} bytes are packed in it`);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
};

const starts = (bytes: Uint8Array, ...magic: number[]) =>
  magic.every((byte, i) => bytes[i] === byte);

/** First bytes of packed files that are not read. */
const OTHERS = {
  bzip2: [0x42, 0x5a, 0x68],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  zip: [0x50, 0x4b, 3, 4],
};

/**
 * The bytes as they were before gzip or Zstandard, which are known by their first bytes and not by
 * a name; others as they are. RangeError where they are more than the limit, SyntaxError where they
 * are damaged, cut, or packed in another way.
 */
export function unpacked(bytes: Bytes, limit: number): Bytes {
  if (starts(bytes, 0x1f, 0x8b)) return bounded(zlib.gunzipSync, bytes, limit);
  if (starts(bytes, 0x28, 0xb5, 0x2f, 0xfd)) return bounded(unzstd, bytes, limit);
  const [other] = Object.entries(OTHERS).find(([, magic]) => starts(bytes, ...magic)) ?? [];
  if (other) throw new SyntaxError(`${other} is not read: unpack it first`);
  return bytes;
}

export function isZip(bytes: Uint8Array): boolean {
  return starts(bytes, 0x50, 0x4b, 3, 4) || starts(bytes, 0x50, 0x4b, 5, 6);
}

export interface Member {
  readonly name: string;
  /** Its size when unpacked, as the archive has it. */
  readonly size: number;
  /** Its bytes, checked by size and CRC-32. */
  read(): Bytes;
}

const UNPACK: Readonly<Record<number, Unpack>> = { 8: zlib.inflateRawSync, 93: unzstd };

/**
 * The members of a zip archive by name, zip64 included; of two with one name the last counts.
 * RangeError where they are more than `limit` bytes together, by what the archive says (no more
 * than that is unpacked); SyntaxError where it is damaged or cut, and from `read` where a member
 * is, is encrypted, or is packed in another way than stored, deflated or Zstandard.
 */
export function zipMembers(bytes: Bytes, limit: number): Map<string, Member> {
  const damaged = (what: string): never => {
    throw new SyntaxError(`its zip archive is damaged or cut: ${what}`);
  };
  const number = numbersIn(bytes, () => damaged("a place outside of it"));
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 65_558 && number(end, 4) !== 0x06054b50) end--;
  if (end < 0 || number(end, 4) !== 0x06054b50) damaged("no end of its directory");
  let count = number(end + 10, 2), at = number(end + 16, 4);
  if ((count === 0xffff || at === 0xffffffff) && number(end - 20, 4) === 0x07064b50) {
    const wide = number(end - 12, 8);
    if (number(wide, 4) !== 0x06064b50) damaged("no directory of 64 bits");
    count = number(wide + 32, 8);
    at = number(wide + 48, 8);
  }
  const members = new Map<string, Member>();
  for (let i = 0; i < count; i++) {
    if (number(at, 4) !== 0x02014b50) damaged("no entry of its directory");
    const flags = number(at + 8, 2), method = number(at + 10, 2), crc = number(at + 16, 4);
    let packed = number(at + 20, 4), size = number(at + 24, 4), place = number(at + 42, 4);
    const nameLength = number(at + 28, 2), extraLength = number(at + 30, 2);
    const from = at + 46, extra = from + nameLength;
    if (extra + extraLength > bytes.length) damaged("a name outside of it");
    const name = new TextDecoder().decode(bytes.subarray(from, extra));
    for (let field = extra; field + 4 <= extra + extraLength;) {
      const id = number(field, 2), length = number(field + 2, 2);
      if (id === 1) { // sizes of 64 bits, those that 32 bits do not hold
        let own = field + 4;
        const wide = (value: number) => {
          if (value !== 0xffffffff) return value;
          own += 8;
          return number(own - 8, 8);
        };
        size = wide(size);
        packed = wide(packed);
        place = wide(place);
      }
      field += 4 + length;
    }
    members.set(name, {
      name,
      size,
      read() {
        if (flags & 1) throw new SyntaxError(`${name} in it is encrypted`);
        if (number(place, 4) !== 0x04034b50) damaged(`no head of ${name}`);
        const start = place + 30 + number(place + 26, 2) + number(place + 28, 2);
        if (!(start + packed <= bytes.length)) damaged(`${name} is outside of it`);
        const own = bytes.subarray(start, start + packed), unpack = UNPACK[method];
        if (method !== 0 && !unpack) {
          throw new SyntaxError(`${name} in it is packed by method ${method}, which is not read`);
        }
        let out = own;
        try {
          if (unpack) out = bounded(unpack, own, size);
        } catch (cause) {
          damaged(`${name} cannot be unpacked (${(cause as Error).message})`);
        }
        if (out.length !== size || zlib.crc32(out) !== crc) damaged(`${name} is not what it was`);
        return out;
      },
    });
    at = extra + extraLength + number(at + 32, 2);
  }
  let total = 0;
  for (const { size } of members.values()) total += size;
  if (total > limit) throw new RangeError(`more than ${limit} bytes are packed in it`);
  return members;
}
