/**
 * Numbers as texts write them, with their exact values.
 *
 * - Separators of thousands: a comma (also `{,}` and `\,`), an apostrophe, a space of any width, a point
 *   where there are two; "1,00,000" is Indian. A comma that does not part thousands is a decimal comma:
 *   "1,23" is 1.23, as "1.234,5" is 1234.5; "1,234" is 1234, and "1.234" is 1.234.
 * - A minus is a hyphen, a dash of any width, "minus" or "negative", if it belongs to the number: in "16-4"
 *   and "16 - 4" it stands between operands and is none.
 * - Fractions (`3/4`, `\frac{3}{4}`, ½), mixed numbers, `1.5e3`, `1.5 \times 10^{3}`, percent, currencies,
 *   and the decimal digits of all scripts.
 * - Times, dates, ratios, ordinals, exponents and indices are no numbers, nor are digits within words.
 *
 * @module
 */

import { Fraction } from "../rational.ts";
import { matchAt } from "./pieces.ts";

/** A number in a text. */
export interface WrittenNumber {
  readonly value: Fraction;
  /** Without separators, currency, percent; "1/4", "1500", "7.50". */
  readonly text: string;
  /** What else it may be: of "50 %" one half, of "1.5 million" 1.5. */
  readonly other?: Fraction;
  /** Begin, sign and currency included. */
  readonly from: number;
  readonly to: number;
}

/** Value of a decimal digit of any script: they come in runs of ten. */
function digitOf(char: string): string {
  const plain = char.normalize("NFKC");
  if (/^\d$/.test(plain)) return plain;
  let value = 0;
  for (let at = char.codePointAt(0)! - 1; /\p{Nd}/u.test(String.fromCodePoint(at)); at--) value++;
  return `${value % 10}`;
}

/** A text with the decimal digits of all scripts as ASCII. */
export const plainDigits = (text: string): string => text.replace(/(?![0-9])\p{Nd}/gu, digitOf);

/** A text in which full-width forms, digits of other scripts and fractions of one character are plain. */
export function folded(text: string): string {
  if (!/[\u0080-\uffff]/.test(text)) return text;
  const plain = text.replace(/(?<=\d)(?=[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])/g, " ").replace(
    /[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞\uff01-\uff5e\u24b6-\u24e9\u{1d400}-\u{1d7ff}]/gu,
    (char) => char.normalize("NFKC"),
  );
  return plainDigits(plain).replaceAll("٫", ".").replaceAll("٬", ",")
    .replaceAll("⁄", "/")
    .replaceAll("٪", "%");
}

/** The same, with LaTeX's separators and signs as plain ones. */
export function plainNumbers(text: string): string {
  return folded(text).replaceAll("{,}", ",").replace(/,\\!(?=\d)/g, ",").replace(/\\!(?=\d)/g, "")
    .replace(/(?<=\d)(?:\\[,;: ]|~|\\thinspace\s?)(?=\d)/g, "\u2009").replace(/\\([$%])/g, "$1");
}

const SIGN = "-\u2212\u2010-\u2015\ufe63";
const REAL = [
  String.raw`(?!0\d*,)\d{1,3}(?:,\d{2,3}){0,20},\d{3}(?!\d)(?:\.\d+)?`,
  String
    .raw`\d{1,3}([ \u00a0\u2000-\u200a\u202f\u205f'’ʼ])\d{3}(?:\1\d{3}){0,20}(?!\d)(?:[.,]\d+(?!\d))?`,
  String.raw`\d{1,3}(?:\.\d{3}){1,20},\d+(?!\d)`,
  String.raw`\d{1,3}(?:\.\d{3}){2,20}(?!\d)`,
  String.raw`(?<![(\[{,]|[(\[{,] )\d+,\d+(?![,\d]|, ?\d)`,
  String.raw`\d+(?:\.\d+)?|\.\d+`,
].join("|");
const REAL_AT = new RegExp(REAL, "y");
const TIME_OR_DATE =
  /\d+(?::\d+)+(?:\.\d+)?|\d{4}([-\/.])\d{1,2}\1\d{1,2}(?!\d)|\d{1,2}([-\/.])\d{1,2}\2\d{4}(?!\d)/y;
