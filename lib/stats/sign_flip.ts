/** The paired test for several repeats a problem. @module */

import { boolean, checkOptions, type Rules } from "../_check.ts";
import { checkDifferences, DRAW_RULES, type DrawOptions } from "./_check.ts";
import { uint32s } from "./_random.ts";

/** Up to here all sign patterns of any numbers are tried: 2^16 sums. */
const PATTERNS = 16;

/** Largest common denominator of the differences, and the most additions for which sums are counted. */
const DENOMINATOR = 10_080, ADDITIONS = 2 ** 28;

/** Options of {@linkcode signFlipTest}. */
export interface SignFlipTestOptions extends DrawOptions {
  /**
   * Whether sums that only equal the observed one count half, as in {@linkcode mcnemarMidP}. Default:
   * false.
   */
  readonly midP?: boolean;
}

const RULES: Rules<SignFlipTestOptions> = { ...DRAW_RULES, midP: boolean };

/**
 * Two-sided permutation test of paired differences. If method and baseline are alike, swapping
 * them on any problem changes nothing, so every sign of every difference is equally probable; p is
 * the share of sign patterns whose |Σ ± dᵢ| reaches the observed |Σ dᵢ|.
 *
 * Differences of shares of k repeats are multiples of 1/k, so that all 2ⁿ patterns are counted by adding
 * up the distribution of the sum, problem by problem: p is exact. So it is for up to 16 non-zero
 * differences of any kind. For others (scores with many digits) random patterns are drawn and
 * p = (count + 1) / (resamples + 1), which is never 0 and keeps the error rate (Phipson & Smyth 2010, Stat.
 * Appl. Genet. Mol. Biol. 9, 39). For differences of −1, 0 and 1 the test is McNemar's.
 *
 * @example Five problems improved by different amounts, one worse
 * ```ts
 * import { signFlipTest } from "@moi/moi/stats";
 * import { assertEquals } from "@std/assert";
 * assertEquals(signFlipTest([0.5, 0.25, 0.75, 0.5, 0.5, -0.25, 0]), 6 / 64);
 * ```
 *
 * @param differences One number a problem: the method's share of correct runs less the baseline's
 * @returns The p value; 1 where all differences are 0
 * @throws {RangeError} If there are no differences, or one is not finite
 */
export function signFlipTest(
  differences: ArrayLike<number>,
  options: SignFlipTestOptions = {},
): number {
  const verb = "compute a sign-flip test";
  checkOptions(verb, options, RULES);
  const { resamples = 10_000, seed = 1, midP = false } = options;
  const moving = checkDifferences(verb, differences).filter((d) => d !== 0);
  const tails = counted(moving) ?? (moving.length <= PATTERNS ? tried(moving) : undefined);
  if (tails) return Math.min(1, 2 * tails.beyond + (midP ? 1 : 2) * tails.equal);
  return drawn(moving, resamples, seed);
}

/** Chances that Σ ± dᵢ is greater than the observed |Σ dᵢ|, and that it is the same. */
interface Tails {
  readonly beyond: number;
  readonly equal: number;
}

/** The least number that makes whole numbers of all values; undefined where it is large. */
function denominatorOf(values: Float64Array): number | undefined {
  const isWhole = (x: number) => Math.abs(x - Math.round(x)) < 1e-9 * Math.max(1, Math.abs(x));
  let common = 1;
  for (const value of values) {
    let factor = 1;
    while (!isWhole(value * common * factor)) {
      if (++factor * common > DENOMINATOR) return undefined;
    }
    common *= factor;
  }
  return common;
}

/** By the distribution of the sum, where all differences are multiples of one number. */
function counted(moving: Float64Array): Tails | undefined {
  const common = denominatorOf(moving);
  if (common === undefined) return undefined;
  const units = Array.from(moving, (d) => Math.round(d * common)), sizes = units.map(Math.abs);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total * sizes.length > ADDITIONS) return undefined;
  // chance[j]: of the positive ones adding up to j, so that Σ ± is 2j − total
  const chance = new Float64Array(total + 1);
  chance[0] = 1;
  let reach = 0;
  for (const size of sizes) {
    reach += size;
    for (let j = reach; j >= 0; j--) {
      const sum = 0.5 * (chance[j]! + (j >= size ? chance[j - size]! : 0));
      chance[j] = sum < 1e-300 ? 0 : sum; // denormal numbers are slow
    }
  }
  const seen = (Math.abs(units.reduce((a, b) => a + b, 0)) + total) / 2;
  let beyond = 0;
  for (let j = total; j > seen; j--) beyond += chance[j]!;
  return { beyond, equal: chance[seen]! };
}

/** By trying all patterns of few differences. */
function tried(moving: Float64Array): Tails {
  let sums = [0]; // [2^i]
  for (const d of moving) sums = sums.flatMap((sum) => [sum + d, sum - d]);
  const seen = Math.abs(moving.reduce((a, b) => a + b, 0));
  const rounding = 1e-10 * moving.reduce((sum, d) => sum + Math.abs(d), 0);
  const share = (test: (sum: number) => boolean) => sums.filter(test).length / sums.length;
  return {
    beyond: share((sum) => sum > seen + rounding),
    equal: share((sum) => Math.abs(sum - seen) <= rounding),
  };
}

/** By random patterns. */
function drawn(moving: Float64Array, resamples: number, seed: number): number {
  const total = moving.reduce((sum, d) => sum + Math.abs(d), 0);
  // Sums that are equal on paper differ by rounding: count them as reached.
  const observed = Math.abs(moving.reduce((sum, d) => sum + d, 0)) - 1e-10 * total;
  const next = uint32s(seed);
  let reached = 1;
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let bits = 0;
    for (let i = 0; i < moving.length; i++) {
      bits = i % 32 === 0 ? next() : bits >>> 1;
      sum += (1 - 2 * (bits & 1)) * moving[i]!;
    }
    if (Math.abs(sum) >= observed) reached += 1;
  }
  return reached / (resamples + 1);
}
