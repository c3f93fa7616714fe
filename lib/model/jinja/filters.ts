/**
 * Filters and tests.
 *
 * @module
 */

import { bind } from "./bind.ts";
import {
  escapeMarkup,
  format,
  joined,
  json,
  percent,
  round,
  soft,
  str,
  truncated,
} from "./format.ts";
import { BLANKS } from "./lexer.ts";
import {
  capitalize,
  center,
  isLower,
  isUpper,
  item,
  onlyAttribute,
  replace,
  splitLines,
  strip,
} from "./methods.ts";
import { binary } from "./operators.ts";
import {
  characters,
  checkSize,
  compare,
  contains,
  defined,
  dict,
  equal,
  integer,
  isUndefined,
  iter,
  iterate,
  kinded,
  lengthOf,
  listOf,
  type Named,
  numberOf,
  sorted,
  subscript,
  text,
  textLength,
  truth,
  tuple,
  typeName,
  undefinedValue,
  unsupported,
  type Value,
} from "./values.ts";

/** What filters of filters need. */
export interface Environment {
  /** Applies a filter by its name. */
  readonly filter: (name: string, args: readonly Value[], named: Named) => Value;
  /** Applies a test by its name. */
  readonly test: (name: string, args: readonly Value[], named: Named) => boolean;
}

type Given = Value | undefined;
type Filter = readonly [parameters: string, (value: Value, ...args: Given[]) => Value];
/** A filter with arguments of its own kind. */
type OpenFilter = (
  value: Value,
  args: readonly Value[],
  named: Named,
  environment: Environment,
) => Value;

/** Item by a path such as "a.0.b". */
function getter(attribute: Value, absent: Value = null): (of: Value) => Value {
  const parts: Value[] = attribute === null
    ? []
    : typeof attribute === "string"
    ? attribute.split(".").map((part) => /^\p{Nd}+$/u.test(part) ? BigInt(part) : part)
    : [attribute];
  return (of) =>
    parts.reduce<Value>((value, part) => {
      const found = item(value, part, subscript);
      return absent !== null && isUndefined(found) ? absent : found;
    }, of);
}

const lowered = (value: Value) => typeof value === "string" ? value.toLowerCase() : value;
const keyFor = (attribute: Value, sensitive: Value, absent: Value = null) => {
  const get = getter(attribute, absent);
  return truth(sensitive) ? get : (value: Value) => lowered(get(value));
};

function sort(value: Value, reverse: Value, sensitive: Value, attribute: Value): Value {
  const gets = (typeof attribute === "string" ? attribute.split(",") : [attribute])
    .map((part) => keyFor(part, sensitive));
  return sorted(listOf(value), (one) => gets.map((get) => get(one)), truth(reverse));
}

function extreme(value: Value, sensitive: Value, attribute: Value, sign: number): Value {
  const all = listOf(value), key = keyFor(attribute, sensitive);
  if (all.length === 0) return undefinedValue("No aggregated item, sequence was empty.");
  return all.reduce((best, one) => compare(key(one), key(best)) * sign > 0 ? one : best);
}

function* unique(value: Value, sensitive: Value, attribute: Value): Generator<Value, undefined> {
  const key = keyFor(attribute, sensitive), seen = dict().entries;
  for (const one of iterate(value)) {
    const found = dict([[key(one), null]]).entries.keys().next().value;
    if (seen.has(found)) continue;
    seen.set(found, [null, null]);
    yield one;
  }
}

function groupBy(value: Value, attribute: Value, absent: Value, sensitive: Value): Value {
  const key = keyFor(attribute, sensitive, absent), get = getter(attribute, absent);
  const groups: { key: Value; all: Value[] }[] = [];
  for (const one of sorted(listOf(value), key, false)) {
    const found = key(one), last = groups.at(-1);
    if (last && equal(last.key, found)) last.all.push(one);
    else groups.push({ key: found, all: [one] });
  }
  return groups.map(({ key, all }) => ({
    ...tuple(truth(sensitive) ? key : get(all[0]!), all),
    names: ["grouper", "list"],
  }));
}

function* batch(value: Value, size: Value, fill: Value): Generator<Value, undefined> {
  const count = checkSize(integer(size, "batch"));
  let part: Value[] = [];
  for (const one of iterate(value)) {
    if (part.length === count) {
      yield part;
      part = [];
    }
    part.push(one);
  }
  if (part.length === 0) return undefined;
  if (fill !== null) { while (part.length < count) part.push(fill); }
  yield part;
  return undefined;
}

