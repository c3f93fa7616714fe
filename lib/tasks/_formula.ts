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
 * Why not a library: the parsers at hand join digits across spaces (`1 2` → 12), read `1 1/4` as 11/4,
 * numbers as doubles, `\sin^{-1}x` as 1/\sin x, and simplify where nobody asks. Here every number is the
 * fraction that is written, a mixed number is one only with a proper fraction, and what is not understood
 * is a {@linkcode SyntaxError}, so that the answer is compared as a text, never misread.
 *
 * Side by side binds tighter than a slash (1/2x is 1/(2x)), a power tighter than a sign. Nesting is
 * bounded; time is in proportion to the length. Nothing is evaluated.
 *
 * @module
 */

import { type Rational, rational } from "./rational.ts";

/** A tree of operations over numbers and names. */
export type Expression =
  | {
    readonly op: "number";
    readonly value: Rational;
    /** Of what is written with a decimal point: digits after it, and digits that signify. */
    readonly decimal?: { readonly places: number; readonly digits: number };
  }
  | { readonly op: "name"; readonly name: string }
  /** A number written in a base: its value counts with the base. */
  | { readonly op: "base"; readonly value: Rational; readonly base: number }
  /** A function that is only named, such as f(x), \overline{AB} or a sum. */
  | { readonly op: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly op: Operation; readonly args: readonly Expression[] };

/** What can be evaluated. */
export type Operation =
  | "add"
  | "multiply"
  | "divide"
  | "power"
  | "root"
  | "plusminus"
  | "minusplus"
  | "factorial"
  | "binomial"
  | "degree"
  | "floor"
  | "ceil"
  | "abs"
  | "min"
  | "max"
  | "gcd"
  | "lcm"
  | "ln"
  | "log"
  | "exp"
  | Trigonometric;

type Trigonometric = typeof TRIGONOMETRIC[number];

/** Functions of an angle and their inverses. */
export const TRIGONOMETRIC = [
  ...["sin", "cos", "tan", "cot", "sec", "csc"] as const,
  ...["arcsin", "arccos", "arctan"] as const,
  ...["sinh", "cosh", "tanh"] as const,
] as const;

/** Deepest nesting. */
const DEEPEST = 60;

const FUNCTIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...TRIGONOMETRIC.map((name) => [name, name] as const),
  ["asin", "arcsin"],
  ["acos", "arccos"],
  ["atan", "arctan"],
  ["ln", "ln"],
  ["log", "log"],
  ["lg", "log"],
  ["exp", "exp"],
  ["min", "min"],
  ["max", "max"],
  ["gcd", "gcd"],
  ["lcm", "lcm"],
  ["cis", "exp"], // of i x
]);
const INVERSES: ReadonlyMap<Operation, Operation> = new Map<Operation, Operation>([
  ["sin", "arcsin"],
  ["cos", "arccos"],
  ["tan", "arctan"],
]);
/** Words that stand in formulas as they are typed, longest first. */
const TYPED = [...FUNCTIONS.keys(), "sqrt", "cbrt", "abs", "floor", "ceil", "binom", "pi"]
  .sort((a, b) => b.length - a.length);
/** Commands that are names. */
const NAMES = new Set(
  ("alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho " +
    "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi " +
    "Omega ell hbar").split(" "),
);
/** Commands that only dress what follows: a vector a is not a. */
const DRESSES = new Set(
  ("overline bar hat widehat tilde vec overrightarrow overleftarrow overleftrightarrow overarc " +
    "widetilde underline dot ddot").split(" "),
);
/** Commands that only set what follows in another type. */
const TYPES = new Set(
  "mathrm mathbf mathit boldsymbol bm rm bf mathsf mathcal text mbox textbf textrm textit".split(
    " ",
  ),
);
/** Commands with a body that are not evaluated. */
const BOUND = new Set("sum prod int iint lim oint".split(" "));
/** Names of functions: f(x) is no product. */
const CALLED = /^(?:[fghFGH]|\\zeta|\\Gamma)'*(?:_.+)?$/;

interface Token {
  readonly kind: "number" | "letter" | "word" | "command" | "mark" | "end";
  readonly text: string;
  /** Place in the text. */
  readonly at: number;
  /** Whether a space stands before it. */
  readonly apart: boolean;
}

const TOKEN =
  /(?<number>(?:\d+(?:\.\d+)?|\.\d+))|\\(?<command>[a-zA-Z]+|[^a-zA-Z])|(?<letters>[a-zA-Z]+)|(?<mark>[^\s])/y;

