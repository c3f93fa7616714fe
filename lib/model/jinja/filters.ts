/** Filters, and what filters and tests there are. @module */

import { onlyAttribute } from "./attributes.ts";
import { format, percent } from "./format.ts";
import { getter, ITEM_FILTERS, lazily } from "./items.ts";
import { checkSize, joined, spend } from "./limits.ts";
import { parseFloat, parseInteger, round, truncated } from "./numbers.ts";
import { escaped, json, soft, str } from "./print.ts";
import { iterate, lengthOf, pairsOf, truth } from "./python.ts";
import {
  ANY,
  any,
  type Function,
  type Given,
  INT,
  oneOf,
  orNone,
  type Parameters,
  takes,
  TEXT,
} from "./signature.ts";
import { TESTS } from "./tests.ts";
import { capitalize, center, replace, splitLines, strip } from "./texts.ts";
import {
  BLANKS,
  characters,
  defined,
  dict,
  entriesOf,
  integer,
  isList,
  isUndefined,
  iter,
  keyOf,
  kinded,
  markup,
  type Named,
  numberOf,
  text,
  textLength,
  textOf,
  tuple,
  typeName,
  unsupported,
  type Value,
} from "./values.ts";

type Filter = Function<Value>;

/** A filter of a text, or of what is printed as one. */
const ofText = <P extends Parameters>(
  parameters: P,
  run: (self: string, given: Given<P>) => Value,
): Filter => takes(parameters, (value: Value, given: Given<P>) => run(soft(value), given));

/** Python's `float`; undefined where it raises. */
function toFloat(value: Value): number | undefined {
  const number = numberOf(defined(value)), written = textOf(value);
  return number !== undefined
    ? Number(number)
    : written === undefined
    ? undefined
    : parseFloat(strip(written));
}

function toInteger(value: Value, base: bigint): bigint | undefined {
  const found = typeof value === "string" ? parseInteger(strip(value), base) : undefined;
  if (found !== undefined || typeof value === "bigint") return found ?? value as bigint;
  if (typeof value === "number" && !Number.isNaN(value)) return truncated(value);
  const float = toFloat(value);
  return float !== undefined && Number.isFinite(float) ? truncated(float) : undefined;
}

function numberIn(value: Value, what: string): bigint | number {
  const number = numberOf(defined(value));
  if (number === undefined) throw unsupported(what, value);
  return number;
}

