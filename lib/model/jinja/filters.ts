/** Filters and tests. @module */

import { format, percent } from "./format.ts";
import {
  ANY,
  any,
  ENTRIES,
  type Function,
  INT,
  NUMBER,
  oneOf,
  orNone,
  type Parameter,
  takes,
  takesNamed,
  TEXT,
} from "./functions.ts";
import { getter, ITEM_FILTERS, lazily } from "./items.ts";
import { checkSize, joined, paid, spend } from "./limits.ts";
import {
  capitalize,
  center,
  isLower,
  isUpper,
  onlyAttribute,
  replace,
  splitLines,
  strip,
} from "./methods.ts";
import { floatText, integerText, parseFloat, parseInteger, round, truncated } from "./numbers.ts";
import { binary, COMPARISONS, equal, sorted } from "./operators.ts";
import * as py from "./values.ts";
import type { Entry, Named, Value } from "./values.ts";

/** A text, or what is printed as one. */
const PRINTED: Parameter<string> = { read: py.soft };

/** A text, or blanks of that number. */
const MARGIN: Parameter<string> = {
  absent: " ".repeat(4),
  read: (value, what) =>
    typeof value === "string" ? value : " ".repeat(Math.max(0, checkSize(py.integer(value, what)))),
};

/** Python's `float`; undefined where it raises. */
function toFloat(value: Value): number | undefined {
  const number = py.numberOf(py.defined(value)), written = py.textOf(value);
  if (number !== undefined) return Number(number);
  return written === undefined ? undefined : parseFloat(strip(written));
}

function toInteger(value: Value, absent: Value, base: bigint): Value {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && !Number.isNaN(value)) return truncated(value);
  const found = typeof value === "string" ? parseInteger(strip(value), base) : undefined;
  if (found !== undefined) return found;
  const float = toFloat(value);
  return float !== undefined && Number.isFinite(float) ? truncated(float) : absent;
}

function rounded(number: bigint | number, precision: bigint, method: "common" | "ceil" | "floor") {
  if (method === "common") return round(number, precision);
  const unit = 10 ** Number(precision);
  return (Math[method](Number(number) * unit) + 0) / unit; // no -0
}

