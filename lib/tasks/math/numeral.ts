/**
 * Numbers as formulas write them, exactly: decimals, repeating ones, those in another base; and whether an
 * expression is a decimal, which may be a rounded one.
 *
 * @module
 */

import { Fraction } from "../rational.ts";
import { exactOf } from "./exact.ts";
import { exact, type Expression, fraction } from "./tree.ts";

const TEN = new Fraction(10);

/** A number as it is written: 12, 0.50, .5, 1.5e-7. */
export function numberOf(text: string): Expression {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", part] = mantissa.split(".");
  const places = (part?.length ?? 0) - Number(exponent);
  if (Math.abs(places) > 9999) throw new SyntaxError("The number is out of range");
  const value = new Fraction(mantissa).mul(TEN.pow(Number(exponent)));
  if (part === undefined && Number(exponent) >= 0) return exact(value);
  const digits = `${whole}${part ?? ""}`.replace(/^0+/, "").length;
  return { op: "number", value, decimal: { places, digits } };
}

/** Digits before the period, and the period of a repeating decimal. */
export function repeating(head: string, period: string): Expression {
  if (!/^\d*\.\d*$/.test(head)) throw new SyntaxError(`${head} is no decimal`);
  return exact(new Fraction(`${head}(${period})`));
}

/** A number of digits, capitals from 10 on, in a base. */
export function inBase(digits: string, base: number): Expression {
  const own = Array.from(digits, (digit) => parseInt(digit, 36));
  const isBase = Number.isInteger(base) && base >= 2 && base <= 36;
  if (!isBase || !own.every((digit) => digit < base)) {
    throw new SyntaxError(`${digits} is no number in base ${base}`);
  }
  const value = own.reduce((sum, digit) => sum * BigInt(base) + BigInt(digit), 0n);
  return { op: "base", value: new Fraction(value), base };
}

export interface Decimal {
  readonly value: Fraction;
  /** Half a unit of its last digit. */
  readonly half: Fraction;
  readonly digits: number;
}

/** What a percentage is multiplied with. */
export const HUNDREDTH: Expression = fraction(1, 100);

/** The decimal that an expression is; undefined where it is none. */
export function decimalOf(e: Expression): Decimal | undefined {
  if (e.op === "number") {
    if (!e.decimal) return undefined;
    const half = TEN.pow(-e.decimal.places).div(2);
    return { value: e.value, half, digits: e.decimal.digits };
  }
  if (e.op !== "multiply" || e.args.length !== 2) return undefined;
  const [first, second] = e.args as [Expression, Expression];
  const own = decimalOf(first), scale = isScale(second) ? exactOf(second) : undefined;
  return own && scale && { ...own, value: own.value.mul(scale), half: own.half.mul(scale) };
}

/** A power of ten, or the hundredth of percent. */
function isScale(e: Expression): boolean {
  return e === HUNDREDTH || e.op === "power" && exactOf(e.args[0]!)?.equals(TEN) === true;
}
