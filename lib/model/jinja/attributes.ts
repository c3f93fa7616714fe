/**
 * Attributes and items of Python's values, as far as jinja2's immutable sandbox lets templates reach
 * them. What Python has and this has not is refused by name.
 *
 * @module
 */

import { formatted } from "./format.ts";
import { equal, listOf, subscript } from "./python.ts";
import { ANY, type Function, positional } from "./signature.ts";
import { bounds, TEXT_METHODS, WITHIN } from "./texts.ts";
import {
  defined,
  type Dict,
  dict,
  entriesOf,
  type Entry,
  itemsOf,
  type Kind,
  kinded,
  lookUp,
  thing,
  typeName,
  undefinedValue,
  unsupported,
  type Value,
} from "./values.ts";

type Methods<Self> = Readonly<Record<string, Function<Self>>>;

const ITEMS: Methods<readonly Value[]> = {
  count: positional(
    { item: ANY },
    (all, { item }) => BigInt(all.filter((one) => equal(one, item)).length),
  ),
  index: positional({ item: ANY, ...WITHIN }, (all, { item, ...limits }) => {
    const [from, to] = bounds(all.length, limits);
    const at = all.findIndex((one, i) => i >= from && i < to && equal(one, item));
    if (at < 0) throw new RangeError("the item is not in the list");
    return BigInt(at);
  }),
};

const view = (of: Kind<"view">["of"]) =>
  positional({}, (self: Dict) => ({ kind: "view", of, dict: self }));
const DICT: Methods<Dict> = {
  copy: positional({}, (self) => self),
  get: positional(
    { key: ANY, default: null },
    (self, given) => present(lookUp(self, given.key), given.default),
  ),
  items: view("items"),
  keys: view("keys"),
  values: view("values"),
  fromkeys: positional(
    { keys: ANY, value: null },
    (_, { keys, value }) => dict(listOf(keys).map((key) => [key, value])),
  ),
};

const TEXT: Methods<string> = {
  ...TEXT_METHODS,
  format: (_, self, args, named) => formatted(self, args, named, attribute),
  format_map: positional({ mapping: ANY }, (self, { mapping }) => {
    const entries = entriesOf(mapping);
    if (!entries) throw unsupported("format_map()", mapping);
    const isNamed = (entry: Entry): entry is readonly [string, Value] =>
      typeof entry[0] === "string";
    return formatted(self, [], new Map(entries.filter(isNamed)), attribute);
  }),
};

const INT: Methods<bigint> = {
  bit_length: positional({}, (n) => n === 0n ? 0n : BigInt((n < 0n ? -n : n).toString(2).length)),
  conjugate: positional({}, (n) => n),
};
const FLOAT: Methods<number> = {
  is_integer: positional({}, (x) => Number.isInteger(x)),
  conjugate: positional({}, (x) => x),
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

/** The method of a table, bound to its value. */
function method<Self>(methods: Methods<Self>, self: Self, name: string): Value | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  const run = methods[name]!;
  return thing(
    "builtin_function_or_method",
    (args, named) => run(`${name}()`, self, args, named),
  );
}

/** An attribute of a value in Python's sense; undefined where it has none of that name. */
function ownAttribute(of: Value, name: string): Value | undefined {
  if (typeof of === "string") return method(TEXT, of, name);
  if (typeof of === "number") {
    return name === "real" ? of : name === "imag" ? 0 : method(FLOAT, of, name);
  }
  if (typeof of === "bigint") {
    if (name === "real" || name === "numerator") return of;
    return name === "imag" ? 0n : name === "denominator" ? 1n : method(INT, of, name);
  }
  const entries = kinded(of, "dict"), items = itemsOf(of), named = kinded(of, "tuple")?.names;
  if (entries) return method(DICT, entries, name);
  if (!items) return kinded(of, "thing")?.get?.(name);
  if (named?.includes(name)) return items[named.indexOf(name)];
  const methods = items === of ? { ...ITEMS, copy: positional({}, () => of) } : ITEMS;
  return method(methods, items, name);
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
  return ownAttribute(of, name);
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
