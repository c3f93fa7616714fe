/**
 * Whether two outputs are the same, by the rule of the released LiveCodeBench grader: as many lines, each
 * equal as text without the white space around it, or else all its words equal as exact decimals.
 *
 * Words are read as Python's `Decimal` reads them, and compared as it compares: 1.0 is 1, `0x10` is no
 * number, 9007199254740993 is not 9007199254740992. No number is ever written out, so `1e999999999` costs
 * nothing.
 *
 * @module
 */

import { plainDigits } from "./answer/written.ts";

/** What Python's `str.strip()` and `str.split()` take for white space. */
const SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const RUNS = new RegExp(`${SPACE}+`, "u"), ONE = new RegExp(SPACE, "u");

function strip(text: string): string {
  let from = 0, to = text.length;
  while (from < to && ONE.test(text[from]!)) from++;
  while (to > from && ONE.test(text[to - 1]!)) to--;
  return text.slice(from, to);
}

const linesOf = (text: string) => strip(text).split("\n").map(strip);

/** Largest exponent of the first digit, and smallest of the last, that Python's `Decimal` holds. */
const HIGHEST = 10n ** 18n - 1n, LOWEST = -2n * HIGHEST + 1n;

/**
 * The number that a word is, as Python's `Decimal` reads it, in one form for all that are equal: its sign, its
 * digits without zeros at either end, the power of ten of the last. Undefined where it is none; NaN equals nothing.
 */
export function decimalOf(word: string): string | undefined {
  const text = plainDigits(word.replaceAll("_", ""));
  const special = /^(?:(-)|\+)?(?:(inf(?:inity)?)|s?nan\d*)$/i.exec(text);
  if (special) return special[2] ? `${special[1] ?? ""}Infinity` : undefined;
  const found = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?)0*(\d+))?$/i.exec(text);
  if (!found) return undefined;
  const [, sign, whole = "", after = "", alone, down, power = "0"] = found, part = alone ?? after;
  if (power.length > 19) return undefined;
  const digits = `${whole}${part}`.replace(/^0+/, "");
  const last = (down === "-" ? -1n : 1n) * BigInt(power) - BigInt(part.length);
  const first = last + BigInt(Math.max(1, digits.length)) - 1n;
  if (last < LOWEST || first > HIGHEST) return undefined;
  let size = digits.length;
  while (size > 0 && digits[size - 1] === "0") size--;
  if (size === 0) return "0";
  const exponent = last + BigInt(digits.length - size);
  return `${sign === "-" ? "-" : ""}${digits.slice(0, size)}e${exponent}`;
}

function sameDecimal(a: string, b: string): boolean {
  const own = decimalOf(a);
  return own !== undefined && own === decimalOf(b);
}

/** Whether a word is within a tolerance of one with a point or an exponent. */
function near(expected: string, given: string, tolerance: number): boolean {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(given)) return false;
  if (!/^[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[+-]?\d+)?$/i.test(expected)) return false;
  const right = Number(expected);
  // an absolute or relative error, with room for the rounding of the difference itself
  return Math.abs(Number(given) - right) <= tolerance * Math.max(1, Math.abs(right)) * (1 + 1e-9);
}

/** How two outputs compare: "near" where only the tolerance makes them equal. */
type Likeness = "same" | "near" | "different";

/**
 * Compares what must be printed with what was. The tolerance is the absolute or relative error of a number that
 * is expected with a point or an exponent; whole numbers and words stay exact.
 */
export function compareOutputs(expected: string, given: string, tolerance = 0): Likeness {
  const right = linesOf(expected), lines = linesOf(given);
  if (right.length !== lines.length) return "different";
  let likeness: Likeness = "same";
  for (const [i, line] of lines.entries()) {
    if (line === right[i]) continue;
    const a = right[i]!.split(RUNS), b = line.split(RUNS);
    if (a.length !== b.length) return "different";
    if (a.every((word, k) => sameDecimal(word, b[k]!))) continue;
    const close = tolerance > 0 &&
      a.every((word, k) =>
        word === b[k] || near(word, b[k]!, tolerance) || sameDecimal(word, b[k]!)
      );
    if (!close) return "different";
    likeness = "near";
  }
  return likeness;
}
