/**
 * Exact fractions of any size, in lowest terms: the sign `s`, `n` above the bar, and `d` below it.
 *
 * @module
 */

import Fraction from "npm:fraction.js@5.3.4";

export { Fraction };

/** The integer that a fraction is; undefined where it is none. */
export const integerOf = (a: Fraction | undefined): bigint | undefined =>
  a?.d === 1n ? a.s * a.n : undefined;
