/**
 * How functions take their arguments. A signature is an object of what parameters are where they are left
 * out, in their order; arguments are matched to it, read as values of the same kind, and missed or
 * refused in this one place.
 *
 * @module
 */

import { truth } from "./python.ts";
import { integer, type Named, text, type Value } from "./values.ts";

/** A parameter that a default alone does not tell: how it is read, and its default if it has one. */
interface Parameter<T> {
  readonly read: (value: Value, what: string) => T;
  readonly absent?: T;
}

/** An integer, a text or a truth by its default, with null any value; or a parameter. */
type Default = bigint | string | boolean | null | Parameter<unknown>;
/** Parameters by name. */
export type Parameters = Readonly<Record<string, Default>>;
type Read<D extends Default> = D extends bigint ? bigint
  : D extends string ? string
  : D extends boolean ? boolean
  : D extends Parameter<infer T> ? T
  : Value;
/** What a function gets for its parameters. */
export type Given<P extends Parameters> = { readonly [Name in keyof P]: Read<P[Name]> };

/** An integer that must be given. */
export const INT: Parameter<bigint> = { read: integer };
/** A text that must be given. */
export const TEXT: Parameter<string> = { read: text };
/** A value that must be given. */
export const ANY: Parameter<Value> = { read: (value) => value };
/** Any value, with a default. */
export const any = (absent: Value): Parameter<Value> => ({ ...ANY, absent });
/** One of a few texts; the first where it is left out. */
export const oneOf = (...all: readonly [string, ...string[]]): Parameter<string> => ({
  absent: all[0],
  read(value, what) {
    if (typeof value === "string" && all.includes(value)) return value;
    throw new TypeError(`${what} takes one of ${all.join(", ")}`);
  },
});
/** What may be left out, and is then None. */
export const optional = <T>({ read }: Parameter<T>): Parameter<T | null> => ({
  read,
  absent: null,
});
/** What may be left out, or None. */
export const orNone = <T>({ read }: Parameter<T>): Parameter<T | null> =>
  optional({ read: (value, what) => value === null ? null : read(value, what) });
/** One character; a blank where it is left out. */
export const CHARACTER: Parameter<string> = {
  absent: " ",
  read(value, what) {
    const [first, more] = text(value, what);
    if (first !== undefined && more === undefined) return first;
    throw new TypeError(`${what} takes one character`);
  },
};

function parameterOf(given: Default): Parameter<unknown> {
  if (typeof given === "bigint") return { read: integer, absent: given };
  if (typeof given === "string") return { read: text, absent: given };
  if (typeof given === "boolean") return { read: truth, absent: given };
  return given ?? any(null);
}

/** A function of a value, by its arguments: a filter, a test, a method. */
export type Function<Self, Result = Value> = (
  what: string,
  self: Self,
  args: readonly Value[],
  named: Named,
) => Result;

/** A function that takes these parameters, by position or, where `byName`, by name. */
export function takes<Self, P extends Parameters, Result = Value>(
  parameters: P,
  run: (self: Self, given: Given<P>) => Result,
  byName = true,
): Function<Self, Result> {
  const all = Object.entries(parameters).map(([name, one]) => [name, parameterOf(one)] as const);
  return (what, self, args, named) => {
    if (args.length > all.length) {
      throw new TypeError(`${what} takes ${all.length} arguments, not ${args.length}`);
    }
    for (const name of named.keys()) {
      if (byName && all.findIndex(([known]) => known === name) >= args.length) continue;
      throw new TypeError(`${what} takes no argument '${name}' here`);
    }
    const given = all.map(([name, { read, absent }], i) => {
      const value = i < args.length ? args[i] : named.get(name);
      if (value !== undefined) return [name, read(value, what)];
      if (absent === undefined) throw new TypeError(`${what} needs the argument '${name}'`);
      return [name, absent];
    });
    return run(self, Object.fromEntries(given));
  };
}

/** A function whose arguments cannot be named, as most methods of Python are. */
export const positional = <Self, P extends Parameters>(
  parameters: P,
  run: (self: Self, given: Given<P>) => Value,
): Function<Self> => takes(parameters, run, false);
