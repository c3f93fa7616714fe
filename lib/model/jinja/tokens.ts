/**
 * Template source as tokens, as jinja2 makes them with `trim_blocks` and `lstrip_blocks`, and where the
 * reading of a template is among them.
 *
 * @module
 */

import { MAX_NESTING } from "./limits.ts";
import { BLANKS } from "./values.ts";

interface Token {
  readonly type:
    | ("data" | "name" | "string" | "number" | "operator" | "end")
    | ("variable_begin" | "variable_end" | "block_begin" | "block_end");
  /** Text of it; the operator; the text that a string stands for. */
  readonly text: string;
  /** A number: an `int` or a `float`. */
  readonly number: bigint | number | undefined;
  readonly line: number;
}

const W = `[${BLANKS}]*`;
const OPENING = new RegExp(
  `\\{%(?<rawSign>[-+]?)${W}raw${W}(?:-%\\}${W}|%\\})|(?<tag>\\{[{%#])(?<tagSign>[-+]?)`,
  "g",
);
const END_RAW = new RegExp(`\\{%([-+]?)${W}endraw${W}(?:\\+%\\}|-%\\}${W}|%\\}\\n?)`, "g");
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}${W}|#\\}\\n?`, "g");
const END_BLOCK = new RegExp(`\\+%\\}|-%\\}${W}|%\\}\\n?`, "y");
const END_VARIABLE = new RegExp(`-\\}\\}${W}|\\}\\}`, "y");
const SPACE = new RegExp(`[${BLANKS}]+`, "y"), SPACES_ONLY = new RegExp(`^${W}$`);
const PARTS = [
  /(?<float>(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[-+]?(?:\d+_)*\d+|\.(?:\d+_)*\d+))/,
  /(?<integer>0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*)/,
  /(?<name>[\p{ID_Start}_]\p{ID_Continue}*)/u,
  /(?<string>'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*")/,
  /(?<operator>\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;])/,
];
const PART = new RegExp(PARTS.map(({ source }) => source).join("|"), "iuy");
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

