/**
 * Methods, attributes and items of Python's values, as far as jinja2's immutable sandbox lets templates
 * reach them. What Python has and this has not is refused by name.
 *
 * @module
 */

import { formatted } from "./format.ts";
import {
  ANY,
  CHARACTER,
  DICT,
  ENTRIES,
  fromKeys,
  type Function,
  INT,
  ITEMS,
  optional,
  orNone,
  takes,
  takesNamed,
  TEXT,
} from "./functions.ts";
import { checkSize, joined } from "./limits.ts";
import { equal } from "./operators.ts";
import * as py from "./values.ts";
import type { Kind, Named, Value } from "./values.ts";

const BLANK = new RegExp(`^[${py.BLANKS}]$`);
const isBlank = (c: string) => BLANK.test(c);
const reversed = (value: string) => py.characters(value).toReversed().join("");

type Ends = "both" | "left" | "right";

/** Without the characters of a set, or white space, at the ends that are named. */
export function strip(value: string, chars: string | null = null, ends: Ends = "both"): string {
  const set = chars === null ? undefined : new Set(chars), all = py.characters(value);
  const drop = set ? (c: string) => set.has(c) : isBlank;
  let from = 0, to = all.length;
  while (ends !== "right" && from < to && drop(all[from]!)) from++;
  while (ends !== "left" && to > from && drop(all[to - 1]!)) to--;
  return all.slice(from, to).join("");
}

