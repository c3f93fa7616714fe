/** Python's ways of filling a text in: `format(value, spec)`, `%`, `str.format` and `strftime`. @module */

import { checkSize } from "./limits.ts";
import { digitsOf, grouped, isNegative, truncated } from "./numbers.ts";
import * as py from "./values.ts";
import type { Named, Value } from "./values.ts";

/** Where text stands in its room; "=" puts the room between sign and digits. */
type Align = "<" | ">" | "=" | "^";

/** Fills a width up, in characters. */
function padded(prefix: string, body: string, width: number, align: Align, fill = " "): string {
  const room = Math.max(0, checkSize(width) - py.textLength(prefix) - py.textLength(body));
  const left = align === "^" ? Math.floor(room / 2) : align === ">" ? room : 0;
  const inside = align === "=" ? room : 0;
  const right = fill.repeat(room - left - inside);
  return fill.repeat(left) + prefix + fill.repeat(inside) + body + right;
}

/** Sign of a number; that of what is not negative is asked for. */
const signOf = (value: bigint | number, asked: string) =>
  isNegative(value) ? "-" : asked.includes("+") ? "+" : asked.includes(" ") ? " " : "";

type Shown = Readonly<Record<string, (value: Value) => string>>;
const SHOWN: Shown = { s: py.soft, r: py.repr, a: py.asciiText };
const cut = (text: string, size: number | undefined) =>
  size === undefined ? text : py.characters(text).slice(0, size).join("");

const SPEC =
  /^(?:(.)?([<>=^]))?([-+ ]?)(#)?(0)?(\d{0,9})([,_])?(?:\.(\d{1,9}))?([bcdeEfFgGosxX%])?$/su;

export function format(value: Value, spec: string): string {
  if (spec === "") return py.str(value);
  const bad = () => new TypeError(`the format '${spec}' is not one for ${py.typeName(value)}`);
  const found = SPEC.exec(spec);
  if (!found) throw bad();
  const [, given, align, sign, alternate, zero, room, separator, places, type = ""] = found;
  const fill = given ?? (zero ? "0" : " "), width = checkSize(Number(room || 0));
  const precision = places === undefined ? undefined : Number(places);
  const pad = (prefix: string, body: string, usual: Align) =>
    padded(prefix, body, width, align as Align | undefined ?? usual, fill);
  if (typeof value === "string") {
    if (sign || alternate || separator || align === "=" || !["", "s"].includes(type)) throw bad();
    return pad("", cut(value, precision), "<");
  }
  const number = py.numberOf(value), isFloating = /[eEfFgG%]/.test(type);
  if (number === undefined || type === "s") throw bad();
  const float = typeof number === "number" || isFloating ? Number(number) : undefined;
  if (float === undefined ? precision !== undefined : type !== "" && !isFloating) throw bad();
  if (type === "c") {
    if (sign || separator) throw bad();
    return pad("", String.fromCodePoint(Number(number)), "<");
  }
  const isDecimal = !/[boxX]/.test(type), group = isDecimal ? 3 : 4;
  if (separator === "," && !isDecimal) throw bad();
  const digits = digitsOf(float ?? number, type, alternate !== undefined, precision);
  const prefix = signOf(float ?? number, sign!) + (alternate && !isDecimal ? `0${type}` : "");
  const zeros = zero && (align ?? "=") === "=" ? width - prefix.length : 0;
  const body = separator ? grouped(digits, separator, group, zeros) : digits;
  return pad(prefix, body, zero ? "=" : ">");
}

const PERCENT = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d{0,9})(?:\.(\*|\d{0,9}))?[hlL]?(.?)/gsu;

