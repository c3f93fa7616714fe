/**
 * Rotary position embedding tables.
 *
 * `angle[p, i] = p · theta^(−2i/d)`, i < d/2 (RoFormer, arXiv 2104.09864), computed in float64.
 *
 * @module
 */

/** Tables of cosines and sines, each `[positions, dims / 2]`, row by row. */
export interface RopeTables {
  /** Cosines. */
  readonly cos: Float32Array<ArrayBuffer>;
  /** Sines. */
  readonly sin: Float32Array<ArrayBuffer>;
}

/**
 * Tables for positions 0 … positions − 1.
 *
 * @param positions Number of positions.
 * @param dims Number of rotated dimensions of a head, even.
 * @param theta Base of the frequencies.
 *
 * @example The first position is not rotated
 * ```ts
 * import { ropeTables } from "@moi/moi/graph";
 * import { assertEquals } from "@std/assert";
 * const { cos, sin } = ropeTables(2, 4, 10_000);
 * assertEquals([cos[0], cos[1], sin[0], sin[1]], [1, 1, 0, 0]);
 * assertEquals(cos[2], Math.fround(Math.cos(1)));
 * ```
 */
export function ropeTables(positions: number, dims: number, theta: number): RopeTables {
  const half = dims / 2;
  const frequencies = Array.from({ length: half }, (_, i) => theta ** (-2 * i / dims));
  const cos = new Float32Array(positions * half), sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