function fileSize(value: Value, binary: boolean): string {
  const bytes = toFloat(value), base = binary ? 1024 : 1000;
  if (bytes === undefined) throw unsupported("filesizeformat", value);
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${truncated(bytes)} Bytes`;
  const letters = binary ? "KMGTPEZY" : "kMGTPEZY";
  let i = 0;
  while (i < letters.length - 1 && bytes >= base ** (i + 2)) i++;
  return `${format(base * bytes / base ** (i + 2), ".1f")} ${letters[i]}${binary ? "iB" : "B"}`;
}

const WORDS = new RegExp(`([-${BLANKS}({\\[<]+)`);
const titled = (value: string) =>
  value.split(WORDS).map(([first = "", ...rest]) =>
    first.toUpperCase() + rest.join("").toLowerCase()
  ).join("");

function urlQuote(value: Value, isQuery: boolean): string {
  const quoted = encodeURIComponent(str(value).toWellFormed())
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
  const plain = without(without(str(value), "<!--", "-->"), "<", ">");
  const shown = plain.split(new RegExp(`[${BLANKS}]+`)).filter((word) => word !== "").join(" ");
  if (!/&(?:#|[a-zA-Z])/.test(shown)) return shown;
  throw new TypeError("striptags does not decode character references here");
}

const length: Filter = takes({}, (value) => {
  const size = lengthOf(value);
  if (size === undefined) throw new TypeError(`object of type '${typeName(value)}' has no len()`);
  return BigInt(size);
});
const usual: Filter = takes(
  { default_value: any(""), boolean: false },
  (value, { default_value, boolean }) =>
    isUndefined(value) || (boolean && !truth(value)) ? default_value : value,
);
const escape: Filter = takes({}, (value) => markup(escaped(value)));

/** Selects what a test, of the value or of its attribute, holds for. */
const select = (isWanted: boolean, byAttribute: boolean): Filter => (_, value, args, named) => {
  if (!truth(value)) return iter([][Symbol.iterator]());
  if (byAttribute && args.length === 0) throw new TypeError("Missing parameter for attribute name");
  const get = getter(byAttribute ? args[0]! : null);
  const [name, ...rest] = args.slice(byAttribute ? 1 : 0);
  const test = name === undefined ? undefined : text(name, "a test's name");
  const holds = (one: Value) => test === undefined ? truth(one) : applyTest(test, one, rest, named);
  return lazily(() => iterate(value).filter((one) => holds(get(one)) === isWanted));
};

const FILTERS: Readonly<Record<string, Filter>> = {
  ...ITEM_FILTERS,
  abs: takes({}, (value) => {
    const number = numberIn(value, "abs");
    return typeof number === "number" ? Math.abs(number) : number < 0n ? -number : number;
  }),
  attr: takes({ name: TEXT }, (value, { name }) => onlyAttribute(value, name)),
  capitalize: ofText({}, capitalize),
  center: ofText({ width: 80n }, (s, { width }) => center(s, width)),
  ...{ length, count: length, default: usual, d: usual, escape, e: escape },
  filesizeformat: takes({ binary: false }, (value, { binary }) => fileSize(value, binary)),
  float: takes({ default: any(0) }, (value, given) => toFloat(value) ?? given.default),
  forceescape: takes({}, (value) => markup(escaped(str(value)))),
  format: (_, value, args, named) => {
    if (args.length > 0 && named.size > 0) {
      throw new TypeError("format takes arguments by position or by name, not both");
    }
    return percent(soft(value), named.size > 0 ? dict(named) : tuple(...args));
  },
  indent: takes(
    { width: any(4n), first: false, blank: false },
    (value, { width, first, blank }) => {
      const margin = typeof width === "string"
        ? width
        : " ".repeat(Math.max(0, checkSize(integer(width, "indent"))));
      const lines = splitLines(`${text(value, "indent")}\n`);
      const indented = lines.map((line, i) =>
        (i === 0 ? first : blank || line !== "") ? margin + line : line
      );
      return joined(indented, "\n");
    },
  ),
  int: takes(
    { default: any(0n), base: 10n },
    (value, given) => toInteger(value, given.base) ?? given.default,
  ),
  lower: ofText({}, (s) => s.toLowerCase()),
  map: (what, value, args, named) => {
    if (!truth(value)) return iter([][Symbol.iterator]());
    const [name, ...rest] = args;
    if (name === undefined && named.has("attribute")) {
      const parameters = { attribute: ANY, default: null };
      const get = takes(parameters, (_: Value, given) => getter(given.attribute, given.default));
      const by = get(what, value, args, named);
      return lazily(() => iterate(value).map(by));
    }
    if (name === undefined) throw new TypeError("map requires a filter argument");
    const filter = text(name, "map");
    return lazily(() => iterate(value).map((one) => applyFilter(filter, one, rest, named)));
  },
  replace: takes(
    { old: ANY, new: ANY, count: orNone(INT) },
    (value, given) => replace(soft(value), soft(given.old), soft(given.new), given.count ?? -1n),
  ),
  round: takes(
    { precision: 0n, method: oneOf("common", "ceil", "floor") },
    (value, { precision, method }) => {
      const number = numberIn(value, "round"), unit = 10 ** Number(precision);
      if (method === "common") return round(number, precision);
      return (Math[method as "ceil" | "floor"](Number(number) * unit) + 0) / unit;
    },
  ),
  safe: takes({}, (value) => markup(str(value))),
  string: takes({}, (value) => kinded(value, "markup") ?? str(value)),
  striptags: takes({}, stripTags),
  title: ofText({}, titled),
  tojson: takes(
    { ensure_ascii: false, indent: null, separators: null, sort_keys: false },
    json,
  ),
  trim: ofText({ chars: orNone(TEXT) }, (s, { chars }) => strip(s, chars)),
  truncate: takes(
    { length: 255n, killwords: false, end: "...", leeway: orNone(INT) },
    (value, { length, killwords, end, leeway }) => {
      const size = checkSize(length), slack = checkSize(leeway ?? 5n), tail = textLength(end);
      if (size < tail) throw new RangeError(`expected length >= ${tail}, got ${size}`);
      if (slack < 0) throw new RangeError(`expected leeway >= 0, got ${slack}`);
      if ((lengthOf(value) ?? Infinity) <= size + slack) return value;
      const kept = characters(text(value, "truncate")).slice(0, size - tail).join("");
      const at = killwords ? -1 : kept.lastIndexOf(" ");
      return (at < 0 ? kept : kept.slice(0, at)) + end;
    },
  ),
  upper: ofText({}, (s) => s.toUpperCase()),
  urlencode: takes({}, (value) => {
    const isOne = textOf(value) !== undefined || value === null || numberOf(value) !== undefined;
    if (isOne) return urlQuote(value, false);
    return pairsOf(value).map((pair) => pair.map((part) => urlQuote(part, true)).join("=")).join(
      "&",
    );
  }),
  wordcount: ofText({}, (s) => BigInt(s.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  xmlattr: takes({ autospace: true }, (value, { autospace }) => {
    const entries = entriesOf(defined(value));
    if (!entries) throw unsupported("xmlattr", value);
    const parts = entries.filter(([, one]) => one !== null && !isUndefined(one));
    const all = joined(
      parts.map(([key, one]) => {
        const name = text(key, "xmlattr");
        if (!/[ \t\n\r\f\v/>=]/.test(name)) return `${escaped(name)}="${escaped(one)}"`;
        throw new TypeError(`'${name}' is no name of an attribute`);
      }),
      " ",
    );
    return all !== "" && autospace ? ` ${all}` : all;
  }),
  select: select(true, false),
  reject: select(false, false),
  selectattr: select(true, true),
  rejectattr: select(false, true),
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
  keyOf(value); // throws for what cannot be a key
  return typeof value === "string" && tables.some((table) => Object.hasOwn(table, value));
}

const ALL_TESTS: typeof TESTS = {
  ...TESTS,
  filter: takes({}, (value) => isNamed(value, FILTERS, REFUSED)),
  test: takes({}, (value) => isNamed(value, ALL_TESTS)),
};

/** Why a filter or test cannot be used; undefined where it can. */
export function refusal(kind: "filter" | "test", name: string): string | undefined {
  if (Object.hasOwn(kind === "filter" ? FILTERS : ALL_TESTS, name)) return undefined;
  return kind === "filter" && Object.hasOwn(REFUSED, name)
    ? `the filter '${name}' cannot be used: ${REFUSED[name]}`
    : `no ${kind} named '${name}'`;
}

/** A value, its size charged. */
export function paid(value: Value): Value {
  if (typeof value === "string") spend(value.length >> 6);
  else if (isList(value)) spend(value.length >> 4);
  return value;
}

function apply<Result>(
  kind: "filter" | "test",
  table: Readonly<Record<string, Function<Value, Result>>>,
) {
  return (name: string, value: Value, args: readonly Value[], named: Named): Result => {
    spend();
    const why = refusal(kind, name);
    if (why !== undefined) throw new TypeError(why);
    return table[name]!(`the ${kind} '${name}'`, value, args, named);
  };
}

const filtered = apply("filter", FILTERS);
/** Applies a filter by its name. */
export const applyFilter = (name: string, value: Value, args: readonly Value[], named: Named) =>
  paid(filtered(name, value, args, named));
/** Applies a test by its name. */
export const applyTest = apply("test", ALL_TESTS);