/** One `%…` as prefix and body. */
function percentField(
  value: Value,
  type: string,
  flags: string,
  precision: number | undefined,
): readonly [string, string] {
  if (Object.hasOwn(SHOWN, type)) return ["", cut(SHOWN[type]!(value), precision)];
  const what = `the format '%${type}'`;
  if (type === "c") {
    const isOne = typeof value === "string" && py.textLength(value) === 1;
    return ["", isOne ? value : String.fromCodePoint(Number(py.integer(value, what)))];
  }
  const number = py.numberOf(value), alternate = flags.includes("#");
  if (number === undefined) throw py.unsupported(what, value);
  if (/^[eEfFgG]$/.test(type)) {
    const float = Number(number);
    return [signOf(float, flags), digitsOf(float, type, alternate, precision)];
  }
  if (!/^[diuxXo]$/.test(type)) throw new TypeError(`unsupported format character '${type}'`);
  const isDecimal = "diu".includes(type);
  const whole = isDecimal && typeof number === "number"
    ? truncated(number)
    : py.integer(value, what);
  const digits = digitsOf(whole, isDecimal ? "d" : type, alternate);
  const prefix = signOf(whole, flags) + (alternate && !isDecimal ? `0${type}` : "");
  return [prefix, digits.padStart(checkSize(precision ?? 0), "0")];
}

export function percent(template: string, args: Value): string {
  const many = py.kinded(args, "tuple")?.items, mapping = py.kinded(args, "dict");
  const values = many ?? [args];
  let used = 0, isNamed = false;
  const next = () => {
    if (used >= values.length) throw new TypeError("not enough arguments for format string");
    return values[used++]!;
  };
  const called = (key: string) => {
    if (!mapping) throw new TypeError("format requires a mapping");
    const item = py.lookUp(mapping, key);
    if (item === undefined) throw new TypeError(`the format names the missing key '${key}'`);
    isNamed = true;
    return item;
  };
  const size = (written: string) => Number(written === "*" ? py.integer(next(), "'*'") : written);
  const out = template.replace(
    PERCENT,
    (_, key: string | undefined, flags: string, room: string, places, type: string) => {
      if (type === "%") return "%";
      const width = size(room), precision = places === undefined ? undefined : size(places);
      const value = key === undefined ? next() : called(key);
      const [prefix, body] = percentField(value, type, flags, precision);
      const isLeft = flags.includes("-") || width < 0;
      const zero = !isLeft && flags.includes("0") && /[diuxXoeEfFgG]/.test(type);
      const align = isLeft ? "<" : zero ? "=" : ">";
      return padded(prefix, body, Math.abs(width), align, zero ? "0" : " ");
    },
  );
  // Python counts what can be subscripted as a mapping, of which nothing need be used.
  const scalar = many !== undefined || args === null || typeof args !== "object" ||
    py.kinded(args, "iterator") !== undefined || py.kinded(args, "thing") !== undefined;
  if (used < values.length && !isNamed && scalar) {
    throw new TypeError("not all arguments converted during string formatting");
  }
  checkSize(out.length);
  return out;
}

const FIELD = /^((?:[^!:[]|\[[^\]]*\])*)(?:!([rsa]))?(?::(.*))?$/su;

/** `template.format(*args, **named)`; `reach` finds attributes and items. */
export function formatted(
  template: string,
  args: readonly Value[],
  named: Named,
  reach: (of: Value, name: string, isItem: boolean) => Value | undefined,
): string {
  let automatic = 0, isManual = false;
  const start = (name: string): Value => {
    let value: Value | undefined;
    if (/^\d*$/.test(name)) {
      if (name === "" ? isManual : automatic > 0) {
        throw new TypeError("format mixes numbered and unnumbered fields");
      }
      isManual = name !== "";
      value = args[isManual ? Number(name) : automatic++];
    } else value = named.get(name);
    if (value === undefined) throw new TypeError(`format has no argument '${name}'`);
    return value;
  };
  const field = (written: string): Value => {
    const [first] = /^[^.[\]]*/.exec(written)!, steps = written.slice(first.length);
    if (!/^(?:\.[^.[\]]+|\[[^\]]+\])*$/.test(steps)) {
      throw new TypeError(`the field '${written}' of a format is malformed`);
    }
    let value: Value | undefined = start(first);
    for (const [, name, key = ""] of steps.matchAll(/\.([^.[\]]+)|\[([^\]]+)\]/g)) {
      value = reach(value, name ?? key, name === undefined);
      if (value === undefined) throw new TypeError(`format finds no '${name ?? key}'`);
    }
    return value;
  };
  const render = (source: string, depth: number): string => {
    if (depth > 2) throw new TypeError("a format is nested too deeply");
    let out = "";
    for (let at = 0; at < source.length; checkSize(out.length)) {
      const c = source[at++]!;
      if (c !== "{" && c !== "}" || source[at] === c) {
        out += c;
        if (c === "{" || c === "}") at++;
        continue;
      }
      if (c === "}") throw new TypeError("a format has a single '}'");
      const from = at;
      for (let open = 1; open > 0; at++) {
        if (at >= source.length) throw new TypeError("a format has a single '{'");
        if (source[at] === "{") open++;
        if (source[at] === "}") open--;
      }
      const inner = source.slice(from, at - 1), parts = FIELD.exec(inner);
      if (!parts) throw new TypeError(`the field '${inner}' of a format is malformed`);
      const [, name = "", conversion, spec = ""] = parts, value = field(name);
      const shown = conversion === undefined ? value : SHOWN[conversion]!(value);
      out += format(shown, render(spec, depth + 1));
    }
    return out;
  };
  return render(template, 0);
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];