function fileSize(value: Value, binary: boolean): string {
  const bytes = toFloat(value), base = binary ? 1024 : 1000;
  if (bytes === undefined) throw py.unsupported("filesizeformat", value);
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${truncated(bytes)} Bytes`;
  const letters = binary ? "KMGTPEZY" : "kMGTPEZY";
  let i = 0;
  while (i < letters.length - 1 && bytes >= base ** (i + 2)) i++;
  return `${format(base * bytes / base ** (i + 2), ".1f")} ${letters[i]}${binary ? "iB" : "B"}`;
}

const WORDS = new RegExp(`([-${py.BLANKS}({\\[<]+)`);
const titled = (value: string) =>
  value.split(WORDS).map(([first = "", ...rest]) =>
    first.toUpperCase() + rest.join("").toLowerCase()
  ).join("");

function urlQuote(value: Value, isQuery: boolean): string {
  const quoted = encodeURIComponent(py.str(value).toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return isQuery ? quoted.replaceAll("%20", "+") : quoted.replaceAll("%2F", "/");
}

/** Without the parts between two marks. */
function without(value: string, open: string, close: string): string {
  let rest = value, out = "";
  for (let at; (at = rest.indexOf(open)) >= 0;) {
    const end = rest.indexOf(close, at);
    if (end < 0) break;
    out += rest.slice(0, at);
    rest = rest.slice(end + close.length);
  }
  return out + rest;
}

function stripTags(value: Value): string {
  const plain = without(without(py.str(value), "<!--", "-->"), "<", ">");
  const shown = plain.split(new RegExp(`[${py.BLANKS}]+`)).filter((word) => word !== "").join(" ");
  if (!/&(?:#|[a-zA-Z])/.test(shown)) return shown;
  throw new TypeError("striptags does not decode character references here");
}

function length(value: Value): bigint {
  const size = py.lengthOf(value);
  if (size === undefined) {
    throw new TypeError(`object of type '${py.typeName(value)}' has no len()`);
  }
  return BigInt(size);
}

function indent(value: string, margin: string, isFirst: boolean, isBlank: boolean): string {
  const lines = splitLines(`${value}\n`);
  const isIndented = (line: string, i: number) => i === 0 ? isFirst : isBlank || line !== "";
  return joined(lines.map((line, i) => isIndented(line, i) ? margin + line : line), "\n");
}

function truncate(
  value: Value,
  length: bigint,
  killsWords: boolean,
  end: string,
  leeway: bigint | null,
): Value {
  const size = checkSize(length), slack = checkSize(leeway ?? 5n), tail = py.textLength(end);
  if (size < tail) throw new RangeError(`expected length >= ${tail}, got ${size}`);
  if (slack < 0) throw new RangeError(`expected leeway >= 0, got ${slack}`);
  if ((py.lengthOf(value) ?? Infinity) <= size + slack) return value;
  const kept = py.characters(py.text(value, "truncate")).slice(0, size - tail).join("");
  const at = killsWords ? -1 : kept.lastIndexOf(" ");
  return (at < 0 ? kept : kept.slice(0, at)) + end;
}

function urlEncode(value: Value): string {
  const isOne = py.textOf(value) !== undefined || value === null ||
    py.numberOf(value) !== undefined;
  if (isOne) return urlQuote(value, false);
  const encoded = (pair: Entry) => pair.map((part) => urlQuote(part, true)).join("=");
  return py.pairsOf(value).map(encoded).join("&");
}

function xmlAttributes(entries: readonly Entry[], withSpace: boolean): string {
  const parts = entries.filter(([, one]) => one !== null && !py.isUndefined(one));
  const written = parts.map(([key, one]) => {
    const name = py.text(key, "xmlattr");
    if (!/[ \t\n\r\f\v/>=]/.test(name)) return `${py.escaped(name)}="${py.escaped(one)}"`;
    throw new TypeError(`'${name}' is no name of an attribute`);
  });
  return (withSpace && written.length > 0 ? " " : "") + joined(written, " ");
}

const DEFAULT = takesNamed(
  "default_value boolean",
  [ANY, any(""), false],
  (value, absent, isTruth) => {
    return py.isUndefined(value) || (isTruth && !py.truth(value)) ? absent : value;
  },
);
const escape = takes([ANY], (value) => py.markup(py.escaped(value)));
const count = takes([ANY], length);

/** Selects what a test, of the value or of its attribute, holds for. */
const select = (isWanted: boolean, byAttribute: boolean): Function => (_, value, args, named) => {
  if (!py.truth(value)) return py.iter([].values());
  if (byAttribute && args.length === 0) throw new TypeError("Missing parameter for attribute name");
  const get = getter(byAttribute ? args[0]! : null);
  const [name, ...rest] = args.slice(byAttribute ? 1 : 0);
  const test = name === undefined ? undefined : py.text(name, "a test's name");
  const holds = (one: Value) =>
    test === undefined ? py.truth(one) : applyTest(test, one, rest, named);
  return lazily(() => py.iterate(value).filter((one) => holds(get(one)) === isWanted));
};

/** What a filter or an attribute makes of each item. */
const map: Function = (what, value, args, named) => {
  if (!py.truth(value)) return py.iter([].values());
  const [name, ...rest] = args;
  if (name !== undefined) {
    const filter = py.text(name, "a filter's name");
    return lazily(() => py.iterate(value).map((one) => applyFilter(filter, one, rest, named)));
  }
  if (!named.has("attribute")) throw new TypeError("map requires a filter argument");
  return byAttribute(what, value, args, named);
};
const byAttribute = takesNamed("attribute default", [ANY, ANY, null], (value: Value, ...path) => {
  return lazily(() => py.iterate(value).map(getter(...path)));
});

/** `%`, as a filter. */
const formats: Function = (_, value, args, named) => {
  if (args.length > 0 && named.size > 0) {
    throw new TypeError("format takes arguments by position or by name, not both");
  }
  return percent(py.soft(value), named.size > 0 ? py.dict(named) : py.tuple(...args));
};

const JSON_ARGUMENTS = [ANY, false, orNone(MARGIN), null, false] as const;

const FILTERS: Readonly<Record<string, Function>> = {
  ...ITEM_FILTERS,
  abs: takes([NUMBER], (n) => typeof n === "number" ? Math.abs(n) : n < 0n ? -n : n),
  attr: takesNamed("name", [ANY, TEXT], onlyAttribute),
  capitalize: takes([PRINTED], capitalize),
  center: takesNamed("width", [PRINTED, 80n], (s, width) => center(s, width)),
  ...{ length: count, count, default: DEFAULT, d: DEFAULT, escape, e: escape, format: formats },
  filesizeformat: takesNamed("binary", [ANY, false], fileSize),
  float: takesNamed("default", [ANY, any(0)], (value, absent) => toFloat(value) ?? absent),
  forceescape: takes([ANY], (value) => py.markup(py.escaped(py.str(value)))),
  indent: takesNamed("width first blank", [TEXT, MARGIN, false, false], indent),
  int: takesNamed("default base", [ANY, any(0n), 10n], toInteger),
  lower: takes([PRINTED], (s) => s.toLowerCase()),
  map,
  reject: select(false, false),
  rejectattr: select(false, true),
  replace: takesNamed("old new count", [PRINTED, PRINTED, PRINTED, orNone(INT)], replace),
  round: takesNamed("precision method", [NUMBER, 0n, oneOf("common", "ceil", "floor")], rounded),
  safe: takes([ANY], (value) => py.markup(py.str(value))),
  select: select(true, false),
  selectattr: select(true, true),
  string: takes([ANY], (value) => py.kinded(value, "markup") ?? py.str(value)),
  striptags: takes([ANY], stripTags),
  title: takes([PRINTED], titled),
  tojson: takesNamed("ensure_ascii indent separators sort_keys", JSON_ARGUMENTS, json),
  trim: takesNamed("chars", [PRINTED, orNone(TEXT)], (s, chars) => strip(s, chars)),
  truncate: takesNamed(
    "length killwords end leeway",
    [ANY, 255n, false, "...", orNone(INT)],
    truncate,
  ),
  upper: takes([PRINTED], (s) => s.toUpperCase()),
  urlencode: takes([ANY], urlEncode),
  wordcount: takes([PRINTED], (s) => BigInt(s.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  xmlattr: takesNamed("autospace", [ENTRIES, true], xmlAttributes),
};

/** Filters of jinja2 that are refused, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  pprint: "its layout is not made here",
  random: "one seed must give one prompt",
  urlize: "its markup is not made here",
  wordwrap: "its lines are not made here",
};

/** Whether a value is a name, of those of a table. */
function isNamed(value: Value, ...tables: readonly Readonly<Record<string, unknown>>[]): boolean {
  py.keyOf(value); // throws for what cannot be a key
  return typeof value === "string" && tables.some((table) => Object.hasOwn(table, value));
}

type Test = Function<boolean>;

const is = (holds: (value: Value) => boolean): Test => takesNamed("", [ANY], holds);
const compares = (operator: string): Test =>
  takesNamed("other", [ANY, ANY], COMPARISONS[operator]!);
const leaves = (value: Value, by: Value, rest: Value) => equal(binary("%", value, by), rest);

function isIterable(value: Value): boolean {
  try {
    return py.kinded(value, "markup") !== undefined || py.iterate(value) !== undefined;
  } catch {
    return false;
  }
}

/** Python's `is`, where it can be told: which numbers are one object cannot. */
function same(a: Value, b: Value): boolean {
  const isShared = typeof a === "bigint" && a >= -5n && a <= 256n;
  if ((typeof a === "number" || typeof a === "bigint") && !isShared) {
    if (typeof a === typeof b && equal(a, b)) throw py.unsupported("sameas", a, b);
  }
  return a === b;
}

const TESTS: Readonly<Record<string, Test>> = {
  odd: is((value) => leaves(value, 2n, 1n)),
  even: is((value) => leaves(value, 2n, 0n)),
  divisibleby: takesNamed("num", [ANY, ANY], (value, by) => leaves(value, by, 0n)),
  defined: is((value) => !py.isUndefined(value)),
  undefined: is(py.isUndefined),
  none: is((value) => value === null),
  boolean: is((value) => typeof value === "boolean"),
  false: is((value) => value === false),
  true: is((value) => value === true),
  integer: is((value) => typeof value === "bigint"),
  float: is((value) => typeof value === "number"),
  lower: is((value) => isLower(py.str(value))),
  upper: is((value) => isUpper(py.str(value))),
  string: is((value) => py.textOf(value) !== undefined),
  mapping: is((value) => py.kinded(value, "dict") !== undefined),
  number: is((value) => py.numberOf(value) !== undefined),
  sequence: is((value) =>
    py.lengthOf(value) !== undefined && !py.kinded(value, "view") && !py.kinded(value, "thing")
  ),
  iterable: is(isIterable),
  callable: is((value) => py.isUndefined(value) || py.kinded(value, "thing")?.call !== undefined),
  sameas: takesNamed("other", [ANY, ANY], same),
  escaped: is((value) => py.kinded(value, "markup") !== undefined),
  in: takesNamed("seq", [ANY, ANY], COMPARISONS.in!),
  ...{ "==": compares("=="), eq: compares("=="), equalto: compares("==") },
  ...{ "!=": compares("!="), ne: compares("!=") },
  ...{ ">": compares(">"), gt: compares(">"), greaterthan: compares(">") },
  ...{ ">=": compares(">="), ge: compares(">=") },
  ...{ "<": compares("<"), lt: compares("<"), lessthan: compares("<") },
  ...{ "<=": compares("<="), le: compares("<=") },
  filter: is((value) => isNamed(value, FILTERS, REFUSED)),
  test: is((value) => isNamed(value, TESTS)),
};

/** Why a filter or test cannot be used; undefined where it can. */
export function refusal(kind: "filter" | "test", name: string): string | undefined {
  if (Object.hasOwn(kind === "filter" ? FILTERS : TESTS, name)) return undefined;
  return kind === "filter" && Object.hasOwn(REFUSED, name)
    ? `the filter '${name}' cannot be used: ${REFUSED[name]}`
    : `no ${kind} named '${name}'`;
}

function apply<Result>(kind: "filter" | "test", table: Readonly<Record<string, Function<Result>>>) {
  return (name: string, value: Value, args: readonly Value[], named: Named): Result => {
    spend();
    const why = refusal(kind, name);
    if (why !== undefined) throw new TypeError(why);
    return paid(table[name]!(`the ${kind} '${name}'`, value, args, named));
  };
}

export const applyFilter = apply("filter", FILTERS);
export const applyTest = apply("test", TESTS);

/** Python's `json.dumps`. */
function json(
  value: Value,
  isAscii: boolean,
  step: string | null,
  separators: Value,
  isSorted: boolean,
): string {
  const pair = separators === null ? [step === null ? ", " : ",", ": "] : py.listOf(separators);
  if (pair.length !== 2) throw new TypeError("tojson's separators must be two texts");
  const [comma, colon] = pair.map((one) => py.text(one, "tojson")) as [string, string];
  const quoted = (content: string) => {
    const code = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
    const written = JSON.stringify(content);
    return isAscii ? written.replace(/[^\x20-\x7e]/g, code) : written;
  };
  const wrap = (open: string, parts: readonly string[], close: string, margin: string) => {
    if (parts.length === 0 || step === null) return open + joined(parts, comma) + close;
    const line = `\n${margin}${step}`;
    return `${open}${line}${joined(parts, comma + line)}\n${margin}${close}`;
  };
  const scalar = (item: Value): string | undefined => {
    if (item === null || typeof item === "boolean") return String(item);
    if (typeof item === "bigint") return integerText(item);
    if (typeof item !== "number") return undefined;
    return floatText(item).replace("nan", "NaN").replace("inf", "Infinity");
  };
  const write = (item: Value, margin: string): string => {
    spend();
    const content = py.textOf(item),
      simple = content === undefined ? scalar(item) : quoted(content);
    if (simple !== undefined) return simple;
    const within = margin + (step ?? ""), items = py.itemsOf(item), pairs = py.entriesOf(item);
    if (items) return wrap("[", items.map((part) => write(part, within)), "]", margin);
    if (!pairs) throw new TypeError(`a ${py.typeName(item)} cannot be written as JSON`);
    const ordered = isSorted ? sorted(pairs, ([name]) => name) : pairs;
    const members = ordered.map(([name, part]) => {
      const key = typeof name === "string" ? name : scalar(name);
      if (key === undefined) throw new TypeError(`a ${py.typeName(name)} is no key of JSON`);
      return quoted(key) + colon + write(part, within);
    });
    return wrap("{", members, "}", margin);
  };
  return write(value, "");
}
