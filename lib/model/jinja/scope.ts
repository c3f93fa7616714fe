/**
 * What a template is once it is read: functions of the names around them. Here are those names, how
 * they are assigned to and called, and how statements follow one another.
 *
 * @module
 */

import { paid } from "./filters.ts";
import { checkMember, GLOBALS } from "./globals.ts";
import { deeper, joined, spend } from "./limits.ts";
import { unpacked } from "./python.ts";
import { defined, kinded, type Named, typeName, undefinedValue, type Value } from "./values.ts";

/** Names of a part of the template, within those around it. */
export interface Scope {
  readonly names: Map<string, Value>;
  readonly around?: Scope;
}

/** An expression: its value where these names are known. */
export interface Expression {
  (scope: Scope): Value;
  /** Of a call: the same with the body of a block as its `caller`. */
  readonly withCaller?: (scope: Scope, caller: Value) => Value;
}
/** What ends a loop, or goes on with its next item. */
export type Signal = "break" | "continue" | undefined;
/** A statement: writes its text. */
export type Statement = (scope: Scope, out: string[]) => Signal;
/** Assigns to what stands left of a "=". */
export type Target = (value: Value, scope: Scope) => undefined;

/** A scope of its own within another. */
export const inner = (around: Scope): Scope => ({ names: new Map(), around });

/** The names of the template itself. */
export const rootOf = (scope: Scope): Scope => scope.around ? rootOf(scope.around) : scope;

/** The value of a name. */
export function variable(name: string, scope: Scope): Value {
  for (let at: Scope | undefined = scope; at; at = at.around) {
    const value = at.names.get(name);
    if (value !== undefined) return value;
  }
  return Object.hasOwn(GLOBALS, name) ? GLOBALS[name]! : undefinedValue(`'${name}' is undefined`);
}

/** Assigns to a name. */
export const toName = (name: string): Target => (value, scope) => void scope.names.set(name, value);

/** Assigns to a member of a namespace. */
export const toMember = (name: string, member: string): Target => (value, scope) => {
  const values = kinded(variable(name, scope), "thing")?.values;
  if (!values) throw new TypeError("cannot assign attribute on non-namespace object");
  return void values.set(checkMember(member), value);
};

/** Assigns the items of a value. */
export const toTuple = (targets: readonly Target[]): Target => (value, scope) => {
  const values = unpacked(value, targets.length);
  return void targets.forEach((target, i) => target(values[i]!, scope));
};

/** Calls a value. */
export function call(of: Value, args: readonly Value[], named: Named): Value {
  const made = kinded(defined(of), "thing")?.call;
  if (!made) throw new TypeError(`'${typeName(of)}' object is not callable`);
  return paid(made(args, named));
}

/** Statements one after the other. */
export const block = (statements: readonly Statement[]): Statement => (scope, out) =>
  deeper(() => {
    for (const statement of statements) {
      spend();
      const signal = statement(scope, out);
      if (signal !== undefined) return signal;
    }
  });

/** The text of a statement, and what it ends with. */
export function captured(body: Statement, scope: Scope): [string, Signal] {
  const out: string[] = [], signal = body(scope, out);
  return [joined(out), signal];
}
