/**
 * Methods and attributes of Python's values, as far as jinja2's immutable sandbox lets templates
 * reach them. What Python has and this has not is refused by name.
 *
 * @module
 */

import { bind } from "./bind.ts";
import { formatted, joined } from "./format.ts";
import { BLANKS } from "./lexer.ts";
import {
  characters,
  checkSize,
  defined,
  type Dict,
  dict,
  equal,
  integer,
  isList,
  itemsOf,
  kinded,
  listOf,
  lookUp,
  slice,
  text,
  textLength,
  thing,
  truth,
  tuple,
  typeName,
  undefinedValue,
  unsupported,
  type Value,
} from "./values.ts";

const BLANK = new RegExp(`^[${BLANKS}]$`);
const isBlank = (c: string) => BLANK.test(c);

/** Python's `strip`: characters of a set, or white space, from the ends that are named. */
export function strip(value: string, chars: Value, left = true, right = true): string {
  const set = chars === null ? undefined : new Set(characters(text(chars, "strip")));
  const drop = set ? (c: string) => set.has(c) : isBlank, all = characters(value);
  let from = 0, to = all.length;
  while (left && from < to && drop(all[from]!)) from++;
  while (right && to > from && drop(all[to - 1]!)) to--;
  return all.slice(from, to).join("");
}

/** Python's `splitlines`. */
export function splitLines(value: string, keep = false): string[] {
  // deno-lint-ignore no-control-regex
  const ends = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;
  const lines: string[] = [];
  let from = 0;
  for (const { 0: end, index } of value.matchAll(ends)) {
    lines.push(value.slice(from, keep ? index + end.length : index));
    from = index + end.length;
  }
  if (from < value.length) lines.push(value.slice(from));
  return lines;
}

/** Python's `replace`; fewer than 0 times is every time. */
export function replace(value: string, old: string, by: string, count: bigint): string {
  const most = count < 0n ? Infinity : Number(count);
  if (old === "") {
    const all = characters(value), times = Math.min(most, all.length + 1);
    checkSize(value.length + times * by.length);
    return all.map((c, i) => (i < times ? by : "") + c).join("") +
      (times > all.length ? by : "");
  }
  const parts: string[] = [];
  let from = 0;
  for (let at; parts.length < most && (at = value.indexOf(old, from)) >= 0;) {
    parts.push(value.slice(from, at));
    from = at + old.length;
  }
  return joined([...parts, value.slice(from)], by);
}

/** Python's `split`. */
function split(value: string, separator: Value, most: bigint): string[] {
  const limit = most < 0n ? Infinity : Number(most), parts: string[] = [];
  if (separator !== null) {
    const by = text(separator, "split");
    if (by === "") throw new RangeError("empty separator");
    let from = 0;
    for (let at; parts.length < limit && (at = value.indexOf(by, from)) >= 0;) {
      parts.push(value.slice(from, at));
      from = at + by.length;
    }
    return [...parts, value.slice(from)];
  }
  let at = 0;
  for (;;) {
    while (at < value.length && isBlank(value[at]!)) at++;
    if (at >= value.length) return parts;
    if (parts.length >= limit) return [...parts, value.slice(at)];
    const from = at;
    while (at < value.length && !isBlank(value[at]!)) at++;
    parts.push(value.slice(from, at));
  }
}

const reversed = (value: string) => characters(value).toReversed().join("");

/** Python's `rsplit`. */
function rsplit(value: string, separator: Value, most: bigint): string[] {
  const turned = separator === null ? null : reversed(text(separator, "rsplit"));
  return split(reversed(value), turned, most).map(reversed).reverse();
}

/** Title case of a character that has one of its own. */
const TITLE: Readonly<Record<string, string>> = {
  ...{ "Ǆ": "ǅ", "ǅ": "ǅ", "ǆ": "ǅ", "Ǉ": "ǈ", "ǈ": "ǈ", "ǉ": "ǈ", "Ǌ": "ǋ", "ǋ": "ǋ" },
  ...{ "ǌ": "ǋ", "Ǳ": "ǲ", "ǲ": "ǲ", "ǳ": "ǲ" },
};
function titleCase(c: string): string {
  if (Object.hasOwn(TITLE, c)) return TITLE[c]!;
  if (c >= "\u10d0" && c <= "\u10ff") return c;
  const [first = "", ...rest] = c.toUpperCase();
  return first + rest.join("").toLowerCase();
}

