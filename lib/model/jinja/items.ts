/** What jinja2's filters do with the items of a list, a mapping or an iterator. @module */

import {
  ANY,
  any,
  ENTRIES,
  type Function,
  INT,
  ITEMS,
  oneOf,
  positional,
  takes,
} from "./functions.ts";
import { checkSize, joined } from "./limits.ts";
import { item } from "./methods.ts";
import { binary, compare, equal, sorted } from "./operators.ts";
import {
  characters,
  type Entry,
  isUndefined,
  iter,
  iterate,
  keyOf,
  kinded,
  listOf,
  str,
  tuple,
  undefinedValue,
  unsupported,
  type Value,
} from "./values.ts";

type Key = (of: Value) => Value;

/** Item by a path such as "a.0.b". */
export function getter(attribute: Value, absent: Value = null): Key {
  const parts: readonly Value[] = typeof attribute === "string"
    ? attribute.split(".").map((part) => /^\p{Nd}+$/u.test(part) ? BigInt(part) : part)
    : attribute === null
    ? []
    : [attribute];
  return (of) =>
    parts.reduce<Value>((value, part) => {
      const found = item(value, part);
      return absent !== null && isUndefined(found) ? absent : found;
    }, of);
}

const lowered = (value: Value) => typeof value === "string" ? value.toLowerCase() : value;

/** What items are compared by. */
function keyFor(attribute: Value, isSensitive: boolean, absent: Value = null): Key {
  const get = getter(attribute, absent);
  return isSensitive ? get : (value) => lowered(get(value));
}

/** A generator, which looks at what it reads when it is read. */
export const lazily = (source: () => Iterator<Value>): Value =>
  iter((function* () {
    for (const reading = source();;) {
      const { value, done } = reading.next();
      if (done) return undefined;
      yield value as Value;
    }
  })());

/** The largest or smallest item. */
const extreme = (sign: number) =>
  takes("case_sensitive attribute", [ITEMS, false, null], (all, isSensitive, attribute) => {
    const key = keyFor(attribute, isSensitive);
    if (all.length === 0) return undefinedValue("No aggregated item, sequence was empty.");
    return all.reduce((best, one) => compare(key(one), key(best)) * sign > 0 ? one : best);
  });

/** The first or last of what there is. */
function orMissing(one: Value | undefined, which: string): Value {
  return one === undefined ? undefinedValue(`No ${which} item, sequence was empty.`) : one;
}

function* unique(value: Value, key: Key): Generator<Value, undefined> {
  const seen = new Set<unknown>();
  for (const one of iterate(value)) {
    const found = keyOf(key(one));
    if (!seen.has(found)) yield one;
    seen.add(found);
  }
}

function* batch(value: Value, size: number, fill: Value): Generator<Value, undefined> {
  let part: Value[] = [];
  for (const one of iterate(value)) {
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
  const all = listOf(value);
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
  const key = keyFor(attribute, isSensitive, absent), get = getter(attribute, absent);
  const groups: { key: Value; all: Value[] }[] = [];
  for (const one of sorted(listOf(value), key)) {
    const found = key(one), last = groups.at(-1);
    if (last && equal(last.key, found)) last.all.push(one);
    else groups.push({ key: found, all: [one] });
  }
  return groups.map(({ key, all }) => ({
    ...tuple(isSensitive ? key : get(all[0]!), all),
    names: ["grouper", "list"],
  }));
}

function pairs(value: Value): Iterator<Value> {
  const entries = kinded(value, "dict");
  if (entries) return iterate({ kind: "view", of: "items", dict: entries });
  if (isUndefined(value)) return iterate(value);
  throw new TypeError("Can only get item pairs from a mapping.");
}

function reverse(value: Value): Value {
  if (typeof value === "string") return characters(value).toReversed().join("");
  const turned = listOf(value).reverse();
  return kinded(value, "iterator") ? turned : iter(turned.values());
}

/** Filters of items by name. */
export const ITEM_FILTERS: Readonly<Record<string, Function>> = {
  batch: takes(
    "linecount fill_with",
    [ANY, INT, null],
    (value, size, fill) => iter(batch(value, checkSize(size), fill)),
  ),
  dictsort: takes(
    "case_sensitive by reverse",
    [ENTRIES, false, oneOf("key", "value"), false],
    (entries, isSensitive, by, reverse) => {
      const get = (entry: Entry) => entry[by === "key" ? 0 : 1];
      const key = (entry: Entry) => isSensitive ? get(entry) : lowered(get(entry));
      return sorted(entries, key, reverse).map((entry) => tuple(...entry));
    },
  ),
  first: positional([ANY], (value) => orMissing(iterate(value).take(1).toArray()[0], "first")),
  groupby: takes("attribute default case_sensitive", [ANY, ANY, null, false], groupBy),
  items: positional([ANY], (value) => lazily(() => pairs(value))),
  join: takes("d attribute", [ITEMS, any(""), null], (all, separator, attribute) => {
    const get = getter(attribute);
    return joined(all.map((one) => str(get(one))), str(separator));
  }),
  last: positional([ANY], (value) => {
    if (kinded(value, "iterator")) throw unsupported("last", value);
    return orMissing(listOf(value).at(-1), "last");
  }),
  list: positional([ANY], listOf),
  max: extreme(1),
  min: extreme(-1),
  reverse: positional([ANY], reverse),
  slice: takes(
    "slices fill_with",
    [ANY, INT, null],
    (value, count, fill) => iter(slices(value, checkSize(count), fill)),
  ),
  sort: takes(
    "reverse case_sensitive attribute",
    [ITEMS, false, false, null],
    (all, reverse, isSensitive, attribute) => {
      const keys = (typeof attribute === "string" ? attribute.split(",") : [attribute])
        .map((part) => keyFor(part, isSensitive));
      return sorted(all, (one) => keys.map((key) => key(one)), reverse);
    },
  ),
  sum: takes("attribute start", [ANY, null, any(0n)], (value, attribute, start) => {
    if (typeof start === "string") throw new TypeError("sum() can't sum strings");
    return iterate(value).map(getter(attribute)).reduce((a, b) => binary("+", a, b), start);
  }),
  unique: takes(
    "case_sensitive attribute",
    [ANY, false, null],
    (value, isSensitive, attribute) => iter(unique(value, keyFor(attribute, isSensitive))),
  ),
};
