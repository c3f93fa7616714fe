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
  if (d === 1n) return { numerator: n, denominator: d };
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

/** aⁿ for an integer n; throws a RangeError for 0 to a negative power. */
export function power(a: Rational, n: bigint): Rational {
  const base = n < 0n ? divide(rational(1n), a) : a, by = n < 0n ? -n : n;
  return { numerator: base.numerator ** by, denominator: base.denominator ** by };
}

/** Below 0 where a < b, 0 where they are equal, above 0 where a > b. */
export function compare(a: Rational, b: Rational): number {
  const [x, y] = [a.numerator * b.denominator, b.numerator * a.denominator];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The greatest integer that is not above. */
export function floor({ numerator, denominator }: Rational): bigint {
  const whole = numerator / denominator;
  return numerator < 0n && whole * denominator !== numerator ? whole - 1n : whole;
}

/** Whether a fraction is exactly this integer. */
export function equalsInteger(a: Rational, integer: bigint): boolean {
  return a.denominator === 1n && a.numerator === integer;
}

/** "66", "-1/2". */
export function format(a: Rational): string {
  return a.denominator === 1n ? `${a.numerator}` : `${a.numerator}/${a.denominator}`;
}

/** The greatest common divisor, not below 0. */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}
