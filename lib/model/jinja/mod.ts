/**
 * Jinja templates as jinja2 renders them for chats: Python's values and printing, `trim_blocks` and
 * `lstrip_blocks`, the immutable sandbox, loop controls and the `generation` tag.
 *
 * Right, or refused by name: what is not supported is a SyntaxError where the template is parsed. A
 * template cannot reach JavaScript's objects, and what it does and makes is bounded.
 *
 * @module
 */

import { refusal } from "./filters.ts";
import { parse } from "./parser.ts";
import { render } from "./render.ts";
import { toValue } from "./values.ts";

export { Refusal } from "./render.ts";

/** A template that was read. */
export interface JinjaTemplate {
  /** Names that it reads, its own variables included. */
  readonly reads: ReadonlySet<string>;
  /** Its text for these variables, which hold what JSON can say; whole numbers are integers. */
  readonly render: (variables: Readonly<Record<string, unknown>>) => string;
}

/**
 * Reads a template.
 *
 * @throws {SyntaxError} Where it is malformed or uses what is not supported.
 */
export function jinja(source: string): JinjaTemplate {
  const parsed = parse(source, { refusal });
  return {
    reads: parsed.reads,
    render: (variables) =>
      render(
        parsed,
        new Map(Object.entries(variables).map(([name, value]) => [name, toValue(value, name)])),
      ),
  };
}
