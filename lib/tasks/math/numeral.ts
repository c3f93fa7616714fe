/**
 * Numbers as formulas write them, exactly: decimals, repeating ones, and those in another base.
 *
 * @module
 */

import { add, rational } from "../rational.ts";
import { exact, type Expression } from "./tree.ts";

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
