/**
 * How the released MoI code grades, so that its published runs can be graded as they were.
 *
 * Its rules are not ours: for AIME the first box that holds an integer counts, and without one any
 * integer does; for Countdown the value is compared in floating point. Source: `example/aime_moi.py` and
 * `example/reward.py` of mixinputs, read in 2025; the code here is our own.
 *
 * @module
 */

/** A text without a comma between two digits, as the released code takes them out: every other one. */
function withoutCommas(text: string): string {
  return text.replace(/(\d+),(\d+)/g, "$1$2");
}

/**
 * The first `\boxed{…}` that holds an integer and nothing else, else the first integer of the last line,
 * else the first one anywhere.
 *
 * @param text A generated text.
 * @returns The integer's digits as written, or null.
 *
 * @example The first box counts
 * ```ts
 * import { releasedInteger } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(releasedInteger("\\boxed{1} … \\boxed{2}"), "1");
 * assertEquals(releasedInteger("I have 3 ideas.\nNone works."), "3");
 * ```
 */
export function releasedInteger(text: string): string | null {
  const plain = withoutCommas(text), lastLine = plain.trim().split("\n").at(-1)!;
  return /\\boxed\{(-?\d+)\}/i.exec(plain)?.[1] ?? /-?\d+/.exec(lastLine)?.[0] ??
    /-?\d+/.exec(plain)?.[0] ?? null;
}

/**
 * The last `\boxed{…}`, ended by the first brace, else the last `<answer>…</answer>`; of either what is
 * before the first "=".
 *
 * @param text A generated text.
 * @returns The expression, or null.
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
 * as Python computes it is within 10⁻⁵ of the target.
 *
 * @param expression Result of {@linkcode releasedEquation}.
 * @param numbers The numbers given.
 * @param target The value wanted.
 *
 * @example Division is in floating point
 * ```ts
 * import { releasedRight } from "@moi/moi/tasks";
 * import { assert } from "@std/assert";
 * assert(releasedRight("8 / (3 - 8 / 3)", [3, 3, 8, 8], 24));
 * ```
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

/** Longest expression and deepest nesting that are read. */
const LONGEST = 1000, DEEPEST = 100;

/**
 * Value of an arithmetic expression by Python's grammar: `**` binds tighter than a sign before it, `//`
 * rounds down, integers have no leading zeros.
 */
function pythonValue(text: string): number | null {
  if (text.length > LONGEST) return null;
  const tokens = text.match(/\d+\.?\d*|\.\d+|\*\*|\/\/|[-+*/()]|\S/g) ?? [];
  let at = 0, depth = 0, failed = false;
  const fail = () => {
    failed = true;
    return NaN;
  };
  const sum = (): number => {
    let value = product();
    while (!failed && (tokens[at] === "+" || tokens[at] === "-")) {
      value = tokens[at++] === "+" ? value + product() : value - product();
    }
    return value;
  };
  const product = (): number => {
    let value = signed();
    while (!failed && ["*", "/", "//"].includes(tokens[at]!)) {
      const operator = tokens[at++], by = signed();
      if (operator !== "*" && by === 0) return fail();
      value = operator === "*"
        ? value * by
        : operator === "/"
        ? value / by
        : Math.floor(value / by);
    }
    return value;
  };
  const signed = (): number => {
    if (++depth > DEEPEST) return fail();
    const sign = tokens[at] === "-" || tokens[at] === "+" ? tokens[at++] : undefined;
    const value = sign === undefined ? power() : signed();
    depth--;
    return sign === "-" ? -value : value;
  };
  const power = (): number => {
    const base = atom();
    if (failed || tokens[at] !== "**") return base;
    at++;
    return base ** signed();
  };
  const atom = (): number => {
    const token = tokens[at++];
    if (token === "(") {
      const value = sum();
      return tokens[at++] === ")" ? value : fail();
    }
    if (token === undefined || !/^[\d.]/.test(token) || /^0\d+$/.test(token)) return fail();
    return Number(token);
  };
  const value = sum();
  return failed || at < tokens.length || !Number.isFinite(value) ? null : value;
}
