/** Names that every template has. @module */

import { attribute } from "./attributes.ts";
import { ANY, any, type Function, INT, optional, positional, takes, TEXT } from "./signature.ts";
import { strftime } from "./time.ts";
import { dict, pairsOf, repr, str, text } from "./types.ts";
import {
  type Dict,
  type Named,
  range,
  type Thing,
  thing,
  thingWith,
  type Value,
} from "./values.ts";

/** What a template says instead of a prompt: `raise_exception`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A function of Python by its signature. */
const called = (name: string, type: string, run: Function): Thing =>
  thing(type, (args, named) => run(`${name}()`, null, args, named));

/** `dict(…)` of a mapping or of pairs, and of what is named. */
function dictOf([from = [], ...more]: readonly Value[], named: Named): Dict {
  if (more.length > 0) throw new TypeError(`dict() takes 1 argument, not ${1 + more.length}`);
  return dict([...pairsOf(from), ...named]);
}

/** Refuses names that a namespace keeps for itself. */
export function checkMember(name: Value): string {
  const written = text(name, "a namespace");
  if (!written.startsWith("_")) return written;
  throw new TypeError(`a namespace cannot hold '${written}', which starts with '_'`);
}

function namespace(args: readonly Value[], named: Named): Thing {
  const entries = dictOf(args, named).entries.values();
  const values = new Map(entries.map(([key, value]) => [checkMember(key), value]));
  const text = () => `<Namespace ${repr(dict(values))}>`;
  return { ...thingWith("Namespace", {}), values, get: (name) => values.get(name), text };
}

function cycler(items: readonly Value[], named: Named): Thing {
  if (items.length === 0 || named.size > 0) {
    throw new TypeError("cycler() needs items, by position");
  }
  let at = 0;
  const reset = () => {
    at = 0;
    return null;
  };
  return thingWith("Cycler", {
    current: () => items[at % items.length]!,
    next: () => thing("method", () => items[at++ % items.length]!),
    reset: () => thing("method", reset),
  });
}

const joiner = takes("sep", [ANY, any(", ")], (_, sep) => {
  let used = false;
  return thing("Joiner", () => {
    const isFirst = !used;
    used = true;
    return isFirst ? "" : sep;
  });
});

const ranged = positional(
  [ANY, INT, optional(INT), 1n],
  (_, start, stop, step) => stop === null ? range(0n, start, 1n) : range(start, stop, step),
);

/** Names that every template has. */
export const GLOBALS: Readonly<Record<string, Value>> = {
  range: called("range", "type", ranged),
  dict: {
    ...thing("TemplateDict", dictOf),
    get: (name) => name === "fromkeys" ? attribute(dict(), name) : undefined,
  },
  namespace: thing("type", namespace),
  cycler: thing("type", cycler),
  joiner: called("joiner", "type", joiner),
  lipsum: thing("function", () => {
    throw new TypeError("lipsum cannot be used: one seed must give one prompt");
  }),
  raise_exception: thing("function", ([message = null]) => {
    throw new Refusal(str(message));
  }),
  strftime_now: called(
    "strftime_now",
    "function",
    takes("format", [ANY, TEXT], (_, pattern) => strftime(new Date(), pattern)),
  ),
};
