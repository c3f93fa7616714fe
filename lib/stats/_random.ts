/**
 * The seeded generator of the bootstrap and the permutation test: xoshiro128** (Blackman & Vigna
 * 2021, https://prng.di.unimi.it/xoshiro128starstar.c), period 2^128 − 1, its four state words
 * filled from the seed by a 32-bit splitmix (Weyl step 0x9e3779b9, mixing constants 0x21f0aaad and
 * 0x735a2d97 of https://github.com/skeeto/hash-prospector/issues/19).
 *
 * It stays for its digits, which are on record. New code uses `lib/_random.ts`.
 *
 * @module
 */

/** A stream of unsigned 32-bit integers. */
export type Uint32Stream = () => number;

/** The stream of a seed: an integer from 0 to 2^32 − 1. */
export function uint32s(seed: number): Uint32Stream {
  let weyl = seed | 0;
  const word = () => {
    weyl = (weyl + 0x9e3779b9) | 0;
    let z = weyl ^ (weyl >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [word(), word(), word(), word()];
  return () => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/**
 * The next integer in [0, n). Scaling 32 bits makes some values more probable than others by at
 * most n / 2^32 (2·10⁻⁷ for a thousand problems), far below what 10⁴ resamples can show.
 */
export function below(n: number, next: Uint32Stream): number {
  return Math.floor(next() * 2 ** -32 * n);
}
