/**
 * Numbers of GGUF's block types, as float32, each operation rounded as the reference rounds it.
 *
 * A block holds a scale (two, or one for every part of a block) and small integers. "low" and "high" are
 * the halves of a byte. Definitions: https://github.com/ggml-org/ggml, `ggml-quants.c`; the results are
 * those of the Python package `gguf` bit for bit.
 *
 * @module
 */

import { GGUF_TYPES, type GgufType } from "./parse.ts";

const { fround } = Math;

/** Writes the numbers of a block. */
type Block = (bytes: Uint8Array, half: (at: number) => number, out: Float32Array) => void;

/** Six-bit scale and minimum of part j of a block of 256 (Q4_K, Q5_K): twelve bytes hold eight pairs. */
function scaleAndMin(s: Uint8Array, j: number): [scale: number, min: number] {
  return j < 4
    ? [s[j]! & 63, s[j + 4]! & 63]
    : [(s[j + 4]! & 15) | (s[j - 4]! >> 6) << 4, (s[j + 4]! >> 4) | (s[j]! >> 6) << 4];
}

const BLOCKS: Readonly<Partial<Record<GgufType, Block>>> = {
  Q4_0(b, half, out) { // d · (q − 8)
    const d = half(0);
    for (let i = 0; i < 16; i++) {
      out[i] = d * ((b[2 + i]! & 15) - 8);
      out[i + 16] = d * ((b[2 + i]! >> 4) - 8);
    }
  },
  Q4_1(b, half, out) { // d · q + m
    const d = half(0), m = half(2);
    for (let i = 0; i < 16; i++) {
      out[i] = fround(d * (b[4 + i]! & 15)) + m;
      out[i + 16] = fround(d * (b[4 + i]! >> 4)) + m;
    }
  },
  Q5_0(b, half, out) { // a fifth bit of each in four bytes
    const d = half(0), high = b[2]! | b[3]! << 8 | b[4]! << 16 | b[5]! << 24;
    for (let i = 0; i < 16; i++) {
      out[i] = d * ((b[6 + i]! & 15 | (high >>> i & 1) << 4) - 16);
      out[i + 16] = d * ((b[6 + i]! >> 4 | (high >>> i + 16 & 1) << 4) - 16);
    }
  },
  Q5_1(b, half, out) {
    const d = half(0), m = half(2), high = b[4]! | b[5]! << 8 | b[6]! << 16 | b[7]! << 24;
    for (let i = 0; i < 16; i++) {
      out[i] = fround(d * (b[8 + i]! & 15 | (high >>> i & 1) << 4)) + m;
      out[i + 16] = fround(d * (b[8 + i]! >> 4 | (high >>> i + 16 & 1) << 4)) + m;
    }
  },
  Q8_0(b, half, out) {
    const d = half(0);
    for (let i = 0; i < 32; i++) out[i] = d * (b[2 + i]! << 24 >> 24);
  },
  Q2_K(b, half, out) { // 16 scales and minima of four bits, numbers of two bits, d and m at the end
    const d = half(80), m = half(82);
    for (let n = 0; n < 256; n++) {
      const part = n >> 4, chunk = n >> 7, shift = 2 * (n >> 5 & 3);
      const q = b[16 + 32 * chunk + (n & 31)]! >> shift & 3, s = b[part]!;
      out[n] = fround(fround(d * (s & 15)) * q) - fround(m * (s >> 4));
    }
  },
  Q3_K(b, half, out) { // a third bit of each in 32 bytes, 16 six-bit scales in twelve
    const d = half(108);
    for (let n = 0; n < 256; n++) {
      const part = n >> 4, chunk = n >> 7, group = n >> 5, place = n & 31;
      const low = b[96 + (part & 7)]! >> 4 * (part >> 3) & 15;
      const high = b[104 + (part & 3)]! >> 2 * (part >> 2) & 3;
      const q = (b[32 + 32 * chunk + place]! >> 2 * (group & 3) & 3) -
        (b[place]! >> group & 1 ? 0 : 4);
      out[n] = fround(d * ((low | high << 4) - 32)) * q;
    }
  },
  Q4_K(b, half, out) {
    const d = half(0), m = half(2), scales = b.subarray(4, 16);
    for (let j = 0; j < 8; j++) {
      const [scale, min] = scaleAndMin(scales, j), own = fround(d * scale), less = fround(m * min);
      for (let i = 0; i < 32; i++) {
        const byte = b[16 + 32 * (j >> 1) + i]!;
        out[32 * j + i] = fround(own * (j & 1 ? byte >> 4 : byte & 15)) - less;
      }
    }
  },
  Q5_K(b, half, out) {
    const d = half(0), m = half(2), scales = b.subarray(4, 16);
    for (let j = 0; j < 8; j++) {
      const [scale, min] = scaleAndMin(scales, j), own = fround(d * scale), less = fround(m * min);
      for (let i = 0; i < 32; i++) {
        const byte = b[48 + 32 * (j >> 1) + i]!, high = b[16 + i]! >> j & 1;
        out[32 * j + i] = fround(own * ((j & 1 ? byte >> 4 : byte & 15) | high << 4)) - less;
      }
    }
  },
  Q6_K(b, half, out) { // four low bits in 128 bytes, two high ones in 64, 16 signed scales
    const d = half(208);
    for (let n = 0; n < 256; n++) {
      const chunk = n >> 7, within = n & 127, place = within & 31, group = within >> 5;
      const low = b[64 * chunk + (within & 63)]! >> (within >> 6) * 4 & 15;
      const high = b[128 + 32 * chunk + place]! >> 2 * group & 3;
      const scale = b[192 + (n >> 4)]! << 24 >> 24;
      out[n] = fround(d * scale) * ((low | high << 4) - 32);
    }
  },
};

/**
 * Dequantises whole blocks.
 *
 * @param type A block type, or F32, F16, BF16.
 * @param bytes Blocks, one after the other.
 * @param out Their numbers.
 * @throws {RangeError} Where the two do not match.
 *
 * @example A block of Q8_0 with scale 1
 * ```ts
 * import { dequantize } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * const block = new Uint8Array(34).fill(255);
 * block.set([0x00, 0x3c]);
 * const out = new Float32Array(32);
 * dequantize("Q8_0", block, out);
 * assertEquals(out[0], -1);
 * ```
 */
export function dequantize(type: GgufType, bytes: Uint8Array, out: Float32Array): void {
  const { bytes: size, numbers } = GGUF_TYPES[type], count = out.length / numbers;
  if (!Number.isInteger(count) || bytes.length !== count * size) {
    throw new RangeError(
      `Cannot dequantize ${type} as ${bytes.length} bytes are not ${out.length} numbers`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), block = BLOCKS[type];
  if (!block) {
    for (let i = 0; i < out.length; i++) {
      out[i] = type === "F32"
        ? view.getFloat32(4 * i, true)
        : type === "F16"
        ? view.getFloat16(2 * i, true)
        : 0;
    }
    if (type === "BF16") {
      const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
      for (let i = 0; i < out.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
    }
    return;
  }
  for (let k = 0; k < count; k++) {
    const from = k * size;
    const half = (at: number) => view.getFloat16(from + at, true);
    block(bytes.subarray(from, from + size), half, out.subarray(k * numbers, (k + 1) * numbers));
  }
}
