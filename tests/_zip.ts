/** Zip archives as other tools write them, and with faults on demand. */

import zlib from "node:zlib";

export interface Entry {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** 0 stored, 8 deflated, 93 Zstandard. */
  readonly method?: number;
  /** What the archive says instead of the truth. */
  readonly says?: { readonly size?: number; readonly crc?: number; readonly flags?: number };
}

const PACK: Record<number, (bytes: Uint8Array) => Uint8Array> = {
  0: (bytes) => bytes,
  8: (bytes) => zlib.deflateRawSync(bytes),
  93: (bytes) => zlib.zstdCompressSync(bytes),
};

/** An archive; with `zip64` its places and sizes are in fields of 64 bits. */
export function zipOf(entries: readonly Entry[], zip64 = false): Uint8Array<ArrayBuffer> {
  const parts: number[] = [], directory: number[] = [];
  const put = (out: number[], ...fields: [value: number, length: number][]) => {
    for (const [value, length] of fields) {
      for (let i = 0; i < length; i++) out.push(Number(BigInt(value) >> BigInt(8 * i) & 255n));
    }
  };
  const wide = 0xffffffff;
  for (const { name, content, method = 8, says = {} } of entries) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const packed = (PACK[method] ?? PACK[0]!)(bytes), own = new TextEncoder().encode(name);
    const { size = bytes.length, crc = zlib.crc32(bytes), flags = 0 } = says, at = parts.length;
    const sizes: [number, number][] = [[crc, 4], [packed.length, 4], [size, 4]];
    put(parts, [0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], ...sizes);
    put(parts, [own.length, 2], [0, 2]);
    parts.push(...own, ...packed);
    put(directory, [0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [crc, 4]);
    put(directory, [zip64 ? wide : packed.length, 4], [zip64 ? wide : size, 4], [own.length, 2]);
    put(directory, [zip64 ? 28 : 0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [zip64 ? wide : at, 4]);
    directory.push(...own);
    if (zip64) put(directory, [1, 2], [24, 2], [size, 8], [packed.length, 8], [at, 8]);
  }
  const start = parts.length, count = entries.length;
  parts.push(...directory);
  if (zip64) {
    const end = parts.length;
    put(parts, [0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 8], [count, 8], [count, 8]);
    put(parts, [directory.length, 8], [start, 8]);
    put(parts, [0x07064b50, 4], [0, 4], [end, 8], [1, 4]);
  }
  put(parts, [0x06054b50, 4], [0, 4], [zip64 ? 0xffff : count, 2], [zip64 ? 0xffff : count, 2]);
  put(parts, [directory.length, 4], [zip64 ? wide : start, 4], [0, 2]);
  return new Uint8Array(parts);
}
