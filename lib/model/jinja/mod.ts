/**
 * Jinja templates as jinja2 renders them for chats: Python's values and printing, `trim_blocks` and
 * `lstrip_blocks`, the immutable sandbox, loop controls and the `generation` tag.
 *
 * Right, or refused by name: what is not supported is a SyntaxError where the template is parsed. A
 * template cannot reach JavaScript's objects, and what it does and makes is bounded.
 *
 * ```text
 * tokens ─▶ expressions, statements ─▶ functions of a scope ─▶ text
 *           Python: values, numbers, operators, format, methods     jinja2: functions, filters, items
 * ```
 *
 * @module
 */

import { expressionsOn } from "./expressions.ts";
import { MAX_GIVEN_DEPTH, metered } from "./limits.ts";
import { captured, type Scope } from "./scope.ts";
import { statementsOn } from "./statements.ts";
import { cursorOn } from "./tokens.ts";
import { dict, type Value } from "./values.ts";

export { Refusal } from "./functions.ts";

/** A template that was read. */
export interface JinjaTemplate {
  /** Names that it reads, its own variables included. */
  readonly reads: ReadonlySet<string>;
  /**
   * Its text for these variables, which hold what JSON can say; whole numbers are integers.
   *
   * @throws {Refusal} Where the template calls `raise_exception`.
   * @throws {TypeError} Where Python would raise, or something is not supported.
   * @throws {RangeError} Where the template does or makes too much.
   */
  readonly render: (variables: Readonly<Record<string, unknown>>) => string;
}

/**
 * Reads a template.
 *
 * @throws {SyntaxError} Where it is malformed or uses what is not supported.
 */
export function jinja(source: string): JinjaTemplate {
  const cursor = cursorOn(source), expressions = expressionsOn(cursor);
  const body = statementsOn(cursor, expressions);
  const { reads, refused: [refusal] } = expressions.state;
  if (refusal) throw refusal;
  return {
    reads,
    render(variables) {
      const values = Object.entries(variables).map(([name, value]) =>
        [name, toValue(value, name)] as const
      );
      const root: Scope = { names: new Map(values) };
      return metered(() => captured(body, root)[0]);
    },
  };
}

/** A value of JavaScript's JSON as one of Python. */
function toValue(given: unknown, name: string, depth = 0): Value {
  if (given === null || ["boolean", "string", "bigint"].includes(typeof given)) {
    return given as Value;
  }
  if (typeof given === "number") return Number.isInteger(given) ? BigInt(given) : given;
  if (typeof given === "object" && depth < MAX_GIVEN_DEPTH) {
    if (Array.isArray(given)) return given.map((item) => toValue(item, name, depth + 1));
    const prototype = Object.getPrototypeOf(given);
    if (prototype === null || prototype === Object.prototype) {
      const entries = Object.entries(given).filter(([, item]) => item !== undefined);
      return dict(entries.map(([key, item]) => [key, toValue(item, name, depth + 1)] as const));
    }
  }
  const rule = `'${name}' must hold what JSON can say, at most ${MAX_GIVEN_DEPTH} deep`;
  const found = typeof given === "object"
    ? "an object of another kind or deeper"
    : `a ${typeof given}`;
  throw new TypeError(`${rule}: found ${found}`);
}
