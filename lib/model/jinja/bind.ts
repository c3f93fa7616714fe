/**
 * Arguments by position and by name, matched to parameters.
 *
 * @module
 */

import type { Named, Value } from "./values.ts";

/**
 * Matches arguments to parameters.
 *
 * @param what What is called, for messages.
 * @param parameters Names between blanks; a "?" after one may be left out, "/" before all of them
 * takes positions alone.
 * @returns Values in the order of the parameters; undefined where one is left out.
 */
export function bind(
  what: string,
  parameters: string,
  args: readonly Value[],
  named: Named,
): (Value | undefined)[] {
  const words = parameters.split(" ").filter((word) => word !== "");
  const byPosition = words[0] === "/";
  const names = byPosition ? words.slice(1) : words;
  if (args.length > names.length) {
    throw new TypeError(`${what} takes ${names.length} arguments, not ${args.length}`);
  }
  const values: (Value | undefined)[] = names.map((_, i) => args[i]);
  for (const [name, value] of named) {
    const at = byPosition ? -1 : names.findIndex((word) => word === name || word === `${name}?`);
    if (at < 0 || values[at] !== undefined) {
      throw new TypeError(`${what} takes no argument '${name}' here`);
    }
    values[at] = value;
  }
  for (const [i, name] of names.entries()) {
    if (values[i] === undefined && !name.endsWith("?")) {
      throw new TypeError(`${what} needs the argument '${name}'`);
    }
  }
  return values;
}
