/** Statements: each tag beside what it does. @module */

import { type Expressions, type Filter, isConstant } from "./expressions.ts";
import { checkMember } from "./functions.ts";
import { write } from "./limits.ts";
import {
  block,
  call,
  captured,
  type Expression,
  inner,
  type Loop,
  loopOver,
  macro,
  rootOf,
  type Scope,
  type Signature,
  type Statement,
  type Target,
  variable,
} from "./scope.ts";
import type { Cursor } from "./tokens.ts";
import * as py from "./values.ts";
import type { Value } from "./values.ts";

/** Tags that read other templates, which fail where they are run. */
const OTHER_TEMPLATES = ["extends", "include", "import", "from"];

const prints = (of: Expression): Statement => (scope, out) => write(out, py.str(of(scope)));

export function statementsOn(cursor: Cursor, expressions: Expressions): Statement {
  const { now, take, fail, expected, is, skip, expect, expectType } = cursor;
  const { name, commas, separated, nested } = cursor;
  const { state, expression, oneOrMore, filter } = expressions;
  let loops = 0;

  /** Statements up to one of these tags, or to the end of the template. */
  function statements(...ends: string[]): Statement[] {
    const found: Statement[] = [];
    for (;;) {
      const token = take();
      if (token.type === "data") {
        found.push((_, out) => write(out, token.text));
      } else if (token.type === "variable_begin") {
        found.push(prints(oneOrMore()));
        expectType("variable_end", "'}}'");
      } else if (token.type === "block_begin") {
        if (now().type === "name" && ends.includes(now().text)) return found;
        found.push(nested(statement));
        expectType("block_end", "'%}'");
      } else if (ends.length === 0) return found;
      else {
        const looked = ends.map((end) => `'${end}'`).join(" or ");
        throw fail(`the template ends before ${looked}`, token);
      }
    }
  }

  /** What stands between a tag and one of these, whose name is to be read. */
  function bodyTo(...ends: string[]): Statement {
    skip(":");
    expectType("block_end", "the end of the tag");
    return block(statements(...ends));
  }
  function closed(end: string): Statement {
    const made = bodyTo(end);
    take();
    return made;
  }
  /** What stands in a tag that `break` cannot leave. */
  function apart(end: string): Statement {
    const around = loops;
    loops = 0;
    const made = closed(end);
    loops = around;
    return made;
  }
  /** Body of a macro. */
  function signature(parameters: Signature["parameters"], end: string): Signature {
    const outer = state.reads, reads = state.reads = new Set<string>(), body = apart(end);
    for (const read of reads) outer.add(read);
    state.reads = outer;
    return { parameters, body, reads };
  }
  function parameters(): Signature["parameters"] {
    let hasDefault = false;
    expect("(");
    return separated(")", () => {
      const parameter = name();
      if (skip("=")) {
        hasDefault = true;
        return { name: parameter, value: expression() };
      }
      if (!hasDefault) return { name: parameter };
      throw fail("a parameter without a default follows one with a default");
    });
  }

  function singleTarget(withMembers: boolean): Target {
    if (skip("(")) {
      const inside = nested(() => target(undefined, withMembers));
      expect(")");
      return inside;
    }
    const token = now(), found = name();
    if (isConstant(found)) throw fail(`'${found}' cannot be assigned to`, token);
    if (!withMembers || !skip(".")) {
      return (value, scope) => void scope.names.set(found, value);
    }
    state.reads.add(found);
    const member = name();
    return (value, scope) => {
      const values = py.kinded(variable(found, scope), "thing")?.values;
      if (!values) throw new TypeError("cannot assign attribute on non-namespace object");
      return void values.set(checkMember(member), value);
    };
  }

  function target(end?: string, withMembers = false): Target {
    const isEnd = () => is(")") || now().type === "block_end" || (end !== undefined && is(end));
    const { items, isMany } = commas(isEnd, () => singleTarget(withMembers));
    if (items.length === 0 || (isMany && items.length === 1)) throw expected("a name");
    if (!isMany) return items[0]!;
    return (value, scope) => {
      const values = py.unpacked(value, items.length);
      return void items.forEach((item, i) => item(values[i]!, scope));
    };
  }

  /** Parts between commas, up to the end of the tag. */
  function parts<T>(part: () => T): T[] {
    const found: T[] = [];
    while (now().type !== "block_end") {
      if (found.length > 0) expect(",");
      found.push(part());
    }
    return found;
  }

  /** Filters one after the other; the first stands without its sign. */
  function filterChain(chain: Filter[]): Filter {
    while (skip("|")) chain.push(filter());
    return (value, scope) => chain.reduce((made, by) => by(made, scope), value);
  }

  /** Uses what stands before the end of a tag, as text that was filtered. */
  function filtered(
    by: Filter,
    end: string,
    use: (made: Value, scope: Scope, out: string[]) => undefined,
  ): Statement {
    const body = closed(end);
    return (scope, out) => {
      const [content, signal] = captured(body, inner(scope));
      return signal ?? use(by(content, scope), scope, out);
    };
  }

  const tags: Readonly<Record<string, () => Statement>> = {
    if() {
      state.conditions++;
      const made = branches();
      state.conditions--;
      return made;
    },
    for() {
      const to = target("in");
      expect("in");
      const over = oneOrMore("recursive");
      const test = skip("if") ? expression() : undefined, isRecursive = skip("recursive");
      loops++;
      const body = bodyTo("endfor", "else");
      loops--;
      const otherwise = take().text === "else" ? closed("endfor") : block([]);
      const loop: Loop = { target: to, over, test, isRecursive, body, otherwise };
      return (scope, out) => loopOver(loop, over(scope), scope, out);
    },
    print: () => block(parts(() => prints(expression()))),
    set() {
      const to = target(undefined, true);
      if (skip("=")) {
        const value = oneOrMore();
        return (scope) => to(value(scope), scope);
      }
      return filtered(filterChain([]), "endset", to);
    },
    with() {
      const entries = parts(() => {
        const to = target();
        expect("=");
        return [to, expression()] as const;
      });
      const body = closed("endwith");
      return (scope, out) => {
        const own = inner(scope);
        for (const [to, value] of entries) to(value(scope), own);
        return body(own, out);
      };
    },
    macro() {
      const called = name(), made = signature(parameters(), "endmacro");
      return (scope) => void scope.names.set(called, macro(called, made, scope));
    },
    call() {
      const given = is("(") ? parameters() : [], { withCaller } = expression();
      if (!withCaller) throw fail("a call block must call something");
      const made = signature(given, "endcall");
      return prints((scope) => withCaller(scope, macro(undefined, made, scope)));
    },
    generation() {
      const made = signature([], "endgeneration");
      return prints((scope) => call(macro(undefined, made, scope), [], new Map()));
    },
    filter: () =>
      filtered(filterChain([filter()]), "endfilter", (made, _, out) => write(out, py.str(made))),
    block() {
      const called = name();
      skip("scoped");
      if (is("required")) throw fail("a required block cannot be used");
      const body = apart("endblock");
      skip(called);
      return (scope, out) => body(inner(rootOf(scope)), out);
    },
    autoescape() {
      const token = now();
      if (!skip("false") && !skip("False")) {
        throw fail("the tag 'autoescape' cannot be used but with false", token);
      }
      const body = closed("endautoescape");
      return (scope, out) => body(inner(scope), out);
    },
    break: () => jump("break"),
    continue: () => jump("continue"),
  };

  function jump(signal: "break" | "continue"): Statement {
    if (loops === 0) throw fail(`'${signal}' is outside of a loop`);
    return () => signal;
  }

  function branches(): Statement {
    const test = oneOrMore(undefined, false), yes = bodyTo("elif", "else", "endif");
    const tag = take().text;
    const no = tag === "elif" ? nested(branches) : tag === "else" ? closed("endif") : block([]);
    return (scope, out) => (py.truth(test(scope)) ? yes : no)(scope, out);
  }

  function statement(): Statement {
    const token = now(), tag = name();
    if (OTHER_TEMPLATES.includes(tag)) {
      while (now().type !== "block_end") take();
      return () => {
        throw new TypeError(`there are no other templates for '${tag}'`);
      };
    }
    if (Object.hasOwn(tags, tag)) return tags[tag]!();
    throw fail(`unknown tag '${tag}'`, token);
  }

  return block(statements());
}
