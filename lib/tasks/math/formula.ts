/**
 * Formulas, in LaTeX or as typed, to expression trees with exact numbers.
 *
 * ```
 * sum      = term (("+" | "-" | "\pm" | "\mp") term)*
 * term     = factors (("*" | "\cdot" | "\times" | "/" | "\div") factors)*
 * factors  = signed power, then powers side by side: 2x, 3\sqrt{2}, 1\frac{1}{2}
 * power    = atom ("^" argument | "!" | "\%" | "^\circ" | "\pmod{…}")*
 * ```
 *
 * The parsers at hand join digits across spaces (`1 2` → 12), read `1 1/4` as 11/4, numbers as doubles and
 * `\sin^{-1}x` as 1/\sin x. Here every number is the fraction that is written, a mixed number has a proper
 * fraction, and what is not understood is a {@linkcode SyntaxError}: it is compared as a text, never misread.
 *
 * Side by side binds tighter than a slash (1/2x is 1/(2x)), a power tighter than a sign. Nesting is
 * bounded; time is in proportion to the length. Nothing is evaluated.
 *
 * @module
 */

import {
  BOUND,
  DRESSES,
  FUNCTIONS,
  nameOf,
  NAMES,
  type Token,
  tokenize,
  TYPES,
} from "./_tokens.ts";
import { inBase, numberOf, repeating } from "./numeral.ts";
import { integerOf } from "../rational.ts";
import { type Expression, fraction, named, negated, op, type Operation } from "./tree.ts";

/** Deepest nesting. */
const DEEPEST = 60;

const INVERSES: Partial<Record<Operation, Operation>> = {
  sin: "arcsin",
  cos: "arccos",
  tan: "arctan",
};
/** f(x) is no product. */
const CALLED = /^(?:[fghFGH]|\\zeta|\\Gamma)'*(?:_.+)?$/;

const unexpected = (token: Token) =>
  new SyntaxError(
    token.kind === "end" ? "The formula is unfinished" : `'${token.text}' is out of place`,
  );

/** Of a number that is written as an integer, its value. */
const wholeOf = (e: Expression | undefined): bigint | undefined =>
  e?.op === "number" && e.decimal === undefined && e.value.s > 0n ? integerOf(e.value) : undefined;

