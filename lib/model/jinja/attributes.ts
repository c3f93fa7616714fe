/**
 * Attributes and items of Python's values, as far as jinja2's immutable sandbox lets templates reach
 * them. What Python has and this has not is refused by name.
 *
 * @module
 */

import { formatted } from "./format.ts";
import { equal } from "./operators.ts";
import {
  ANY,
  DICT,
  ENTRIES,
  type Function,
  INT,
  ITEMS,
  optional,
  positional,
  TEXT,
} from "./signature.ts";
import { bounds, TEXT_METHODS } from "./texts.ts";
import { defined, dict, integer, lookUp, typeName, unsupported } from "./types.ts";
import {
  characters,
  isList,
  isPlain,
  itemsOf,
  type Kind,
  kinded,
  type Named,
  numberOf,
  thing,
  tuple,
  undefinedValue,
  type Value,
} from "./values.ts";

type Methods = Readonly<Record<string, Function>>;

const copy = positional([ANY], (self) => self);
const SEQUENCE: Methods = {
  count: positional(
    [ITEMS, ANY],
    (all, item) => BigInt(all.filter((one) => equal(one, item)).length),
  ),
  index: positional([ITEMS, ANY, optional(INT), optional(INT)], (all, item, start, end) => {
    const [from, to] = bounds(all.length, start, end);
    const at = all.findIndex((one, i) => i >= from && i < to && equal(one, item));
    if (at < 0) throw new RangeError("the item is not in the list");
    return BigInt(at);
  }),
};
const view = (of: Kind<"view">["of"]) => positional([DICT], (dict) => ({ kind: "view", of, dict }));
/** Methods by the type of their value. */
const METHODS: Readonly<Record<string, Methods>> = {
  str: {
    ...TEXT_METHODS,
    format: (_, self, args, named) => formatted(self as string, args, named, reached),
    format_map: positional([TEXT, ENTRIES], (self, entries) => {
      const named = entries.filter(([key]) => typeof key === "string");
      return formatted(self, [], new Map(named as [string, Value][]), reached);
    }),
  },
  list: { ...SEQUENCE, copy },
  tuple: SEQUENCE,
  dict: {
    copy,
    get: positional([DICT, ANY, null], (self, key, absent) => present(lookUp(self, key), absent)),
    items: view("items"),
    keys: view("keys"),
    values: view("values"),
    fromkeys: positional(
      [ANY, ITEMS, null],
      (_, keys, value) => dict(keys.map((key) => [key, value])),
    ),
  },
  int: {
    bit_length: positional(
      [INT],
      (n) => n === 0n ? 0n : BigInt((n < 0n ? -n : n).toString(2).length),
    ),
    conjugate: copy,
  },
  float: { is_integer: positional([ANY], (x) => Number.isInteger(x)), conjugate: copy },
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
  const methods = METHODS[type] ?? {}, named = kinded(of, "tuple")?.names;
  if (named?.includes(name)) return itemsOf(of)![named.indexOf(name)];
  if (typeof of === "bigint" || typeof of === "number") {
    if (name === "real" || (name === "numerator" && type === "int")) return of;
    if (name === "imag") return type === "int" ? 0n : 0;
    if (name === "denominator" && type === "int") return 1n;
  }
  if (!Object.hasOwn(methods, name)) return kinded(of, "thing")?.get?.(name);
  const run = (args: readonly Value[], given: Named) =>
    methods[name]!(`${name}()`, of, args, given);
  return thing("builtin_function_or_method", run);
}

function reach(given: Value, name: string): Value | undefined {
  const of = typeof given === "boolean" ? BigInt(given) : defined(given), type = typeName(of);
  if (name.startsWith("__") || (UNSAFE[type]?.includes(name) ?? false)) {
    return undefinedValue(`the attribute '${name}' of a ${type} is unsafe to use`);
  }
  if (kinded(of, "markup")) throw unsupported(`the attribute '${name}'`, of);
  if (MISSING[type]?.includes(name)) {
    throw new TypeError(`the attribute '${name}' of a ${type} is not supported`);
  }
  return ownAttribute(of, type, name);
}

/** A value that may be absent, where null is a value. */
const present = (value: Value | undefined, absent: Value): Value =>
  value === undefined ? absent : value;

/** The attribute alone, as the filter `attr` takes it. */
export function onlyAttribute(of: Value, name: string): Value {
  const absent = undefinedValue(`'${typeName(of)} object' has no attribute '${name}'`);
  return present(reach(of, name), absent);
}

/** `of.name`: an attribute, else what `of[name]` is, which only a dict has. */
export function attribute(of: Value, name: string): Value {
  const entries = kinded(of, "dict"), held = entries && lookUp(entries, name);
  if (held === undefined) return onlyAttribute(of, name);
  return name.startsWith("__") ? held : present(reach(of, name), held);
}

/** `of[key]`, else the attribute of that name. */
export function item(of: Value, key: Value): Value {
  const found = subscript(of, key);
  if (found !== undefined) return found;
  return typeof key === "string"
    ? onlyAttribute(of, key)
    : undefinedValue(`'${typeName(of)} object' has no such element`);
}

/** `of[key]`; undefined where Python raises a TypeError or LookupError. */
function subscript(of: Value, key: Value): Value | undefined {
  defined(of);
  const entries = kinded(of, "dict");
  if (entries) return isList(key) || kinded(key, "dict") ? undefined : lookUp(entries, key);
  const index = numberOf(key), steps = kinded(of, "range");
  if (typeof index !== "bigint") return undefined;
  if (kinded(of, "markup")) throw unsupported("an index", of);
  const all = typeof of === "string" ? (isPlain(of) ? of : characters(of)) : itemsOf(of) ?? [];
  const length = steps?.length ?? all.length;
  const at = Number(index < 0n ? index + BigInt(length) : index);
  if (at < 0 || at >= length) return undefined;
  return steps ? steps.start + steps.step * BigInt(at) : all[at];
}

/** `of[start:stop:step]`; null is a bound that is left out. */
export function slice(of: Value, start: Value, stop: Value, step: Value): Value {
  const stride = step === null ? 1n : integer(step, "a slice");
  if (stride === 0n) throw new RangeError("slice step cannot be zero");
  const items = typeof of === "string" ? characters(of) : itemsOf(of);
  if (!items) throw unsupported("a slice", of);
  const length = BigInt(items.length), back = stride < 0n;
  const bound = (value: Value, absent: bigint) => {
    if (value === null) return absent;
    let at = integer(value, "a slice");
    if (at < 0n) at += length;
    const low = back ? -1n : 0n, high = back ? length - 1n : length;
    return at < low ? low : at > high ? high : at;
  };
  const from = bound(start, back ? length - 1n : 0n), to = bound(stop, back ? -1n : length);
  const found: Value[] = [];
  for (let at = from; back ? at > to : at < to; at += stride) found.push(items[Number(at)]!);
  if (typeof of === "string") return found.join("");
  return isList(of) ? found : tuple(...found);
}

/** What a field of a format names within a value: an attribute, or an item. */
function reached(of: Value, name: string, isItem: boolean): Value | undefined {
  return isItem ? subscript(of, /^\d+$/.test(name) ? BigInt(name) : name) : attribute(of, name);
}
