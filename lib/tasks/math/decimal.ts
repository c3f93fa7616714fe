/**
 * Expressions that are decimals as they are written: with a sign, a power of ten, or as percent.
 *
 * @module
 */

import { multiply, power, type Rational, rational } from "../rational.ts";
import { exactOf } from "./exact.ts";
import { type Expression, fraction } from "./tree.ts";

/** A decimal. */
export interface Decimal {
  readonly value: Rational;
  /** Half a unit of its last digit. */
  readonly half: Rational;
  /** Digits that signify. */
  readonly digits: number;
}

/** What a percentage is multiplied with. */
export const HUNDREDTH: Expression = fraction(1, 100);

/** The decimal that an expression is; undefined where it is none. */
export function decimalOf(e: Expression): Decimal | undefined {
  if (e.op === "number") {
    if (!e.decimal) return undefined;
    const ten = power(rational(10n), BigInt(-e.decimal.places));
    return { value: e.value, half: multiply(ten, rational(1n, 2n)), digits: e.decimal.digits };
  }
  if (e.op !== "multiply" || e.args.length !== 2) return undefined;
  const [first, second] = e.args as [Expression, Expression];
  const own = decimalOf(first), scale = isScale(second) ? exactOf(second) : undefined;
  return own && scale &&
    { value: multiply(own.value, scale), half: multiply(own.half, scale), digits: own.digits };
}

/** A power of ten, or the hundredth of percent. */
function isScale(e: Expression): boolean {
  if (e === HUNDREDTH) return true;
  const ten = e.op === "power" ? exactOf(e.args[0]!) : undefined;
  return ten?.numerator === 10n && ten.denominator === 1n;
}
