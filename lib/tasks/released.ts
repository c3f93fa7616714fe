/**
 * How the released MoI code grades, so that its published runs can be graded as they were.
 *
 * Its rules are not ours: for AIME the first box that holds an integer counts, and without one any
 * integer does; for Countdown the value is compared in floating point. Source: `example/aime_moi.py` and
 * `example/reward.py` of mixinputs, read in 2025; the code here is our own.
 *
 * @module
 */

import { type Arithmetic, evaluateTokens, ExpressionError, LONGEST } from "./_expression.ts";

/** A text without a comma between two digits, as the released code takes them out: every other one. */
function withoutCommas(text: string): string {
  return text.replace(/(\d+),(\d+)/g, "$1$2");
}

/**
 * The first `\boxed{…}` that holds an integer and nothing else, else the first integer of the last line,
 * else the first one anywhere: its digits as written, or null.
 */
export function releasedInteger(text: string): string | null {
  const plain = withoutCommas(text), lastLine = plain.trim().split("\n").at(-1)!;
  return /\\boxed\{(-?\d+)\}/i.exec(plain)?.[1] ?? /-?\d+/.exec(lastLine)?.[0] ??
    /-?\d+/.exec(plain)?.[0] ?? null;
}

/**
 * The expression in the last `\boxed{…}`, ended by the first brace, else in the last `<answer>…</answer>`: what
 * is before the first "=". Null where there is none.
 */
export function releasedEquation(text: string): string | null {
  const plain = withoutCommas(text).replaceAll("\n", " ");
  const tag = [...plain.matchAll(/<answer>(.*?)<\/answer>/gs)].at(-1)?.[1];
  const box = [...plain.matchAll(/\\boxed\{(.*?)\}/gs)].at(-1)?.[1];
  const found = box ?? tag;
  return found === undefined ? null : found.trim().split("=")[0]!.trim();
}

/**
 * Whether an expression is right by the released rule: it names exactly the given numbers, and its value
 * as Python computes it (in floating point: 8 / (3 - 8 / 3) is 24) is within 10⁻⁵ of the target.
 */
export function releasedRight(
  expression: string,
  numbers: readonly number[],
  target: number,
): boolean {
  const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b).join();
  const named = (expression.match(/\d+/g) ?? []).map(Number);
  if (sorted(named) !== sorted(numbers) || !/^[\d+\-*/().\s]+$/.test(expression)) return false;
  const value = pythonValue(expression);
  return value !== null && Math.abs(value - target) < 1e-5;
}

function quotient(a: number, b: number): number {
  if (b === 0) throw new ExpressionError("divides by zero");
  return a / b;
}

/** What Python computes in floating point: `//` rounds down, integers have no leading zeros. */
const PYTHON: Arithmetic<number> = {
  number: (token) => /^[\d.]/.test(token) && !/^0\d+$/.test(token) ? Number(token) : undefined,
  operators: {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
    "/": quotient,
    "//": (a, b) => Math.floor(quotient(a, b)),
    "**": (a, b) => a ** b,
  },
  signs: { "+": (a) => a, "-": (a) => -a },
  deepest: 99,
};

/** Value of an arithmetic expression by Python's grammar; null where it has none. */
function pythonValue(text: string): number | null {
  if (text.length > LONGEST) return null;
  const tokens = text.match(/\d+\.?\d*|\.\d+|\*\*|\/\/|[-+*/()]|\S/g) ?? [];
  try {
    const value = evaluateTokens(tokens, PYTHON);
    return Number.isFinite(value) ? value : null;
  } catch (error) {
    if (error instanceof ExpressionError) return null;
    throw error;
  }
}
