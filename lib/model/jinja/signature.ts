/**
 * How functions take their arguments: a signature is an object of parameters, in their order, and the one
 * place where arguments are matched to names, read as what they must be, and missed or refused.
 *
 * @module
 */

import { truth } from "./python.ts";
import { integer, type Named, text, typeName, type Value } from "./values.ts";

/** A parameter: how an argument is read, and what it is where it is left out. */
export interface Parameter<T> {
  readonly read: (value: Value, what: string) => T;
  /** Undefined where it may not be left out. */
  readonly absent: T | undefined;
}

/** An `int`. */
export const int = (absent?: bigint): Parameter<bigint> => ({ read: integer, absent });
/** A `str`. */
export const string = (absent?: string): Parameter<string> => ({ read: text, absent });
/** Whether a value is true. */
export const flag = (absent: boolean): Parameter<boolean> => ({ read: truth, absent });
/** Any value. */
export const any = (absent?: Value): Parameter<Value> => ({ read: (value) => value, absent });
/** One of a few texts. */
export const oneOf = (absent: string, ...others: string[]): Parameter<string> => ({
  absent,
  read(value, what) {
    if (typeof value === "string" && [absent, ...others].includes(value)) return value;
    throw new TypeError(`${what} takes one of ${[absent, ...others].join(", ")}`);
  },
});
/** What may be None, and is where it is left out. */
export const orNone = <T>({ read }: Parameter<T>): Parameter<T | null> => ({
  read: (value, what) => value === null ? null : read(value, what),
  absent: null,
});
/** One character. */
export const character: Parameter<string> = {
  absent: " ",
  read(value, what) {
    const [first, more] = text(value, what);
    if (first !== undefined && more === undefined) return first;
    throw new TypeError(`${what} takes one character, not ${typeName(value)} of others`);
  },
};

/** Parameters by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What a function gets for them. */
export type Given<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never;
};

/** A function of a value, by its arguments: a filter, a test, a method. */
export type Function<Self, Result = Value> = (
  what: string,
  self: Self,
  args: readonly Value[],
  named: Named,
) => Result;

/**
 * A function that takes these parameters.
 *
 * @param parameters Parameters; their order is that of positions.
 * @param run What it does.
 * @param byName Whether arguments may be named.
 */
export function takes<Self, P extends Parameters, Result = Value>(
  parameters: P,
  run: (self: Self, given: Given<P>) => Result,
  byName = true,
): Function<Self, Result> {
  const names = Object.keys(parameters);
  return (what, self, args, named) => {
    if (args.length > names.length) {
      throw new TypeError(`${what} takes ${names.length} arguments, not ${args.length}`);
    }
    for (const name of named.keys()) {
      if (!byName || !names.includes(name) || names.indexOf(name) < args.length) {
        throw new TypeError(`${what} takes no argument '${name}' here`);
      }
    }
    const given = names.map((name, i) => {
      const value = i < args.length ? args[i] : named.get(name),
        { read, absent } = parameters[name]!;
      if (value === undefined && absent === undefined) {
        throw new TypeError(`${what} needs the argument '${name}'`);
      }
      return [name, value === undefined ? absent : read(value, what)];
    });
    return run(self, Object.fromEntries(given));
  };
}

/** A function whose arguments cannot be named, as most methods of Python are. */
export const positional = <Self, P extends Parameters>(
  parameters: P,
  run: (self: Self, given: Given<P>) => Value,
): Function<Self> => takes(parameters, run, false);
