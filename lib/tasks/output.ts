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

/** A number: its sign, its digits without zeros at either end, and the power of ten of the last. */
interface Decimal {
  readonly sign: string;
  /** "" for zero, "Infinity", "NaN". */
  readonly digits: string;
  readonly exponent: bigint;
}

/** Largest exponent of the first digit, and smallest of the last, that Python's `Decimal` holds. */
const HIGHEST = 10n ** 18n - 1n, LOWEST = -2n * HIGHEST + 1n;

/** Decimal digits of any script as ASCII. */
function ascii(word: string): string {
  if (!/\P{ASCII}/u.test(word)) return word;
  return word.replace(/\p{Nd}/gu, (digit) => { // blocks of ten, each beginning with its zero
    const at = digit.codePointAt(0)!;
    let first = at;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
    return String((at - first) % 10);
  });
}

const without = (text: string, zeros: "start" | "end"): string => {
  let from = 0, to = text.length;
  if (zeros === "start") { while (from < to && text[from] === "0") from++; }
  else while (to > from && text[to - 1] === "0") to--;
  return text.slice(from, to);
};

/** A word as Python's `Decimal` reads it; undefined where it does not. */
export function decimalOf(word: string): Decimal | undefined {
  const text = ascii(word.replaceAll("_", ""));
  const special = /^([+-]?)(?:(inf(?:inity)?)|s?nan\d*)$/i.exec(text);
  if (special) {
    const digits = special[2] === undefined ? "NaN" : "Infinity";
    return { sign: special[1] === "-" ? "-" : "", digits, exponent: 0n };
  }
  const found = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?)(\d+))?$/i.exec(text);
  if (!found) return undefined;
  const [, sign, whole = "", after = "", alone, down, power = "0"] = found, part = alone ?? after;
  const left = without(`${whole}${part}`, "start"), digits = without(left, "end");
  const size = without(power, "start");
  if (size.length > 19) return undefined;
  const last = BigInt(`${down === "-" ? "-" : ""}${size || "0"}`) - BigInt(part.length);
  if (digits === "") {
    return last < LOWEST || last > HIGHEST ? undefined : { sign: "", digits, exponent: 0n };
  }
  if (last < LOWEST || last + BigInt(left.length) - 1n > HIGHEST) return undefined;
  const exponent = last + BigInt(left.length - digits.length);
  return { sign: sign === "-" ? "-" : "", digits, exponent };
}

const sameDecimal = (a: Decimal, b: Decimal) =>
  a.sign === b.sign && a.digits === b.digits && a.exponent === b.exponent && a.digits !== "NaN";

/** Whether a word is within a tolerance of one with a point or an exponent. */
function near(expected: string, given: string, tolerance: number): boolean {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(given)) return false;
  if (!/^[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[+-]?\d+)?$/i.test(expected)) return false;
  const right = Number(expected);
  // an absolute or relative error, with room for the rounding of the difference itself
  return Math.abs(Number(given) - right) <= tolerance * Math.max(1, Math.abs(right)) * (1 + 1e-9);
}

/** How two outputs compare: "near" where only the tolerance makes them equal. */
export type Likeness = "same" | "near" | "different";

/**
 * Compares what must be printed with what was.
 *
 * @param expected What must be printed.
 * @param given What was printed.
 * @param tolerance Absolute or relative error of a number that is expected with a point or an exponent;
 * 0: none. Whole numbers and words stay exact.
 */
export function compareOutputs(expected: string, given: string, tolerance = 0): Likeness {
  const right = linesOf(expected), lines = linesOf(given);
  if (right.length !== lines.length) return "different";
  let likeness: Likeness = "same";
  for (const [i, line] of lines.entries()) {
    if (line === right[i]) continue;
    const a = right[i]!.split(RUNS), b = line.split(RUNS);
    const decimals = a.length === b.length &&
      a.every((word, k) => {
        const x = decimalOf(word), y = decimalOf(b[k]!);
        return x !== undefined && y !== undefined && sameDecimal(x, y);
      });
    if (decimals) continue;
    const close = tolerance > 0 && a.length === b.length && a.every((word, k) => {
      if (word === b[k] || near(word, b[k]!, tolerance)) return true;
      const x = decimalOf(word), y = decimalOf(b[k]!);
      return x !== undefined && y !== undefined && sameDecimal(x, y);
    });
    if (!close) return "different";
    likeness = "near";
  }
  return likeness;
}

/** Whether two outputs are the same by the released rule. */
export const sameOutput = (expected: string, given: string): boolean =>
  compareOutputs(expected, given) === "same";