const FRACTION = new RegExp(
  String
    .raw`\\[dtc]?frac\s*(?:\{\s*([${SIGN}]?\s*[\d.,]{1,40})\s*\}|(\d))\s*(?:\{\s*([\d.,]{1,40})\s*\}|(\d))`,
  "y",
);
const SLASH = /\s?\/\s?(\d{1,40})(?![\d/]|[.,]\d)/y;
const MIXED = /(?:(?:[ \u00a0\u2009]|\\ ){1,2}|\sand\s)(\d{1,20})\s?\/\s?(\d{1,20})(?![\d/]|\.\d)/y;
const POWER = new RegExp(
  String
    .raw`[eE]([${SIGN}+]?\d{1,3})(?![\w.]\d|\w)|\s?(?:\\times|\\cdot|[×·*xX])\s?10\s?(?:\^|\*\*)\s?(?:\{\s*([${SIGN}+]?\s?\d{1,3})\s*\}|([${SIGN}]?\d{1,3})(?!\d))|\s?(?:\\times|\\cdot|[×·*])\s?10([⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})`,
  "y",
);
const TEN = new RegExp(
  String.raw`10\s?(?:\^|\*\*)\s?(?:\{\s*([${SIGN}]?\d{1,2})\s*\}|([${SIGN}]?\d{1,2})(?!\d))`,
  "y",
);
const PERCENT = /\s?(?:%|percent(?:age)?\b|per cent\b|pct\b)/y;
const SCALE = /\s?(thousand|million|billion|trillion)s?(?![\p{L}])/iuy;
const SCALES: Readonly<Record<string, bigint>> = {
  ...{ thousand: 3n, million: 6n, billion: 9n, trillion: 12n },
};
/** Most digits of a number, and largest power of ten: longer ones are no answers. */
const MOST_DIGITS = 1000, LARGEST_POWER = 300;

