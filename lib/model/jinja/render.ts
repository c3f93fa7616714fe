/**
 * Runs a parsed template.
 *
 * @module
 */

import { applyFilter, applyTest, type Environment } from "./filters.ts";
import { joined, namedDict, repr, str, strftime } from "./format.ts";
import { attribute, item } from "./methods.ts";
import { binary } from "./operators.ts";
import type { Arguments, Expression, Parsed, Signature, Statement, Target } from "./parser.ts";
import {
  checkSize,
  compare,
  contains,
  defined,
  dict,
  equal,
  integer,
  isList,
  iterate,
  kinded,
  lengthOf,
  listOf,
  metered,
  type Named,
  numberOf,
  range,
  slice,
  spend,
  subscript,
  text,
  type Thing,
  thing,
  truth,
  tuple,
  typeName,
  undefinedValue,
  unsupported,
  type Value,
} from "./values.ts";

/** How deep calls, loops and expressions may be within another. */
const MAX_DEPTH = 800;

/** Names of a part of the template, within those around it. */
interface Scope {
  readonly names: Map<string, Value>;
  readonly around?: Scope;
}

type Signal = "break" | "continue" | undefined;

/** What a template says instead of a prompt: `raise_exception`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

function holds(operator: string, a: Value, b: Value): boolean {
  switch (operator) {
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "in":
      return contains(b, a);
    case "not in":
      return !contains(b, a);
  }
  defined(a);
  defined(b);
  const order = compare(a, b);
  return operator === "<"
    ? order < 0
    : operator === "<="
    ? order <= 0
    : operator === ">"
    ? order > 0
    : order >= 0;
}

/** `dict(…)` of a mapping or of pairs. */
function makeDict(args: readonly Value[], named: Named) {
  if (args.length > 1) throw new TypeError(`dict expected at most 1 argument, got ${args.length}`);
  const [from] = args, entries = from === undefined ? undefined : kinded(from, "dict")?.entries;
  const pairs = from === undefined
    ? []
    : entries
    ? [...entries.values()]
    : listOf(from).map((pair) => unpacked(pair, 2) as [Value, Value]);
  return dict([...pairs, ...named]);
}

function unpacked(value: Value, count: number): Value[] {
  const items = listOf(value);
  if (items.length !== count) {
    throw new TypeError(`expected ${count} values to unpack, found ${items.length}`);
  }
  return items;
}

function checkMember(name: Value): string {
  const written = text(name, "a namespace");
  if (written.startsWith("_")) {
    throw new TypeError(`a namespace cannot hold '${written}', which starts with '_'`);
  }
  return written;
}

function namespace(args: readonly Value[], named: Named): Value {
  const values = new Map<string, Value>();
  for (const [key, value] of makeDict(args, named).entries.values()) {
    values.set(checkMember(key), value);
  }
  return {
    kind: "thing",
    name: "Namespace",
    values,
    get: (name) => values.get(name),
    text: () => `<Namespace ${repr(namedDict(values))}>`,
  };
}

function cycler(items: readonly Value[], named: Named): Value {
  if (items.length === 0 || named.size > 0) {
    throw new TypeError("cycler() needs items, by position");
  }
  let at = 0;
  const next = thing("method", () => items[at++ % items.length]!);
  const reset = thing("method", () => {
    at = 0;
    return null;
  });
  const get = (name: string) =>
    name === "next"
      ? next
      : name === "reset"
      ? reset
      : name === "current"
      ? items[at % items.length]
      : undefined;
  return { kind: "thing", name: "Cycler", get };
}

function joiner(args: readonly Value[], named: Named): Value {
  const [separator = named.get("sep")] = args;
  let used = false;
  return thing("Joiner", () => {
    if (used) return separator === undefined ? ", " : separator;
    used = true;
    return "";
  });
}

