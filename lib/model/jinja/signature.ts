/**
 * How functions take their arguments. A signature is a list of what parameters are where they are left
 * out; arguments are matched to it, read as values of the same kind, and missed or refused in this one
 * place.
 *
 * @module
 */

import { defined, integer, listOf, text, truth, unsupported } from "./types.ts";
import {
  type Dict,
  entriesOf,
  type Entry,
  kinded,
  type Named,
  numberOf,
  type Value,
} from "./values.ts";

/** A parameter that a default alone does not tell: how it is read, and its default if it has one. */
export interface Parameter<T> {
  readonly read: (value: Value, what: string) => T;
  readonly absent?: T;
}

/** What must be given: any value, an integer, a text, or what the names say. */
export const ANY: Parameter<Value> = { read: (value) => value };
export const INT: Parameter<bigint> = { read: integer };
export const TEXT: Parameter<string> = { read: text };
export const NUMBER: Parameter<bigint | number> = {
  read: (value, what) => found(numberOf(value), what, value),
};
export const ENTRIES: Parameter<readonly Entry[]> = {
  read: (value, what) => found(entriesOf(value), what, value),
};
export const ITEMS: Parameter<readonly Value[]> = { read: listOf };
export const DICT: Parameter<Dict> = {
  read: (value, what) => found(kinded(value, "dict"), what, value),
};
/** One character; a blank where it is left out. */
export const CHARACTER: Parameter<string> = {
  absent: " ",
  read(value, what) {
    const [first, more] = text(value, what);
    if (first !== undefined && more === undefined) return first;
    throw new TypeError(`${what} takes one character`);
  },
};

function found<T>(made: T | undefined, what: string, value: Value): T {
  if (made === undefined) throw unsupported(what, defined(value));
  return made;
}

/** Any value, with a default. */
export const any = (absent: Value): Parameter<Value> => ({ ...ANY, absent });
/** One of a few texts; the first where it is left out. */
export const oneOf = <T extends string>(...all: readonly [T, ...T[]]): Parameter<T> => ({
  absent: all[0],
  read: (value, what) => found(all.find((one) => one === value), what, value),
});
/** What may be left out, and is then None. */
export const optional = <T>(parameter: Parameter<T>): Parameter<T | null> => ({
  ...parameter,
  absent: null,
});
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
  if (typeof given === "bigint") return { read: integer, absent: given };
  if (typeof given === "string") return { read: text, absent: given };
  if (typeof given === "boolean") return { read: truth, absent: given };
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
export function takes<const D extends Defaults, Result = Value>(
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
export const positional = <const D extends Defaults>(
  signature: D,
  run: (...given: Given<D>) => Value,
): Function => takes("", signature, run);
