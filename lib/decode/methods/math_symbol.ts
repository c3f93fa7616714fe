/**
 * Tokens that some methods never mix: parts of formulas, where a neighbour in meaning is an error.
 *
 * @module
 */

import type { MethodContext } from "../method.ts";

const MATH =
  /^\s*(?:\p{Nd}+|[A-Za-zΑ-Ωα-ω]|[-+*\/=<>≤≥≠≈±×÷·√∑∏∫∂∞^_|(){}\[\]$\\]+|\\[A-Za-z]+)\s*$/u;

/**
 * Whether a text is a mathematical symbol: digits, one Latin or Greek letter, operators and brackets,
 * or a LaTeX command such as `\frac`. White space around it does not matter.
 */
export function isMathSymbol(text: string): boolean {
  return MATH.test(text);
}

/** The same of tokens, by their text, each looked at once; without a tokenizer no token is a symbol. */
export function mathSymbols({ tokenizer }: MethodContext): (token: number) => boolean {
  const known = new Map<number, boolean>();
  return (token) => {
    let symbol = known.get(token);
    if (symbol === undefined) {
      known.set(token, symbol = tokenizer !== undefined && isMathSymbol(tokenizer.decode([token])));
    }
    return symbol;
  };
}
