/**
 * Numbers as formulas write them, exactly: decimals, repeating ones, those in another base; and whether an
 * expression is a decimal, which may be a rounded one.
 *
 * @module
 */

import { add, multiply, power, type Rational, rational } from "../rational.ts";
import { exactOf } from "./exact.ts";
import { exact, type Expression, fraction } from "./tree.ts";

const digitsOf = (text: string) => BigInt(text || "0");

/** A number as it is written: 12, 0.50, .5, 1.5e-7. */
export function numberOf(text: string): Expression {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", part] = mantissa.split("."), digits = whole + (part ?? "");
  const places = (part?.length ?? 0) - Number(exponent);
  if (Math.abs(places) > 9999) throw new SyntaxError("The number is out of range");
  const n = digitsOf(digits), scale = 10n ** BigInt(Math.abs(places));
  const value = places > 0 ? rational(n, scale) : rational(n * scale);
  if (part === undefined && Number(exponent) >= 0) return exact(value);
  return { op: "number", value, decimal: { places, digits: digits.replace(/^0+/, "").length } };
}

/** Digits before the period, and the period of a repeating decimal. */
export function repeating(head: string, period: string): Expression {
  const [whole = "", part = ""] = head.split(".");
  const scale = 10n ** BigInt(part.length);
  const rest = rational(BigInt(period), scale * (10n ** BigInt(period.length) - 1n));
  return exact(add(rational(digitsOf(whole + part), scale), rest));
}

/** A number of digits, capitals from 10 on, in a base. */
export function inBase(digits: string, base: number): Expression {
  let value = 0n;
  for (const digit of digits) {
    const own = parseInt(digit, 36);
    if (!(own < base)) throw new SyntaxError(`${digit} is no digit in base ${base}`);
    value = value * BigInt(base) + BigInt(own);
  }
  return { op: "base", value: rational(value), base };
}

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
