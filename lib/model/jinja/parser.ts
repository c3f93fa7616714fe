/**
 * Tokens as a tree of statements and expressions.
 *
 * @module
 */

import { failure, type Token, tokenize } from "./lexer.ts";
import type { Value } from "./values.ts";

/** Arguments of a call. */
export interface Arguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [string, Expression])[];
  readonly star?: Expression;
  readonly stars?: Expression;
}

/** An expression. */
export type Expression =
  | { readonly type: "constant"; readonly value: Value }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "list" | "tuple" | "concat"; readonly items: readonly Expression[] }
  | { readonly type: "dict"; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly type: "attribute"; readonly of: Expression; readonly name: string }
  | { readonly type: "item"; readonly of: Expression; readonly key: Expression }
  | {
    readonly type: "slice";
    readonly of: Expression;
    readonly bounds: readonly (Expression | undefined)[];
  }
  | { readonly type: "call"; readonly of: Expression; readonly args: Arguments }
  | {
    readonly type: "filter" | "test";
    /** Absent in a filter block. */
    readonly of?: Expression;
    readonly name: string;
    readonly args: Arguments;
  }
  | { readonly type: "not" | "neg" | "pos"; readonly of: Expression }
  | {
    readonly type: "and" | "or" | "binary";
    readonly operator: string;
    readonly a: Expression;
    readonly b: Expression;
  }
  | {
    readonly type: "compare";
    readonly first: Expression;
    readonly rest: readonly (readonly [string, Expression])[];
  }
  | {
    readonly type: "if";
    readonly test: Expression;
    readonly yes: Expression;
    readonly no?: Expression;
  };

/** What is assigned to. */
export type Target =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "member"; readonly name: string; readonly attribute: string }
  | { readonly type: "tuple"; readonly items: readonly Target[] };

/** Parameters and body of a macro or call block. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly value?: Expression }[];
  readonly body: readonly Statement[];
  /** Names read in the body. */
  readonly reads: ReadonlySet<string>;
}

/** A statement. */
export type Statement =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "print"; readonly items: readonly Expression[] }
  | {
    readonly type: "if";
    readonly test: Expression;
    readonly body: readonly Statement[];
    readonly otherwise: readonly Statement[];
  }
  | {
    readonly type: "for";
    readonly target: Target;
    readonly over: Expression;
    readonly test?: Expression;
    readonly recursive: boolean;
    readonly body: readonly Statement[];
    readonly otherwise: readonly Statement[];
  }
  | { readonly type: "set"; readonly target: Target; readonly value: Expression }
  | {
    readonly type: "capture";
    readonly target: Target;
    readonly filter?: Expression;
    readonly body: readonly Statement[];
  }
  | {
    readonly type: "with";
    readonly entries: readonly (readonly [Target, Expression])[];
    readonly body: readonly Statement[];
  }
  | { readonly type: "macro"; readonly name: string; readonly signature: Signature }
  | { readonly type: "call"; readonly call: Expression; readonly signature: Signature }
  | { readonly type: "generation"; readonly signature: Signature }
  | { readonly type: "filter"; readonly filter: Expression; readonly body: readonly Statement[] }
  | { readonly type: "scope" | "block"; readonly body: readonly Statement[] }
  | { readonly type: "refused"; readonly why: string }
  | { readonly type: "break" | "continue" };

/** A parsed template. */
export interface Parsed {
  readonly body: readonly Statement[];
  /** Names that it reads. */
  readonly reads: ReadonlySet<string>;
}

/** Tags that read other templates, which fail where they are run. */
const OTHER_TEMPLATES = ["extends", "include", "import", "from"];
const MAX_NESTING = 150;
const NO_ARGUMENTS: Arguments = { positional: [], named: [] };

/** How the parser learns which filters and tests there are. */
export interface Known {
  /** Undefined where it is known, else why it cannot be used. */
  readonly refusal: (kind: "filter" | "test", name: string) => string | undefined;
}

/**
 * Parses a template.
 *
 * @throws {SyntaxError} Where it is malformed or uses what is not supported, by name.
 */
