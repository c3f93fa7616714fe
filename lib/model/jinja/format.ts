/**
 * How Python prints: `repr` and `str`, numbers, `%` and `format`, JSON, dates.
 *
 * @module
 */

import {
  characters,
  checkSize,
  type Dict,
  dict,
  integer,
  isList,
  iterate,
  kinded,
  listOf,
  lookUp,
  numberOf,
  sorted,
  spend,
  subscript,
  text,
  textLength,
  typeName,
  unsupported,
  type Value,
} from "./values.ts";

const MAX_DIGITS = 4300;

/** Decimal digits of an integer. */
function integerText(value: bigint): string {
  const digits = value.toString();
  if (digits.length > MAX_DIGITS) {
    throw new RangeError(`an integer has more than ${MAX_DIGITS} digits`);
  }
  return digits;
}

/** Python's `repr` of a float. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  if (power < 0) {
    const sign = value < 0 ? "-" : "";
    return `${sign}0.${"0".repeat(-power - 1)}${mantissa.replace(/[-.]/g, "")}`;
  }
  const written = String(value);
  return written.includes(".") ? written : `${written}.0`;
}

/** Python's `repr` of a text. */
function quotedText(value: string, ascii = false): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escape = (c: string) => {
    if (c === quote || c === "\\") return `\\${c}`;
    if (c === "\n") return "\\n";
    if (c === "\r") return "\\r";
    if (c === "\t") return "\\t";
    const code = c.codePointAt(0)!, hex = code.toString(16);
    if (ascii ? code >= 32 && code < 127 : c === " " || !/[\p{C}\p{Z}]/u.test(c)) return c;
    if (code < 256) return `\\x${hex.padStart(2, "0")}`;
    return code < 65536 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  };
  return `${quote}${characters(value).map(escape).join("")}${quote}`;
}

/** Joins within the largest size. */
export function joined(parts: readonly string[], separator: string): string {
  const size = parts.reduce((n, part) => n + part.length, separator.length * parts.length);
  spend(checkSize(size) >> 6);
  return parts.join(separator);
}

/** Python's `repr`. */
export function repr(value: Value): string {
  spend();
  if (typeof value === "string") return quotedText(value);
  if (value === null || typeof value !== "object") return str(value);
  const all = (items: Iterable<Value>) => joined([...items].map(repr), ", ");
  if (isList(value)) return `[${all(value)}]`;
  switch (value.kind) {
    case "tuple":
      return value.items.length === 1 ? `(${repr(value.items[0]!)},)` : `(${all(value.items)})`;
    case "dict":
      return `{${
        joined([...value.entries.values()].map(([k, v]) => `${repr(k)}: ${repr(v)}`), ", ")
      }}`;
    case "view":
      return `dict_${value.of}([${all(iterate(value))}])`;
    case "range":
      return `range(${value.start}, ${value.stop}${value.step === 1n ? "" : `, ${value.step}`})`;
    case "undefined":
      return "Undefined";
    case "markup":
      return `Markup(${quotedText(value.text)})`;
    case "thing":
      if (value.text) return value.text();
  }
  throw new TypeError(
    `a ${typeName(value)} cannot be printed: Python writes its address (add '| list' to read it)`,
  );
}

/** Python's `str`. */
export function str(value: Value): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "True" : "False";
    case "bigint":
      return integerText(value);
    case "number":
      return floatText(value);
  }
  if (value === null) return "None";
  return kinded(value, "undefined") ? "" : kinded(value, "markup")?.text ?? repr(value);
}

/** The text that a filter of texts works on; escaped text is refused, as it would stay escaped. */
export function soft(value: Value): string {
  if (kinded(value, "markup")) throw unsupported("a filter of texts", value);
  return str(value);
}