const unexpected = (token: Token) =>
  new SyntaxError(
    token.kind === "end" ? "The formula is unfinished" : `'${token.text}' is out of place`,
  );

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0, apart = false;
  const push = (kind: Token["kind"], own: string) => {
    tokens.push({ kind, text: own, at, apart });
    apart = false;
    at += own.length;
  };
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      apart = true;
      continue;
    }
    TOKEN.lastIndex = at;
    const { number, command, letters, mark } = TOKEN.exec(text)?.groups ?? {};
    if (number !== undefined) {
      const exponent = exponentAt(text, at + number.length, number);
      push("number", number + exponent);
    } else if (command !== undefined) {
      push("command", command);
      at++; // the backslash
    } else if (letters !== undefined) {
      const known = TYPED.find((word) => letters.startsWith(word));
      // a long word that is none of ours is no product of its letters
      if (known !== undefined) push("word", known);
      else if (letters.length > 4) throw new SyntaxError(`'${letters}' is a word`);
      else push("letter", letters[0]!);
    } else if (mark !== undefined) push("mark", mark);
    else throw new SyntaxError("The formula ends within a command");
  }
  tokens.push({ kind: "end", text: "", at, apart });
  return tokens;
}

/** The exponent of 1.5e-7. In 2e-3 and 2e the letter is Euler's number. */
function exponentAt(text: string, from: number, mantissa: string): string {
  const own = /^[eE](?:([+-])(\d{1,6})|\d{1,6})(?![\d.a-zA-Z])/.exec(text.slice(from, from + 10));
  if (!own) return "";
  const [exponent, sign, digits = ""] = own;
  return sign === undefined || mantissa.includes(".") || mantissa === "1" || digits.length > 1
    ? exponent
    : "";
}

/** A number as it is written: 12, 0.50, .5, 1.5e-7. */
export function numberOf(text: string): Expression {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", part] = mantissa.split("."), power = Number(exponent);
  const places = (part?.length ?? 0) - power;
  if (Math.abs(places) > 9999) throw new SyntaxError("The number is out of range");
  const n = BigInt(whole + (part ?? "") || "0"), scale = 10n ** BigInt(Math.abs(places));
  const value = places > 0 ? rational(n, scale) : { numerator: n * scale, denominator: 1n };
  if (part === undefined && power >= 0) return { op: "number", value };
  const digits = (whole + (part ?? "")).replace(/^0+/, "").length;
  return { op: "number", value, decimal: { places, digits } };
}

/** Digits before the period, and the period of a repeating decimal. */
function repeating(head: string, period: string): Expression {
  const [whole = "", part = ""] = head.split(".");
  const scale = 10n ** BigInt(part.length), nines = 10n ** BigInt(period.length) - 1n;
  const fixed = rational(BigInt(whole + part || "0"), scale);
  const rest = rational(BigInt(period), scale * nines);
  return {
    op: "number",
    value: rational(
      fixed.numerator * rest.denominator + rest.numerator * fixed.denominator,
      fixed.denominator * rest.denominator,
    ),
  };
}

const op = (name: Operation, ...args: Expression[]): Expression => ({ op: name, args });
const named = (name: string): Expression => ({ op: "name", name });
const integer = (n: number): Expression => ({ op: "number", value: rational(BigInt(n)) });

/** The negative of an expression; of a number, that number. */
export function negated(e: Expression): Expression {
  if (e.op === "number") {
    const { numerator, denominator } = e.value;
    return { ...e, value: { numerator: -numerator, denominator } };
  }
  return op("multiply", integer(-1), e);
}

/** An expression with another in place of a name. */
export function substituted(e: Expression, name: string, by: Expression): Expression {
  if (e.op === "name") return e.name === name ? by : e;
  return "args" in e ? { ...e, args: e.args.map((arg) => substituted(arg, name, by)) } : e;
}

const isInteger = (e: Expression): e is Expression & { op: "number" } =>
  e.op === "number" && e.decimal === undefined && e.value.denominator === 1n &&
  e.value.numerator >= 0n;

/**
 * The expression that a formula stands for.
 *
 * @throws {SyntaxError} Where it is none, or is nested too deep.
 */
