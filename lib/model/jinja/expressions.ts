/** Expressions: each rule of the grammar, lowest rank first, beside what it means. @module */

import { applyFilter, applyTest, refusal } from "./filters.ts";
import { deeper, paid, spend } from "./limits.ts";
import { attribute, item, slice } from "./methods.ts";
import { binary, COMPARISONS } from "./operators.ts";
import { call, type Expression, type Scope, variable } from "./scope.ts";
import type { Cursor } from "./tokens.ts";
import * as py from "./values.ts";
import type { Value } from "./values.ts";

/** A filter of a template, with its arguments. */
export type Filter = (value: Value, scope: Scope) => Value;
type Arguments = (scope: Scope) => readonly [Value[], Map<string, Value>];

/** An expression that holds no other. */
const leaf = (value: Expression): Expression => (scope) => {
  spend();
  return value(scope);
};
/** An expression of others. */
const node = (value: Expression): Expression => (scope) => {
  spend();
  return deeper(() => value(scope));
};

/** The first operand that decides, or else the last. */
const decided = (mark: string, a: Expression, b: Expression) =>
  node((scope) => {
    const value = a(scope);
    return py.truth(value) === (mark === "or") ? value : b(scope);
  });
const operated = (mark: string, a: Expression, b: Expression) =>
  node((scope) => paid(binary(mark, a(scope), b(scope))));
const nothing = () => py.undefinedValue("an inline 'if' is false and has no 'else'");

const CONSTANTS = { true: true, True: true, false: false, False: false, none: null, None: null };

/** Whether a name stands for a value that does not change. */
export const isConstant = (name: string): name is keyof typeof CONSTANTS =>
  Object.hasOwn(CONSTANTS, name);

export type Expressions = ReturnType<typeof expressionsOn>;

