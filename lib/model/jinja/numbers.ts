/**
 * Numbers as text and text as numbers, to Python's last digit: one way of writing them for `str`, `%`
 * and `format`, on exact integers.
 *
 * @module
 */

import { MAX_DIGITS } from "./limits.ts";

export function integerText(value: bigint): string {
  const digits = value.toString();
  if (digits.length > MAX_DIGITS) {
    throw new RangeError(`an integer has more than ${MAX_DIGITS} digits`);
  }
  return digits;
}

/** A finite float as an exact fraction, the denominator a power of two. */
function fraction(value: number): readonly [bigint, bigint] {
  let denominator = 1n, scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

/** The integer nearest to a fraction; of two the even one. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n ? -1n : 1n, size = numerator * sign;
  const quotient = size / denominator, twice = 2n * (size % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return sign * (quotient + (up ? 1n : 0n));
}

/** |value| · 10^digits, rounded to an integer, exactly. */
function scaled(value: number, digits: number): bigint {
  const [numerator, denominator] = fraction(Math.abs(value));
  return digits >= 0
    ? nearest(numerator * 10n ** BigInt(digits), denominator)
    : nearest(numerator, denominator * 10n ** BigInt(-digits));
}

export const isNegative = (value: bigint | number): boolean => value < 0 || Object.is(value, -0);

export function round(value: bigint | number, digits: bigint): bigint | number {
  if (typeof value === "bigint") {
    if (digits >= 0n) return value;
    if (digits < -MAX_DIGITS) return 0n;
    const unit = 10n ** -digits;
    return nearest(value, unit) * unit;
  }
  if (!Number.isFinite(value) || digits > 350n) return value;
  if (digits < -350n) return value < 0 ? -0 : 0;
  const places = Number(digits);
  return Number(`${isNegative(value) ? "-" : ""}${scaled(value, places)}e${-places}`);
}

/** A float without its decimals. */
export function truncated(value: number): bigint {
  if (!Number.isFinite(value)) {
    throw new RangeError(`cannot convert float ${floatText(value)} to integer`);
  }
  return BigInt(Math.trunc(value));
}

/** |value| as so many digits after the first one, and the power of ten of the first. */
function significant(value: number, digits: number): readonly [string, number] {
  if (value === 0) return ["0".repeat(digits + 1), 0];
  let power = Number(value.toExponential().split("e")[1]);
  let all = scaled(value, digits - power).toString();
  if (all.length > digits + 1) all = scaled(value, digits - ++power).toString();
  return [all, power];
}

/** Digits of which the first has a power of ten, with a point or an exponent. */
function laidOut(digits: string, power: number, withExponent: boolean): string {
  if (withExponent) {
    const exponent = String(Math.abs(power)).padStart(2, "0");
    return `${laidOut(digits, 0, false)}e${power < 0 ? "-" : "+"}${exponent}`;
  }
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const rest = digits.slice(power + 1);
  return digits.slice(0, power + 1).padEnd(power + 1, "0") + (rest && `.${rest}`);
}

const notFinite = (value: number) => Number.isNaN(value) ? "nan" : "inf";

export function floatText(value: number): string {
  const size = Math.abs(value), sign = isNegative(value) ? "-" : "";
  if (!Number.isFinite(value)) return sign + notFinite(value);
  const [mantissa, exponent] = size.toExponential().split("e") as [string, string];
  const power = Number(exponent), isLong = power < -4 || power >= 16;
  const written = laidOut(mantissa.replace(".", ""), power, isLong);
  return sign + written + (isLong || written.includes(".") ? "" : ".0");
}

/**
 * Digits of |value|, as `%#.3g` and `{:#.3g}` alike say it: an integer in a base, or a float.
 *
 * @param type One of b, d, o, x, X for integers, of e, E, f, F, g, G, % for floats; "" is Python's own.
 * @param alternate Whether `#` asks for a point, and for zeros at the end.
 * @param precision Digits after the point; of g, and of "", all digits.
 */
export function digitsOf(
  value: bigint | number,
  type: string,
  alternate: boolean,
  precision?: number,
): string {
  const isPercent = type === "%", size = value < 0 ? -value : value;
  const digits = typeof size === "bigint"
    ? BASES[type] ? size.toString(BASES[type]) : integerText(size)
    : isPercent
    ? `${floatDigits(size * 100, "f", alternate, precision)}%`
    : floatDigits(size, type.toLowerCase(), alternate, precision);
  return /[A-Z]/.test(type) ? digits.toUpperCase() : digits;
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };

function floatDigits(given: number, type: string, alternate: boolean, precision?: number): string {
  const value = Math.abs(given), asked = precision ?? 6;
  if (type === "" && precision === undefined) return floatText(value);
  if (!Number.isFinite(value)) return notFinite(value);
  if (asked > MAX_DIGITS) throw new RangeError(`a precision is above ${MAX_DIGITS}`);
  const pointed = (text: string) =>
    alternate && !text.includes(".") ? text.replace(/(?=e|$)/, ".") : text;
  if (type === "f") {
    const all = scaled(value, asked).toString().padStart(asked + 1, "0");
    return pointed(laidOut(all, all.length - 1 - asked, false));
  }
  if (type === "e") return pointed(laidOut(...significant(value, asked), true));
  const places = Math.max(1, asked), [all, power] = significant(value, places - 1);
  const isLong = power < -4 || power >= (type === "" ? places - 1 : places);
  const written = laidOut(all.replace(/(?<=.)0+$/, ""), power, isLong);
  if (alternate) return pointed(laidOut(all, power, isLong));
  return type === "" && !isLong && !written.includes(".") ? `${written}.0` : written;
}

/**
 * Digits before a point in groups: of three, or of four where they are hexadecimal; up to a width with
 * zeros, which take part in the grouping.
 */
export function grouped(digits: string, separator: string, size: 3 | 4, width: number): string {
  const [whole] = (size === 3 ? /^\d*/ : /^[\da-fA-F]*/).exec(digits)!;
  if (whole === "") return digits;
  const rest = digits.slice(whole.length), room = width - rest.length;
  const count = room - Math.floor(room / (size + 1)) + (room % (size + 1) === 0 ? 1 : 0);
  const all = whole.padStart(count, "0"), first = all.length % size || size;
  const groups = all.slice(first).match(size === 3 ? /.{3}/g : /.{4}/g) ?? [];
  return [all.slice(0, first), ...groups].join(separator) + rest;
}

/** Python's `int` of a text without white space around it, in a base; undefined where it is none. */
export function parseInteger(written: string, base: bigint): bigint | undefined {
  const [, sign, prefix = "", digits] =
    /^([-+]?)(0[xXoObB]_?)?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(written) ?? [];
  if (digits === undefined || base === 1n || base < 0n || base > 36n) return undefined;
  const named = BASES[prefix.slice(1, 2).toLowerCase()];
  let radix = Number(base), body = digits.replaceAll("_", "");
  if (named !== undefined && (radix === 0 || radix === named)) radix = named;
  else if (prefix !== "") body = prefix.replaceAll("_", "") + body;
  else if (radix === 0) {
    radix = 10;
    if (/^0+[1-9]/.test(body)) return undefined;
  }
  if (body.length > MAX_DIGITS) return undefined;
  let value = 0n;
  for (const c of body) {
    const digit = parseInt(c, 36);
    if (!(digit < radix)) return undefined;
    value = value * BigInt(radix) + BigInt(digit);
  }
  return sign === "-" ? -value : value;
}

const DIGITS = "\\d+(?:_\\d+)*";
const FLOAT = new RegExp(
  `^[-+]?(?:(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[-+]?${DIGITS})?|inf|infinity|nan)$`,
  "i",
);

/** Python's `float` of a text without white space around it; undefined where it is none. */
export function parseFloat(written: string): number | undefined {
  if (!FLOAT.test(written)) return undefined;
  return Number(written.replaceAll("_", "").replace(/inf.*/i, "Infinity"));
}
