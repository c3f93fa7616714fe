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

import { add, divide, multiply, negate, type Rational, rational } from "./rational.ts";

/** Longest expression read, in UTF-16 units. */
export const LONGEST = 1000;

/** Deepest nesting of parentheses and signs. */
export const DEEPEST = 64;

/** What is wrong with an expression, in words that finish "the answer …". */
export class ExpressionError extends Error {
  /** For `error.name`. */
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
  const products = Object.keys(operators).filter((name) => !["+", "-", "**"].includes(name));
  let at = 0;
  const value = sum(0);
  if (at < tokens.length) throw unexpected();
  return value;

  function chain(names: readonly string[], read: (depth: number) => N, depth: number): N {
    let total = read(depth);
    for (let name = tokens[at]; name !== undefined && names.includes(name); name = tokens[at]) {
      at++;
      total = operators[name]!(total, read(depth));
    }
    return total;
  }
  function sum(depth: number): N {
    return chain(["+", "-"], product, depth);
  }
  function product(depth: number): N {
    return chain(products, factor, depth);
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
    const own = tokens[at] === undefined ? undefined : number(tokens[at]!);
    if (own === undefined) throw unexpected();
    at++;
    return own;
  }
  function unexpected(): ExpressionError {
    const token = tokens[at];
    return new ExpressionError(
      token === undefined ? "is unfinished" : `has '${token}' out of place`,
    );
  }
}

/** Fractions, exactly, but for what a number is. */
export const EXACT: Omit<Arithmetic<Rational>, "number"> = {
  operators: {
    "+": add,
    "-": (a, b) => add(a, negate(b)),
    "*": multiply,
    "/": (a, b) => {
      if (b.numerator === 0n) throw new ExpressionError("divides by zero");
      return divide(a, b);
    },
  },
  signs: { "-": negate },
  deepest: DEEPEST,
};

/** An expression's exact value, and the numbers written in it from left to right. */
export type Evaluated = ReturnType<typeof evaluate>;

/**
 * Evaluates an expression exactly; `×`, `÷` and `−` stand for `*`, `/` and `-`, and white space may separate
 * tokens. Throws an {@linkcode ExpressionError} where it has no value.
 */
export function evaluate(text: string): { value: Rational; numbers: readonly bigint[] } {
  const numbers: bigint[] = [];
  const value = evaluateTokens(tokenize(text), {
    ...EXACT,
    number(token) {
      if (!/^\d/.test(token)) return undefined;
      numbers.push(BigInt(token));
      return rational(numbers.at(-1)!);
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