/** The expression that a formula stands for; throws a SyntaxError where it is none, or is nested too deep. */
export function parseFormula(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0, depth = 0, bars = 0;

  /** Commands that are neither names nor functions, and what they stand before. */
  const COMMANDS: Readonly<Record<string, () => Expression>> = {
    pi: () => named("π"),
    infty: () => named("∞"),
    frac: () => op("divide", argument(), argument()),
    binom: () => op("binomial", argument(), argument()),
    sqrt: () => {
      const degree = take("[") ? one(bracketed("]")) : fraction(2);
      return op("root", argument(), degree);
    },
    lfloor: () => op("floor", one(bracketed("\\rfloor"))),
    lceil: () => op("ceil", one(bracketed("\\rceil"))),
    lvert: () => op("abs", one(bracketed("\\rvert"))),
    "{": () => one(bracketed("\\}")),
    operatorname: () => {
      const own = raw();
      return FUNCTIONS.has(own) ? functionOf(own) : call(own, argumentOf());
    },
    mathbb: () => named(`ℝℂℚℤℕ`["RCQZN".indexOf(raw())] ?? "?"),
    angle: () => call("angle", factors()),
    triangle: () => call("triangle", factors()),
  };

  const whole = sum();
  if (peek().kind !== "end") throw unexpected(peek());
  return whole;

  function peek(ahead = 0): Token {
    return tokens[Math.min(at + ahead, tokens.length - 1)]!;
  }
  function is(text: string, ahead = 0): boolean {
    return peek(ahead).text === text;
  }
  /** Passes over some tokens, if they are next. */
  function take(...texts: string[]): boolean {
    if (!texts.every(is)) return false;
    at += texts.length;
    return true;
  }
  function expect(text: string): void {
    if (!take(text)) throw unexpected(peek());
  }
  function deeper<T>(read: () => T): T {
    if (++depth > DEEPEST) throw new SyntaxError("The formula is nested too deep");
    const own = read();
    depth--;
    return own;
  }
  function call(name: string, ...args: Expression[]): Expression {
    return { op: "call", name, args };
  }
  /** An expression with a sign before it. */
  function signed(read: () => Expression): Expression | undefined {
    if (take("+")) return read();
    if (take("-")) return negated(read());
    if (take("\\pm")) return op("plusminus", read());
    if (take("\\mp")) return op("minusplus", read());
    return undefined;
  }

  function sum(): Expression {
    return deeper(() => {
      const terms = [term()];
      for (let next = signed(term); next; next = signed(term)) terms.push(next);
      return terms.length === 1 ? terms[0]! : op("add", ...terms);
    });
  }

  function term(): Expression {
    let total = factors();
    while (true) {
      if (take("*") || ["cdot", "times", "ast"].some((name) => take(`\\${name}`))) {
        total = op("multiply", total, factors());
      } else if (take("/") || take("\\div")) total = op("divide", total, factors());
      else return total;
    }
  }

  function factors(inFunction = false): Expression {
    const sign = signed(() => deeper(factors));
    if (sign) return sign;
    const all = [power()];
    while (startsFactor(inFunction)) {
      const next = peek(), before = wholeOf(all.length === 1 ? all[0] : undefined);
      if (next.kind === "number") {
        if (before !== undefined && next.apart && is("/", 1) && isProper()) { // 1 1/4
          at += 3;
          const below = BigInt(tokens[at - 1]!.text);
          all[0] = op("add", all[0]!, fraction(BigInt(next.text), below));
          continue;
        }
        if (tokens[at - 1]!.kind === "number") throw unexpected(next); // 1 2
      }
      const isFraction = is("\\frac"), own = power();
      const [n, d] = isFraction && own.op === "divide" ? own.args.map(wholeOf) : [];
      if (before === undefined || n === undefined || d === undefined || n >= d) all.push(own);
      else all[0] = op("add", all[0]!, own); // 1\frac{1}{4}
    }
    return all.length === 1 ? all[0]! : op("multiply", ...all);
  }

  /** Whether the next tokens are a fraction below 1. */
  function isProper(): boolean {
    const { text: above } = peek(), { kind, text: below } = peek(2);
    return kind === "number" && /^\d+$/.test(above) && /^\d+$/.test(below) &&
      BigInt(above) < BigInt(below);
  }

  function startsFactor(inFunction: boolean): boolean {
    const { kind, text } = peek(), name = nameOf(peek());
    if (kind === "number" || kind === "letter") return true;
    if (kind === "mark") return text === "|" ? bars === 0 : "([{".includes(text);
    if (FUNCTIONS.has(name)) return !inFunction;
    return kind === "word" || Object.hasOwn(COMMANDS, name) ||
      [NAMES, DRESSES, TYPES, BOUND].some((own) => own.has(name));
  }

  function power(): Expression {
    let base = atom();
    while (true) {
      if (
        take("^", "\\circ") || take("^", "{", "\\circ", "}") || take("°") ||
        take("\\degree")
      ) base = op("degree", base);
      else if (take("^")) base = op("power", base, exponent());
      else if (take("!")) {
        if (is("!")) throw unexpected(peek());
        base = op("factorial", base);
      } else if (take("\\%") || take("%")) base = op("divide", base, fraction(100));
      else return base;
    }
  }

  function exponent(): Expression {
    return deeper(() => {
      if (take("+")) return exponent();
      if (take("-")) return negated(exponent());
      const own = is("{") ? group() : atom();
      return take("^") ? op("power", own, exponent()) : own; // 2^3^2
    });
  }

  /** What is in braces. */
  function group(): Expression {
    expect("{");
    return one(bracketed("}"));
  }

  /** Reads up to a bracket; bars within it are its own. */
  function bracketed(close: string): Expression[] {
    const outer = bars;
    bars = 0;
    const args = [sum()];
    while (take(",")) args.push(sum());
    bars = outer;
    expect(close);
    return args;
  }

  function one(args: readonly Expression[]): Expression {
    if (args.length !== 1) throw new SyntaxError("A list is no factor");
    return args[0]!;
  }

  /** The argument of a command: braces, or a single token, of a number its first digit. */
  function argument(): Expression {
    if (is("{")) return group();
    const token = peek();
    if (token.kind !== "number" || !/^\d/.test(token.text)) return deeper(atom);
    const rest = token.text.slice(1);
    if (!/^\d*$/.test(rest)) throw unexpected(token);
    if (rest === "") at++;
    else tokens[at] = { ...token, text: rest, apart: false };
    return numberOf(token.text[0]!);
  }

  /** The text in braces, or the next token, without spaces. */
  function raw(): string {
    if (!is("{")) return nameOf(tokens[at++]!);
    let level = 0, own = "";
    do {
      const token = tokens[at++]!;
      if (token.kind === "end") throw unexpected(token);
      if (token.text === "{") level++;
      else if (token.text === "}") level--;
      else own += token.kind === "command" ? `${token.text} ` : token.text;
    } while (level > 0);
    return own.trim();
  }

  function atom(): Expression {
    const token = peek(), { kind, text } = token;
    if (kind === "mark" && text === "{") return group();
    at++;
    if (kind === "number") return number(text);
    if (kind === "letter") return name(text);
    if (kind === "word") return word(text);
    if (kind === "command") return command(nameOf(token));
    if (text === "(") return one(bracketed(")"));
    if (text === "[") return one(bracketed("]"));
    if (text !== "|" || kind === "end") throw unexpected(token);
    bars++;
    const own = sum();
    bars--;
    expect("|");
    return op("abs", own);
  }

  function number(text: string): Expression {
    const point = is("."); // 0.\overline{3}
    if (text.includes(".") || point) {
      const period = point ? `${text}.` : text;
      const follows = ["\\overline", "\\dot", "("].some((own) => is(own, 1));
      if (point && !follows) throw unexpected(peek());
      if (point) at++;
      if (take("\\overline") || take("\\dot")) {
        const digits = raw();
        if (/^\d+$/.test(digits)) return repeating(period, digits);
        throw unexpected(peek());
      }
      if (is("(") && !peek().apart && /^\d+$/.test(peek(1).text) && is(")", 2)) {
        at += 3;
        return repeating(period, tokens[at - 2]!.text);
      }
    }
    if (text.includes(".") && (is("\\ldots") || is("\\dots") || is("…"))) {
      const own = /^(\d*\.\d*?)(\d{1,12}?)\2{1,}$/.exec(text);
      if (!own || own[1]!.length + 3 > text.length) throw unexpected(peek());
      at++;
      return repeating(own[1]!, own[2]!);
    }
    return /^\d+$/.test(text) && take("_") ? inBase(text, Number(raw())) : numberOf(text);
  }

  /** A name with its primes and index. */
  function name(letter: string): Expression {
    let own = letter;
    while (take("'") || take("^", "\\prime")) own += "'";
    if (take("_")) {
      const from = at, index = raw();
      if (!/^[\w,]+$|^\\\w+$/.test(index)) {
        at = from;
        return call(`${own}_`, group());
      }
      own += `_${index}`;
    }
    if (CALLED.test(own)) {
      if (take("^", "{", "-", "1")) {
        expect("}");
        own += "^-1";
      }
      if (take("(")) return call(own, ...bracketed(")"));
    }
    return named(own);
  }

  function word(text: string): Expression {
    if (text === "pi") return named("π");
    if (text === "sqrt" || text === "cbrt") {
      if (!is("(") && !is("{") && peek().kind !== "number") throw unexpected(peek());
      return op("root", atom(), fraction(text === "sqrt" ? 2 : 3));
    }
    if (FUNCTIONS.has(text)) return functionOf(text);
    expect("(");
    const args = bracketed(")");
    if (text !== "binom") return op(text as "abs" | "floor" | "ceil", one(args));
    if (args.length !== 2) throw unexpected(peek());
    return op("binomial", ...args);
  }

  function functionOf(text: string): Expression {
    let own = FUNCTIONS.get(text)!, base: Expression | undefined, power: Expression | undefined;
    while (true) {
      if (own === "log" && base === undefined && take("_")) base = argument();
      else if (power === undefined && take("^")) power = exponent();
      else break;
    }
    const isInverse = power?.op === "number" && power.value.equals(-1) && INVERSES[own];
    if (isInverse) [own, power] = [isInverse, undefined];
    const args = take("(") ? bracketed(")") : [argumentOf()], [x] = args as [Expression];
    if (!["min", "max", "gcd", "lcm"].includes(own)) one(args);
    const value = text === "cis"
      ? op("add", op("cos", x), op("multiply", named("i"), op("sin", x)))
      : base
      ? op("log", x, base)
      : op(own, ...args);
    return power ? op("power", value, power) : value;
  }

  /** The argument of a function without parentheses: \sin 2x, \tan\pi/4. */
  function argumentOf(): Expression {
    return deeper(() => {
      let own = is("{") ? power() : FUNCTIONS.has(nameOf(peek())) ? atom() : factors(true);
      while (is("/") && peek(1).kind === "number") {
        at++;
        own = op("divide", own, power());
      }
      return own;
    });
  }

  function command(text: string): Expression {
    if (NAMES.has(text)) return name(`\\${text}`);
    if (FUNCTIONS.has(text)) return functionOf(text);
    if (Object.hasOwn(COMMANDS, text)) return COMMANDS[text]!();
    if (TYPES.has(text)) {
      const own = raw();
      if (/^[a-zA-Z]$/.test(own)) return name(own);
      if (FUNCTIONS.has(own)) return functionOf(own);
      if (/^\d+$/.test(own)) return number(own);
      if (own === "") return factors();
    }
    if (DRESSES.has(text)) return call(text, argument());
    if (!BOUND.has(text)) throw new SyntaxError(`'\\${text}' is not known`);
    let from = "", to = "";
    while (true) {
      if (take("_")) from = raw();
      else if (take("^")) to = raw();
      else return call(`${text}_{${from}}^{${to}}`, term());
    }
  }
}
