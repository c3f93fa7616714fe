/** Pixels of PNG files: a palette, or colours with an opacity; 8 bits, not interlaced. */

import { assert } from "@std/assert";
import { crc32, inflateSync } from "node:zlib";

/** Red, green, blue and opacity, row by row; every checksum is checked. */
export function pixelsOf(png: Uint8Array<ArrayBuffer>): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset), data: number[] = [];
  let palette: Uint8Array | undefined, header: DataView | undefined;
  for (let at = 8; at < png.length;) {
    const size = view.getUint32(at), body = png.subarray(at + 4, at + 8 + size);
    assert(crc32(body) === view.getUint32(at + 8 + size), "a checksum");
    const type = new TextDecoder().decode(body.subarray(0, 4)), own = body.subarray(4);
    if (type === "IHDR") header = new DataView(own.buffer, own.byteOffset);
    if (type === "PLTE") palette = own;
    if (type === "IDAT") { for (const byte of own) data.push(byte); }
    at += size + 12;
  }
  const width = header!.getUint32(0), height = header!.getUint32(4), depth = palette ? 1 : 4;
  assert(header!.getUint8(9) === (palette ? 3 : 6), "a known type of colours");
  const raw = inflateSync(Uint8Array.from(data)), row = width * depth;
  const plain = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)]!;
    for (let x = 0; x < row; x++) {
      const at = y * row + x,
        a = x < depth ? 0 : plain[at - depth]!,
        b = y === 0 ? 0 : plain[at - row]!;
      const c = x < depth || y === 0 ? 0 : plain[at - row - depth]!, p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      plain[at] = raw[y * (row + 1) + 1 + x]! + [0, a, b, (a + b) >> 1, paeth][filter]!;
    }
  }
  if (!palette) return plain;
  return Uint8Array.from(
    { length: 4 * plain.length },
    (_, i) => i % 4 === 3 ? 255 : palette[3 * plain[i >> 2]! + i % 4]!,
  );
}

/** Red, green, blue and opacity of a pixel. */
export function colorOf(png: Uint8Array<ArrayBuffer>, x: number, y: number): number[] {
  const width = new DataView(png.buffer, png.byteOffset).getUint32(16), at = 4 * (y * width + x);
  return [...pixelsOf(png).subarray(at, at + 4)];
}
