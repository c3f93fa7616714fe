/**
 * Where the reading of a template is among its tokens.
 *
 * @module
 */

import { failure, type Token, tokenize } from "./tokens.ts";

/** How deep the parts of a template may be within another. */
const MAX_NESTING = 150;

/** The reading of a template, at its first token. */
export type Cursor = ReturnType<typeof cursorOn>;

/** Begins to read a template. */
export function cursorOn(source: string) {
  const tokens = tokenize(source);
  let at = 0, nesting = 0;

  const now = (): Token => tokens[at]!;
  const look = (): Token => tokens[at + 1] ?? now();
  const take = (): Token => tokens[at++]!;
  const shown = ({ type, text }: Token) => type === "end" ? "the end of the template" : `'${text}'`;
  const fail = (message: string, token = now()): SyntaxError => failure(message, token.line);
  const expected = (what: string) => fail(`expected ${what}, found ${shown(now())}`);

  const isName = (name: string, token = now()): boolean =>
    token.type === "name" && token.text === name;
  const isOperator = (operator: string, token = now()): boolean =>
    token.type === "operator" && token.text === operator;
  const skipName = (name: string): boolean => isName(name) && ++at > 0;
  const skip = (operator: string): boolean => isOperator(operator) && ++at > 0;
  const expect = (operator: string): void => {
    if (!skip(operator)) throw expected(`'${operator}'`);
  };
  const expectName = (name: string): void => {
    if (!skipName(name)) throw expected(`'${name}'`);
  };
  const expectType = (type: Token["type"], what: string): Token => {
    if (now().type !== type) throw expected(what);
    return take();
  };

  return {
    ...{ now, look, take, shown, fail, isName, isOperator, skipName, skip },
    ...{ expect, expectName, expectType },
    /** Reads a name. */
    name: (): string => expectType("name", "a name").text,
    /** Reads parts between commas, up to the closing operator. */
    separated<T>(close: string, part: () => T): T[] {
      const parts: T[] = [];
      while (!isOperator(close)) {
        if (parts.length > 0) expect(",");
        if (isOperator(close)) break;
        parts.push(part());
      }
      expect(close);
      return parts;
    },
    /** Reads a part that may hold itself, up to a depth. */
    nested<T>(part: () => T): T {
      if (++nesting > MAX_NESTING) throw fail("the template is nested too deeply");
      const made = part();
      nesting--;
      return made;
    },
  };
}