const GLOBALS: Readonly<Record<string, Value>> = {
  range: thing("type", (args, named) => {
    if (args.length < 1 || args.length > 3 || named.size > 0) {
      throw new TypeError("range() takes 1 to 3 arguments");
    }
    const numbers = args.map((one) => integer(one, "range()"));
    const [a, b, step = 1n] = numbers;
    return b === undefined ? range(0n, a!, 1n) : range(a!, b, step);
  }),
  dict: {
    kind: "thing",
    name: "TemplateDict",
    call: makeDict,
    get: (name) => name === "fromkeys" ? attribute(dict(), name) : undefined,
  },
  namespace: thing("type", namespace),
  cycler: thing("type", cycler),
  joiner: thing("type", joiner),
  lipsum: thing("function", () => {
    throw new TypeError("lipsum cannot be used: one seed must give one prompt");
  }),
  raise_exception: thing("function", (args) => {
    throw new Refusal(str(args[0] ?? null));
  }),
  strftime_now: thing("function", (args, named) => {
    const [format = named.get("format") ?? null] = args;
    return strftime(new Date(), text(format, "strftime_now"));
  }),
};

/** `loop` in a loop. */
function loopThing(
  items: Value,
  depth: number,
  recurse: ((items: Value) => Value) | undefined,
): { readonly loop: Thing; readonly next: () => Value | undefined } {
  let source: Iterator<Value> = iterate(items), index = -1;
  let known = kinded(items, "iterator") ? undefined : lengthOf(items);
  let ahead: readonly Value[] = [], before: Value | undefined, current: Value | undefined;
  let changed: Value | undefined;
  const peek = () => {
    if (ahead.length === 0) {
      const { value, done } = source.next();
      if (done) return undefined;
      ahead = [value];
    }
    return ahead[0]!;
  };
  const length = () => {
    if (known === undefined) {
      const rest: Value[] = [];
      for (let step; !(step = source.next()).done;) rest.push(step.value);
      source = rest[Symbol.iterator]();
      known = rest.length + index + 1 + ahead.length;
    }
    return known;
  };
  const attributes: Readonly<Record<string, () => Value>> = {
    index: () => BigInt(index + 1),
    index0: () => BigInt(index),
    revindex: () => BigInt(length() - index),
    revindex0: () => BigInt(length() - index - 1),
    first: () => index === 0,
    last: () => peek() === undefined,
    length: () => BigInt(length()),
    depth: () => BigInt(depth + 1),
    depth0: () => BigInt(depth),
    previtem: () => index === 0 ? undefinedValue("there is no previous item") : before!,
    nextitem: () => {
      const next = peek();
      return next === undefined ? undefinedValue("there is no next item") : next;
    },
    cycle: () =>
      thing("method", (args) => {
        if (args.length === 0) throw new TypeError("no items for cycling given");
        return args[index % args.length]!;
      }),
    changed: () =>
      thing("method", (args) => {
        const now = tuple(...args);
        if (changed !== undefined && equal(changed, now)) return false;
        changed = now;
        return true;
      }),
  };
  const loop: Thing = {
    kind: "thing",
    name: "LoopContext",
    get: (name) => Object.hasOwn(attributes, name) ? attributes[name]!() : undefined,
    text: () => `<LoopContext ${index + 1}/${length()}>`,
    length,
    call: ([over], named) => {
      if (!recurse) {
        throw new TypeError("The loop must have the 'recursive' marker to be called recursively.");
      }
      return recurse(over === undefined ? named.get("iterable") ?? null : over);
    },
  };
  const next = () => {
    spend();
    const value = peek();
    if (value === undefined) return undefined;
    ahead = [];
    index++;
    before = current;
    current = value;
    return value;
  };
  return { loop, next };
}

/**
 * The text of a template.
 *
 * @param template The template.
 * @param variables Its variables.
 * @throws {Refusal} Where the template calls `raise_exception`.
 * @throws {TypeError} Where Python would raise, or something is not supported.
 * @throws {RangeError} Where the template does or makes too much.
 */
