/**
 * GGUF's block types: groups of 16 or 32 small integers that share a scale, `w = s · q`, or a scale and
 * a minimum, `w = s · q + m`.
 *
 * All types are read into that one form. From it come their numbers in float32, each operation rounded
 * as the reference rounds it, and their integers in the layout that MatMulNBits reads. Definitions:
 * https://github.com/ggml-org/ggml, `ggml-quants.c`; the numbers are those of the Python package `gguf`
 * bit for bit. "low" and "high" are the halves of a byte.
 *
 * @module
 */

import { type Packed, type Packing, widen } from "../checkpoint.ts";
import { GGUF_TYPES, type GgufType } from "./parse.ts";

/** Types that are in no blocks. */
export const FLOATS = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** What a block holds: integers, and a scale and a minimum a group. */
interface Groups {
  readonly q: Int8Array;
  readonly s: Float32Array;
  readonly m: Float32Array;
}

/** A block type. */
interface BlockType extends Packing {
  /** What the middle of the integers stands for. */
  readonly shift: number;
  /** Reads a block; `half` reads a float16 of it. */
  read(b: Uint8Array, half: (at: number) => number, into: Groups): void;
}

/** Six-bit scale and minimum of part j of a block of 256 (Q4_K, Q5_K): twelve bytes hold eight pairs. */
function scaleAndMin(s: Uint8Array, j: number): [scale: number, min: number] {
  return j < 4
    ? [s[j]! & 63, s[j + 4]! & 63]
    : [(s[j + 4]! & 15) | (s[j - 4]! >> 6) << 4, (s[j + 4]! >> 4) | (s[j]! >> 6) << 4];
}

/** Scales and minima of Q4_K and Q5_K, which begin alike. */
function eightScales(b: Uint8Array, half: (at: number) => number, { s, m }: Groups): void {
  const d = half(0), least = half(2), scales = b.subarray(4, 16);
  for (let j = 0; j < 8; j++) {
    const [scale, min] = scaleAndMin(scales, j);
    s[j] = d * scale;
    m[j] = -(least * min);
  }
}

const SIGNED = { minima: false, shift: 0 } as const;

/** Blocks of 32 with one scale: halves of a byte, for Q5 with a fifth bit of each in four bytes. */
function small(bits: 4 | 5, minima: boolean): BlockType {
  const isFive = bits === 5, start = (minima ? 4 : 2) + (isFive ? 4 : 0);
  const middle = minima ? 0 : 2 ** (bits - 1), shift = minima && !isFive ? 8 : 0;
  return {
    ...{ blockSize: 32, minima, bits: isFive ? 8 : 4, shift },
    read(b, half, { q, s, m }) {
      s[0] = half(0);
      if (minima) m[0] = half(2);
      const at = start - 4; // the fifth bits
      const fifth = isFive ? b[at]! | b[at + 1]! << 8 | b[at + 2]! << 16 | b[at + 3]! << 24 : 0;
      for (let i = 0; i < 16; i++) {
        const byte = b[start + i]!;
        q[i] = (byte & 15 | (fifth >>> i & 1) << 4) - middle;
        q[i + 16] = (byte >> 4 | (fifth >>> i + 16 & 1) << 4) - middle;
      }
    },
  };
}

