/**
 * Template source as tokens, as jinja2 makes them with `trim_blocks` and `lstrip_blocks`.
 *
 * @module
 */

/** A token: `type` is its kind, or the operator itself. */
export interface Token {
  readonly type:
    | "data"
    | "variable_begin"
    | "variable_end"
    | "block_begin"
    | "block_end"
    | "name"
    | "string"
    | "number"
    | "operator"
    | "end";
  /** Text of it; the operator; the text that a string stands for. */
  readonly text: string;
  /** A number: an `int` or a `float`. */
  readonly number?: bigint | number;
  /** Line, from 1. */
  readonly line: number;
}

/** Python's white space, inside a character class. */
export const BLANKS =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const W = `[${BLANKS}]*`;
const OPENING = /\{\{|\{%|\{#/g;
const RAW = new RegExp(`\\{%([-+]?)${W}raw${W}(?:-%\\}${W}|%\\})`, "y");
const END_RAW = new RegExp(`\\{%([-+]?)${W}endraw${W}(?:\\+%\\}|-%\\}${W}|%\\}\\n?)`, "g");
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}${W}|#\\}\\n?`, "g");
const END_BLOCK = new RegExp(`\\+%\\}|-%\\}${W}|%\\}\\n?`, "y");
const END_VARIABLE = new RegExp(`-\\}\\}${W}|\\}\\}`, "y");
const SPACE = new RegExp(`[${BLANKS}]+`, "y");
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[-+]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{ID_Start}_]\p{ID_Continue}*/uy;
const STRING = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y;
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

const TRAILING = new RegExp(`[${BLANKS}]`);

/** Without the white space at the end. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && TRAILING.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

const SIMPLE: Readonly<Record<string, string>> = {
  ...{ "\n": "", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r" },
  ...{ t: "\t", v: "\v" },
};

/** What the inside of a string literal stands for, by Python's rules. */
function unescaped(inside: string, line: number): string {
  const pattern = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g;
  return inside.replace(pattern, (whole, octal, byte, short, long, one: string | undefined) => {
    if (one === undefined) {
      const code = octal ? parseInt(octal, 8) : parseInt(byte ?? short ?? long, 16);
      if (code > 0x10ffff) throw failure(`'${whole}' is no character`, line);
      return String.fromCodePoint(code);
    }
    if ("xuUN".includes(one)) {
      throw failure(`the escape '${whole}' is not whole or not known`, line);
    }
    return SIMPLE[one] ?? whole;
  });
}

/** A SyntaxError with its line. */
export function failure(message: string, line: number): SyntaxError {
  return new SyntaxError(`${message} (line ${line})`);
}

/**
 * The tokens of a template.
 *
 * @throws {SyntaxError} Where it is malformed.
 */
export function tokenize(given: string): Token[] {
  const source = given.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0, line = 1, lineStarts = true;

  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  const advance = (to: number) => {
    for (let i = at; i < to; i++) if (source[i] === "\n") line++;
    lineStarts = source[to - 1] === "\n";
    at = to;
  };
  /** Text before a tag, without what the tag's sign strips. */
  const data = (text: string, sign: string, isVariable: boolean) => {
    let kept = text;
    if (sign === "-") kept = trimmedEnd(text);
    else if (sign !== "+" && !isVariable) {
      const start = text.lastIndexOf("\n") + 1;
      if ((start > 0 || lineStarts) && trimmedEnd(text.slice(start)) === "") {
        kept = text.slice(0, start);
      }
    }
    if (kept !== "") tokens.push({ type: "data", text: kept, line });
  };

  /** The inside of `{{ … }}` and `{% … %}`, to its end. */
  const code = (end: RegExp, type: "variable_end" | "block_end") => {
    const open: string[] = [];
    for (;;) {
      let found = match(SPACE);
      if (found) advance(at + found[0].length);
      if (at >= source.length) throw failure("unexpected end of template", line);
      if (open.length === 0 && (found = match(end))) {
        tokens.push({ type, text: found[0], line });
        advance(at + found[0].length);
        return;
      }
      if ((found = match(FLOAT))) {
        tokens.push({
          type: "number",
          text: found[0],
          number: Number(found[0].replaceAll("_", "")),
          line,
        });
      } else if ((found = match(INTEGER))) {
        tokens.push({
          type: "number",
          text: found[0],
          number: BigInt(found[0].replaceAll("_", "")),
          line,
        });
      } else if ((found = match(NAME))) tokens.push({ type: "name", text: found[0], line });
      else if ((found = match(STRING))) {
        tokens.push({ type: "string", text: unescaped(found[0].slice(1, -1), line), line });
      } else if ((found = match(OPERATOR))) {
        const operator = found[0];
        if (Object.hasOwn(CLOSING, operator)) open.push(CLOSING[operator]!);
        else if (")]}".includes(operator) && open.pop() !== operator) {
          throw failure(`unexpected '${operator}'`, line);
        }
        tokens.push({ type: "operator", text: operator, line });
      } else throw failure(`unexpected character ${JSON.stringify(source[at])}`, line);
      advance(at + found[0].length);
    }
  };

  while (at < source.length) {
    const opening = match(OPENING);
    if (!opening) {
      tokens.push({ type: "data", text: source.slice(at), line });
      break;
    }
    const text = source.slice(at, opening.index), start = at;
    at = opening.index;
    const raw = opening[0] === "{%" ? match(RAW) : null;
    at = start;
    const sign = raw?.[1] ?? (/[-+]/.exec(source[opening.index + 2] ?? "")?.[0] ?? "");
    data(text, sign, opening[0] === "{{");
    advance(opening.index + (raw?.[0].length ?? 2 + sign.length));
    if (at >= source.length && (raw || opening[0] === "{#")) break; // as in jinja2: nothing is open
    if (raw) {
      const end = match(END_RAW);
      if (!end) throw failure("a raw block has no end", line);
      data(source.slice(at, end.index), end[1]!, false);
      advance(end.index + end[0].length);
    } else if (opening[0] === "{#") {
      const end = match(END_COMMENT);
      if (!end) throw failure("a comment has no end", line);
      advance(end.index + end[0].length);
    } else if (opening[0] === "{{") {
      tokens.push({ type: "variable_begin", text: "{{", line });
      code(END_VARIABLE, "variable_end");
    } else {
      tokens.push({ type: "block_begin", text: "{%", line });
      code(END_BLOCK, "block_end");
    }
  }
  tokens.push({ type: "end", text: "", line });
  return tokens;
}