/** Formats that stand for others. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  ...{ c: "%a %b %e %H:%M:%S %Y", D: "%m/%d/%y", F: "%Y-%m-%d", r: "%I:%M:%S %p", R: "%H:%M" },
  ...{ T: "%H:%M:%S", x: "%m/%d/%y", X: "%H:%M:%S", h: "%b", n: "\n", t: "\t", z: "", Z: "" },
};

/** A local time by C's `strftime`, in the C locale and without a zone, as Python's `datetime`. */
export function strftime(time: Date, pattern: string): string {
  const two = (n: number) => String(n).padStart(2, "0"), blank = (n: number) => `${n}`.padStart(2);
  const hour = time.getHours(), hour12 = hour % 12 || 12, year = time.getFullYear();
  const month = time.getMonth(), day = time.getDate();
  const dayOfYear = Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 864e5);
  const weekday = time.getDay(), monday = (weekday + 6) % 7;
  const week = (first: number) => two(Math.floor((dayOfYear + 7 - first) / 7));
  const thursday = new Date(Date.UTC(year, month, day + 3 - monday));
  const isoYear = thursday.getUTCFullYear();
  const isoWeek = Math.floor((+thursday - Date.UTC(isoYear, 0, 1)) / 6048e5) + 1;
  const known: Readonly<Record<string, string>> = {
    ...{ A: DAYS[weekday]!, a: DAYS[weekday]!.slice(0, 3), u: `${monday + 1}`, w: `${weekday}` },
    ...{ B: MONTHS[month]!, b: MONTHS[month]!.slice(0, 3), m: two(month + 1) },
    ...{ d: two(day), e: blank(day), j: String(dayOfYear + 1).padStart(3, "0") },
    ...{ Y: `${year}`, y: two(year % 100), C: two(Math.floor(year / 100)) },
    ...{ G: `${isoYear}`, g: two(isoYear % 100), V: two(isoWeek), U: week(weekday) },
    ...{ W: week(monday), H: two(hour), I: two(hour12), k: blank(hour), l: blank(hour12) },
    ...{ M: two(time.getMinutes()), S: two(time.getSeconds()), s: `${Math.floor(+time / 1000)}` },
    ...{ f: String(time.getMilliseconds() * 1000).padStart(6, "0"), "%": "%" },
    ...{ p: hour < 12 ? "AM" : "PM", P: hour < 12 ? "am" : "pm" },
  };
  return pattern.replace(/%([-_0^]?)(.?)/gsu, (whole, flag: string, name: string) => {
    const short = SHORTHANDS[name];
    const text = known[name] ?? (short === undefined ? short : strftime(time, short));
    if (text === undefined) throw new TypeError(`strftime_now does not know '${whole}'`);
    if (flag === "-") return text.replace(/^[0 ]+(?=.)/, "");
    if (flag === "_") return text.replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length));
    if (flag === "0") return text.replace(/^ +/, (blanks) => "0".repeat(blanks.length));
    return flag === "^" ? text.toUpperCase() : text;
  });
}