const BLOCKS: Readonly<Partial<Record<GgufType, BlockType>>> = {
  Q4_0: small(4, false),
  Q4_1: small(4, true),
  Q5_0: small(5, false),
  Q5_1: small(5, true),
  Q8_0: {
    ...SIGNED,
    blockSize: 32,
    bits: 8,
    read(b, half, { q, s }) {
      s[0] = half(0);
      for (let i = 0; i < 32; i++) q[i] = b[2 + i]!;
    },
  },
  // 16 scales and minima of four bits, numbers of two bits, the factors of both at the end
  Q2_K: {
    blockSize: 16,
    minima: true,
    bits: 4,
    shift: 0,
    read(b, half, { q, s, m }) {
      const d = half(80), least = half(82);
      for (let j = 0; j < 16; j++) {
        s[j] = d * (b[j]! & 15);
        m[j] = -(least * (b[j]! >> 4));
      }
      for (let n = 0; n < 256; n++) {
        q[n] = b[16 + 32 * (n >> 7) + (n & 31)]! >> 2 * (n >> 5 & 3) & 3;
      }
    },
  },
  // a third bit of each in 32 bytes, 16 six-bit scales in twelve
  Q3_K: {
    ...SIGNED,
    blockSize: 16,
    bits: 4,
    read(b, half, { q, s }) {
      const d = half(108);
      for (let j = 0; j < 16; j++) {
        const low = b[96 + (j & 7)]! >> 4 * (j >> 3) & 15;
        const high = b[104 + (j & 3)]! >> 2 * (j >> 2) & 3;
        s[j] = d * ((low | high << 4) - 32);
      }
      for (let n = 0; n < 256; n++) {
        const low = b[32 + 32 * (n >> 7) + (n & 31)]! >> 2 * (n >> 5 & 3) & 3;
        q[n] = low - (b[n & 31]! >> (n >> 5) & 1 ? 0 : 4);
      }
    },
  },
  Q4_K: {
    blockSize: 32,
    minima: true,
    bits: 4,
    shift: 8,
    read(b, half, into) {
      eightScales(b, half, into);
      for (let n = 0; n < 256; n++) {
        const byte = b[16 + 32 * (n >> 6) + (n & 31)]!;
        into.q[n] = n & 32 ? byte >> 4 : byte & 15;
      }
    },
  },
  Q5_K: {
    blockSize: 32,
    minima: true,
    bits: 8,
    shift: 0,
    read(b, half, into) {
      eightScales(b, half, into);
      for (let n = 0; n < 256; n++) {
        const byte = b[48 + 32 * (n >> 6) + (n & 31)]!, high = b[16 + (n & 31)]! >> (n >> 5) & 1;
        into.q[n] = (n & 32 ? byte >> 4 : byte & 15) | high << 4;
      }
    },
  },
  // four low bits in 128 bytes, two high ones in 64, 16 signed scales
  Q6_K: {
    ...SIGNED,
    blockSize: 16,
    bits: 8,
    read(b, half, { q, s }) {
      const d = half(208);
      for (let j = 0; j < 16; j++) s[j] = d * (b[192 + j]! << 24 >> 24);
      for (let n = 0; n < 256; n++) {
        const chunk = n >> 7, within = n & 127;
        const low = b[64 * chunk + (within & 63)]! >> (within >> 6) * 4 & 15;
        const high = b[128 + 32 * chunk + (n & 31)]! >> 2 * (within >> 5) & 3;
        q[n] = (low | high << 4) - 32;
      }
    },
  },
};

/** Calls `visit` with what each block holds; the arrays are the same each time. */
function eachBlock(
  type: GgufType,
  { read, blockSize }: BlockType,
  bytes: Uint8Array,
  visit: (groups: Groups, block: number) => void,
): void {
  const { bytes: size, numbers } = GGUF_TYPES[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups = {
    q: new Int8Array(numbers),
    s: new Float32Array(numbers / blockSize),
    m: new Float32Array(numbers / blockSize),
  };
  let from = 0;
  const half = (at: number) => view.getFloat16(from + at, true);
  for (let block = 0; from < bytes.length; from += size, block++) {
    read(bytes.subarray(from, from + size), half, groups);
    visit(groups, block);
  }
}

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
  const block = BLOCKS[type];
  if (!block) return widen(FLOATS[type as keyof typeof FLOATS], bytes.slice(), out);
  const { blockSize, minima } = block, { fround } = Math;
  eachBlock(type, block, bytes, ({ q, s, m }, k) => {
    for (let i = 0, at = k * numbers; i < numbers; i++, at++) {
      const product = fround(s[i / blockSize | 0]! * q[i]!);
      out[at] = minima ? product + m[i / blockSize | 0]! : product;
    }
  });
}

/** The packing of a type; undefined where it has no blocks. */
export function packingOf(type: GgufType): Packing | undefined {
  const block = BLOCKS[type];
  return block && { bits: block.bits, blockSize: block.blockSize, minima: block.minima };
}

/**
 * Packs whole blocks: `w = s · (data − middle) + minima`, no number is rounded anew but the minima of
 * four-bit types that have any, `m + 8 s` in float32.
 */
export function pack(type: GgufType, bytes: Uint8Array, into: Packed): void {
  const block = BLOCKS[type]!, { bits, shift, minima } = block;
  const { numbers } = GGUF_TYPES[type], { data, scales } = into, zero = 2 ** (bits - 1) - shift;
  eachBlock(type, block, bytes, ({ q, s, m }, k) => {
    scales.set(s, k * s.length);
    if (minima) m.forEach((min, j) => into.minima[k * m.length + j] = min + shift * s[j]!);
    if (bits === 8) { for (let i = 0; i < numbers; i++) data[k * numbers + i] = q[i]! + zero; }
    else {
      for (let i = 0, at = k * numbers / 2; i < numbers; i += 2) {
        data[at++] = q[i]! + zero | q[i + 1]! + zero << 4;
      }
    }
  });
}
