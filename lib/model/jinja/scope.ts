/**
 * What a template is once it is read: functions of the names around them. Here are those names, how
 * they are assigned to and called, and what statements, macros and loops do with them.
 *
 * @module
 */

import { GLOBALS } from "./functions.ts";
import { deeper, joined, paid, spend } from "./limits.ts";
import { equal } from "./operators.ts";
import * as py from "./values.ts";
import type { Named, Thing, Value } from "./values.ts";

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

export function variable(name: string, scope: Scope): Value {
  for (let at: Scope | undefined = scope; at; at = at.around) {
    const value = at.names.get(name);
    if (value !== undefined) return value;
  }
  const own = Object.hasOwn(GLOBALS, name) ? GLOBALS[name] : undefined;
  return py.orUndefined(own, `'${name}' is undefined`);
}

export function call(of: Value, args: readonly Value[], named: Named): Value {
  const made = py.kinded(py.defined(of), "thing")?.call;
  if (!made) throw new TypeError(`'${py.typeName(of)}' object is not callable`);
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

/** Parameters and body of a macro or call block. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly value?: Expression }[];
  readonly body: Statement;
  /** Names read in the body. */
  readonly reads: ReadonlySet<string>;
}

/** A macro: a function of the names around it. */
export function macro(name: string | undefined, signature: Signature, scope: Scope): Thing {
  const { parameters, reads } = signature;
  /** Whether the body reads what a macro gets besides its parameters. */
  const takes = (special: string) =>
    reads.has(special) && !parameters.some((one) => one.name === special);
  const bound = (args: readonly Value[], given: Named): Scope => {
    const own = inner(scope), named = new Map(given);
    for (const [i, { name, value }] of parameters.entries()) {
      const argument = i < args.length ? args[i] : named.get(name);
      if (i >= args.length) named.delete(name);
      const absent = () =>
        value ? value(own) : py.undefinedValue(`parameter '${name}' was not provided`);
      own.names.set(name, argument === undefined ? absent() : argument);
    }
    if (takes("caller")) {
      own.names.set("caller", py.orUndefined(named.get("caller"), "No caller defined"));
      named.delete("caller");
    }
    const [extra] = named.keys(), rest = args.slice(parameters.length);
    if (takes("kwargs")) own.names.set("kwargs", py.dict(named));
    else if (extra !== undefined) {
      throw new TypeError(`macro '${name}' takes no keyword argument '${extra}'`);
    }
    if (takes("varargs")) own.names.set("varargs", py.tuple(...rest));
    else if (rest.length > 0) {
      throw new TypeError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    }
    return own;
  };
  return {
    ...py.thingWith("Macro", {
      name: () => name ?? null,
      arguments: () => py.tuple(...parameters.map((one) => one.name)),
      catch_kwargs: () => reads.has("kwargs"),
      catch_varargs: () => reads.has("varargs"),
      caller: () => reads.has("caller"),
    }),
    text: () => `<Macro ${name === undefined ? "anonymous" : py.repr(name)}>`,
    call: (args, named) => deeper(() => captured(signature.body, bound(args, named))[0]),
  };
}

export interface Loop {
  readonly target: Target;
  readonly over: Expression;
  readonly test?: Expression | undefined;
  readonly isRecursive: boolean;
  readonly body: Statement;
  readonly otherwise: Statement;
}

export function loopOver(loop: Loop, items: Value, scope: Scope, out: string[], depth = 0): Signal {
  const { target, test, body, otherwise } = loop;
  const itemScope = (one: Value) => {
    const own = inner(scope);
    target(one, own);
    return own;
  };
  const passing = test
    ? py.iter(py.iterate(items).filter((one) => py.truth(test(itemScope(one)))))
    : items;
  const recurse = (over: Value) =>
    deeper(() => captured((scope, out) => loopOver(loop, over, scope, out, depth + 1), scope)[0]);
  const { self, next } = loopThing(passing, depth, loop.isRecursive ? recurse : undefined);
  let isCompleted = false;
  for (let one; (one = next()) !== undefined;) {
    const own = itemScope(one);
    if (!own.names.has("loop")) own.names.set("loop", self);
    const signal = body(own, out);
    if (signal === "break") break;
    if (signal === undefined) isCompleted = true;
  }
  return isCompleted ? undefined : otherwise(inner(scope), out);
}

/** `loop` in a loop, and what gives the next item. */
function loopThing(
  items: Value,
  depth: number,
  recurse: ((items: Value) => Value) | undefined,
): { readonly self: Thing; readonly next: () => Value | undefined } {
  let source: Iterator<Value> = py.iterate(items), index = -1;
  let known = py.kinded(items, "iterator") ? undefined : py.lengthOf(items);
  /** The next item, where it has been looked at. */
  let ahead: Value | undefined;
  let before: Value | undefined, current: Value | undefined, changed: Value | undefined;
  const peek = () => {
    if (ahead === undefined) ahead = source.next().value;
    return ahead;
  };
  const length = () => {
    if (known === undefined) {
      const rest = [...Iterator.from({ next: () => source.next() })];
      source = rest[Symbol.iterator]();
      known = rest.length + index + (ahead === undefined ? 1 : 2);
    }
    return known;
  };
  const context = py.thingWith("LoopContext", {
    index: () => BigInt(index + 1),
    index0: () => BigInt(index),
    revindex: () => BigInt(length() - index),
    revindex0: () => BigInt(length() - index - 1),
    first: () => index === 0,
    last: () => peek() === undefined,
    length: () => BigInt(length()),
    depth: () => BigInt(depth + 1),
    depth0: () => BigInt(depth),
    previtem: () => py.orUndefined(before, "there is no previous item"),
    nextitem: () => py.orUndefined(peek(), "there is no next item"),
    cycle: () =>
      py.thing("method", (args) => {
        if (args.length === 0) throw new TypeError("no items for cycling given");
        return args[index % args.length]!;
      }),
    changed: () =>
      py.thing("method", (args) => {
        const now = py.tuple(...args), isSame = changed !== undefined && equal(changed, now);
        changed = now;
        return !isSame;
      }),
  });
  const self: Thing = {
    ...context,
    text: () => `<LoopContext ${index + 1}/${length()}>`,
    length,
    call: ([over], named) => {
      if (recurse) return recurse(over === undefined ? named.get("iterable") ?? null : over);
      throw new TypeError("The loop must have the 'recursive' marker to be called recursively.");
    },
  };
  const next = () => {
    spend();
    const value = peek();
    if (value === undefined) return undefined;
    ahead = undefined;
    index++;
    before = current;
    current = value;
    return value;
  };
  return { self, next };
}