export function expressionsOn(cursor: Cursor) {
  const { now, look, take, shown, fail, expected, is, skip, expect } = cursor;
  const { name, commas, separated, nested } = cursor;
  const state = {
    reads: new Set<string>(),
    /** Conditions around what is read now: what they hold may never be run. */
    conditions: 0,
    /** Filters and tests that cannot be used, outside of what may not be run. */
    refused: [] as SyntaxError[],
  };

  function expression(withIf = true): Expression {
    return nested(() => {
      const certain = state.refused.length;
      let found = or();
      while (withIf && skip("if")) {
        const yes = found, test = or(), no = skip("else") ? expression() : nothing;
        state.refused.length = certain;
        found = node((scope) => (py.truth(test(scope)) ? yes : no)(scope));
      }
      return found;
    });
  }

  /** Operators of one rank, from the left. */
  const leftward = (
    marks: readonly string[],
    part: () => Expression,
    made: (mark: string, a: Expression, b: Expression) => Expression,
  ) =>
  (): Expression => {
    let found = part();
    for (let mark; (mark = marks.find((one) => skip(one))) !== undefined;) {
      found = made(mark, found, part());
    }
    return found;
  };
  const and = leftward(["and"], not, decided);
  const or = leftward(["or"], and, decided);
  const power = leftward(["**"], () => unary(), operated);
  const product = leftward(["*", "/", "//", "%"], power, operated);
  const concat = leftward(["~"], product, operated);
  const sum = leftward(["+", "-"], concat, operated);

  function not(): Expression {
    if (!skip("not")) return comparison();
    const of = nested(not);
    return node((scope) => !py.truth(of(scope)));
  }

  function comparison(): Expression {
    const first = sum(), rest: (readonly [string, Expression])[] = [];
    for (;;) {
      const { type, text } = now(), isNot = is("not") && is("in", look());
      if (isNot) take();
      else if (!is("in") && (type !== "operator" || !Object.hasOwn(COMPARISONS, text))) break;
      take();
      rest.push([isNot ? "not in" : text, sum()]);
    }
    if (rest.length === 0) return first;
    return node((scope) => {
      let left = first(scope);
      return rest.every(([operator, of]) => {
        const a = left, b = left = of(scope);
        return COMPARISONS[operator]!(a, b);
      });
    });
  }

  function signed(): Expression {
    const sign = take().text, of = nested(() => unary(false));
    return node((scope) => {
      const value = of(scope), number = py.numberOf(py.defined(value));
      if (number === undefined) throw py.unsupported(`'${sign}'`, value);
      return sign === "-" ? -number : number;
    });
  }

  function unary(withFilter = true): Expression {
    const whole = postfix(is("-") || is("+") ? signed() : primary());
    return withFilter ? filters(whole) : whole;
  }

  const constant = (value: Value) => leaf(() => value);
  const listed = (items: readonly Expression[]) => node((scope) => items.map((of) => of(scope)));
  const tupled = (items: readonly Expression[]) =>
    node((scope) => py.tuple(...items.map((of) => of(scope))));

  function primary(): Expression {
    const token = take();
    if (token.type === "name") {
      if (isConstant(token.text)) return constant(CONSTANTS[token.text]);
      state.reads.add(token.text);
      return leaf((scope) => variable(token.text, scope));
    }
    if (token.type === "number") return constant(token.number!);
    if (token.type === "string") {
      let value = token.text;
      while (now().type === "string") value += take().text;
      return constant(value);
    }
    if (is("(", token)) {
      const { items, isMany } = commas(() => is(")"), () => expression());
      expect(")");
      return items.length === 1 && !isMany ? items[0]! : tupled(items);
    }
    if (is("[", token)) return listed(separated("]", expression));
    if (is("{", token)) {
      const entries = separated("}", () => {
        const key = expression();
        expect(":");
        return [key, expression()] as const;
      });
      return node((scope) => py.dict(entries.map(([key, of]) => [key(scope), of(scope)] as const)));
    }
    throw fail(`unexpected ${shown(token)}`, token);
  }

  /** An expression, or a tuple of several between commas, up to the end of the tag or to a name. */
  function oneOrMore(end?: string, withIf = end === undefined): Expression {
    const isEnd = () => /_end$/.test(now().type) || (end !== undefined && is(end));
    const { items, isMany } = commas(isEnd, () => expression(withIf));
    if (items.length === 0) throw expected("an expression");
    return isMany ? tupled(items) : items[0]!;
  }

  const itemOf = (of: Expression, key: Expression) => node((scope) => item(of(scope), key(scope)));

  function postfix(start: Expression): Expression {
    let found = start;
    for (;;) {
      const of = found;
      if (skip(".")) {
        const token = take();
        if (token.type === "name") found = node((scope) => attribute(of(scope), token.text));
        else if (token.type === "number" && typeof token.number === "bigint") {
          found = itemOf(of, constant(token.number));
        } else throw fail(`expected a name after '.', found ${shown(token)}`, token);
      } else if (skip("[")) found = subscript(of);
      else if (is("(")) found = called(of);
      else return of;
    }
  }

  function subscript(of: Expression): Expression {
    const isEnd = () => is("]") || is(",");
    const first = is(":") ? undefined : expression();
    if (skip(":")) {
      const stop = is(":") || isEnd() ? undefined : expression();
      const step = skip(":") && !isEnd() ? expression() : undefined;
      expect("]");
      const bound = (at: Expression | undefined, scope: Scope) => at ? at(scope) : null;
      return node((scope) => {
        const value = py.defined(of(scope));
        return paid(slice(value, bound(first, scope), bound(stop, scope), bound(step, scope)));
      });
    }
    if (skip("]")) return itemOf(of, first!);
    expect(",");
    return itemOf(of, tupled([first!, ...separated("]", expression)]));
  }

  function called(of: Expression): Expression {
    const args = argumentsOf();
    const withCaller = (scope: Scope, caller: Value) => {
      const callee = of(scope), [values, named] = args(scope);
      return call(callee, values, named.set("caller", caller));
    };
    return Object.assign(node((scope) => call(of(scope), ...args(scope))), { withCaller });
  }

  function argumentsOf(): Arguments {
    const token = now(), positional: Expression[] = [], named = new Map<string, Expression>();
    let star: Expression | undefined, stars: Expression | undefined;
    const ensure = (isRight: boolean) => {
      if (!isRight) throw fail("the arguments of a call are out of order", token);
    };
    expect("(");
    separated(")", () => {
      if (skip("*")) {
        ensure(!star && !stars);
        star = expression();
      } else if (skip("**")) {
        ensure(!stars);
        stars = expression();
      } else if (now().type === "name" && is("=", look())) {
        const key = take().text;
        ensure(!stars && !named.has(key));
        expect("=");
        named.set(key, expression());
      } else {
        ensure(!star && !stars && named.size === 0);
        positional.push(expression());
      }
    });
    return (scope) => {
      const args = positional.map((of) => of(scope));
      const names = new Map(named.entries().map(([key, of]) => [key, of(scope)]));
      if (star) args.push(...py.listOf(star(scope)));
      if (stars) addNamed(names, stars(scope));
      return [args, names];
    };
  }

  function known(kind: "filter" | "test"): string {
    const token = now();
    let found = name();
    while (skip(".")) found += `.${name()}`;
    const why = refusal(kind, found);
    if (why !== undefined && state.conditions === 0) state.refused.push(fail(why, token));
    return found;
  }

  function filter(): Filter {
    const called = known("filter"), args = is("(") ? argumentsOf() : noArguments;
    return (value, scope) => applyFilter(called, value, ...args(scope));
  }

  function filters(start: Expression): Expression {
    let found = start;
    for (;;) {
      const of = found;
      if (skip("|")) {
        const by = filter();
        found = node((scope) => by(of(scope), scope));
      } else if (skip("is")) found = test(of);
      else if (is("(")) found = called(of);
      else return of;
    }
  }

  function test(of: Expression): Expression {
    const isNegated = skip("not"), called = known("test");
    const begins = ["name", "string", "number"].includes(now().type) || is("[") || is("{");
    let args: Arguments = noArguments;
    if (is("(")) args = argumentsOf();
    else if (begins && !["else", "or", "and"].some((word) => is(word))) {
      if (is("is")) throw fail("tests cannot be chained with 'is'");
      const one = postfix(primary());
      args = (scope) => [[one(scope)], new Map()];
    }
    return node((scope) => applyTest(called, of(scope), ...args(scope)) !== isNegated);
  }

  return { state, expression, oneOrMore, filter };
}

const noArguments: Arguments = () => [[], new Map()];

function addNamed(names: Map<string, Value>, given: Value): void {
  const entries = py.entriesOf(py.defined(given));
  if (!entries) throw py.unsupported("'**'", given);
  for (const [key, value] of entries) {
    const name = py.text(key, "'**'");
    if (names.has(name)) throw new TypeError(`the argument '${name}' is given twice`);
    names.set(name, value);
  }
}
