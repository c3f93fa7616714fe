/**
 * JSON as files of other tools have it: numbers keep their digits, and what Python writes is read.
 *
 * @module
 */

/** Digits and power of ten of a number as written, without its sign: "1.50" and "15e-1" are one. */
function decimalOf(token: string): string {
  const [mantissa = "", exponent = "0"] = token.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = whole + fraction;
  let start = 0, end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  while (start < end && digits[start] === "0") start++;
  const power = Number(exponent) - fraction.length + digits.length - end;
  return start === end ? "0" : `${digits.slice(start, end)}e${power}`;
}

/**
 * A number as written, where a double holds it with all its digits; else its text. Integers beyond
 * 2^53 − 1 are text always, as a double cannot tell them from their neighbours.
 */
export function exactNumber(token: string): number | string {
  const value = Number(token);
  if (Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value)) {
    return token;
  }
  return decimalOf(String(value)) === decimalOf(token) ? value : token;
}

/** Where a double may be too short: many digits in a row, or an exponent. */
const LONG = /[\d.]{16}|\d[eE]/;

function parseExact(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  return JSON.parse(
    text,
    (_key, value, { source }: { source?: string } = {}) =>
      typeof value === "number" && source !== undefined ? exactNumber(source) : value,
  );
}

/** The text with other words for the NaN, Infinity and -Infinity outside of its strings. */
function withoutNaN(text: string, instead: (word: string) => string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('"', at), gap = text.slice(at, open < 0 ? text.length : open);
    parts.push(gap.replace(/(?:-?\bInfinity|\bNaN)\b/g, instead));
    if (open < 0) break;
    let close = open;
    for (let escaped = true; escaped;) {
      close = text.indexOf('"', close + 1);
      if (close < 0) return text; // a string without an end: the parser says so
      escaped = false;
      for (let i = close - 1; text[i] === "\\"; i--) escaped = !escaped;
    }
    parts.push(text.slice(open, close + 1));
    at = close + 1;
  }
  return parts.join("");
}

/**
 * Parses JSON text, also such as Python's `json.dumps` and pandas write it: NaN, Infinity and
 * -Infinity become null, for what is missing, or `instead`. A number that a double cannot hold with
 * all its digits is text ({@linkcode exactNumber}), unless `parse` has it otherwise. A byte order
 * mark is passed over.
 */
export function parseJson(
  text: string,
  parse: (json: string) => unknown = parseExact,
  instead: (word: string) => string = () => "null",
): unknown {
  const own = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return parse(own);
  } catch (error) {
    if (!(error instanceof SyntaxError) || !/NaN|Infinity/.test(own)) throw error;
    return parse(withoutNaN(own, instead));
  }
}

/** The text in UTF-8, or UTF-16 by its byte order mark; TypeError where it is none. */
export function textIn(bytes: Uint8Array): string {
  const [a, b] = bytes;
  const label = a === 0xff && b === 0xfe
    ? "utf-16le"
    : a === 0xfe && b === 0xff
    ? "utf-16be"
    : "utf-8";
  return new TextDecoder(label, { fatal: true }).decode(bytes);
}