/** The five characters of HTML, escaped as markupsafe does. */
export function escapeMarkup(value: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
  };
  return value.replace(/[&<>"']/g, (c) => names[c]!);
}

/** A finite float as an exact fraction, the denominator a power of two. */
function fraction(value: number): readonly [bigint, bigint] {
  let denominator = 1n, scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

/** The integer nearest to a fraction; of two the even one. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n ? -1n : 1n, size = numerator * sign;
  const quotient = size / denominator, twice = 2n * (size % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return sign * (quotient + (up ? 1n : 0n));
}

/** |value| · 10^digits, rounded to an integer, exactly. */
function scaled(value: number, digits: number): bigint {
  const [numerator, denominator] = fraction(Math.abs(value));
  return digits >= 0
    ? nearest(numerator * 10n ** BigInt(digits), denominator)
    : nearest(numerator, denominator * 10n ** BigInt(-digits));
}

/** Python's `round(value, digits)`. */
export function round(value: bigint | number, digits: bigint): bigint | number {
  if (typeof value === "bigint") {
    if (digits >= 0n) return value;
    if (digits < -MAX_DIGITS) return 0n;
    const unit = 10n ** -digits;
    return nearest(value, unit) * unit;
  }
  if (!Number.isFinite(value) || digits > 350n) return value;
  if (digits < -350n) return value < 0 ? -0 : 0;
  const places = Number(digits);
  return Number(
    `${value < 0 || Object.is(value, -0) ? "-" : ""}${scaled(value, places)}e${-places}`,
  );
}

/** |value| with a fixed number of decimals. */
function fixed(value: number, digits: number): string {
  const all = scaled(value, digits).toString().padStart(digits + 1, "0");
  return digits === 0 ? all : `${all.slice(0, -digits)}.${all.slice(-digits)}`;
}

/** |value| as digits after the first one, and its power of ten. */
function scientific(value: number, digits: number): readonly [string, number] {
  if (value === 0) return ["0".repeat(digits + 1), 0];
  let power = Number(value.toExponential().split("e")[1]);
  let all = scaled(value, digits - power).toString();
  if (all.length > digits + 1) {
    power++;
    all = scaled(value, digits - power).toString();
  }
  return [all, power];
}

const withPoint = (digits: string, point: boolean) =>
  digits.length > 1 || point ? `${digits[0]}.${digits.slice(1)}` : digits;
const exponentText = (power: number) =>
  `e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;

/** |value| as `e`, `f` or `g` write it. */
function floatDigits(value: number, type: string, precision: number, alternate: boolean): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return "inf";
  if (precision > MAX_DIGITS) throw new RangeError(`a precision is above ${MAX_DIGITS}`);
  if (type === "f") return fixed(value, precision) + (alternate && precision === 0 ? "." : "");
  if (type === "e") {
    const [digits, power] = scientific(value, precision);
    return withPoint(digits, alternate) + exponentText(power);
  }
  const places = Math.max(1, precision), [all, power] = scientific(value, places - 1);
  const trim = (written: string) =>
    alternate || !written.includes(".") ? written : written.replace(/0+$/, "").replace(/\.$/, "");
  return power < -4 || power >= places
    ? trim(withPoint(all, false)) + exponentText(power)
    : trim(fixed(value, places - 1 - power));
}

/** Digits in groups. */
function grouped(digits: string, separator: string, size = 3): string {
  const [whole, rest] = [digits.match(/^[0-9a-fA-F]*/)![0], digits.replace(/^[0-9a-fA-F]*/, "")];
  const groups: string[] = [];
  for (let end = whole.length; end > 0; end -= size) {
    groups.unshift(whole.slice(Math.max(0, end - size), end));
  }
  return groups.join(separator) + rest;
}

/** Python's `format(value, spec)`. */
export function format(value: Value, spec: string): string {
  if (spec === "") return str(value);
  const pattern =
    /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d{0,9})([,_])?(?:\.(\d{1,9}))?([bcdeEfFgGnosxX%])?$/su;
  const found = pattern.exec(spec);
  const bad = () => new TypeError(`the format '${spec}' is not one for ${typeName(value)}`);
  if (!found || found[4] !== undefined) throw bad();
  const [, fill, align, sign, , alternate, zero, width, separator, precision, type] = found;
  const size = checkSize(Number(width || 0));
  const pad = (prefix: string, body: string, usual: string) => {
    const room = Math.max(0, size - textLength(prefix) - textLength(body));
    const filler = fill ?? (zero ? "0" : " "), where = align ?? usual;
    if (where === "<") return prefix + body + filler.repeat(room);
    if (where === ">") return filler.repeat(room) + prefix + body;
    if (where === "=") return prefix + filler.repeat(room) + body;
    const left = Math.floor(room / 2);
    return filler.repeat(left) + prefix + body + filler.repeat(room - left);
  };
  if (typeof value === "string") {
    if (sign || alternate || separator || align === "=" || (type ?? "s") !== "s") throw bad();
    const body = precision === undefined
      ? value
      : characters(value).slice(0, Number(precision)).join("");
    return pad("", body, "<");
  }
  const number = numberOf(value);
  if (number === undefined) throw bad();
  const isFloat = typeof number === "number" || /[eEfFgG%]/.test(type ?? "");
  const negative = typeof number === "bigint" ? number < 0n : number < 0 || Object.is(number, -0);
  const signText = negative ? "-" : sign === "+" || sign === " " ? sign : "";
  if (type === "n" || (typeof value === "boolean" && type === undefined)) throw bad();
  /** Zeros of the padding take part in the grouping. */
  const numeric = (prefix: string, digits: string, every = 3) => {
    const usual = zero ? "=" : ">";
    if (!separator) return pad(prefix, digits, usual);
    let body = grouped(digits, separator, every);
    if (zero && (align ?? "=") === "=") {
      for (let all = digits; prefix.length + body.length < size;) {
        all = `0${all}`;
        const next = grouped(all, separator, every);
        if (prefix.length + next.length > size && next[1] === separator) {
          body = next;
          break;
        }
        body = next;
      }
    }
    return pad(prefix, body, usual);
  };
  if (!isFloat) {
    if (precision !== undefined) throw bad();
    const whole = number < 0n ? -number : number as bigint;
    if (type === "c") {
      if (sign || separator) throw bad();
      return pad("", String.fromCodePoint(Number(number)), "<");
    }
    if (type === "s") throw bad();
    const base = { b: 2, o: 8, x: 16, X: 16 }[type ?? "d"] ?? 10;
    if (separator === "," && base !== 10) throw bad();
    let digits = base === 10 ? integerText(whole) : whole.toString(base);
    if (type === "X") digits = digits.toUpperCase();
    const prefix = alternate && base !== 10 ? `0${type}` : "";
    return numeric(signText + prefix, digits, base === 10 ? 3 : 4);
  }
  if (type !== undefined && !/[eEfFgG%]/.test(type)) throw bad();
  const float = Number(number), size_ = Math.abs(float);
  let digits: string;
  if (type === undefined && precision === undefined) {
    digits = floatText(size_);
  } else if (type === undefined) {
    const places = Math.max(1, Number(precision));
    const power = size_ === 0 || !Number.isFinite(size_) ? 0 : scientific(size_, places - 1)[1];
    digits = floatDigits(size_, "g", places, false);
    if (power >= -4 && power >= places - 1 && !digits.includes("e") && Number.isFinite(size_)) {
      const [all] = scientific(size_, places - 1);
      digits = power >= places - 1
        ? `${trimZeros(withPoint(all, false))}${exponentText(power)}`
        : digits;
    }
    if (/^\d+$/.test(digits)) digits += ".0";
  } else {
    const kind = type === "%" ? "f" : type.toLowerCase();
    const shown = type === "%" ? size_ * 100 : size_;
    digits = floatDigits(shown, kind, Number(precision ?? 6), alternate !== undefined);
    if (type === "%") digits += "%";
    if (/[EFG]/.test(type)) digits = digits.toUpperCase();
  }
  return numeric(signText, digits);
}

const trimZeros = (written: string) =>
  written.includes(".") ? written.replace(/0+$/, "").replace(/\.$/, "") : written;

/** Python's `template % args`. */
export function percent(template: string, args: Value): string {
  const many = kinded(args, "tuple")?.items, mapping = kinded(args, "dict");
  const values = many ?? [args];
  let used = 0, named = false;
  const next = () => {
    if (used >= values.length) throw new TypeError("not enough arguments for format string");
    return values[used++]!;
  };
  const pattern = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d{0,9})(?:\.(\*|\d{0,9}))?[hlL]?(.?)/gsu;
  const out = template.replace(
    pattern,
    (_, key: string | undefined, flags: string, width: string, precision, type: string) => {
      if (type === "%") return "%";
      let value: Value;
      const left = flags.includes("-");
      let size = width === "*" ? integer(next(), "'*'") : BigInt(width || 0);
      const dots = precision === undefined
        ? undefined
        : precision === "*"
        ? Number(integer(next(), "'*'"))
        : Number(precision || 0);
      if (key === undefined) value = next();
      else {
        if (!mapping) throw new TypeError("format requires a mapping");
        const item = lookUp(mapping, key);
        if (item === undefined) throw new TypeError(`the format names the missing key '${key}'`);
        value = item;
        named = true;
      }
      const leftward = left || size < 0n;
      if (size < 0n) size = -size;
      let body: string, prefix = "";
      if (type === "s" || type === "r" || type === "a") {
        body = type === "s" ? soft(value) : type === "r" ? repr(value) : asciiRepr(value);
        if (dots !== undefined) body = characters(body).slice(0, dots).join("");
      } else if (type === "c") {
        body = typeof value === "string" && textLength(value) === 1
          ? value
          : String.fromCodePoint(Number(integer(value, "'%c'")));
      } else {
        const number = numberOf(value);
        if (number === undefined) throw unsupported(`the format '%${type}'`, value);
        const alternate = flags.includes("#");
        if ("diu".includes(type) && type !== "") {
          const whole = typeof number === "bigint" ? number : truncated(number);
          prefix = whole < 0n ? "-" : "";
          body = integerText(whole < 0n ? -whole : whole);
        } else if ("xXo".includes(type) && type !== "") {
          const whole = integer(value, `the format '%${type}'`);
          prefix = (whole < 0n ? "-" : "") + (alternate ? `0${type}` : "");
          body = (whole < 0n ? -whole : whole).toString(type === "o" ? 8 : 16);
          if (type === "X") body = body.toUpperCase();
        } else if ("eEfFgG".includes(type) && type !== "") {
          const float = Number(number);
          prefix = float < 0 || Object.is(float, -0) ? "-" : "";
          body = floatDigits(Math.abs(float), type.toLowerCase(), dots ?? 6, alternate);
          if (/[EFG]/.test(type)) body = body.toUpperCase();
        } else throw new TypeError(`unsupported format character '${type}'`);
        if (dots !== undefined && /[diuxXo]/.test(type)) {
          body = body.padStart(checkSize(dots), "0");
        }
        if (!prefix.startsWith("-")) {
          prefix = (flags.includes("+") ? "+" : flags.includes(" ") ? " " : "") + prefix;
        }
      }
      const room = Math.max(0, checkSize(size) - textLength(prefix) - textLength(body));
      if (leftward) return prefix + body + " ".repeat(room);
      return flags.includes("0") && /[diuxXoeEfFgG]/.test(type)
        ? prefix + "0".repeat(room) + body
        : " ".repeat(room) + prefix + body;
    },
  );
  // Python counts what can be subscripted as a mapping, of which nothing need be used.
  const scalar = many !== undefined || args === null || typeof args !== "object" ||
    kinded(args, "iterator") !== undefined || kinded(args, "thing") !== undefined;
  if (used < values.length && !named && scalar) {
    throw new TypeError("not all arguments converted during string formatting");
  }
  checkSize(out.length);
  return out;
}

const asciiRepr = (value: Value) =>
  typeof value === "string" ? quotedText(value, true) : repr(value);

/** A float without its decimals. */
export function truncated(value: number): bigint {
  if (!Number.isFinite(value)) {
    throw new RangeError(`cannot convert float ${floatText(value)} to integer`);
  }
  return BigInt(Math.trunc(value));
}

/** `template.format(*args, **named)`; attributes are looked up by `attribute`. */
export function formatted(
  template: string,
  args: readonly Value[],
  named: ReadonlyMap<string, Value>,
  attribute: (of: Value, name: string) => Value,
): string {
  let automatic = 0, manual = false;
  const field = (written: string): Value => {
    const first = /^[^.[\]]*/.exec(written)![0];
    let rest = written.slice(first.length), value: Value | undefined;
    if (first === "" || /^\d+$/.test(first)) {
      if (first === "" ? manual : automatic > 0) {
        throw new TypeError("format mixes numbered and unnumbered fields");
      }
      manual = first !== "";
      value = args[first === "" ? automatic++ : Number(first)];
    } else value = named.get(first);
    if (value === undefined) throw new TypeError(`format has no argument '${first}'`);
    while (rest !== "") {
      const part = /^(?:\.([^.[\]]+)|\[([^\]]+)\])/.exec(rest);
      if (!part) throw new TypeError(`the field '${written}' of a format is malformed`);
      const [whole, name, key] = part;
      value = name === undefined
        ? subscript(value, /^\d+$/.test(key!) ? BigInt(key!) : key!)
        : attribute(value, name);
      if (value === undefined) throw new TypeError(`format finds no '${name ?? key}'`);
      rest = rest.slice(whole.length);
    }
    return value;
  };
  const render = (source: string, depth: number): string => {
    if (depth > 2) throw new TypeError("a format is nested too deeply");
    let out = "", at = 0;
    while (at < source.length) {
      const c = source[at]!;
      if ((c === "{" || c === "}") && source[at + 1] === c) {
        out += c;
        at += 2;
      } else if (c === "}") throw new TypeError("a format has a single '}'");
      else if (c === "{") {
        let end = at + 1, open = 1;
        while (end < source.length && open > 0) {
          if (source[end] === "{") open++;
          if (source[end] === "}") open--;
          end++;
        }
        if (open > 0) throw new TypeError("a format has a single '{'");
        const inner = source.slice(at + 1, end - 1);
        const parts = /^((?:[^!:[]|\[[^\]]*\])*)(?:!([rsa]))?(?::(.*))?$/su.exec(inner);
        if (!parts) throw new TypeError(`the field '${inner}' of a format is malformed`);
        const [, name, conversion, spec = ""] = parts;
        const value = field(name!);
        const shown = conversion === "r"
          ? repr(value)
          : conversion === "a"
          ? asciiRepr(value)
          : conversion === "s"
          ? soft(value)
          : value;
        out += format(shown, render(spec, depth + 1));
        at = end;
      } else {
        out += c;
        at++;
      }
      checkSize(out.length);
    }
    return out;
  };
  return render(template, 0);
}

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

function jsonText(value: string, ascii: boolean): string {
  const escape = (c: string) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // deno-lint-ignore no-control-regex
  return `"${value.replace(ascii ? /["\\]|[^\x20-\x7e]/g : /["\\\x00-\x1f]/g, escape)}"`;
}

const jsonFloat = (value: number) =>
  Number.isNaN(value)
    ? "NaN"
    : Number.isFinite(value)
    ? floatText(value)
    : value < 0
    ? "-Infinity"
    : "Infinity";

/** Options of {@linkcode json}, as `json.dumps` has them. */
export interface JsonOptions {
  readonly ensureAscii: boolean;
  readonly indent: Value;
  readonly separators: Value;
  readonly sortKeys: boolean;
}

/** Python's `json.dumps`. */
export function json(value: Value, { ensureAscii, indent, separators, sortKeys }: JsonOptions) {
  const step = indent === null
    ? undefined
    : typeof indent === "string"
    ? indent
    : " ".repeat(checkSize(bounded(integer(indent, "tojson's indent"))));
  const pair = separators === null ? undefined : listOf(separators);
  if (pair && pair.length !== 2) throw new TypeError("tojson's separators must be two texts");
  const comma = pair ? text(pair[0]!, "tojson") : step === undefined ? ", " : ",";
  const colon = pair ? text(pair[1]!, "tojson") : ": ";
  const key = (given: Value) =>
    typeof given === "string"
      ? given
      : given === null || typeof given === "boolean"
      ? String(given)
      : typeof given === "bigint"
      ? integerText(given)
      : typeof given === "number"
      ? jsonFloat(given)
      : undefined;
  const wrap = (open: string, parts: readonly string[], close: string, margin: string) => {
    if (parts.length === 0) return open + close;
    if (step === undefined) return open + joined(parts, comma) + close;
    const line = `\n${margin}${step}`;
    return `${open}${line}${joined(parts, comma + line)}\n${margin}${close}`;
  };
  const write = (item: Value, margin: string): string => {
    spend();
    if (item === null) return "null";
    if (typeof item === "string") return jsonText(item, ensureAscii);
    if (typeof item === "boolean") return String(item);
    if (typeof item === "bigint") return integerText(item);
    if (typeof item === "number") return jsonFloat(item);
    const deeper = margin + (step ?? "");
    const items = isList(item) ? item : kinded(item, "tuple")?.items;
    if (items) return wrap("[", items.map((part) => write(part, deeper)), "]", margin);
    const escaped = kinded(item, "markup");
    if (escaped) return jsonText(escaped.text, ensureAscii);
    const entries = kinded(item, "dict")?.entries;
    if (!entries) throw new TypeError(`a ${typeName(item)} cannot be written as JSON`);
    const pairs = [...entries.values()];
    const ordered = sortKeys ? sorted(pairs, ([name]) => name, false) : pairs;
    return wrap(
      "{",
      ordered.map(([name, part]) => {
        const written = key(name);
        if (written === undefined) throw new TypeError(`a ${typeName(name)} is no key of JSON`);
        return jsonText(written, ensureAscii) + colon + write(part, deeper);
      }),
      "}",
      margin,
    );
  };
  return write(value, "");
}

const bounded = (value: bigint) => value < 0n ? 0n : value;

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];

/** A local time by C's `strftime`, in the C locale and without a zone, as Python's `datetime`. */
export function strftime(time: Date, pattern: string): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const hour = time.getHours(), hour12 = hour % 12 || 12, year = time.getFullYear();
  const month = time.getMonth(), day = time.getDate();
  const dayOfYear = Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 864e5);
  const weekday = time.getDay(), monday = (weekday + 6) % 7;
  const week = (first: number) => Math.floor((dayOfYear + 7 - first) / 7);
  const iso = () => {
    const thursday = new Date(Date.UTC(year, month, day + 3 - monday));
    const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
    return { year: thursday.getUTCFullYear(), week: Math.floor((+thursday - first) / 6048e5) + 1 };
  };
  const known: Record<string, () => string> = {
    a: () => DAYS[weekday]!.slice(0, 3),
    A: () => DAYS[weekday]!,
    b: () => MONTHS[month]!.slice(0, 3),
    h: () => MONTHS[month]!.slice(0, 3),
    B: () => MONTHS[month]!,
    c: () => strftime(time, "%a %b %e %H:%M:%S %Y"),
    C: () => two(Math.floor(year / 100)),
    d: () => two(day),
    D: () => strftime(time, "%m/%d/%y"),
    e: () => String(day).padStart(2),
    f: () => String(time.getMilliseconds() * 1000).padStart(6, "0"),
    F: () => strftime(time, "%Y-%m-%d"),
    G: () => String(iso().year),
    g: () => two(iso().year % 100),
    H: () => two(hour),
    I: () => two(hour12),
    j: () => String(dayOfYear + 1).padStart(3, "0"),
    k: () => String(hour).padStart(2),
    l: () => String(hour12).padStart(2),
    m: () => two(month + 1),
    M: () => two(time.getMinutes()),
    n: () => "\n",
    p: () => hour < 12 ? "AM" : "PM",
    P: () => hour < 12 ? "am" : "pm",
    r: () => strftime(time, "%I:%M:%S %p"),
    R: () => strftime(time, "%H:%M"),
    s: () => String(Math.floor(+time / 1000)),
    S: () => two(time.getSeconds()),
    t: () => "\t",
    T: () => strftime(time, "%H:%M:%S"),
    u: () => String(monday + 1),
    U: () => two(week(weekday)),
    V: () => two(iso().week),
    w: () => String(weekday),
    W: () => two(week(monday)),
    x: () => strftime(time, "%m/%d/%y"),
    X: () => strftime(time, "%H:%M:%S"),
    y: () => two(year % 100),
    Y: () => String(year),
    z: () => "",
    Z: () => "",
    "%": () => "%",
  };
  return pattern.replace(/%([-_0^]?)(.?)/gsu, (whole, flag: string, name: string) => {
    const make = Object.hasOwn(known, name) ? known[name]! : undefined;
    if (!make) throw new TypeError(`strftime_now does not know '${whole}'`);
    const written = make();
    if (flag === "-") return written.replace(/^[0 ]+(?=.)/, "");
    if (flag === "_") return written.replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length));
    if (flag === "0") return written.replace(/^ +/, (blanks) => "0".repeat(blanks.length));
    return flag === "^" ? written.toUpperCase() : written;
  });
}

/** Arguments by name as a dict. */
export function namedDict(named: ReadonlyMap<string, Value>): Dict {
  return dict(named);
}