/** Python's `capitalize`. */
export function capitalize(value: string): string {
  const [first = ""] = value;
  return titleCase(first) + value.toLowerCase().slice(first.toLowerCase().length);
}

function title(value: string): string {
  let within = false;
  const all = characters(value);
  /** A sigma that no letter follows is written ς. */
  const lower = (c: string, i: number) =>
    c === "Σ" ? `a${all.slice(i).join("")}`.toLowerCase()[1]! : c.toLowerCase();
  return all.map((c, i) => {
    const made = within ? lower(c, i) : titleCase(c);
    within = /\p{Cased}/u.test(c);
    return made;
  }).join("");
}

const swapCase = (value: string) =>
  characters(value).map((c) =>
    /\p{Lu}/u.test(c) ? c.toLowerCase() : /\p{Ll}/u.test(c) ? c.toUpperCase() : c
  ).join("");

/** Whether there is a cased character and none of the other case. */
export const isLower = (value: string) =>
  /\p{Lowercase}/u.test(value) && !/[\p{Lu}\p{Lt}]|\p{Uppercase}/u.test(value);
/** Like {@linkcode isLower}, for capitals. */
export const isUpper = (value: string) =>
  /\p{Uppercase}/u.test(value) && !/[\p{Ll}\p{Lt}]|\p{Lowercase}/u.test(value);

/** Python's `center`. */
export function center(value: string, width: bigint, fill = " "): string {
  const size = checkSize(width), room = Math.max(0, size - textLength(value));
  const left = Math.floor(room / 2) + (room & size & 1);
  return fill.repeat(left) + value + fill.repeat(room - left);
}

function filler(given: Value): string {
  const fill = text(given, "a fill");
  if (textLength(fill) !== 1) throw new TypeError("the fill must be one character");
  return fill;
}

const padding = (value: string, width: Value, fill: Value) =>
  filler(fill).repeat(
    Math.max(0, Math.min(checkSize(integer(width, "a width")), 1e9) - textLength(value)),
  );

/** Position of a text within `value[start:end]`, in characters; −1 where it is not there. */
function find(value: string, args: readonly Value[], last: boolean): number {
  const [part, start = null, end = null] = args, length = textLength(value);
  const bound = (given: Value, absent: number) => {
    if (given === null) return absent;
    const at = Number(integer(given, "find"));
    return Math.max(0, at < 0 ? at + length : Math.min(at, length + 1));
  };
  const from = bound(start!, 0), to = Math.min(length, bound(end!, length));
  if (from > to) return -1;
  const window = characters(value).slice(from, to).join("");
  const sought = text(part!, "find");
  const at = last ? window.lastIndexOf(sought) : window.indexOf(sought);
  return at < 0 ? -1 : from + textLength(window.slice(0, at));
}

function count(value: string, args: readonly Value[]): number {
  const [part, start = null, end = null] = args;
  const window = slice(value, start!, end!, null) as string, sought = text(part!, "count");
  if (sought === "") return find(value, ["", start!, end!], false) < 0 ? 0 : textLength(window) + 1;
  return window.split(sought).length - 1;
}

function affix(value: string, args: readonly Value[], ends: boolean): boolean {
  const [part, start = null, end = null] = args;
  const many = kinded(part!, "tuple")?.items ?? [part!];
  const from = find(value, ["", start!, end!], false);
  const window = slice(value, start!, end!, null) as string;
  return many.some((one) => {
    const sought = text(one, ends ? "endswith" : "startswith");
    return from >= 0 && (ends ? window.endsWith(sought) : window.startsWith(sought));
  });
}

