/**
 * The generator of new code. Counter-based: a draw is a pure function of (seed, stream, step, index).
 *
 * Nothing is advanced, so what a run draws never depends on what else is decoded beside it, on the
 * order of a batch, or on where a study was resumed. Two methods with the same seed draw the same
 * numbers (common random numbers), which is what makes pairs of runs comparable.
 *
 * Two older streams stay, since what they drew is on record: that of `tasks/_random.ts` makes the problems of
 * a seed, that of `stats/_random.ts` the digits of intervals, and of `scripts/coverage.md`.
 *
 * Generator: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 *
 * @module
 */

const M0 = 0xd2511f53, M1 = 0xcd9e8d57, W0 = 0x9e3779b9, W1 = 0xbb67ae85;

/** High 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const low = aLow * bLow, middle = aHigh * bLow + (low / 0x10000 >>> 0);
  const carry = aLow * bHigh + (middle % 0x10000);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000) >>> 0;
}

/**
 * One block of Philox4x32-10.
 *
 * @param counter Four unsigned 32-bit integers.
 * @param key Two unsigned 32-bit integers.
 * @returns Four unsigned 32-bit integers.
 *
 * @example The authors' own test vector
 * ```ts
 * import { philox } from "@moi/moi/decode";
 * import { assertEquals } from "@std/assert";
 * assertEquals(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
 * ```
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0), low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2), low1 = Math.imul(M1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What a draw is for; different streams of one seed are independent. */
export const STREAM = { sample: 0, method: 1 } as const;

/**
 * A uniform number in [0, 1) with 53 random bits.
 *
 * @param seed Integer from 0 to 2⁵³ − 1.
 * @param stream What it is for.
 * @param step Index of the generated token.
 * @param index Which of the step's draws.
 *
 * @example The same arguments give the same number
 * ```ts
 * import { uniform } from "@moi/moi/decode";
 * import { assert, assertEquals } from "@std/assert";
 * assertEquals(uniform(7, 0, 3), uniform(7, 0, 3));
 * assert(uniform(7, 0, 3) !== uniform(8, 0, 3));
 * ```
 */
export function uniform(seed: number, stream: number, step: number, index = 0): number {
  const [a, b] = philox([step, index, stream, 0], [seed >>> 0, Math.floor(seed / 2 ** 32)]);
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}
