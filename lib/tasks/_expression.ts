/**
 * Arithmetic from untrusted text, evaluated exactly and never by `eval`.
 *
 * ```
 * sum     = product (("+" | "-") product)*
 * product = factor (("*" | "/") factor)*
 * factor  = digits | "(" sum ")" | "-" factor
 * ```
 *
 * `×`, `÷` and `−` stand for `*`, `/` and `-`; white space may separate tokens. Length and nesting
 * are bounded, so neither time nor stack depends on what a model wrote.
 *
 * @module
 */

import { add, divide, multiply, negate, type Rational, rational } from "./rational.ts";

/** Longest expression read, in UTF-16 units. */
export const LONGEST = 1000;

/** Deepest nesting of parentheses and signs. */
export const DEEPEST = 64;

/** An expression's value and the numbers written in it, from left to right. */
export interface Evaluated {
  /** Its exact value. */
  readonly value: Rational;
  /** Its numbers, as often as they are written. */
  readonly numbers: readonly bigint[];
}

/** What is wrong with an expression, in words that finish "the answer …". */
export class ExpressionError extends Error {
  /** For `error.name`. */
  override readonly name: string = "ExpressionError";
}

/** Evaluates an expression; throws an {@linkcode ExpressionError} where it has no value. */
export function evaluate(text: string): Evaluated {
  const tokens = tokenize(text);
  const numbers: bigint[] = [];
  let at = 0;

  const value = sum(0);
  if (at < tokens.length) throw unexpected();
  return { value, numbers };

  function sum(depth: number): Rational {
    let total = product(depth);
    while (tokens[at] === "+" || tokens[at] === "-") {
      const minus = tokens[at++] === "-";
      const term = product(depth);
      total = add(total, minus ? negate(term) : term);
    }
    return total;
  }

  function product(depth: number): Rational {
    let total = factor(depth);
    while (tokens[at] === "*" || tokens[at] === "/") {
      const over = tokens[at++] === "/";
      const by = factor(depth);
      if (over && by.numerator === 0n) throw new ExpressionError("divides by zero");
      total = over ? divide(total, by) : multiply(total, by);
    }
    return total;
  }

  function factor(depth: number): Rational {
    if (depth > DEEPEST) throw new ExpressionError(`is nested deeper than ${DEEPEST}`);
    const token = tokens[at];
    if (token === "-") {
      at++;
      return negate(factor(depth + 1));
    }
    if (token === "(") {
      at++;
      const inner = sum(depth + 1);
      if (tokens[at] !== ")") throw unexpected();
      at++;
      return inner;
    }
    if (token === undefined || !/^\d/.test(token)) throw unexpected();
    at++;
    const number = BigInt(token);
    numbers.push(number);
    return rational(number);
  }

  function unexpected(): ExpressionError {
    const token = tokens[at];
    return new ExpressionError(
      token === undefined ? "is unfinished" : `has '${token}' out of place`,
    );
  }
}

const SPELLINGS: ReadonlyMap<string, string> = new Map([["×", "*"], ["÷", "/"], ["−", "-"]]);

function tokenize(text: string): string[] {
  if (text.length > LONGEST) throw new ExpressionError(`is longer than ${LONGEST} characters`);
  const tokens: string[] = [];
  for (const [token] of text.matchAll(/[0-9]+|\S/gu)) {
    const plain = SPELLINGS.get(token) ?? token;
    if (!/^[0-9()*/+-]/.test(plain)) throw new ExpressionError(`has '${token}', no arithmetic`);
    tokens.push(plain);
  }
  return tokens;
}