function partition(value: string, separator: Value, last: boolean): Value {
  const by = text(separator, "partition");
  if (by === "") throw new RangeError("empty separator");
  const at = last ? value.lastIndexOf(by) : value.indexOf(by);
  if (at < 0) return last ? tuple("", "", value) : tuple(value, "", "");
  return tuple(value.slice(0, at), by, value.slice(at + by.length));
}

function expandTabs(value: string, size: bigint): string {
  let column = 0, out = "";
  const width = checkSize(size < 0n ? 0n : size);
  for (const c of value) {
    if (c === "\t") {
      const room = width === 0 ? 0 : width - column % width;
      checkSize(out.length + room);
      out += " ".repeat(room);
      column += room;
    } else {
      out += c;
      column = c === "\n" || c === "\r" ? 0 : column + 1;
    }
  }
  return out;
}

function zfill(value: string, width: bigint): string {
  const room = Math.max(0, checkSize(width) - textLength(value));
  const sign = /^[-+]/.exec(value)?.[0] ?? "";
  return sign + "0".repeat(room) + value.slice(sign.length);
}

const every = (pattern: RegExp) => (value: string) =>
  value !== "" && characters(value).every((c) => pattern.test(c));

/** Texts of an iterable, which must hold nothing else. */
function texts(value: Value): string[] {
  return listOf(value).map((item) => text(item, "join"));
}

type Method<T> = readonly [
  parameters: string,
  (self: T, ...args: (Value | undefined)[]) => Value,
];

const int = (value: Value | undefined, absent: bigint, what: string) =>
  value === undefined || value === null ? absent : integer(value, what);

