/**
 * Exact fractions of any size.
 *
 * @module
 */

/** A fraction in lowest terms with a positive denominator, so that equal values have equal parts. */
export interface Rational {
  /** Above the bar; carries the sign. */
  readonly numerator: bigint;
  /** Below the bar; greater than 0. */
  readonly denominator: bigint;
}

/** The fraction n / d in lowest terms; throws a RangeError where d is 0. */
export function rational(n: bigint, d = 1n): Rational {
  if (d === 0n) throw new RangeError("Cannot divide by zero");
  const divisor = greatestCommonDivisor(n, d) * (d < 0n ? -1n : 1n);
  return { numerator: n / divisor, denominator: d / divisor };
}

/** a + b. */
export function add(a: Rational, b: Rational): Rational {
  return rational(
    a.numerator * b.denominator + b.numerator * a.denominator,
    a.denominator * b.denominator,
  );
}

/** −a. */
export function negate(a: Rational): Rational {
  return { numerator: -a.numerator, denominator: a.denominator };
}

/** a · b. */
export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

/** a / b; throws a RangeError where b is 0. */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Whether a fraction is exactly this integer. */
export function equalsInteger(a: Rational, integer: bigint): boolean {
  return a.denominator === 1n && a.numerator === integer;
}

/** "66", "-1/2". */
export function format(a: Rational): string {
  return a.denominator === 1n ? `${a.numerator}` : `${a.numerator}/${a.denominator}`;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}