function* slices(value: Value, count: Value, fill: Value): Generator<Value, undefined> {
  const all = listOf(value), n = checkSize(integer(count, "slice"));
  if (n === 0) throw new RangeError("integer division or modulo by zero");
  const each = Math.floor(all.length / n), extra = all.length % n;
  let from = 0;
  for (let i = 0; i < n; i++) {
    const to = from + each + (i < extra ? 1 : 0), part = all.slice(from, to);
    if (fill !== null && i >= extra) part.push(fill);
    yield part;
    from = to;
  }
}

/** Python's `int` of a text in a base; undefined where it is none. */
function parseInteger(written: string, base: bigint): bigint | undefined {
  const [, sign, prefix = "", digits] =
    /^([-+]?)(0[xXoObB]_?)?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(strip(written, null)) ?? [];
  if (digits === undefined || base === 1n || base < 0n || base > 36n) return undefined;
  const named = { x: 16, o: 8, b: 2 }[prefix[1]?.toLowerCase() ?? ""];
  let radix = Number(base), body = digits.replaceAll("_", "");
  if (named !== undefined && (radix === 0 || radix === named)) radix = named;
  else if (prefix !== "") body = prefix.replaceAll("_", "") + body;
  else if (radix === 0) {
    radix = 10;
    if (/^0+[1-9]/.test(body)) return undefined;
  }
  if (body.length > 4300) return undefined;
  let value = 0n;
  for (const c of body.toLowerCase()) {
    const digit = parseInt(c, 36);
    if (!(digit < radix)) return undefined;
    value = value * BigInt(radix) + BigInt(digit);
  }
  return sign === "-" ? -value : value;
}

/** Python's `float`; undefined where it raises. */
function parseFloat_(value: Value): number | undefined {
  defined(value);
  const number = numberOf(value);
  if (number !== undefined) return Number(number);
  const written = kinded(value, "markup")?.text ?? value;
  if (typeof written !== "string") return undefined;
  const plain = strip(written, null);
  const special = /^([-+]?)(inf|infinity|nan)$/i.exec(plain);
  if (special) {
    const size = special[2]!.toLowerCase() === "nan" ? NaN : Infinity;
    return special[1] === "-" ? -size : size;
  }
  const digits = "\\d+(?:_\\d+)*";
  const pattern = new RegExp(
    `^[-+]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:[eE][-+]?${digits})?$`,
  );
  return pattern.test(plain) ? Number(plain.replaceAll("_", "")) : undefined;
}

function toInteger(value: Value, absent: Value, base: Value): Value {
  defined(value);
  if (typeof value === "string") {
    const found = parseInteger(value, integer(base, "int"));
    if (found !== undefined) return found;
  } else if (typeof value === "number" && !Number.isNaN(value)) return truncated(value);
  const float = parseFloat_(value);
  return float !== undefined && Number.isFinite(float) ? truncated(float) : absent;
}

function rounded(value: Value, precision: Value, method: Value): Value {
  const number = numberOf(defined(value)), digits = integer(precision, "round");
  if (number === undefined) throw unsupported("round", value);
  if (method === "common") return round(number, digits);
  if (method !== "ceil" && method !== "floor") {
    throw new TypeError("method must be common, ceil or floor");
  }
  const unit = 10 ** Number(digits);
  return Math[method](Number(number) * unit) / unit;
}

function indent(value: Value, width: Value, first: Value, blank: Value): Value {
  const margin = typeof width === "string" ? width : " ".repeat(checkSize(nonNegative(width)));
  const lines = splitLines(`${text(value, "indent")}\n`);
  const rest = lines.slice(1).map((line) => truth(blank) || line !== "" ? margin + line : line);
  const start = truth(first) ? margin + lines[0]! : lines[0]!;
  return joined([start, ...rest], "\n");
}

const nonNegative = (value: Value) => {
  const n = integer(value, "a width");
  return n < 0n ? 0n : n;
};