export function render({ body }: Parsed, variables: Named): string {
  let depth = 0, written = 0;
  const root: Scope = { names: new Map(variables) };

  const deeper = <T>(part: () => T): T => {
    if (++depth > MAX_DEPTH) throw new RangeError(`the template is more than ${MAX_DEPTH} deep`);
    try {
      return part();
    } finally {
      depth--;
    }
  };
  const inner = (around: Scope): Scope => ({ names: new Map(), around });
  const variable = (name: string, scope: Scope): Value => {
    for (let at: Scope | undefined = scope; at; at = at.around) {
      const value = at.names.get(name);
      if (value !== undefined) return value;
    }
    return Object.hasOwn(GLOBALS, name) ? GLOBALS[name]! : undefinedValue(`'${name}' is undefined`);
  };

  const environment: Environment = {
    filter: (name, args, named) => {
      spend();
      return paid(applyFilter(name, args, named, environment));
    },
    test: (name, args, named) => {
      spend();
      return applyTest(name, args, named);
    },
  };

  /** A value, its size charged. */
  const paid = (value: Value): Value => {
    if (typeof value === "string") spend(value.length >> 6);
    else if (isList(value)) spend(value.length >> 4);
    return value;
  };

  const call = (of: Value, args: readonly Value[], named: Named): Value => {
    const made = kinded(defined(of), "thing")?.call;
    if (!made) throw new TypeError(`'${typeName(of)}' object is not callable`);
    return paid(made(args, named));
  };

  const argumentsOf = (
    { positional, named, star, stars }: Arguments,
    scope: Scope,
    caller?: Value,
  ): [Value[], Named] => {
    const args = positional.map((one) => evaluate(one, scope));
    const names = new Map(named.map(([name, one]) => [name, evaluate(one, scope)]));
    if (star) args.push(...iterate(evaluate(star, scope)));
    if (stars) {
      const given = evaluate(stars, scope), entries = kinded(defined(given), "dict")?.entries;
      if (!entries) throw unsupported("'**'", given);
      for (const [key, value] of entries.values()) {
        const name = text(key, "'**'");
        if (names.has(name)) throw new TypeError(`the argument '${name}' is given twice`);
        names.set(name, value);
      }
    }
    if (caller !== undefined) names.set("caller", caller);
    return [args, names];
  };

  function evaluate(of: Expression, scope: Scope): Value {
    spend();
    switch (of.type) {
      case "constant":
        return of.value;
      case "name":
        return variable(of.name, scope);
    }
    return deeper(() => compound(of, scope));
  }

  function compound(
    of: Exclude<Expression, { readonly type: "constant" | "name" }>,
    scope: Scope,
  ): Value {
    switch (of.type) {
      case "list":
        return of.items.map((one) => evaluate(one, scope));
      case "tuple":
        return tuple(...of.items.map((one) => evaluate(one, scope)));
      case "concat":
        return paid(joined(of.items.map((one) => str(evaluate(one, scope))), ""));
      case "dict":
        return dict(of.entries.map(([k, v]) => [evaluate(k, scope), evaluate(v, scope)] as const));
      case "attribute":
        return attribute(evaluate(of.of, scope), of.name);
      case "item":
        return item(evaluate(of.of, scope), evaluate(of.key, scope), subscript);
      case "slice": {
        const value = evaluate(of.of, scope);
        const [start, stop, step] = of.bounds.map((one) => one ? evaluate(one, scope) : null);
        return paid(slice(defined(value), start!, stop!, step!));
      }
      case "call":
        return call(evaluate(of.of, scope), ...argumentsOf(of.args, scope));
      case "filter":
        return filtered(of, of.of ? evaluate(of.of, scope) : "", scope);
      case "test": {
        const [args, named] = argumentsOf(of.args, scope);
        return environment.test(of.name, [evaluate(of.of!, scope), ...args], named);
      }
      case "not":
        return !truth(evaluate(of.of, scope));
      case "neg":
      case "pos": {
        const value = evaluate(of.of, scope), number = numberOf(defined(value));
        if (number === undefined) throw unsupported(of.type === "neg" ? "'-'" : "'+'", value);
        return of.type === "neg" ? -number : number;
      }
      case "and":
      case "or": {
        const a = evaluate(of.a, scope);
        return truth(a) === (of.type === "or") ? a : evaluate(of.b, scope);
      }
      case "binary":
        return paid(binary(of.operator, evaluate(of.a, scope), evaluate(of.b, scope)));
      case "compare": {
        let left = evaluate(of.first, scope);
        for (const [operator, expression] of of.rest) {
          const right = evaluate(expression, scope);
          if (!holds(operator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case "if":
        if (truth(evaluate(of.test, scope))) return evaluate(of.yes, scope);
        return of.no
          ? evaluate(of.no, scope)
          : undefinedValue("an inline 'if' is false and has no 'else'");
    }
  }

  /** Applies filters to a text that is not written in the template: that of a block. */
  function filtered(
    { of, name, args }: Extract<Expression, { readonly type: "filter" | "test" }>,
    value: Value,
    scope: Scope,
  ): Value {
    void of;
    const [rest, named] = argumentsOf(args, scope);
    return environment.filter(name, [value, ...rest], named);
  }
  function filterBlock(by: Expression, content: Value, scope: Scope): Value {
    if (by.type !== "filter") return content;
    return filtered(by, by.of ? filterBlock(by.of, content, scope) : content, scope);
  }

  function assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === "name") {
      scope.names.set(target.name, value);
      return;
    }
    if (target.type === "tuple") {
      const values = unpacked(value, target.items.length);
      for (const [i, one] of target.items.entries()) assign(one, values[i]!, scope);
      return;
    }
    const values = kinded(variable(target.name, scope), "thing")?.values;
    if (!values) throw new TypeError("cannot assign attribute on non-namespace object");
    values.set(checkMember(target.attribute), value);
  }

  /** The text of statements in a scope of their own. */
  function captured(statements: readonly Statement[], scope: Scope): [string, Signal] {
    const out: string[] = [], signal = run(statements, inner(scope), out);
    return [joined(out, ""), signal];
  }

  function macro(name: string | undefined, signature: Signature, scope: Scope): Thing {
    const { parameters, reads } = signature;
    const has = (special: string) => parameters.some((one) => one.name === special);
    return {
      kind: "thing",
      name: "Macro",
      text: () => `<Macro ${name === undefined ? "anonymous" : repr(name)}>`,
      get: (asked) => {
        switch (asked) {
          case "name":
            return name ?? null;
          case "arguments":
            return tuple(...parameters.map((one) => one.name));
          case "catch_kwargs":
            return reads.has("kwargs");
          case "catch_varargs":
            return reads.has("varargs");
          case "caller":
            return reads.has("caller");
        }
      },
      call: (args, given) => {
        const own = inner(scope), named = new Map(given);
        const known = Math.min(args.length, parameters.length);
        for (const [i, parameter] of parameters.entries()) {
          const value = i < known ? args[i] : named.get(parameter.name);
          if (i >= known) named.delete(parameter.name);
          const absent = () =>
            parameter.value
              ? evaluate(parameter.value, own)
              : undefinedValue(`parameter '${parameter.name}' was not provided`);
          own.names.set(parameter.name, value === undefined ? absent() : value);
        }
        if (reads.has("caller") && !has("caller")) {
          const caller = named.get("caller");
          own.names.set("caller", caller ?? undefinedValue("No caller defined"));
          named.delete("caller");
        }
        if (reads.has("kwargs") && !has("kwargs")) own.names.set("kwargs", namedDict(named));
        else if (named.size > 0) {
          const [extra] = named.keys();
          throw new TypeError(`macro '${name}' takes no keyword argument '${extra}'`);
        }
        if (reads.has("varargs") && !has("varargs")) {
          own.names.set("varargs", tuple(...args.slice(parameters.length)));
        } else if (args.length > parameters.length) {
          throw new TypeError(
            `macro '${name}' takes not more than ${parameters.length} argument(s)`,
          );
        }
        return deeper(() => {
          const out: string[] = [];
          run(signature.body, own, out);
          return joined(out, "");
        });
      },
    };
  }

  function forLoop(
    statement: Extract<Statement, { readonly type: "for" }>,
    items: Value,
    scope: Scope,
    out: string[],
    level: number,
  ): Signal {
    const { target, test, recursive, otherwise } = statement;
    const kept = test
      ? {
        kind: "iterator" as const,
        source: iterate(items).filter((one) => {
          const own = inner(scope);
          assign(target, one, own);
          return truth(evaluate(test, own));
        }),
      }
      : items;
    const recurse = (over: Value) =>
      deeper(() => {
        const part: string[] = [];
        forLoop(statement, over, scope, part, level + 1);
        return joined(part, "");
      });
    const { loop, next } = loopThing(kept, level, recursive ? recurse : undefined);
    let completed = false;
    for (let one; (one = next()) !== undefined;) {
      const own = inner(scope);
      own.names.set("loop", loop);
      assign(target, one, own);
      const signal = run(statement.body, own, out);
      if (signal === "break") break;
      if (signal === undefined) completed = true;
    }
    return completed ? undefined : run(otherwise, inner(scope), out);
  }

  function write(value: string, out: string[]): void {
    written += value.length;
    checkSize(written);
    if (value !== "") out.push(value);
  }

  function run(statements: readonly Statement[], scope: Scope, out: string[]): Signal {
    return deeper(() => {
      for (const statement of statements) {
        const signal = execute(statement, scope, out);
        if (signal !== undefined) return signal;
      }
      return undefined;
    });
  }

  function execute(statement: Statement, scope: Scope, out: string[]): Signal {
    spend();
    switch (statement.type) {
      case "text":
        write(statement.text, out);
        return;
      case "print":
        for (const one of statement.items) write(str(evaluate(one, scope)), out);
        return;
      case "if":
        return run(
          truth(evaluate(statement.test, scope)) ? statement.body : statement.otherwise,
          scope,
          out,
        );
      case "for":
        return forLoop(statement, evaluate(statement.over, scope), scope, out, 0);
      case "set":
        assign(statement.target, evaluate(statement.value, scope), scope);
        return;
      case "capture": {
        const [content, signal] = captured(statement.body, scope);
        if (signal !== undefined) return signal;
        const { filter } = statement;
        assign(statement.target, filter ? filterBlock(filter, content, scope) : content, scope);
        return;
      }
      case "with": {
        const own = inner(scope);
        for (const [target, value] of statement.entries) {
          assign(target, evaluate(value, scope), own);
        }
        return run(statement.body, own, out);
      }
      case "macro":
        scope.names.set(statement.name, macro(statement.name, statement.signature, scope));
        return;
      case "call": {
        const { call: of } = statement;
        if (of.type !== "call") return;
        const caller = macro(undefined, statement.signature, scope);
        const called = evaluate(of.of, scope);
        write(str(call(called, ...argumentsOf(of.args, scope, caller))), out);
        return;
      }
      case "generation":
        write(str(call(macro(undefined, statement.signature, scope), [], new Map())), out);
        return;
      case "filter": {
        const [content, signal] = captured(statement.body, scope);
        if (signal === undefined) write(str(filterBlock(statement.filter, content, scope)), out);
        return signal;
      }
      case "scope":
        return run(statement.body, inner(scope), out);
      case "block":
        return run(statement.body, inner(root), out);
      case "refused":
        throw new TypeError(statement.why);
      case "break":
      case "continue":
        return statement.type;
    }
  }

  return metered(() => {
    const out: string[] = [];
    run(body, root, out);
    return joined(out, "");
  });
}
