/** What jinja2's filters do with the items of a list, a mapping or an iterator. @module */

import {
  ANY,
  any,
  ENTRIES,
  type Function,
  INT,
  ITEMS,
  oneOf,
  takes,
  takesNamed,
} from "./functions.ts";
import { checkSize, joined } from "./limits.ts";
import { item } from "./methods.ts";
import { binary, compare, equal, sorted } from "./operators.ts";
import * as py from "./values.ts";
import type { Entry, Value } from "./values.ts";

type Key = (of: Value) => Value;

/** Item by a path such as "a.0.b". */
export function getter(attribute: Value, absent: Value = null): Key {
  const partOf = (name: string) => /^\p{Nd}+$/u.test(name) ? BigInt(name) : name;
  const path = typeof attribute === "string" ? attribute.split(".").map(partOf) : [attribute];
  const parts = attribute === null ? [] : path;
  return (of) =>
    parts.reduce<Value>((value, part) => {
      const found = item(value, part);
      return absent !== null && py.isUndefined(found) ? absent : found;
    }, of);
}

const lowered = (value: Value) => typeof value === "string" ? value.toLowerCase() : value;

/** What items are compared by. */
function keyFor(isSensitive: boolean, attribute: Value, absent: Value = null): Key {
  const get = getter(attribute, absent);
  return isSensitive ? get : (value) => lowered(get(value));
}

/** A generator, which looks at what it reads when it is read. */
export const lazily = (source: () => Iterator<Value>): Value =>
  py.iter((function* () {
    yield* { [Symbol.iterator]: source };
  })());

const extreme = (sign: number) =>
  takesNamed("case_sensitive attribute", [ITEMS, false, null], (all, isSensitive, attribute) => {
    const key = keyFor(isSensitive, attribute);
    if (all.length === 0) return py.undefinedValue("No aggregated item, sequence was empty.");
    return all.reduce((best, one) => compare(key(one), key(best)) * sign > 0 ? one : best);
  });

function* unique(value: Value, key: Key): Generator<Value, undefined> {
  const seen = new Set<unknown>();
  for (const one of py.iterate(value)) {
    const found = py.keyOf(key(one));
    if (!seen.has(found)) yield one;
    seen.add(found);
  }
}

function* batch(value: Value, size: number, fill: Value): Generator<Value, undefined> {
  let part: Value[] = [];
  for (const one of py.iterate(value)) {
    if (part.length === size) {
      yield part;
      part = [];
    }
    part.push(one);
  }
  if (part.length === 0) return;
  while (fill !== null && part.length < size) part.push(fill);
  yield part;
}

function* slices(value: Value, n: number, fill: Value): Generator<Value, undefined> {
  const all = py.listOf(value);
  if (n === 0) throw new RangeError("integer division or modulo by zero");
  const each = Math.floor(all.length / n), extra = all.length % n;
  for (let i = 0, from = 0; i < n; i++) {
    const to = from + each + (i < extra ? 1 : 0), part = all.slice(from, to);
    if (fill !== null && i >= extra) part.push(fill);
    yield part;
    from = to;
  }
}

function groupBy(value: Value, attribute: Value, absent: Value, isSensitive: boolean): Value {
  const key = keyFor(isSensitive, attribute, absent), get = getter(attribute, absent);
  const groups: { key: Value; all: Value[] }[] = [];
  for (const one of sorted(py.listOf(value), key)) {
    const found = key(one), last = groups.at(-1);
    if (last && equal(last.key, found)) last.all.push(one);
    else groups.push({ key: found, all: [one] });
  }
  return groups.map(({ key, all }) => ({
    ...py.tuple(isSensitive ? key : get(all[0]!), all),
    names: ["grouper", "list"],
  }));
}

function pairs(value: Value): Iterator<Value> {
  const entries = py.kinded(value, "dict");
  if (entries) return py.iterate({ kind: "view", of: "items", dict: entries });
  if (py.isUndefined(value)) return py.iterate(value);
  throw new TypeError("Can only get item pairs from a mapping.");
}

function reverse(value: Value): Value {
  if (typeof value === "string") return py.characters(value).toReversed().join("");
  const turned = py.listOf(value).reverse();
  return py.kinded(value, "iterator") ? turned : py.iter(turned.values());
}

const KEY = oneOf("key", "value");

export const ITEM_FILTERS: Readonly<Record<string, Function>> = {
  batch: takesNamed("linecount fill_with", [ANY, INT, null], (value, size, fill) => {
    return py.iter(batch(value, checkSize(size), fill));
  }),
  dictsort: takesNamed("case_sensitive by reverse", [ENTRIES, false, KEY, false], (all, ...how) => {
    const [isSensitive, by, reverse] = how, at = by === "key" ? 0 : 1;
    const key = (entry: Entry) => isSensitive ? entry[at] : lowered(entry[at]);
    return sorted(all, key, reverse).map((entry) => py.tuple(...entry));
  }),
  first: takes([ANY], (value) => {
    return py.orUndefined(py.iterate(value).find(() => true), "No first item, sequence was empty.");
  }),
  groupby: takesNamed("attribute default case_sensitive", [ANY, ANY, null, false], groupBy),
  items: takes([ANY], (value) => lazily(() => pairs(value))),
  join: takesNamed("d attribute", [ITEMS, any(""), null], (all, separator, attribute) => {
    const get = getter(attribute);
    return joined(all.map((one) => py.str(get(one))), py.str(separator));
  }),
  last: takes([ANY], (value) => {
    if (py.kinded(value, "iterator")) throw py.unsupported("last", value);
    return py.orUndefined(py.listOf(value).at(-1), "No last item, sequence was empty.");
  }),
  list: takes([ANY], py.listOf),
  max: extreme(1),
  min: extreme(-1),
  reverse: takes([ANY], reverse),
  slice: takesNamed("slices fill_with", [ANY, INT, null], (value, count, fill) => {
    return py.iter(slices(value, checkSize(count), fill));
  }),
  sort: takesNamed("reverse case_sensitive attribute", [ITEMS, false, false, null], (...given) => {
    const [all, reverse, isSensitive, attribute] = given;
    const paths = typeof attribute === "string" ? attribute.split(",") : [attribute];
    const keys = paths.map((path) => keyFor(isSensitive, path));
    return sorted(all, (one) => keys.map((key) => key(one)), reverse);
  }),
  sum: takesNamed("attribute start", [ANY, null, any(0n)], (value, attribute, start) => {
    if (typeof start === "string") throw new TypeError("sum() can't sum strings");
    return py.iterate(value).map(getter(attribute)).reduce((a, b) => binary("+", a, b), start);
  }),
  unique: takesNamed("case_sensitive attribute", [ANY, false, null], (value, ...how) => {
    return py.iter(unique(value, keyFor(...how)));
  }),
};
