/**
 * Names that every template has.
 *
 * @module
 */

import { attribute } from "./attributes.ts";
import { repr, str } from "./print.ts";
import { pairsOf } from "./python.ts";
import { any, type Function, INT, takes, TEXT } from "./signature.ts";
import { strftime } from "./time.ts";
import { type Dict, dict, range, text, type Thing, thing, tuple, type Value } from "./values.ts";

/** What a template says instead of a prompt: `raise_exception`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A function of Python by its signature. */
const called = (name: string, type: string, run: Function<null>): Thing =>
  thing(type, (args, named) => run(`${name}()`, null, args, named));

/** `dict(…)` of a mapping or of pairs, and of what is named. */
const dictOf: Function<null, Dict> = (what, _, args, named) =>
  takes({ mapping: any(tuple()) }, (_: null, { mapping }) => dict([...pairsOf(mapping), ...named]))(
    what,
    null,
    args,
    new Map(),
  );

/** Refuses names that a namespace keeps for itself. */
export function checkMember(name: Value): string {
  const written = text(name, "a namespace");
  if (!written.startsWith("_")) return written;
  throw new TypeError(`a namespace cannot hold '${written}', which starts with '_'`);
}

const namespace: Function<null> = (what, _, args, named) => {
  const entries = [...dictOf(what, null, args, named).entries.values()];
  const values = new Map(entries.map(([key, value]) => [checkMember(key), value]));
  return {
    kind: "thing",
    name: "Namespace",
    values,
    get: (name) => values.get(name),
    text: () => `<Namespace ${repr(dict(values))}>`,
  };
};

const cycler: Function<null> = (_, __, items, named) => {
  if (items.length === 0 || named.size > 0) {
    throw new TypeError("cycler() needs items, by position");
  }
  let at = 0;
  const attributes: Readonly<Record<string, () => Value>> = {
    current: () => items[at % items.length]!,
    next: () => thing("method", () => items[at++ % items.length]!),
    reset: () =>
      thing("method", () => {
        at = 0;
        return null;
      }),
  };
  const get = (name: string) => Object.hasOwn(attributes, name) ? attributes[name]!() : undefined;
  return { kind: "thing", name: "Cycler", get };
};

const joiner = takes({ sep: any(", ") }, (_: null, { sep }) => {
  let used = false;
  return thing("Joiner", () => {
    if (used) return sep;
    used = true;
    return "";
  });
});

const ranges: Function<null> = (what, _, args, named) =>
  args.length === 1
    ? takes({ stop: INT }, (_: null, { stop }) => range(0n, stop, 1n), false)(
      what,
      _,
      args,
      named,
    )
    : takes(
      { start: INT, stop: INT, step: 1n },
      (_: null, { start, stop, step }) => range(start, stop, step),
      false,
    )(what, _, args, named);

/** Names that every template has. */
export const GLOBALS: Readonly<Record<string, Value>> = {
  range: called("range", "type", ranges),
  dict: {
    ...called("dict", "TemplateDict", dictOf),
    get: (name) => name === "fromkeys" ? attribute(dict(), name) : undefined,
  },
  namespace: called("namespace", "type", namespace),
  cycler: called("cycler", "type", cycler),
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
    takes({ format: TEXT }, (_, { format }) => strftime(new Date(), format)),
  ),
};