export function parse(source: string, { refusal }: Known): Parsed {
  const tokens = tokenize(source);
  let at = 0, nesting = 0, loops = 0, conditions = 0;
  /** Filters and tests that cannot be used, outside of what may not be run. */
  const refused: SyntaxError[] = [];
  let reads = new Set<string>();

  const now = () => tokens[at]!;
  const look = () => tokens[at + 1] ?? now();
  const fail = (message: string, token = now()) => failure(message, token.line);
  const shown = (token: Token) =>
    token.type === "end" ? "the end of the template" : `'${token.text}'`;
  const isName = (name: string, token = now()) => token.type === "name" && token.text === name;
  const isOperator = (operator: string, token = now()) =>
    token.type === "operator" && token.text === operator;
  const skipName = (name: string) => isName(name) && ++at > 0;
  const skip = (operator: string) => isOperator(operator) && ++at > 0;
  const expect = (operator: string) => {
    if (!skip(operator)) throw fail(`expected '${operator}', found ${shown(now())}`);
  };
  const expectType = (type: Token["type"], what: string) => {
    if (now().type !== type) throw fail(`expected ${what}, found ${shown(now())}`);
    return tokens[at++]!;
  };
  const expectName = (name: string) => {
    if (!skipName(name)) throw fail(`expected '${name}', found ${shown(now())}`);
  };
  const name = () => expectType("name", "a name").text;

  /** Runs a part that may hold itself, up to a depth. */
  const nested = <T>(part: () => T): T => {
    if (++nesting > MAX_NESTING) throw fail("the template is nested too deeply");
    const made = part();
    nesting--;
    return made;
  };

  function expression(withIf = true): Expression {
    return nested(() => {
      const certain = refused.length;
      let found = or();
      while (withIf && skipName("if")) {
        const test = or();
        refused.length = certain;
        found = skipName("else")
          ? { type: "if", test, yes: found, no: expression() }
          : { type: "if", test, yes: found };
        refused.length = certain;
      }
      return found;
    });
  }

  function or(): Expression {
    let a = and();
    while (skipName("or")) a = { type: "or", operator: "or", a, b: and() };
    return a;
  }

  function and(): Expression {
    let a = not();
    while (skipName("and")) a = { type: "and", operator: "and", a, b: not() };
    return a;
  }

  function not(): Expression {
    return skipName("not") ? nested(() => ({ type: "not", of: not() })) : comparison();
  }

  const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="];
  function comparison(): Expression {
    const first = sum(), rest: [string, Expression][] = [];
    for (;;) {
      const token = now();
      if (token.type === "operator" && COMPARISONS.includes(token.text)) {
        at++;
        rest.push([token.text, sum()]);
      } else if (skipName("in")) rest.push(["in", sum()]);
      else if (isName("not") && isName("in", look())) {
        at += 2;
        rest.push(["not in", sum()]);
      } else return rest.length === 0 ? first : { type: "compare", first, rest };
    }
  }

  /** A chain of operators of one rank, from the left. */
  const chain = (operators: readonly string[], part: () => Expression) => (): Expression => {
    let a = part();
    while (now().type === "operator" && operators.includes(now().text)) {
      const operator = tokens[at++]!.text;
      a = { type: "binary", operator, a, b: part() };
    }
    return a;
  };
  const power = chain(["**"], () => unary());
  const product = chain(["*", "/", "//", "%"], power);
  const sum = chain(["+", "-"], concat);

  function concat(): Expression {
    const items = [product()];
    while (skip("~")) items.push(product());
    return items.length === 1 ? items[0]! : { type: "concat", items };
  }

  function unary(withFilter = true): Expression {
    const found: Expression = isOperator("-") || isOperator("+")
      ? nested(() => ({ type: tokens[at++]!.text === "-" ? "neg" : "pos", of: unary(false) }))
      : primary();
    const whole = postfix(found);
    return withFilter ? filters(whole) : whole;
  }

  const NAMED: Readonly<Record<string, Value>> = {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  };
  function primary(): Expression {
    const token = now();
    at++;
    if (token.type === "name") {
      if (Object.hasOwn(NAMED, token.text)) return { type: "constant", value: NAMED[token.text]! };
      reads.add(token.text);
      return { type: "name", name: token.text };
    }
    if (token.type === "number") return { type: "constant", value: token.number! };
    if (token.type === "string") {
      let value = token.text;
      while (now().type === "string") value += tokens[at++]!.text;
      return { type: "constant", value };
    }
    if (isOperator("(", token)) {
      const inside = tuple({ parentheses: true });
      expect(")");
      return inside;
    }
    if (isOperator("[", token)) return { type: "list", items: separated("]", () => expression()) };
    if (isOperator("{", token)) {
      const entries = separated("}", () => {
        const key = expression();
        expect(":");
        return [key, expression()] as const;
      });
      return { type: "dict", entries };
    }
    throw fail(`unexpected ${shown(token)}`, token);
  }

  /** Parts between commas, up to the closing operator. */
  function separated<T>(close: string, part: () => T): T[] {
    const parts: T[] = [];
    while (!isOperator(close)) {
      if (parts.length > 0) expect(",");
      if (isOperator(close)) break;
      parts.push(part());
    }
    expect(close);
    return parts;
  }

  /** An expression, or several between commas. */
  function tuple(
    { parentheses = false, withIf = true, end }: {
      parentheses?: boolean;
      withIf?: boolean;
      end?: string;
    } = {},
  ): Expression {
    const items: Expression[] = [];
    let many = false;
    for (;;) {
      if (items.length > 0) expect(",");
      const { type } = now();
      if (type === "variable_end" || type === "block_end" || isOperator(")")) break;
      if (end !== undefined && isName(end)) break;
      items.push(expression(withIf));
      if (!isOperator(",")) break;
      many = true;
    }
    if (!many && items.length > 0) return items[0]!;
    if (!many && !parentheses) throw fail(`expected an expression, found ${shown(now())}`);
    return { type: "tuple", items };
  }

  function postfix(start: Expression): Expression {
    let of = start;
    for (;;) {
      if (skip(".")) {
        const token = tokens[at++]!;
        if (token.type === "name") of = { type: "attribute", of, name: token.text };
        else if (token.type === "number" && typeof token.number === "bigint") {
          of = { type: "item", of, key: { type: "constant", value: token.number } };
        } else throw fail(`expected a name after '.', found ${shown(token)}`, token);
      } else if (skip("[")) of = subscript(of);
      else if (isOperator("(")) of = { type: "call", of, args: argumentsOf() };
      else return of;
    }
  }

  function subscript(of: Expression): Expression {
    const ends = () => isOperator("]") || isOperator(",");
    const first = isOperator(":") ? undefined : expression();
    if (skip(":")) {
      const stop = isOperator(":") || ends() ? undefined : expression();
      const step = skip(":") && !ends() ? expression() : undefined;
      expect("]");
      return { type: "slice", of, bounds: [first, stop, step] };
    }
    if (skip("]")) return { type: "item", of, key: first! };
    expect(",");
    const items = [first!, ...separated("]", () => expression())];
    return { type: "item", of, key: { type: "tuple", items } };
  }

  function argumentsOf(): Arguments {
    const token = now(), positional: Expression[] = [], named: [string, Expression][] = [];
    let star: Expression | undefined, stars: Expression | undefined;
    const ensure = (right: boolean) => {
      if (!right) throw fail("the arguments of a call are out of order", token);
    };
    expect("(");
    separated(")", () => {
      if (skip("*")) {
        ensure(!star && !stars);
        star = expression();
      } else if (skip("**")) {
        ensure(!stars);
        stars = expression();
      } else if (now().type === "name" && isOperator("=", look())) {
        ensure(!stars);
        const key = name();
        at++;
        ensure(named.every(([other]) => other !== key));
        named.push([key, expression()]);
      } else {
        ensure(!star && !stars && named.length === 0);
        positional.push(expression());
      }
    });
    return { positional, named, ...(star ? { star } : {}), ...(stars ? { stars } : {}) };
  }

  function dotted(): string {
    let found = name();
    while (skip(".")) found += `.${name()}`;
    return found;
  }

  function known(kind: "filter" | "test", found: string, token: Token): string {
    const why = refusal(kind, found);
    if (why !== undefined && conditions === 0) refused.push(fail(why, token));
    return found;
  }

  function filter(of: Expression | undefined): Expression {
    const token = now(), found = known("filter", dotted(), token);
    const args = isOperator("(") ? argumentsOf() : NO_ARGUMENTS;
    return { type: "filter", name: found, args, ...(of ? { of } : {}) };
  }

  function filters(start: Expression): Expression {
    let of = start;
    for (;;) {
      if (skip("|")) of = filter(of);
      else if (skipName("is")) of = test(of);
      else if (isOperator("(")) of = { type: "call", of, args: argumentsOf() };
      else return of;
    }
  }

  function test(of: Expression): Expression {
    const negated = skipName("not"), token = now(), found = known("test", dotted(), token);
    const next = now();
    const begins = ["name", "string", "number"].includes(next.type) || isOperator("[") ||
      isOperator("{");
    const ends = next.type === "name" && ["else", "or", "and"].includes(next.text);
    let args = NO_ARGUMENTS;
    if (isOperator("(")) args = argumentsOf();
    else if (begins && !ends) {
      if (isName("is")) throw fail("tests cannot be chained with 'is'");
      args = { positional: [postfix(primary())], named: [] };
    }
    const whole: Expression = { type: "test", of, name: found, args };
    return negated ? { type: "not", of: whole } : whole;
  }

  function singleTarget(members: boolean): Target {
    if (skip("(")) {
      const inside = nested(() => target(undefined, members));
      expect(")");
      return inside;
    }
    const token = now(), found = name();
    if (Object.hasOwn(NAMED, found)) throw fail(`'${found}' cannot be assigned to`, token);
    if (members && skip(".")) {
      reads.add(found);
      return { type: "member", name: found, attribute: name() };
    }
    return { type: "name", name: found };
  }

  function target(end?: string, members = false): Target {
    const items: Target[] = [];
    let many = false;
    for (;;) {
      if (items.length > 0) expect(",");
      if (items.length > 0 && (isOperator("=") || isOperator(")") || (end && isName(end)))) break;
      if (now().type === "block_end") break;
      items.push(singleTarget(members));
      if (!isOperator(",")) break;
      many = true;
    }
    return many || items.length === 0 ? { type: "tuple", items } : items[0]!;
  }

  /** Statements up to one of these tags, whose name is read. */
  function body(...ends: string[]): Statement[] {
    skip(":");
    expectType("block_end", "the end of the tag");
    const statements: Statement[] = [];
    for (;;) {
      const token = tokens[at++]!;
      if (token.type === "data") statements.push({ type: "text", text: token.text });
      else if (token.type === "variable_begin") {
        statements.push({ type: "print", items: [tuple()] });
        expectType("variable_end", "'}}'");
      } else if (token.type === "block_begin") {
        if (now().type === "name" && ends.includes(now().text)) return statements;
        const made = nested(statement);
        if (made) statements.push(made);
        expectType("block_end", "'%}'");
      } else {
        const looked = ends.map((end) => `'${end}'`).join(" or ");
        throw fail(
          ends.length > 0 ? `the template ends before ${looked}` : "unexpected text",
          token,
        );
      }
    }
  }

  function closed(end: string): Statement[] {
    const made = body(end);
    at++;
    return made;
  }

  function signature(parenthesized: boolean, end: string): Signature {
    const outer = reads, parameters: { name: string; value?: Expression }[] = [];
    reads = new Set();
    if (parenthesized) {
      expect("(");
      separated(")", () => {
        const parameter = name();
        if (skip("=")) parameters.push({ name: parameter, value: expression() });
        else if (parameters.at(-1)?.value) {
          throw fail("a parameter without a default follows one with a default");
        } else parameters.push({ name: parameter });
      });
    }
    return { parameters, ...inner(outer, () => closed(end)) };
  }

  /** A body of its own, in which `break` has no loop. */
  function inner(outer: Set<string>, part: () => Statement[]) {
    const around = loops;
    loops = 0;
    const made = part(), own = reads;
    loops = around;
    reads = outer;
    for (const read of own) outer.add(read);
    return { body: made, reads: own };
  }

  function ifStatement(): Statement {
    const test = tuple({ withIf: false }), made = body("elif", "else", "endif");
    const token = tokens[at++]!.text;
    const otherwise = token === "elif"
      ? [nested(ifStatement)]
      : token === "else"
      ? closed("endif")
      : [];
    return { type: "if", test, body: made, otherwise };
  }

  function forStatement(): Statement {
    const goal = target("in");
    expectName("in");
    const over = tuple({ withIf: false, end: "recursive" });
    const test = skipName("if") ? expression() : undefined;
    const recursive = skipName("recursive");
    loops++;
    const made = body("endfor", "else");
    loops--;
    const otherwise = tokens[at++]!.text === "else" ? closed("endfor") : [];
    const rest = { recursive, body: made, otherwise, ...(test ? { test } : {}) };
    return { type: "for", target: goal, over, ...rest };
  }

  function statement(): Statement | undefined {
    const token = now(), tag = name();
    if (OTHER_TEMPLATES.includes(tag)) {
      while (now().type !== "block_end") at++;
      return { type: "refused", why: `there are no other templates for '${tag}'` };
    }
    switch (tag) {
      case "if": {
        conditions++;
        const made = ifStatement();
        conditions--;
        return made;
      }
      case "for":
        return forStatement();
      case "print":
        return { type: "print", items: printed() };
      case "set": {
        const goal = target(undefined, true);
        if (skip("=")) return { type: "set", target: goal, value: tuple() };
        let by: Expression | undefined;
        while (skip("|")) by = filter(by);
        return { type: "capture", target: goal, body: closed("endset"), ...(by && { filter: by }) };
      }
      case "with": {
        const entries: [Target, Expression][] = [];
        while (now().type !== "block_end") {
          if (entries.length > 0) expect(",");
          const goal = target();
          expect("=");
          entries.push([goal, expression()]);
        }
        return { type: "with", entries, body: closed("endwith") };
      }
      case "macro":
        return { type: "macro", name: name(), signature: signature(true, "endmacro") };
      case "call":
        return callBlock(reads);
      case "filter": {
        let by = filter(undefined);
        while (skip("|")) by = filter(by);
        return { type: "filter", filter: by, body: closed("endfilter") };
      }
      case "block": {
        const called = name();
        skipName("scoped");
        if (isName("required")) throw fail("a required block cannot be used");
        const around = loops;
        loops = 0;
        const made = closed("endblock");
        loops = around;
        skipName(called);
        return { type: "block", body: made };
      }
      case "autoescape": {
        const on = expression();
        if (on.type !== "constant" || on.value !== false) {
          throw fail("the tag 'autoescape' cannot be used but with false", token);
        }
        return { type: "scope", body: closed("endautoescape") };
      }
      case "generation": {
        const outer = reads;
        reads = new Set();
        return {
          type: "generation",
          signature: { parameters: [], ...inner(outer, () => closed("endgeneration")) },
        };
      }
      case "break":
      case "continue":
        if (loops === 0) throw fail(`'${tag}' is outside of a loop`, token);
        return { type: tag };
    }
    throw fail(`unknown tag '${tag}'`, token);
  }

  function printed(): Expression[] {
    const items: Expression[] = [];
    while (now().type !== "block_end") {
      if (items.length > 0) expect(",");
      items.push(expression());
    }
    return items;
  }

  function callBlock(outer: Set<string>): Statement {
    const parameters: { name: string; value?: Expression }[] = [];
    if (skip("(")) {
      separated(")", () => {
        const parameter = name();
        if (skip("=")) parameters.push({ name: parameter, value: expression() });
        else parameters.push({ name: parameter });
      });
    }
    const call = expression();
    if (call.type !== "call") throw fail("a call block must call something");
    reads = new Set();
    const made = inner(outer, () => closed("endcall"));
    return { type: "call", call, signature: { parameters, ...made } };
  }

  // The whole template reads like the inside of a tag that never ends.
  const statements: Statement[] = [];
  while (now().type !== "end") {
    const token = tokens[at++]!;
    if (token.type === "data") statements.push({ type: "text", text: token.text });
    else if (token.type === "variable_begin") {
      statements.push({ type: "print", items: [tuple()] });
      expectType("variable_end", "'}}'");
    } else {
      const made = nested(statement);
      if (made) statements.push(made);
      expectType("block_end", "'%}'");
    }
  }
  if (refused.length > 0) throw refused[0];
  return { body: statements, reads };
}
