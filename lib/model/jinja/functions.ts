/**
 * How functions take their arguments, and the functions that every template has. A signature is a list
 * of what parameters are where they are left out; arguments are matched to it, read as values of the
 * same kind, and missed or refused in this one place.
 *
 * @module
 */

import { strftime } from "./format.ts";
import * as py from "./values.ts";
import type { Dict, Named, Thing, Value } from "./values.ts";

/** A parameter that a default alone does not tell: how it is read, and its default if it has one. */
export interface Parameter<T> {
  readonly read: (value: Value, what: string) => T;
  readonly absent?: T;
}

/** What must be given: any value, an integer, a text, or what the names say. */
export const ANY: Parameter<Value> = { read: (value) => value };
export const INT: Parameter<bigint> = { read: py.integer };
export const TEXT: Parameter<string> = { read: py.text };
export const ITEMS: Parameter<readonly Value[]> = { read: py.listOf };
const kindOf = <T>(find: (value: Value) => T | undefined): Parameter<T> => ({
  read(value, what) {
    const found = find(value);
    if (found === undefined) throw py.unsupported(what, value);
    return found;
  },
});
export const NUMBER = kindOf(py.numberOf);
export const ENTRIES = kindOf(py.entriesOf);
export const DICT = kindOf((value) => py.kinded(value, "dict"));
/** One character; a blank where it is left out. */
export const CHARACTER: Parameter<string> = {
  absent: " ",
  read(value, what) {
    const [first, more] = py.text(value, what);
    if (first !== undefined && more === undefined) return first;
    throw new TypeError(`${what} takes one character`);
  },
};

export const any = (absent: Value): Parameter<Value> => ({ ...ANY, absent });
/** One of a few texts; the first where it is left out. */
export const oneOf = <T extends string>(...all: readonly [T, ...T[]]): Parameter<T> => ({
  ...kindOf((value) => all.find((one) => one === value)),
  absent: all[0],
});
/** What may be left out, and is then None. */
export const optional = <T>({ read }: Parameter<T>): Parameter<T | null> => {
  return { read, absent: null };
};
/** What may be left out, or None. */
export const orNone = <T>({ read }: Parameter<T>): Parameter<T | null> =>
  optional({ read: (value, what) => value === null ? null : read(value, what) });

/** An integer, a text or a truth by its default, with null any value; or a parameter. */
type Default = bigint | string | boolean | null | Parameter<unknown>;
type Defaults = readonly Default[];
type Read<D extends Default> = D extends bigint ? bigint
  : D extends string ? string
  : D extends boolean ? boolean
  : D extends Parameter<infer T> ? T
  : Value;
type Given<D extends Defaults> = { -readonly [I in keyof D]: Read<D[I]> };

function parameterOf(given: Default): Parameter<unknown> {
  if (typeof given === "bigint") return { read: py.integer, absent: given };
  if (typeof given === "string") return { read: py.text, absent: given };
  if (typeof given === "boolean") return { read: py.truth, absent: given };
  return given ?? any(null);
}

/** A function of a value, by its arguments: a filter, a test, a method. */
export type Function<Result = Value> = (
  what: string,
  self: Value,
  args: readonly Value[],
  named: Named,
) => Result;

/**
 * A function of a value and of arguments.
 *
 * @param names Names of the arguments, with blanks between them; those without one go by position alone.
 * @param signature How the value is read, and what the arguments are where they are left out.
 * @param run What it does.
 */
export function takesNamed<const D extends Defaults, Result = Value>(
  names: string,
  signature: D,
  run: (...given: Given<D>) => Result,
): Function<Result> {
  const known = names.split(" "), [itself, ...parameters] = signature.map(parameterOf);
  return (what, self, args, named) => {
    if (args.length > parameters.length) {
      throw new TypeError(`${what} takes ${parameters.length} arguments, not ${args.length}`);
    }
    for (const name of named.keys()) {
      if (name !== "" && known.indexOf(name) >= args.length) continue;
      throw new TypeError(`${what} takes no argument '${name}' here`);
    }
    const given = parameters.map(({ read, absent }, i) => {
      const name = known[i] ?? "", value = i < args.length ? args[i] : named.get(name);
      if (value !== undefined) return read(value, what);
      if (absent === undefined) throw new TypeError(`${what} needs its argument ${name || i + 1}`);
      return absent;
    });
    return run(...[itself!.read(self, what), ...given] as unknown as Given<D>);
  };
}

/** A function whose arguments cannot be named, as most methods of Python are. */
export const takes = <const D extends Defaults>(
  signature: D,
  run: (...given: Given<D>) => Value,
): Function => takesNamed("", signature, run);

/** What a template says instead of a prompt: `raise_exception`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

const called = (name: string, type: string, run: Function): Thing =>
  py.thing(type, (args, named) => run(`${name}()`, null, args, named));

function dictOf([from = [], ...more]: readonly Value[], named: Named): Dict {
  if (more.length > 0) throw new TypeError(`dict() takes 1 argument, not ${1 + more.length}`);
  return py.dict([...py.pairsOf(from), ...named]);
}

/** Refuses names that a namespace keeps for itself. */
export function checkMember(name: Value): string {
  const written = py.text(name, "a namespace");
  if (!written.startsWith("_")) return written;
  throw new TypeError(`a namespace cannot hold '${written}', which starts with '_'`);
}

function namespace(args: readonly Value[], named: Named): Thing {
  const entries = dictOf(args, named).entries.values();
  const values = new Map(entries.map(([key, value]) => [checkMember(key), value]));
  const text = () => `<Namespace ${py.repr(py.dict(values))}>`;
  return { kind: "thing", name: "Namespace", values, get: (name) => values.get(name), text };
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
  return py.thingWith("Cycler", {
    current: () => items[at % items.length]!,
    next: () => py.thing("method", () => items[at++ % items.length]!),
    reset: () => py.thing("method", reset),
  });
}

export const fromKeys = takes([ANY, ITEMS, null], (_, keys, value) => {
  return py.dict(keys.map((key) => [key, value]));
});

const joiner = takesNamed("sep", [ANY, any(", ")], (_, sep) => {
  let next: Value = "";
  return py.thing("Joiner", () => {
    const made = next;
    next = sep;
    return made;
  });
});

const ranged = takes([ANY, INT, optional(INT), 1n], (_, start, stop, step) => {
  return stop === null ? py.range(0n, start, 1n) : py.range(start, stop, step);
});

const now = takesNamed("format", [ANY, TEXT], (_, pattern) => strftime(new Date(), pattern));

/** Names that every template has. */
export const GLOBALS: Readonly<Record<string, Value>> = {
  range: called("range", "type", ranged),
  dict: {
    ...py.thing("TemplateDict", dictOf),
    get: (name) =>
      name === "fromkeys" ? called(name, "builtin_function_or_method", fromKeys) : undefined,
  },
  namespace: py.thing("type", namespace),
  cycler: py.thing("type", cycler),
  joiner: called("joiner", "type", joiner),
  lipsum: py.thing("function", () => {
    throw new TypeError("lipsum cannot be used: one seed must give one prompt");
  }),
  raise_exception: py.thing("function", ([message = null]) => {
    throw new Refusal(py.str(message));
  }),
  strftime_now: called("strftime_now", "function", now),
};