/** Value of a real as REAL matches it; undefined where it has too many digits. */
function realOf(written: string): { value: Fraction; text: string } | undefined {
  let plain = written.replace(/[ \u00a0\u2000-\u200a\u202f\u205f'’ʼ]/g, "");
  const commas = plain.split(",").length - 1, points = plain.split(".").length - 1;
  if (points > 1 || (points === 1 && commas === 1 && plain.indexOf(".") < plain.indexOf(","))) {
    plain = plain.replaceAll(".", "").replace(",", ".");
  } else if (commas === 1 && points === 0 && (!/^\d{1,3},\d{3}$/.test(plain) || plain[0] === "0")) {
    plain = plain.replace(",", ".");
  } else plain = plain.replaceAll(",", "");
  if (plain.length > MOST_DIGITS) return undefined;
  const [whole = "", decimals = ""] = plain.split(".");
  const kept = /^0*$/.test(decimals) ? "" : `.${decimals}`;
  return { value: new Fraction(plain), text: `${whole.replace(/^0+(?=\d)/, "") || "0"}${kept}` };
}

/** A fraction of two, as text: a decimal where it ends, and was one. */
const textOf = (value: Fraction, fraction: boolean): string =>
  fraction ? value.toFraction() : value.toString(LARGEST_POWER + MOST_DIGITS);

const power = (text: string) =>
  Number(
    text.replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/g, (c) => c === "⁻" ? "-" : `${"⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)}`)
      .replace(new RegExp(`[${SIGN}]`), "-").replace(/[\s+]/g, ""),
  );

const CURRENCY = /(?:(?:US|CA|A|NZ|HK)?[$€£¥₹₩₽]|(?:USD|EUR|GBP|CHF|Rs\.?))\s?$/;
const SIGN_BEFORE = new RegExp(`[${SIGN}]([ \\t\u00a0]?)$`);

/** Place and presence of a sign before a place; `own`: the text is nothing but an answer. */
function signBefore(text: string, place: number, own: boolean) {
  const before = text.slice(Math.max(0, place - 24), place);
  const unpaid = place - (CURRENCY.exec(before)?.[0].length ?? 0);
  for (const from of new Set([place, unpaid])) {
    const sign = SIGN_BEFORE.exec(text.slice(Math.max(0, from - 2), from));
    if (!sign) continue;
    const signAt = from - sign[0].length, left = text.slice(Math.max(0, signAt - 12), signAt);
    const near = left.at(-1) ?? "", far = left.trimEnd().at(-1) ?? "";
    const negative = { from: signAt, negative: true };
    if (sign[1] !== "") {
      if (far === "" ? own : /[=(\[{:<>≈,]/.test(far)) return negative;
      continue;
    }
    // "5*-4" is a product by −4; "$5-4$" has a digit before
    if (near === "" || /[=(\[{:<>≈,"'“‘$*_|&~]/.test(near)) return negative;
    const operand = /[\d)\]}%]$|(?:^|[^\p{L}\\])\p{L}$/u.test(left.trimEnd());
    return !/\s/.test(near) || operand ? { from, negative: false } : negative;
  }
  const word = /(?<![\p{L}\d])(minus|negative)\s$/iu.exec(before);
  const isOperator = word?.[1]?.toLowerCase() === "minus" &&
    /[\d)\]}%]$/.test(before.slice(0, word.index).trimEnd());
  return word && !isOperator
    ? { from: place - word[0].length, negative: true }
    : { from: unpaid, negative: false };
}

/** What is written at a place: without a value it is no number, without a text a fraction. */
interface Written {
  readonly value?: Fraction;
  readonly text?: string;
  readonly to: number;
}

/** Value of a fraction in LaTeX; undefined where it has none. */
function quotientOf([, top, topDigit, bottom, bottomDigit]: RegExpExecArray): Fraction | undefined {
  const above = top ?? topDigit!, negative = new RegExp(`^[${SIGN}]`).test(above);
  const a = realOf(negative ? above.slice(1).trim() : above), b = realOf(bottom ?? bottomDigit!);
  if (!a || !b || b.value.n === 0n) return undefined;
  return a.value.div(negative ? b.value.neg() : b.value);
}

/** A number times a power of ten. */
function scaled(value: Fraction, exponent: number, to: number): Written {
  if (Math.abs(exponent) > LARGEST_POWER) return { to };
  const own = value.mul(new Fraction(10).pow(exponent));
  return { value: own, text: textOf(own, false), to };
}

/** The number that is written at a place, without sign and unit. */
function writtenAt(text: string, place: number): Written {
  const latex = matchAt(FRACTION, text, place), match = matchAt(REAL_AT, text, place);
  if (latex) {
    const value = quotientOf(latex);
    return { ...(value && { value }), to: place + latex[0].length };
  }
  if (!match) return { to: place + 1 };
  const ten = matchAt(TEN, text, place);
  if (ten) return scaled(new Fraction(1), power(ten[1] ?? ten[2]!), place + ten[0].length);
  const to = place + match[0].length, real = realOf(match[0]);
  if (!real) return { to };
  const { value } = real, after = (own: RegExpExecArray) => to + own[0].length;
  const scientific = matchAt(POWER, text, to), slash = matchAt(SLASH, text, to);
  if (scientific) {
    const exponent = scientific.slice(1).find((part) => part !== undefined)!;
    return scaled(value, power(exponent), after(scientific));
  }
  if (slash) {
    const below = BigInt(slash[1]!);
    return { ...(below !== 0n && { value: value.div(below) }), to: after(slash) };
  }
  if (value.d === 1n) { // 1 1/4, 1\frac{1}{4}
    const mixed = matchAt(MIXED, text, to), [n, d] = mixed ? mixed.slice(1).map(BigInt) : [];
    if (mixed && n! < d!) return { value: value.add(n!, d!), to: after(mixed) };
    const spaced = to + /^(?:\s|\\ ){0,2}/.exec(text.slice(to, to + 4))![0].length;
    const part = matchAt(FRACTION, text, spaced), rest = part ? quotientOf(part) : undefined;
    if (part && rest && rest.compare(0) > 0) {
      return { value: value.add(rest), to: spaced + part[0].length };
    }
  }
  return { value, text: real.text, to };
}

/** The number whose first digit, point or fraction stands at a place; the end of what is none. */
function numberAt(text: string, place: number, own: boolean): WrittenNumber | { to: number } {
  if (matchAt(TIME_OR_DATE, text, place)) return { to: TIME_OR_DATE.lastIndex };
  const found = writtenAt(text, place), isFraction = found.text === undefined;
  if (!found.value) return { to: found.to };
  const { from, negative } = signBefore(text, place, own);
  const value = negative ? found.value.neg() : found.value;
  const minus = negative && !/^[0.]*$/.test(found.text ?? "") ? "-" : "";
  const shown = found.text === undefined ? textOf(value, true) : minus + found.text;
  const unit = matchAt(PERCENT, text, found.to) ?? matchAt(SCALE, text, found.to);
  if (!unit) return { value, text: shown, from, to: found.to };
  const to = found.to + unit[0].length, zeros = SCALES[unit[1]?.toLowerCase() ?? ""];
  if (zeros === undefined) {
    return { value, text: shown, from, to, other: value.div(100) };
  }
  const whole = value.mul(10n ** zeros);
  return { value: whole, text: textOf(whole, isFraction), from, to, other: value };
}

/** Whether the digits at a place belong to a word, an exponent or an index. */
function isWithin(text: string, place: number): boolean {
  const before = text.slice(Math.max(0, place - 8), place);
  if (/(?:USD|EUR|GBP|CHF|INR|Rs\.?)$|\\\w+$/.test(before)) return false;
  return /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}_^]\.?$|(?:\p{Lu}|\p{L}{2})[-‐‑]$|[\^_]\{?[-−]?$/u
    .test(before);
}

/**
 * The numbers of a text that {@linkcode plainNumbers} has been through, in its order.
 *
 * @param text The text.
 * @param own Whether it is nothing but an answer: then "- 5" is −5, and an ordinal is a number.
 */
export function numbersIn(text: string, own = false): WrittenNumber[] {
  const found: WrittenNumber[] = [], start = /\d|\.(?=\d)|\\[dtc]?frac(?![a-zA-Z])/g;
  for (let match = start.exec(text); match; match = start.exec(text)) {
    if (match[0] === "." && /[\p{L}\d)\]]/u.test(text[match.index - 1] ?? "")) continue;
    const number = numberAt(text, match.index, own);
    start.lastIndex = Math.max(number.to, match.index + 1);
    if (!("value" in number) || isWithin(text, match.index)) continue;
    const after = text.slice(number.to, number.to + 12);
    if (!own && /^(?:st|nd|rd|th)(?![\p{L}])/iu.test(after)) continue;
    // "3. Then …" at the beginning of a line counts lines
    const listed = /^[.)]\s+\p{L}/u.test(after) &&
      /(?:^|\n)[ \t#>*]*$/.test(text.slice(Math.max(0, number.from - 8), number.from));
    if (!own && listed && (number.from > 0 || after.startsWith(")"))) continue;
    found.push(number);
  }
  return found;
}