function truncate(value: Value, length: Value, kill: Value, end: Value, leeway: Value): Value {
  const tail = text(end, "truncate"), size = checkSize(integer(length, "truncate"));
  const slack = checkSize(integer(leeway, "truncate")), room = size - textLength(tail);
  if (room < 0) throw new RangeError(`expected length >= ${textLength(tail)}, got ${size}`);
  if (slack < 0) throw new RangeError(`expected leeway >= 0, got ${slack}`);
  if ((lengthOf(value) ?? Infinity) <= size + slack) return value;
  const kept = characters(text(value, "truncate")).slice(0, room).join("");
  const at = truth(kill) ? -1 : kept.lastIndexOf(" ");
  return (at < 0 ? kept : kept.slice(0, at)) + tail;
}

const WORDS = new RegExp(`([-${BLANKS}({\\[<]+)`);
const titled = (value: string) =>
  value.split(WORDS).map((part) => {
    const [first = "", ...rest] = part;
    return first.toUpperCase() + rest.join("").toLowerCase();
  }).join("");

function urlQuote(value: Value, query: boolean): string {
  const quoted = encodeURIComponent(str(value).toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return query ? quoted.replaceAll("%20", "+") : quoted.replaceAll("%2F", "/");
}

function urlEncode(value: Value): Value {
  const isText = typeof value === "string" || kinded(value, "markup");
  if (isText || value === null || numberOf(value) !== undefined) return urlQuote(value, false);
  const pairs = kinded(value, "dict") ? [...kinded(value, "dict")!.entries.values()] : undefined;
  return (pairs ?? listOf(value).map((pair) => listOf(pair))).map((pair) => {
    if (pair.length !== 2) throw new RangeError("urlencode needs pairs");
    return pair.map((part) => urlQuote(part!, true)).join("=");
  }).join("&");
}

function xmlAttributes(value: Value, space: Value): Value {
  const entries = kinded(defined(value), "dict")?.entries;
  if (!entries) throw unsupported("xmlattr", value);
  const parts: string[] = [];
  for (const [key, one] of entries.values()) {
    if (one === null || isUndefined(one)) continue;
    const name = text(key, "xmlattr");
    if (/[ \t\n\r\f\v/>=]/.test(name)) throw new TypeError(`'${name}' is no name of an attribute`);
    const shown = kinded(one, "markup")?.text ?? escapeMarkup(str(one));
    parts.push(`${escapeMarkup(name)}="${shown}"`);
  }
  const all = joined(parts, " ");
  return all !== "" && truth(space) ? ` ${all}` : all;
}

function fileSize(value: Value, binary: Value): Value {
  const bytes = parseFloat_(value), base = truth(binary) ? 1024 : 1000;
  if (bytes === undefined) throw unsupported("filesizeformat", value);
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${truncated(bytes)} Bytes`;
  const letters = [...truth(binary) ? "KMGTPEZY" : "kMGTPEZY"];
  const at = letters.findIndex((_, i) => bytes < base ** (i + 2));
  const i = at < 0 ? letters.length - 1 : at;
  const number = format(base * bytes / base ** (i + 2), ".1f");
  return `${number} ${letters[i]}${truth(binary) ? "iB" : "B"}`;
}

const length = (value: Value): Value => {
  const size = lengthOf(value);
  if (size === undefined) throw new TypeError(`object of type '${typeName(value)}' has no len()`);
  return BigInt(size);
};

const escaped = (value: Value): Value => ({
  kind: "markup",
  text: kinded(value, "markup")?.text ?? escapeMarkup(str(value)),
});

function first(value: Value): Value {
  const { value: one, done } = iterate(value).next();
  return done ? undefinedValue("No first item, sequence was empty.") : one!;
}

function sum(value: Value, attribute: Value, start: Value): Value {
  const get = getter(attribute);
  if (typeof start === "string") throw new TypeError("sum() can't sum strings");
  let total: Value = start;
  for (const one of iterate(value)) total = binary("+", total, get(one));
  return total;
}

function stripTags(value: Value): Value {
  let rest = str(value), out = "";
  for (let at; (at = rest.indexOf("<!--")) >= 0;) {
    const end = rest.indexOf("-->", at);
    if (end < 0) break;
    out += rest.slice(0, at);
    rest = rest.slice(end + 3);
  }
  rest = out + rest;
  out = "";
  for (let at; (at = rest.indexOf("<")) >= 0;) {
    const end = rest.indexOf(">", at);
    if (end < 0) break;
    out += rest.slice(0, at);
    rest = rest.slice(end + 1);
  }
  const shown = (out + rest).split(new RegExp(`[${BLANKS}]+`)).filter((word) => word !== "")
    .join(" ");
  if (/&(?:#|[a-zA-Z])/.test(shown)) {
    throw new TypeError("striptags does not decode character references here");
  }
  return shown;
}

const FILTERS: Readonly<Record<string, Filter>> = {
  abs: ["", (value) => {
    const number = numberOf(defined(value));
    if (number === undefined) throw unsupported("abs", value);
    return typeof number === "bigint" ? (number < 0n ? -number : number) : Math.abs(number);
  }],
  attr: ["name", (value, name) => onlyAttribute(value, text(name!, "attr"))],
  batch: ["linecount fill_with?", (value, size, fill = null) => iter(batch(value, size!, fill))],
  capitalize: ["", (value) => capitalize(soft(value))],
  center: ["width?", (value, width = 80n) => center(soft(value), integer(width, "center"))],
  default: [
    "default_value? boolean?",
    (value, absent = "", boolean = false) =>
      isUndefined(value) || (truth(boolean) && !truth(value)) ? absent : value,
  ],
  dictsort: [
    "case_sensitive? by? reverse?",
    (value, sensitive = false, by = "key", back = false) => {
      const entries = kinded(defined(value), "dict")?.entries;
      if (!entries) throw unsupported("dictsort", value);
      if (by !== "key" && by !== "value") {
        throw new TypeError('You can only sort by either "key" or "value"');
      }
      const get = (entry: readonly [Value, Value]) => entry[by === "key" ? 0 : 1];
      const key = (entry: readonly [Value, Value]) =>
        truth(sensitive) ? get(entry) : lowered(get(entry));
      return sorted([...entries.values()], key, truth(back)).map((entry) => tuple(...entry));
    },
  ],
  escape: ["", escaped],
  filesizeformat: ["binary?", (value, binary = false) => fileSize(value, binary)],
  first: ["", first],
  float: ["default?", (value, absent = 0) => parseFloat_(value) ?? absent],
  forceescape: ["", (value) => ({ kind: "markup", text: escapeMarkup(str(value)) })],
  groupby: [
    "attribute default? case_sensitive?",
    (value, key, absent = null, sensitive = false) => groupBy(value, key!, absent, sensitive),
  ],
  indent: [
    "width? first? blank?",
    (value, width = 4n, first = false, blank = false) => indent(value, width, first, blank),
  ],
  int: ["default? base?", (value, absent = 0n, base = 10n) => toInteger(value, absent, base)],
  items: ["", (value) =>
    lazily(() => {
      const entries = kinded(value, "dict");
      if (entries) return iterate({ kind: "view", of: "items", dict: entries });
      if (isUndefined(value)) return iterate(value);
      throw new TypeError("Can only get item pairs from a mapping.");
    })],
  join: ["d? attribute?", (value, separator = "", attribute = null) => {
    const get = getter(attribute);
    return joined(listOf(value).map((one) => str(get(one))), str(separator));
  }],
  last: ["", (value) => {
    if (kinded(value, "iterator")) throw unsupported("last", value);
    const all = listOf(value);
    return all.length > 0 ? all.at(-1)! : undefinedValue("No last item, sequence was empty.");
  }],
  length: ["", length],
  list: ["", listOf],
  lower: ["", (value) => soft(value).toLowerCase()],
  max: [
    "case_sensitive? attribute?",
    (value, sensitive = false, attribute = null) => extreme(value, sensitive, attribute, 1),
  ],
  min: [
    "case_sensitive? attribute?",
    (value, sensitive = false, attribute = null) => extreme(value, sensitive, attribute, -1),
  ],
  replace: [
    "old new count?",
    (value, old, by, count = null) =>
      replace(soft(value), soft(old!), soft(by!), count === null ? -1n : integer(count, "replace")),
  ],
  reverse: [
    "",
    (value) =>
      typeof value === "string"
        ? characters(value).toReversed().join("")
        : kinded(value, "iterator")
        ? listOf(value).reverse()
        : iter(listOf(value).reverse()[Symbol.iterator]()),
  ],
  round: [
    "precision? method?",
    (value, precision = 0n, method = "common") => rounded(value, precision, method),
  ],
  safe: ["", (value) => ({ kind: "markup", text: str(value) })],
  slice: ["slices fill_with?", (value, count, fill = null) => iter(slices(value, count!, fill))],
  sort: [
    "reverse? case_sensitive? attribute?",
    (value, back = false, sensitive = false, key = null) => sort(value, back, sensitive, key),
  ],
  string: ["", (value) => kinded(value, "markup") ? value : str(value)],
  striptags: ["", stripTags],
  sum: ["attribute? start?", (value, attribute = null, start = 0n) => sum(value, attribute, start)],
  title: ["", (value) => titled(soft(value))],
  tojson: [
    "ensure_ascii? indent? separators? sort_keys?",
    (value, ascii = false, indent = null, separators = null, sortKeys = false) =>
      json(value, {
        ensureAscii: truth(ascii),
        indent,
        separators,
        sortKeys: truth(sortKeys),
      }),
  ],
  trim: ["chars?", (value, chars = null) => strip(soft(value), chars)],
  truncate: [
    "length? killwords? end? leeway?",
    (value, size = 255n, kill = false, end = "...", leeway = null) =>
      truncate(value, size, kill, end, leeway ?? 5n),
  ],
  unique: [
    "case_sensitive? attribute?",
    (value, sensitive = false, attribute = null) => iter(unique(value, sensitive, attribute)),
  ],
  upper: ["", (value) => soft(value).toUpperCase()],
  urlencode: ["", urlEncode],
  wordcount: ["", (value) => BigInt(soft(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)],
  xmlattr: ["autospace?", (value, space = true) => xmlAttributes(value, space)],
};

const NOTHING = () => iter([][Symbol.iterator]());
/** A generator, which looks at what it reads when it is read. */
const lazily = (source: () => Iterator<Value>) =>
  iter((function* () {
    const reading = source();
    for (;;) {
      const { value, done } = reading.next();
      if (done) return undefined;
      yield value as Value;
    }
  })());

/** Selects what a test, of the value or of its attribute, holds for. */
const select = (wanted: boolean, byAttribute: boolean): OpenFilter => (value, args, named, env) => {
  if (!truth(value)) return NOTHING();
  if (byAttribute && args.length === 0) throw new TypeError("Missing parameter for attribute name");
  const get = getter(byAttribute ? args[0]! : null);
  const [name, ...rest] = args.slice(byAttribute ? 1 : 0);
  const holds = (one: Value) =>
    name === undefined ? truth(one) : env.test(text(name, "a test's name"), [one, ...rest], named);
  return lazily(() => iterate(value).filter((one) => holds(get(one)) === wanted));
};

const OPEN: Readonly<Record<string, OpenFilter>> = {
  format: (value, args, named) => {
    if (args.length > 0 && named.size > 0) {
      throw new TypeError("format takes arguments by position or by name, not both");
    }
    return percent(soft(value), named.size > 0 ? dict(named) : tuple(...args));
  },
  map: (value, args, named, env) => {
    if (!truth(value)) return NOTHING();
    const attribute = named.get("attribute");
    if (args.length === 0 && attribute !== undefined) {
      for (const name of named.keys()) {
        if (name !== "attribute" && name !== "default") {
          throw new TypeError(`map takes no argument '${name}'`);
        }
      }
      const get = getter(attribute, named.get("default") ?? null);
      return lazily(() => iterate(value).map(get));
    }
    const [name, ...rest] = args;
    if (name === undefined) throw new TypeError("map requires a filter argument");
    const filter = text(name, "map");
    return lazily(() => iterate(value).map((one) => env.filter(filter, [one, ...rest], named)));
  },
  select: select(true, false),
  reject: select(false, false),
  selectattr: select(true, true),
  rejectattr: select(false, true),
};

const ALIASES: Readonly<Record<string, string>> = { count: "length", d: "default", e: "escape" };
/** Filters of jinja2 that are refused, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  pprint: "its layout is not made here",
  random: "one seed must give one prompt",
  urlize: "its markup is not made here",
  wordwrap: "its lines are not made here",
};

type Test = readonly [parameters: string, (value: Value, other: Value) => boolean];
const remains = (by: Value, rest: Value) => (value: Value) => equal(binary("%", value, by), rest);
/** A name; no name where it is no text. */
function hashable(value: Value): string {
  dict([[value, null]]); // throws for what cannot be a key
  return typeof value === "string" ? value : "";
}
const isBoolean = (value: Value) => typeof value === "boolean";
function same(a: Value, b: Value): boolean {
  if (typeof a === "number" || typeof a === "bigint" && (a < -5n || a > 256n)) {
    if (typeof a === typeof b && equal(a, b)) throw unsupported("sameas", a, b);
  }
  return a === b;
}

const ordered = (holds: (order: number) => boolean): Test => [
  "other",
  (a, b) => holds(compare(a, b)),
];
const equals: Test = ["other", equal], differs: Test = ["other", (a, b) => !equal(a, b)];
const TESTS: Readonly<Record<string, Test>> = {
  odd: ["", remains(2n, 1n)],
  even: ["", remains(2n, 0n)],
  divisibleby: ["num", (value, by) => remains(by, 0n)(value)],
  defined: ["", (value) => !isUndefined(value)],
  undefined: ["", isUndefined],
  filter: ["", (value) => isFilter(hashable(value))],
  test: ["", (value) => Object.hasOwn(TESTS, hashable(value))],
  none: ["", (value) => value === null],
  boolean: ["", isBoolean],
  false: ["", (value) => value === false],
  true: ["", (value) => value === true],
  integer: ["", (value) => typeof value === "bigint"],
  float: ["", (value) => typeof value === "number"],
  lower: ["", (value) => isLower(str(value))],
  upper: ["", (value) => isUpper(str(value))],
  string: ["", (value) => typeof value === "string" || kinded(value, "markup") !== undefined],
  mapping: ["", (value) => kinded(value, "dict") !== undefined],
  number: ["", (value) => numberOf(value) !== undefined],
  sequence: [
    "",
    (value) => lengthOf(value) !== undefined && !kinded(value, "view") && !kinded(value, "thing"),
  ],
  iterable: ["", (value) => {
    try {
      return kinded(value, "markup") !== undefined || iterate(value) !== undefined;
    } catch {
      return false;
    }
  }],
  callable: ["", (value) => isUndefined(value) || kinded(value, "thing")?.call !== undefined],
  sameas: ["other", same],
  escaped: ["", (value) => kinded(value, "markup") !== undefined],
  in: ["seq", (value, container) => contains(container, value)],
  ...{ "==": equals, eq: equals, equalto: equals, "!=": differs, ne: differs },
  ...{ ">": ordered((n) => n > 0), gt: ordered((n) => n > 0), greaterthan: ordered((n) => n > 0) },
  ...{ ">=": ordered((n) => n >= 0), ge: ordered((n) => n >= 0) },
  ...{ "<": ordered((n) => n < 0), lt: ordered((n) => n < 0), lessthan: ordered((n) => n < 0) },
  ...{ "<=": ordered((n) => n <= 0), le: ordered((n) => n <= 0) },
};

/** Whether jinja2 has a filter of this name. */
function isFilter(name: string): boolean {
  return Object.hasOwn(FILTERS, name) || Object.hasOwn(OPEN, name) ||
    Object.hasOwn(ALIASES, name) || Object.hasOwn(REFUSED, name);
}

/** Why a filter or test cannot be used; undefined where it can. */
export function refusal(kind: "filter" | "test", name: string): string | undefined {
  if (kind === "test") return Object.hasOwn(TESTS, name) ? undefined : `no test named '${name}'`;
  if (Object.hasOwn(REFUSED, name)) return `the filter '${name}' cannot be used: ${REFUSED[name]}`;
  return isFilter(name) ? undefined : `no filter named '${name}'`;
}

/** Applies a filter to its first argument. */
export function applyFilter(
  given: string,
  [value, ...args]: readonly Value[],
  named: Named,
  environment: Environment,
): Value {
  const name = Object.hasOwn(ALIASES, given) ? ALIASES[given]! : given;
  const why = refusal("filter", name);
  if (why !== undefined) throw new TypeError(why);
  if (Object.hasOwn(OPEN, name)) return OPEN[name]!(value!, args, named, environment);
  const [parameters, run] = FILTERS[name]!;
  return run(value!, ...bind(`the filter '${given}'`, parameters, args, named));
}

/** Applies a test to its first argument. */
export function applyTest(name: string, [value, ...args]: readonly Value[], named: Named): boolean {
  const why = refusal("test", name);
  if (why !== undefined) throw new TypeError(why);
  const [parameters, run] = TESTS[name]!;
  const [other = null] = bind(`the test '${name}'`, parameters, args, named);
  return run(value!, other);
}
