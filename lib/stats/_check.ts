/** Argument checks that several functions of this folder share. @module */

import { checkNumber, number, refusal, type Rule, type Rules } from "../_check.ts";

/** A number strictly between 0 and 1: a confidence level, a significance level, a power. */
export const inside: Rule = (verb, name, value) => {
  const rule = "be a number greater than 0 and less than 1";
  if (typeof value !== "number") throw new TypeError(refusal(verb, name, rule, value));
  if (!(value > 0 && value < 1)) throw new RangeError(refusal(verb, name, rule, value));
};

/** What everything that draws lets be chosen. */
export interface DrawOptions {
  /** Number of draws: of resamples, of random sign patterns. Default: 10,000. */
  readonly resamples?: number;
  /** Their seed, an integer from 0 to 2^32 − 1: same seed, same result. Default: 1. */
  readonly seed?: number;
}

/** Their rules. */
export const DRAW_RULES: Rules<DrawOptions> = {
  resamples: number({ min: 1, integer: true }),
  seed: number({ min: 0, max: 2 ** 32 - 1, integer: true }),
};

/** A key that is there, such as a method's. */
export function checkKey(
  verb: string,
  name: string,
  value: unknown,
  known: readonly string[],
): string {
  if (known.includes(value as string)) return value as string;
  // all of them, whole: what is not shown cannot be named
  const names = known.map((key) => JSON.stringify(key)).join(", ");
  throw new RangeError(refusal(verb, name, `be one of [ ${names} ]`, value, known));
}

/** At least one difference, each finite; returned as a typed array. */
export function checkDifferences(verb: string, differences: ArrayLike<number>): Float64Array {
  if (differences.length === 0) {
    throw new RangeError(refusal(verb, "differences", "hold at least one number", []));
  }
  for (let i = 0; i < differences.length; i++) {
    checkNumber(verb, `differences[${i}]`, differences[i], {});
  }
  return Float64Array.from(differences); // [P]
}