export function splitLines(value: string, keep = false): string[] {
  // deno-lint-ignore no-control-regex
  const lines = value.matchAll(/(?!$)([^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*)(?:\r\n|[^]|$)/g);
  return Array.from(lines, ([whole, text]) => keep ? whole : text!);
}

/** The parts between separators, of which so many count; "" stands before, between and after all. */
function parts(value: string, separator: string, count: bigint): readonly string[] {
  const all = separator === "" ? ["", ...py.characters(value), ""] : value.split(separator);
  const most = count < 0n ? all.length : Number(count);
  return most >= all.length ? all : [...all.slice(0, most), all.slice(most).join(separator)];
}

export const replace = (value: string, old: string, by: string, count: bigint | null) =>
  joined(parts(value, old, count ?? -1n), by);

const WORD = new RegExp(`[^${py.BLANKS}]+`, "g");

function split(value: string, separator: string | null, count: bigint): readonly string[] {
  if (separator === "") throw new RangeError("empty separator");
  if (separator !== null) return parts(value, separator, count);
  const words = [...value.matchAll(WORD)], most = count < 0n ? words.length : Number(count);
  const rest = words[most], whole = words.slice(0, most).map(([word]) => word);
  return rest ? [...whole, value.slice(rest.index)] : whole;
}

/** Letters that are two in one, whose first part alone is a capital in titles. */
const TITLES = ["Ǆǅǆ", "Ǉǈǉ", "Ǌǋǌ", "Ǳǲǳ"];
function titleCase(c: string): string {
  const pair = TITLES.find((letters) => c !== "" && letters.includes(c));
  if (pair) return pair[1]!;
  if (c >= "\u10d0" && c <= "\u10ff") return c; // Georgian has no capitals in titles
  const [first = "", ...rest] = c.toUpperCase();
  return first + rest.join("").toLowerCase();
}

export function capitalize(value: string): string {
  const [first = ""] = value;
  return titleCase(first) + value.toLowerCase().slice(first.toLowerCase().length);
}

function title(value: string): string {
  let isWithin = false;
  const all = py.characters(value);
  /** A sigma that no letter follows is written ς. */
  const lower = (c: string, i: number) =>
    c === "Σ" ? `a${all.slice(i).join("")}`.toLowerCase()[1]! : c.toLowerCase();
  return all.map((c, i) => {
    const made = isWithin ? lower(c, i) : titleCase(c);
    isWithin = /\p{Cased}/u.test(c);
    return made;
  }).join("");
}

const swapCase = (value: string) =>
  value.replace(/\p{Lu}|(\p{Ll})/gu, (c, small) => small ? c.toUpperCase() : c.toLowerCase());

/** Whether there is a cased character and none of the other case. */
export const isLower = (value: string) =>
  /\p{Lowercase}/u.test(value) && !/[\p{Lu}\p{Lt}\p{Uppercase}]/u.test(value);
export const isUpper = (value: string) =>
  /\p{Uppercase}/u.test(value) && !/[\p{Ll}\p{Lt}\p{Lowercase}]/u.test(value);

/** What fills a text up to a width, in characters. */
function filling(value: string, width: bigint, fill: string): string {
  return fill.repeat(Math.max(0, checkSize(width) - py.textLength(value)));
}

export function center(value: string, width: bigint, fill = " "): string {
  const all = filling(value, width, fill), room = py.textLength(all);
  const left = Math.floor(room / 2) + (room & Number(width) & 1);
  return fill.repeat(left) + value + fill.repeat(room - left);
}

const BOUND = orNone(INT);
type Bound = bigint | null;

/** Where `[start:end]` of so many items begins and ends, by the rule of Python's searches. */
function bounds(length: number, start: Bound, end: Bound): readonly [number, number] {
  const bound = (given: bigint) => Math.max(0, Number(given < 0n ? given + BigInt(length) : given));
  return [bound(start ?? 0n), Math.min(length, end === null ? length : bound(end))];
}

/** What a search finds in the text between bounds; `absent` where there is none, not even "". */
function within<T>(
  value: string,
  [start, end]: readonly [Bound, Bound],
  absent: T,
  find: (part: string, from: number) => T,
): T {
  const all = py.characters(value), [from, to] = bounds(all.length, start, end);
  return from > to ? absent : find(all.slice(from, to).join(""), from);
}

/** Position in characters; −1 where the text is not there, an error where it must be. */
const search = (how: "indexOf" | "lastIndexOf", isNeeded: boolean) =>
  takes([TEXT, TEXT, BOUND, BOUND], (value: string, sub, ...limits) => {
    const found = within(value, limits, -1, (part, from) => {
      const at = part[how](sub);
      return at < 0 ? at : from + py.textLength(part.slice(0, at));
    });
    if (isNeeded && found < 0) throw new RangeError("substring not found");
    return BigInt(found);
  });

/** Whether one of some texts begins or ends the text between bounds. */
const hasAffix = (how: "startsWith" | "endsWith") =>
  takes([TEXT, ANY, BOUND, BOUND], (value: string, affix, ...limits) => {
    const any = py.kinded(affix, "tuple")?.items ?? [affix];
    const holds = (part: string) => any.some((one) => part[how](py.text(one, "an affix")));
    return within(value, limits, false, holds);
  });

const partition = (how: "indexOf" | "lastIndexOf") =>
  takes([TEXT, TEXT], (value: string, by) => {
    if (by === "") throw new RangeError("empty separator");
    const at = value[how](by);
    if (at < 0) return how === "indexOf" ? py.tuple(value, "", "") : py.tuple("", "", value);
    return py.tuple(value.slice(0, at), by, value.slice(at + by.length));
  });

function expandTabs(value: string, size: bigint): string {
  const width = Math.max(0, checkSize(size));
  let column = 0, out = "";
  for (const c of value) {
    const part = c === "\t" ? " ".repeat(width === 0 ? 0 : width - column % width) : c;
    checkSize(out.length + part.length);
    out += part;
    column = c === "\n" || c === "\r" ? 0 : column + part.length;
  }
  return out;
}

const alone = (run: (self: string) => Value): Function => takes([TEXT], run);
const every = (pattern: RegExp) =>
  alone((s) => s !== "" && py.characters(s).every((c) => pattern.test(c)));
const stripped = (ends: Ends) =>
  takes([TEXT, orNone(TEXT)], (s: string, chars) => strip(s, chars, ends));

type Methods = Readonly<Record<string, Function>>;

const TEXT_METHODS: Methods = {
  capitalize: alone(capitalize),
  casefold: alone((s) => s.toUpperCase().toLowerCase().replaceAll("ς", "σ")),
  center: takes([TEXT, INT, CHARACTER], center),
  count: takes([TEXT, TEXT, BOUND, BOUND], (s, sub, ...limits) => {
    const count = (part: string) =>
      sub === "" ? py.textLength(part) + 1 : part.split(sub).length - 1;
    return BigInt(within(s, limits, 0, count));
  }),
  endswith: hasAffix("endsWith"),
  expandtabs: takesNamed("tabsize", [TEXT, 8n], expandTabs),
  find: search("indexOf", false),
  format: (_, self, args, named) => formatted(self as string, args, named, reached),
  format_map: takes([TEXT, ENTRIES], (self, entries) => {
    const named = entries.filter(([key]) => typeof key === "string") as [string, Value][];
    return formatted(self, [], new Map(named), reached);
  }),
  index: search("indexOf", true),
  isalnum: every(/[\p{L}\p{N}]/u),
  isalpha: every(/\p{L}/u),
  isascii: alone((s) => /^[\0-\x7f]*$/.test(s)),
  isdecimal: every(/\p{Nd}/u),
  isdigit: every(/[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u),
  isidentifier: alone((s) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(s)),
  islower: alone(isLower),
  isnumeric: every(/\p{N}/u),
  isprintable: alone((s) => py.characters(s).every((c) => c === " " || !/[\p{C}\p{Z}]/u.test(c))),
  isspace: every(BLANK),
  istitle: alone((s) => /\p{Cased}/u.test(s) && title(s) === s),
  isupper: alone(isUpper),
  join: takes([TEXT, ITEMS], (s, items) => joined(items.map((one) => py.text(one, "join()")), s)),
  ljust: takes([TEXT, INT, CHARACTER], (s, width, fill) => s + filling(s, width, fill)),
  lower: alone((s) => s.toLowerCase()),
  lstrip: stripped("left"),
  partition: partition("indexOf"),
  removeprefix: takes([TEXT, TEXT], (s, part) => s.slice(s.startsWith(part) ? part.length : 0)),
  removesuffix: takes([TEXT, TEXT], (s, part) => {
    return s.slice(0, s.length - (s.endsWith(part) ? part.length : 0));
  }),
  replace: takes([TEXT, TEXT, TEXT, -1n], replace),
  rfind: search("lastIndexOf", false),
  rindex: search("lastIndexOf", true),
  rjust: takes([TEXT, INT, CHARACTER], (s, width, fill) => filling(s, width, fill) + s),
  rpartition: partition("lastIndexOf"),
  rsplit: takesNamed("sep maxsplit", [TEXT, orNone(TEXT), -1n], (s, by, most) => {
    return split(reversed(s), by && reversed(by), most).map(reversed).toReversed();
  }),
  rstrip: stripped("right"),
  split: takesNamed("sep maxsplit", [TEXT, orNone(TEXT), -1n], split),
  splitlines: takesNamed("keepends", [TEXT, false], splitLines),
  startswith: hasAffix("startsWith"),
  strip: stripped("both"),
  swapcase: alone(swapCase),
  title: alone(title),
  upper: alone((s) => s.toUpperCase()),
  zfill: takes([TEXT, INT], (s, width) => {
    const [sign] = /^[-+]?/.exec(s)!;
    return sign + filling(s, width, "0") + s.slice(sign.length);
  }),
};

const copy = takes([ANY], (self) => self);
const SEQUENCE: Methods = {
  count: takes([ITEMS, ANY], (all, item) => BigInt(all.filter((one) => equal(one, item)).length)),
  index: takes([ITEMS, ANY, optional(INT), optional(INT)], (all, item, start, end) => {
    const [from, to] = bounds(all.length, start, end);
    const at = all.findIndex((one, i) => i >= from && i < to && equal(one, item));
    if (at < 0) throw new RangeError("the item is not in the list");
    return BigInt(at);
  }),
};
const view = (of: Kind<"view">["of"]) => takes([DICT], (dict) => ({ kind: "view", of, dict }));
const METHODS: Readonly<Record<string, Methods>> = {
  str: TEXT_METHODS,
  list: { ...SEQUENCE, copy },
  tuple: SEQUENCE,
  dict: {
    copy,
    get: takes([DICT, ANY, null], (self, key, absent) => {
      const found = py.lookUp(self, key);
      return found === undefined ? absent : found;
    }),
    items: view("items"),
    keys: view("keys"),
    values: view("values"),
    fromkeys: fromKeys,
  },
  int: {
    bit_length: takes([INT], (n) => n === 0n ? 0n : BigInt((n < 0n ? -n : n).toString(2).length)),
    conjugate: copy,
  },
  float: { is_integer: takes([ANY], (x) => Number.isInteger(x)), conjugate: copy },
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

/** An attribute of a value in Python's sense; undefined where it has none of that name. */
function ownAttribute(of: Value, type: string, name: string): Value | undefined {
  const methods = METHODS[type] ?? {}, named = py.kinded(of, "tuple")?.names;
  if (named?.includes(name)) return py.itemsOf(of)![named.indexOf(name)];
  if (typeof of === "bigint" || typeof of === "number") {
    if (name === "real" || (name === "numerator" && type === "int")) return of;
    if (name === "imag") return type === "int" ? 0n : 0;
    if (name === "denominator" && type === "int") return 1n;
  }
  if (!Object.hasOwn(methods, name)) return py.kinded(of, "thing")?.get?.(name);
  const run = (args: readonly Value[], given: Named) =>
    methods[name]!(`${name}()`, of, args, given);
  return py.thing("builtin_function_or_method", run);
}

function reach(given: Value, name: string): Value | undefined {
  const of = typeof given === "boolean" ? BigInt(given) : py.defined(given), type = py.typeName(of);
  if (name.startsWith("__") || (UNSAFE[type]?.includes(name) ?? false)) {
    return py.undefinedValue(`the attribute '${name}' of a ${type} is unsafe to use`);
  }
  if (py.kinded(of, "markup")) throw py.unsupported(`the attribute '${name}'`, of);
  if (MISSING[type]?.includes(name)) {
    throw new TypeError(`the attribute '${name}' of a ${type} is not supported`);
  }
  return ownAttribute(of, type, name);
}

/** The attribute alone, as the filter `attr` takes it. */
export function onlyAttribute(of: Value, name: string): Value {
  return py.orUndefined(reach(of, name), `'${py.typeName(of)} object' has no attribute '${name}'`);
}

/** `of.name`: an attribute, else what `of[name]` is, which only a dict has. */
export function attribute(of: Value, name: string): Value {
  const entries = py.kinded(of, "dict"), held = entries && py.lookUp(entries, name);
  if (held === undefined) return onlyAttribute(of, name);
  const own = name.startsWith("__") ? held : reach(of, name);
  return own === undefined ? held : own;
}

/** `of[key]`, else the attribute of that name. */
export function item(of: Value, key: Value): Value {
  const found = subscript(of, key);
  if (found !== undefined) return found;
  return typeof key === "string"
    ? onlyAttribute(of, key)
    : py.undefinedValue(`'${py.typeName(of)} object' has no such element`);
}

/** `of[key]`; undefined where Python raises a TypeError or LookupError. */
function subscript(of: Value, key: Value): Value | undefined {
  py.defined(of);
  const entries = py.kinded(of, "dict");
  if (entries) {
    return py.isList(key) || py.kinded(key, "dict") ? undefined : py.lookUp(entries, key);
  }
  const index = py.numberOf(key), steps = py.kinded(of, "range");
  if (typeof index !== "bigint") return undefined;
  if (py.kinded(of, "markup")) throw py.unsupported("an index", of);
  const all = typeof of === "string"
    ? (py.isPlain(of) ? of : py.characters(of))
    : py.itemsOf(of) ?? [];
  const length = steps?.length ?? all.length;
  const at = Number(index < 0n ? index + BigInt(length) : index);
  if (at < 0 || at >= length) return undefined;
  return steps ? steps.start + steps.step * BigInt(at) : all[at];
}

/** `of[start:stop:step]`; null is a bound that is left out. */
export function slice(of: Value, start: Value, stop: Value, step: Value): Value {
  const stride = step === null ? 1n : py.integer(step, "a slice");
  if (stride === 0n) throw new RangeError("slice step cannot be zero");
  const items = typeof of === "string" ? py.characters(of) : py.itemsOf(of);
  if (!items) throw py.unsupported("a slice", of);
  const length = BigInt(items.length), back = stride < 0n, low = back ? -1n : 0n;
  const high = low + length;
  const bound = (value: Value, absent: bigint) => {
    const given = value === null ? absent : py.integer(value, "a slice");
    const at = value === null || given >= 0n ? given : given + length;
    return at < low ? low : at > high ? high : at;
  };
  const from = bound(start, back ? high : low), to = bound(stop, back ? low : high);
  const found: Value[] = [];
  for (let at = from; back ? at > to : at < to; at += stride) found.push(items[Number(at)]!);
  if (typeof of === "string") return found.join("");
  return py.isList(of) ? found : py.tuple(...found);
}

/** What a field of a format names within a value: an attribute, or an item. */
function reached(of: Value, name: string, isItem: boolean): Value | undefined {
  return isItem ? subscript(of, /^\d+$/.test(name) ? BigInt(name) : name) : attribute(of, name);
}
