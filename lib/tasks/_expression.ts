/**
 * Arithmetic from untrusted text, evaluated by a grammar and never by `eval`.
 *
 * ```
 * sum     = product (("+" | "-") product)*
 * product = factor (("*" | "/" …) factor)*
 * factor  = sign factor | atom ("**" factor)?
 * atom    = digits | "(" sum ")"
 * ```
 *
 * What a number is, and which operators there are, is data ({@linkcode Arithmetic}). Length and nesting are
 * bounded, so neither time nor stack depends on what a model wrote.
 *
 * @module
 */

import { Fraction } from "./rational.ts";

/** Longest expression read, in UTF-16 units. */
export const LONGEST = 1000;

/** Deepest nesting of parentheses and signs. */
export const DEEPEST = 64;

/** What is wrong with an expression, in words that finish "the answer …". */
export class ExpressionError extends Error {
  override readonly name: string = "ExpressionError";
}

/** Numbers and what is done with them. */
export interface Arithmetic<N> {
  /** The number that a token is; undefined for one that is none. */
  readonly number: (token: string) => N | undefined;
  /** Operators of sums and of products; "**" binds tighter than a sign before it. */
  readonly operators: Readonly<Record<string, (a: N, b: N) => N>>;
  /** What the signs before a factor do. */
  readonly signs: Readonly<Record<string, (a: N) => N>>;
  /** Deepest nesting of parentheses, signs and powers. */
  readonly deepest: number;
}

/** The value of the tokens of an expression; throws an {@linkcode ExpressionError} where it has none. */
export function evaluateTokens<N>(tokens: readonly string[], arithmetic: Arithmetic<N>): N {
  const { number, operators, signs, deepest } = arithmetic;
  const sums = ["+", "-"];
  const products = Object.keys(operators).filter((name) => ![...sums, "**"].includes(name));
  let at = 0;
  const value = sum(0);
  if (at < tokens.length) throw unexpected();
  return value;

  function chain(names: readonly string[], read: () => N): N {
    let total = read();
    while (names.includes(tokens[at] ?? "")) total = operators[tokens[at++]!]!(total, read());
    return total;
  }
  function sum(depth: number): N {
    return chain(sums, () => chain(products, () => factor(depth)));
  }
  function factor(depth: number): N {
    if (depth > deepest) throw new ExpressionError(`is nested deeper than ${deepest}`);
    const sign = Object.hasOwn(signs, tokens[at] ?? "") ? signs[tokens[at++]!] : undefined;
    if (sign) return sign(factor(depth + 1));
    const base = atom(depth), power = operators["**"];
    if (!power || tokens[at] !== "**") return base;
    at++;
    return power(base, factor(depth + 1));
  }
  function atom(depth: number): N {
    if (tokens[at] === "(") {
      at++;
      const inner = sum(depth + 1);
      if (tokens[at] !== ")") throw unexpected();
      at++;
      return inner;
    }
    const own = number(tokens[at] ?? "");
    if (own === undefined) throw unexpected();
    at++;
    return own;
  }
  function unexpected(): ExpressionError {
    const isOver = at >= tokens.length;
    return new ExpressionError(isOver ? "is unfinished" : `has '${tokens[at]}' out of place`);
  }
}

/** Fractions, exactly, but for what a number is. */
export const EXACT: Omit<Arithmetic<Fraction>, "number"> = {
  operators: {
    "+": (a, b) => a.add(b),
    "-": (a, b) => a.sub(b),
    "*": (a, b) => a.mul(b),
    "/": (a, b) => {
      if (b.n === 0n) throw new ExpressionError("divides by zero");
      return a.div(b);
    },
  },
  signs: { "-": (a) => a.neg() },
  deepest: DEEPEST,
};

/**
 * The exact value of an expression and the numbers written in it, from left to right; `×`, `÷` and `−` stand
 * for `*`, `/` and `-`, and white space may separate tokens. Throws an {@linkcode ExpressionError} where it
 * has no value.
 */
export function evaluate(text: string): { value: Fraction; numbers: bigint[] } {
  const numbers: bigint[] = [];
  const value = evaluateTokens(tokenize(text), {
    ...EXACT,
    number(token) {
      if (!/^\d/.test(token)) return undefined;
      numbers.push(BigInt(token));
      return new Fraction(token);
    },
  });
  return { value, numbers };
}

const SPELLINGS: ReadonlyMap<string, string> = new Map([["×", "*"], ["÷", "/"], ["−", "-"]]);

function tokenize(text: string): string[] {
  if (text.length > LONGEST) throw new ExpressionError(`is longer than ${LONGEST} characters`);
  return Array.from(text.matchAll(/[0-9]+|\S/gu), ([token]) => {
    const plain = SPELLINGS.get(token) ?? token;
    if (!/^[0-9()*/+-]/.test(plain)) throw new ExpressionError(`has '${token}', no arithmetic`);
    return plain;
  });
}