export function parseFormula(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0, depth = 0, bars = 0;

  const whole = sum();
  if (peek().kind !== "end") throw unexpected(peek());
  return whole;

  function peek(ahead = 0): Token {
    return tokens[Math.min(at + ahead, tokens.length - 1)]!;
  }
  function is(text: string, kind: Token["kind"] = "mark", ahead = 0): boolean {
    return peek(ahead).kind === kind && peek(ahead).text === text;
  }
  function take(text: string, kind: Token["kind"] = "mark"): boolean {
    if (!is(text, kind)) return false;
    at++;
    return true;
  }
  function expect(text: string, kind: Token["kind"] = "mark"): void {
    if (!take(text, kind)) throw unexpected(peek());
  }
  function deeper<T>(read: () => T): T {
    if (++depth > DEEPEST) throw new SyntaxError("The formula is nested too deep");
    const own = read();
    depth--;
    return own;
  }

  function sum(): Expression {
    return deeper(() => {
      const terms = [term()];
      while (true) {
        if (take("+")) terms.push(term());
        else if (take("-")) terms.push(negated(term()));
        else if (is("pm", "command") || is("mp", "command")) {
          const sign = tokens[at++]!.text === "pm" ? "plusminus" : "minusplus";
          terms.push(op(sign, term()));
        } else break;
      }
      return terms.length === 1 ? terms[0]! : op("add", ...terms);
    });
  }

  function isTimes(): boolean {
    return is("*") || ["cdot", "times", "ast"].some((name) => is(name, "command"));
  }

  function term(): Expression {
    let total = factors();
    while (true) {
      if (isTimes()) {
        at++;
        total = op("multiply", total, factors());
      } else if (is("/") || is("div", "command")) {
        at++;
        total = op("divide", total, factors());
      } else return total;
    }
  }

  function signed(): Expression | undefined {
    if (take("+")) return deeper(factors);
    if (take("-")) return negated(deeper(factors));
    if (take("pm", "command")) return op("plusminus", deeper(factors));
    if (take("mp", "command")) return op("minusplus", deeper(factors));
    return undefined;
  }

  function factors(inFunction = false): Expression {
    const sign = signed();
    if (sign) return sign;
    const all = [power()];
    while (startsFactor(inFunction)) {
      const next = peek(), before = all.at(-1)!;
      if (next.kind === "number") {
        // 1 1/4: a mixed number
        if (
          all.length === 1 && isInteger(before) && is("/", "mark", 1) && next.apart &&
          peek(2).kind === "number" && isProper(next.text, peek(2).text)
        ) {
          at += 3;
          const fraction = rational(BigInt(next.text), BigInt(tokens[at - 1]!.text));
          all[0] = op("add", before, { op: "number", value: fraction });
          continue;
        }
        if (tokens[at - 1]!.kind === "number") throw unexpected(next); // 1 2
      }
      const isFraction = next.kind === "command" && next.text === "frac";
      const own = power();
      const plain = own.op === "divide" && own.args.every(isInteger) ? own.args : undefined;
      if (isFraction && plain && isInteger(before) && all.length === 1) {
        const [n, d] = plain.map((e) => (e as { value: Rational }).value.numerator);
        if (n! < d!) {
          all[0] = op("add", before, own);
          continue;
        }
      }
      all.push(own);
    }
    return all.length === 1 ? all[0]! : op("multiply", ...all);
  }

  function isProper(above: string, below: string): boolean {
    return /^\d+$/.test(above) && /^\d+$/.test(below) && BigInt(above) < BigInt(below);
  }

  function startsFactor(inFunction: boolean): boolean {
    const { kind, text } = peek();
    if (kind === "number" || kind === "letter") return true;
    if (kind === "word") return !(inFunction && FUNCTIONS.has(text));
    if (kind === "mark") {
      if (text === "|") return bars === 0;
      return text === "(" || text === "[" || text === "{";
    }
    if (kind !== "command") return false;
    if (FUNCTIONS.has(text)) return !inFunction;
    return NAMES.has(text) || DRESSES.has(text) || TYPES.has(text) || BOUND.has(text) ||
      ["pi", "frac", "sqrt", "binom", "infty", "lfloor", "lceil", "lvert", "{", "operatorname"]
        .includes(text) ||
      text === "mathbb" || text === "angle" || text === "triangle";
  }

  function power(): Expression {
    let base = atom();
    while (true) {
      if (take("^")) {
        if (is("circ", "command") || (is("{") && is("circ", "command", 1) && is("}", "mark", 2))) {
          at += is("{") ? 3 : 1;
          base = op("degree", base);
        } else base = op("power", base, exponent());
      } else if (take("°") || take("degree", "command")) base = op("degree", base);
      else if (take("!")) {
        if (is("!")) throw unexpected(peek());
        base = op("factorial", base);
      } else if (take("%", "command") || take("%")) {
        base = op("divide", base, integer(100));
      } else return base;
    }
  }

  function exponent(): Expression {
    return deeper(() => {
      if (is("+") || is("-")) {
        const minus = tokens[at++]!.text === "-", own = exponent();
        return minus ? negated(own) : own;
      }
      const own = is("{") ? group() : atom();
      return take("^") ? op("power", own, exponent()) : own; // 2^3^2
    });
  }

  /** What is in braces. */
  function group(): Expression {
    expect("{");
    const outer = bars;
    bars = 0;
    const own = sum();
    bars = outer;
    expect("}");
    return own;
  }

  /** The argument of a command: braces, or a single token, of a number its first digit. */
  function argument(): Expression {
    if (is("{")) return group();
    const token = peek();
    if (token.kind === "number" && /^\d/.test(token.text)) {
      const rest = token.text.slice(1);
      if (rest === "") at++;
      else if (/^\d+$/.test(rest)) {
        tokens[at] = { ...token, text: rest, at: token.at + 1, apart: false };
      } else throw unexpected(token);
      return numberOf(token.text[0]!);
    }
    return deeper(atom);
  }

  /** The text in braces, or the next token, without spaces. */
  function raw(): string {
    if (!is("{")) return tokens[at++]!.text;
    let level = 0, own = "";
    do {
      const token = tokens[at++]!;
      if (token.kind === "end") throw unexpected(token);
      if (token.kind === "mark" && token.text === "{") level++;
      else if (token.kind === "mark" && token.text === "}") level--;
      else own += token.kind === "command" ? `\\${token.text} ` : token.text;
    } while (level > 0);
    return own.trim();
  }

  function bracketed(close: string, kind: Token["kind"] = "mark"): Expression[] {
    const outer = bars;
    bars = 0;
    const args = [sum()];
    while (take(",")) args.push(sum());
    bars = outer;
    expect(close, kind);
    return args;
  }

  function one(args: readonly Expression[]): Expression {
    if (args.length !== 1) throw new SyntaxError("A list is no factor");
    return args[0]!;
  }

  function atom(): Expression {
    const token = peek();
    at++;
    switch (token.kind) {
      case "number":
        return number(token.text);
      case "letter":
        return name(token.text);
      case "word":
        return word(token.text);
      case "command":
        return command(token.text);
      case "mark":
        if (token.text === "(") return one(bracketed(")"));
        if (token.text === "[") return one(bracketed("]"));
        if (token.text === "{") {
          at--;
          return group();
        }
        if (token.text === "|") {
          bars++;
          const own = sum();
          bars--;
          expect("|");
          return op("abs", own);
        }
    }
    throw unexpected(token);
  }

  function number(text: string): Expression {
    if (text.includes(".") || is(".")) {
      const period = is(".") ? `${text}.` : text;
      if (
        is(".") && !(is("overline", "command", 1) || is("dot", "command", 1) || is("(", "mark", 1))
      ) {
        throw unexpected(peek());
      }
      if (is(".")) at++;
      if (is("overline", "command") || is("dot", "command")) {
        at++;
        const digits = raw();
        if (/^\d+$/.test(digits)) return repeating(period, digits);
        throw unexpected(peek());
      }
      if (is("(") && !peek().apart && /^\d+$/.test(peek(1).text) && is(")", "mark", 2)) {
        at += 3;
        return repeating(period, tokens[at - 2]!.text);
      }
    }
    if (text.includes(".") && (is("ldots", "command") || is("dots", "command") || is("…"))) {
      const own = /^(\d*\.\d*?)(\d{1,12}?)\2{1,}$/.exec(text);
      if (!own || own[1]!.length + 3 > text.length) throw unexpected(peek());
      at++;
      return repeating(own[1]!, own[2]!);
    }
    if (is("_") && /^\d+$/.test(text)) {
      at++;
      const base = Number(raw());
      if (!(Number.isInteger(base) && base >= 2 && base <= 36)) throw unexpected(peek());
      return inBase(text, base);
    }
    return numberOf(text);
  }

  /** A name with its primes and index. */
  function name(letter: string): Expression {
    let own = letter;
    while (take("'") || (is("^") && is("prime", "command", 1) && (at += 2) > 0)) own += "'";
    if (take("_")) {
      const from = at, index = raw();
      if (/^[\w,]+$|^\\\w+$/.test(index)) own += `_${index}`;
      else {
        at = from;
        return { op: "call", name: `${own}_`, args: [group()] };
      }
    }
    if (own === "i" || own === "e") return named(own);
    if (CALLED.test(own)) {
      if (is("^") && is("{", "mark", 1) && is("-", "mark", 2) && is("1", "number", 3)) {
        at += 5;
        own += "^-1";
      }
      if (take("(")) return { op: "call", name: own, args: bracketed(")") };
    }
    return named(own);
  }

  function word(text: string): Expression {
    if (text === "pi") return named("π");
    if (text === "sqrt" || text === "cbrt") {
      const own = is("(") || is("{") ? atom() : number(tokens[at++]!.text);
      return op("root", own, integer(text === "sqrt" ? 2 : 3));
    }
    if (text === "abs" || text === "floor" || text === "ceil") {
      expect("(");
      return op(text, one(bracketed(")")));
    }
    if (text === "binom") {
      expect("(");
      const args = bracketed(")");
      if (args.length !== 2) throw unexpected(peek());
      return op("binomial", ...args);
    }
    return functionOf(text);
  }

  function functionOf(text: string): Expression {
    let own = FUNCTIONS.get(text)!,
      base: Expression | undefined,
      exponentOf: Expression | undefined;
    while (true) {
      if (own === "log" && base === undefined && take("_")) base = argument();
      else if (exponentOf === undefined && take("^")) exponentOf = exponent();
      else break;
    }
    const isInverse = exponentOf?.op === "number" && exponentOf.value.numerator === -1n &&
      exponentOf.value.denominator === 1n;
    if (isInverse && INVERSES.has(own)) [own, exponentOf] = [INVERSES.get(own)!, undefined];
    const args = is("(") && ++at ? bracketed(")") : [argumentOf()];
    if (text === "cis") {
      const turned = op(
        "add",
        op("cos", args[0]!),
        op("multiply", named("i"), op("sin", args[0]!)),
      );
      return exponentOf ? op("power", turned, exponentOf) : turned;
    }
    const many = own === "min" || own === "max" || own === "gcd" || own === "lcm";
    if (!many) one(args);
    const value = base ? op("log", args[0]!, base) : op(own, ...args);
    return exponentOf ? op("power", value, exponentOf) : value;
  }

  /** The argument of a function without parentheses: \sin 2x, \tan\pi/4. */
  function argumentOf(): Expression {
    return deeper(() => {
      let own = is("{") ? power() : FUNCTIONS.has(peek().text) ? atom() : factors(true);
      while (is("/") && peek(1).kind === "number") {
        at++;
        own = op("divide", own, power());
      }
      return own;
    });
  }

  function command(text: string): Expression {
    if (text === "pi") return named("π");
    if (text === "infty") return named("∞");
    if (NAMES.has(text)) return name(`\\${text}`);
    if (FUNCTIONS.has(text)) return functionOf(text);
    switch (text) {
      case "frac":
        return op("divide", argument(), argument());
      case "binom":
        return op("binomial", argument(), argument());
      case "sqrt": {
        const degree = take("[") ? one(bracketed("]")) : integer(2);
        return op("root", argument(), degree);
      }
      case "lfloor":
        return op("floor", one(bracketed("rfloor", "command")));
      case "lceil":
        return op("ceil", one(bracketed("rceil", "command")));
      case "lvert":
        return op("abs", one(bracketed("rvert", "command")));
      case "{":
        return one(bracketed("}", "command"));
      case "operatorname": {
        const own = raw();
        if (FUNCTIONS.has(own)) return functionOf(own);
        return { op: "call", name: own, args: [argumentOf()] };
      }
      case "mathbb":
        return named(`ℝℂℚℤℕ`["RCQZN".indexOf(raw())] ?? "?");
      case "angle":
      case "triangle":
        return { op: "call", name: text, args: [factors()] };
    }
    if (TYPES.has(text)) {
      const own = raw();
      if (/^[a-zA-Z]$/.test(own)) return name(own);
      if (FUNCTIONS.has(own)) return functionOf(own);
      if (/^\d+$/.test(own)) return number(own);
      if (own === "") return factors();
    }
    if (DRESSES.has(text)) return { op: "call", name: text, args: [argument()] };
    if (BOUND.has(text)) {
      let own = text, from = "", to = "";
      while (true) {
        if (take("_")) from = raw();
        else if (take("^")) to = raw();
        else break;
      }
      own += `_{${from}}^{${to}}`;
      return { op: "call", name: own, args: [term()] };
    }
    throw new SyntaxError(`'\\${text}' is not known`);
  }
}

/** A number of digits, capitals from 10 on, in a base. */
export function inBase(digits: string, base: number): Expression {
  let value = 0n;
  for (const digit of digits) {
    const own = parseInt(digit, 36);
    if (!(own < base)) throw new SyntaxError(`${digit} is no digit in base ${base}`);
    value = value * BigInt(base) + BigInt(own);
  }
  return { op: "base", value: rational(value), base };
}
