/** What jinja2's filters do with the items of a list, a mapping or an iterator. @module */

import { item } from "./attributes.ts";
import { checkSize, joined } from "./limits.ts";
import { binary } from "./operators.ts";
import { str } from "./print.ts";
import { compare, equal, iterate, listOf, sorted } from "./python.ts";
import { ANY, any, type Function, INT, oneOf, takes } from "./signature.ts";
import {
  characters,
  defined,
  entriesOf,
  isUndefined,
  iter,
  keyOf,
  kinded,
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

const BY_KEY = { case_sensitive: false, attribute: null };

/** The largest or smallest item. */
const extreme = (sign: number) =>
  takes(BY_KEY, (value: Value, { case_sensitive, attribute }) => {
    const all = listOf(value), key = keyFor(attribute, case_sensitive);
    if (all.length === 0) return undefinedValue("No aggregated item, sequence was empty.");
    return all.reduce((best, one) => compare(key(one), key(best)) * sign > 0 ? one : best);
  });

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

/** Filters of items by name. */
export const ITEM_FILTERS: Readonly<Record<string, Function<Value>>> = {
  batch: takes(
    { linecount: INT, fill_with: null },
    (value, { linecount, fill_with }) => iter(batch(value, checkSize(linecount), fill_with)),
  ),
  dictsort: takes(
    { case_sensitive: false, by: oneOf("key", "value"), reverse: false },
    (value, { case_sensitive, by, reverse }) => {
      const entries = entriesOf(defined(value)), at = by === "key" ? 0 : 1;
      if (!entries) throw unsupported("dictsort", value);
      const key = (entry: readonly Value[]) => case_sensitive ? entry[at]! : lowered(entry[at]!);
      return sorted(entries, key, reverse).map((entry) => tuple(...entry));
    },
  ),
  first: takes({}, (value) => {
    const { value: one, done } = iterate(value).next();
    return done ? undefinedValue("No first item, sequence was empty.") : one!;
  }),
  groupby: takes(
    { attribute: ANY, default: null, case_sensitive: false },
    (value, { attribute, default: absent, case_sensitive }) => {
      const key = keyFor(attribute, case_sensitive, absent), get = getter(attribute, absent);
      const groups: { key: Value; all: Value[] }[] = [];
      for (const one of sorted(listOf(value), key)) {
        const found = key(one), last = groups.at(-1);
        if (last && equal(last.key, found)) last.all.push(one);
        else groups.push({ key: found, all: [one] });
      }
      return groups.map(({ key, all }) => ({
        ...tuple(case_sensitive ? key : get(all[0]!), all),
        names: ["grouper", "list"],
      }));
    },
  ),
  items: takes({}, (value) =>
    lazily(() => {
      const entries = kinded(value, "dict");
      if (entries) return iterate({ kind: "view", of: "items", dict: entries });
      if (isUndefined(value)) return iterate(value);
      throw new TypeError("Can only get item pairs from a mapping.");
    })),
  join: takes({ d: any(""), attribute: null }, (value, { d, attribute }) => {
    const get = getter(attribute);
    return joined(listOf(value).map((one) => str(get(one))), str(d));
  }),
  last: takes({}, (value) => {
    if (kinded(value, "iterator")) throw unsupported("last", value);
    const all = listOf(value);
    return all.length > 0 ? all.at(-1)! : undefinedValue("No last item, sequence was empty.");
  }),
  list: takes({}, listOf),
  max: extreme(1),
  min: extreme(-1),
  reverse: takes({}, (value) => {
    if (typeof value === "string") return characters(value).toReversed().join("");
    const turned = listOf(value).reverse();
    return kinded(value, "iterator") ? turned : iter(turned[Symbol.iterator]());
  }),
  slice: takes(
    { slices: INT, fill_with: null },
    (value, given) => iter(slices(value, checkSize(given.slices), given.fill_with)),
  ),
  sort: takes(
    { reverse: false, ...BY_KEY },
    (value, { reverse, case_sensitive, attribute }) => {
      const keys = (typeof attribute === "string" ? attribute.split(",") : [attribute])
        .map((part) => keyFor(part, case_sensitive));
      return sorted(listOf(value), (one) => keys.map((key) => key(one)), reverse);
    },
  ),
  sum: takes({ attribute: null, start: any(0n) }, (value, { attribute, start }) => {
    if (typeof start === "string") throw new TypeError("sum() can't sum strings");
    return iterate(value).map(getter(attribute)).reduce((a, b) => binary("+", a, b), start);
  }),
  unique: takes(
    BY_KEY,
    (value, { case_sensitive, attribute }) =>
      iter(unique(value, keyFor(attribute, case_sensitive))),
  ),
};