const TEXT: Readonly<Record<string, Method<string>>> = {
  capitalize: ["/", capitalize],
  casefold: ["/", (s) => s.toUpperCase().toLowerCase().replaceAll("ς", "σ")],
  center: [
    "/ width fill?",
    (s, width, fill = " ") => center(s, integer(width!, "center"), filler(fill)),
  ],
  count: ["/ sub start? end?", (s, ...args) => BigInt(count(s, args as Value[]))],
  endswith: ["/ suffix start? end?", (s, ...args) => affix(s, args as Value[], true)],
  expandtabs: ["tabsize?", (s, size) => expandTabs(s, int(size, 8n, "expandtabs"))],
  find: ["/ sub start? end?", (s, ...args) => BigInt(find(s, args as Value[], false))],
  index: ["/ sub start? end?", (s, ...args) => found(find(s, args as Value[], false))],
  isalnum: ["/", every(/[\p{L}\p{N}]/u)],
  isalpha: ["/", every(/\p{L}/u)],
  isascii: ["/", (s) => /^[\0-\x7f]*$/.test(s)],
  isdecimal: ["/", every(/\p{Nd}/u)],
  isdigit: ["/", every(/[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u)],
  isidentifier: ["/", (s) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(s)],
  islower: ["/", isLower],
  isnumeric: ["/", every(/\p{N}/u)],
  isprintable: ["/", (s) => characters(s).every((c) => c === " " || !/[\p{C}\p{Z}]/u.test(c))],
  isspace: ["/", every(BLANK)],
  istitle: ["/", (s) => /\p{Cased}/u.test(s) && title(s) === s],
  isupper: ["/", isUpper],
  join: ["/ iterable", (s, items) => joined(texts(items!), s)],
  ljust: ["/ width fill?", (s, width, fill = " ") => s + padding(s, width!, fill)],
  lower: ["/", (s) => s.toLowerCase()],
  lstrip: ["/ chars?", (s, chars = null) => strip(s, chars, true, false)],
  partition: ["/ sep", (s, by) => partition(s, by!, false)],
  removeprefix: ["/ prefix", (s, part) => {
    const prefix = text(part!, "removeprefix");
    return s.startsWith(prefix) ? s.slice(prefix.length) : s;
  }],
  removesuffix: ["/ suffix", (s, part) => {
    const suffix = text(part!, "removesuffix");
    return suffix !== "" && s.endsWith(suffix) ? s.slice(0, -suffix.length) : s;
  }],
  replace: [
    "/ old new count?",
    (s, old, by, times) =>
      replace(s, text(old!, "replace"), text(by!, "replace"), int(times, -1n, "replace")),
  ],
  rfind: ["/ sub start? end?", (s, ...args) => BigInt(find(s, args as Value[], true))],
  rindex: ["/ sub start? end?", (s, ...args) => found(find(s, args as Value[], true))],
  rjust: ["/ width fill?", (s, width, fill = " ") => padding(s, width!, fill) + s],
  rpartition: ["/ sep", (s, by) => partition(s, by!, true)],
  rsplit: ["sep? maxsplit?", (s, by = null, most) => rsplit(s, by, int(most, -1n, "rsplit"))],
  rstrip: ["/ chars?", (s, chars = null) => strip(s, chars, false, true)],
  split: ["sep? maxsplit?", (s, by = null, most) => split(s, by, int(most, -1n, "split"))],
  splitlines: ["keepends?", (s, keep = false) => splitLines(s, truth(keep))],
  startswith: ["/ prefix start? end?", (s, ...args) => affix(s, args as Value[], false)],
  strip: ["/ chars?", (s, chars = null) => strip(s, chars)],
  swapcase: ["/", swapCase],
  title: ["/", title],
  upper: ["/", (s) => s.toUpperCase()],
  zfill: ["/ width", (s, width) => zfill(s, integer(width!, "zfill"))],
};

function found(at: number): bigint {
  if (at < 0) throw new RangeError("substring not found");
  return BigInt(at);
}

function indexIn(items: readonly Value[], [item, start, end]: readonly (Value | undefined)[]) {
  const bound = (given: Value | undefined, absent: number) => {
    const at = Number(int(given, BigInt(absent), "index"));
    return Math.max(0, at < 0 ? at + items.length : at);
  };
  const from = bound(start, 0), to = Math.min(items.length, bound(end, items.length));
  for (let i = from; i < to; i++) if (equal(items[i]!, item!)) return BigInt(i);
  throw new RangeError("the item is not in the list");
}

const ITEMS: Readonly<Record<string, Method<readonly Value[]>>> = {
  count: ["/ item", (all, item) => BigInt(all.filter((one) => equal(one, item!)).length)],
  index: ["/ item start? end?", (all, ...args) => indexIn(all, args)],
};

const DICT: Readonly<Record<string, Method<Dict>>> = {
  copy: ["/", (of) => of],
  get: ["/ key default?", (of, key, absent = null) => present(lookUp(of, key!), absent)],
  items: ["/", (of) => ({ kind: "view", of: "items", dict: of })],
  keys: ["/", (of) => ({ kind: "view", of: "keys", dict: of })],
  values: ["/", (of) => ({ kind: "view", of: "values", dict: of })],
  fromkeys: [
    "/ keys value?",
    (_, keys, value = null) => dict(listOf(keys!).map((key) => [key, value])),
  ],
};

const INT: Readonly<Record<string, Method<bigint>>> = {
  bit_length: ["/", (n) => n === 0n ? 0n : BigInt((n < 0n ? -n : n).toString(2).length)],
  conjugate: ["/", (n) => n],
};
const FLOAT: Readonly<Record<string, Method<number>>> = {
  is_integer: ["/", (x) => Number.isInteger(x)],
  conjugate: ["/", (x) => x],
};

/** What would change a value: there, and out of reach. */
const UNSAFE: Readonly<Record<string, readonly string[]>> = {
  list: ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
  dict: ["clear", "pop", "popitem", "setdefault", "update"],
};
/** What Python has besides, which is refused by name. */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  str: ["encode", "maketrans", "translate"],
  int: ["as_integer_ratio", "bit_count", "from_bytes", "to_bytes", "is_integer"],
  float: ["as_integer_ratio", "fromhex", "hex"],
  dict_keys: ["isdisjoint", "mapping"],
  dict_values: ["mapping"],
  dict_items: ["isdisjoint", "mapping"],
  range: ["count", "index", "start", "stop", "step"],
  generator: ["close", "send", "throw"],
};