const SIMPLE: Readonly<Record<string, string>> = {
  ...{ "\n": "", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r" },
  ...{ t: "\t", v: "\v" },
};

/** What the inside of a string literal stands for, by Python's rules. */
function unescaped(inside: string, line: number): string {
  const pattern = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g;
  return inside.replace(pattern, (whole, octal, byte, short, long, one: string | undefined) => {
    const code = octal ? parseInt(octal, 8) : parseInt(byte ?? short ?? long, 16);
    if (one === undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    if (one === undefined || "xuUN".includes(one)) {
      throw failure(`the escape '${whole}' is not whole or not known`, line);
    }
    return SIMPLE[one] ?? whole;
  });
}

const failure = (message: string, line: number) => new SyntaxError(`${message} (line ${line})`);

function tokenize(given: string): Token[] {
  const source = given.replace(/\r\n?/g, "\n").replace(/\n$/, ""), tokens: Token[] = [];
  let at = 0, line = 1, counted = 0;
  const lineAt = (index: number) => {
    for (; counted < index; counted++) if (source[counted] === "\n") line++;
    return line;
  };
  const push = (type: Token["type"], text: string, from: number, number?: bigint | number) => {
    tokens.push({ type, text, number, line: lineAt(from) });
  };
  const read = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };

  /** Text before a tag, without what the tag's sign strips. */
  const data = (from: number, to: number, sign: string, isVariable: boolean) => {
    let end = to;
    const isBlank = () => SPACES_ONLY.test(source[end - 1]!);
    if (sign === "-") { while (end > from && isBlank()) end--; }
    else if (sign !== "+" && !isVariable) {
      while (end > from && source[end - 1] !== "\n" && isBlank()) end--;
      const startsLine = end === 0 || source[end - 1] === "\n";
      if (!startsLine) end = to;
    }
    if (end > from) push("data", source.slice(from, end), from);
  };

  /** The inside of `{{ … }}` and `{% … %}`, to its end. */
  const code = (end: RegExp, type: "variable_end" | "block_end") => {
    for (const open: string[] = [];;) {
      read(SPACE);
      if (at >= source.length) throw failure("unexpected end of template", lineAt(at));
      const from = at, ended = open.length === 0 ? read(end) : null;
      if (ended) return push(type, ended[0], from);
      const { float, integer, name, string, operator } = read(PART)?.groups ?? {};
      if (float) push("number", float, from, Number(float.replaceAll("_", "")));
      else if (integer) push("number", integer, from, BigInt(integer.replaceAll("_", "")));
      else if (name) push("name", name, from);
      else if (string) push("string", unescaped(string.slice(1, -1), lineAt(from)), from);
      else if (operator) {
        if (Object.hasOwn(CLOSING, operator)) open.push(CLOSING[operator]!);
        else if (")]}".includes(operator) && open.pop() !== operator) {
          throw failure(`unexpected '${operator}'`, lineAt(from));
        }
        push("operator", operator, from);
      } else throw failure(`unexpected character ${JSON.stringify(source[at])}`, lineAt(at));
    }
  };

  while (at < source.length) {
    const from = at, opening = read(OPENING);
    if (!opening) {
      push("data", source.slice(from), from);
      break;
    }
    const { tag = "raw", rawSign, tagSign } = opening.groups!;
    data(from, opening.index, rawSign ?? tagSign ?? "", tag === "{{");
    if (tag === "{{") {
      push("variable_begin", tag, opening.index);
      code(END_VARIABLE, "variable_end");
    } else if (tag === "{%") {
      push("block_begin", tag, opening.index);
      code(END_BLOCK, "block_end");
    } else if (at < source.length) { // as in jinja2: nothing is open where nothing follows
      const inside = at, end = read(tag === "raw" ? END_RAW : END_COMMENT);
      const what = tag === "raw" ? "raw block" : "comment";
      if (!end) throw failure(`a ${what} has no end`, lineAt(inside));
      if (tag === "raw") data(inside, end.index, end[1]!, false);
    }
  }
  push("end", "", source.length);
  return tokens;
}

/** The reading of a template, at its first token. */
export type Cursor = ReturnType<typeof cursorOn>;

export function cursorOn(source: string) {
  const tokens = tokenize(source);
  let at = 0, nesting = 0;

  const now = (): Token => tokens[at]!;
  const look = (): Token => tokens[at + 1] ?? now();
  const take = (): Token => tokens[at++]!;
  const shown = ({ type, text }: Token) => type === "end" ? "the end of the template" : `'${text}'`;
  const fail = (message: string, token = now()): SyntaxError => failure(message, token.line);
  const expected = (what: string) => fail(`expected ${what}, found ${shown(now())}`);

  /** Whether a token is this name or operator: no name is written like an operator. */
  const is = (mark: string, token = now()): boolean =>
    (token.type === "name" || token.type === "operator") && token.text === mark;
  const skip = (mark: string): boolean => is(mark) && ++at > 0;
  const expect = (mark: string): void => {
    if (!skip(mark)) throw expected(`'${mark}'`);
  };
  const expectType = (type: Token["type"], what: string): Token => {
    if (now().type !== type) throw expected(what);
    return take();
  };

  /** Reads parts between commas up to an end, and whether a comma makes many of them. */
  const commas = <T>(isEnd: () => boolean, part: () => T): { items: T[]; isMany: boolean } => {
    const items: T[] = [];
    let isMany = false;
    while (!isEnd()) {
      items.push(part());
      if (!skip(",")) break;
      isMany = true;
    }
    return { items, isMany };
  };

  return {
    ...{ now, look, take, shown, fail, expected, is, skip, expect, expectType, commas },
    name: (): string => expectType("name", "a name").text,
    /** Reads parts between commas, up to the closing operator. */
    separated<T>(close: string, part: () => T): T[] {
      const { items } = commas(() => is(close), part);
      expect(close);
      return items;
    },
    /** Reads a part that may hold itself, up to a depth. */
    nested<T>(part: () => T): T {
      if (++nesting > MAX_NESTING) throw fail("the template is nested too deeply");
      const made = part();
      nesting--;
      return made;
    },
  };
}