function method<T>(
  table: Readonly<Record<string, Method<T>>>,
  self: T,
  name: string,
): Value | undefined {
  if (!Object.hasOwn(table, name)) return undefined;
  const [parameters, run] = table[name]!;
  return thing(
    "builtin_function_or_method",
    (args, named) => run(self, ...bind(`${name}()`, parameters, args, named)),
  );
}

/** An attribute of a value in Python's sense; undefined where it has none of that name. */
function ownAttribute(of: Value, name: string): Value | undefined {
  if (typeof of === "string") {
    if (name === "format" || name === "format_map") {
      return thing("format", (args, named) => {
        if (name === "format") return formatted(of, args, named, attribute);
        const mapping = args.length === 1 ? kinded(args[0]!, "dict") : undefined;
        if (!mapping || named.size > 0) throw new TypeError("format_map() takes one mapping");
        const entries = [...mapping.entries.values()]
          .filter((entry): entry is [string, Value] => typeof entry[0] === "string");
        return formatted(of, [], new Map(entries), attribute);
      });
    }
    return method(TEXT, of, name);
  }
  if (isList(of)) {
    return name === "copy" ? method({ copy: ["/", () => of] }, of, name) : method(ITEMS, of, name);
  }
  const number = typeof of === "boolean" ? (of ? 1n : 0n) : of;
  if (typeof number === "bigint" || typeof number === "number") {
    if (name === "real" || (name === "numerator" && typeof number === "bigint")) return number;
    if (name === "imag") return typeof number === "bigint" ? 0n : 0;
    if (name === "denominator" && typeof number === "bigint") return 1n;
    return typeof number === "bigint" ? method(INT, number, name) : method(FLOAT, number, name);
  }
  const entries = kinded(of, "dict");
  if (entries) return method(DICT, entries, name);
  const items = itemsOf(of);
  if (items) {
    const at = kinded(of, "tuple")?.names?.indexOf(name) ?? -1;
    return at >= 0 ? items[at] : method(ITEMS, items, name);
  }
  return kinded(of, "thing")?.get?.(name);
}

function reach(of: Value, name: string): Value | undefined {
  defined(of);
  const type = typeof of === "boolean" ? "int" : typeName(of);
  if (name.startsWith("__") || (UNSAFE[type]?.includes(name) ?? false)) {
    return undefinedValue(`the attribute '${name}' of a ${type} is unsafe to use`);
  }
  if (kinded(of, "markup")) throw unsupported(`the attribute '${name}'`, of);
  if (MISSING[type]?.includes(name)) {
    throw new TypeError(`the attribute '${name}' of a ${type} is not supported`);
  }
  return ownAttribute(of, name);
}

/** `of.name`: an attribute, else what `of[name]` is. */
export function attribute(of: Value, name: string): Value {
  const own = name.startsWith("__") && kinded(of, "dict")
    ? lookUp(kinded(of, "dict")!, name)
    : undefined;
  const reached = own === undefined ? reach(of, name) : own;
  return present(reached === undefined ? subscriptText(of, name) : reached, missing(of, name));
}

/** A value that may be absent, where null is a value. */
const present = (value: Value | undefined, absent: Value): Value =>
  value === undefined ? absent : value;
const missing = (of: Value, name: string) =>
  undefinedValue(`'${typeName(of)} object' has no attribute '${name}'`);

/** Only a dict has items by text. */
function subscriptText(of: Value, name: string): Value | undefined {
  const entries = kinded(of, "dict");
  return entries && lookUp(entries, name);
}

/** The attribute alone, as the filter `attr` takes it. */
export function onlyAttribute(of: Value, name: string): Value {
  return present(reach(of, name), missing(of, name));
}

/** `of[key]`, else the attribute of that name. */
export function item(
  of: Value,
  key: Value,
  subscript: (of: Value, key: Value) => Value | undefined,
): Value {
  const found = subscript(of, key);
  if (found !== undefined) return found;
  if (typeof key === "string") return onlyAttribute(of, key);
  return undefinedValue(`'${typeName(of)} object' has no such element`);
}
