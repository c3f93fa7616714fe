/**
 * What Python's values mean: what is in them, whether they are true, equal or in order.
 *
 * @module
 */

import { spend } from "./limits.ts";
import {
  characters,
  entriesOf,
  type Entry,
  isList,
  isPlain,
  isUndefined,
  itemsOf,
  keyOf,
  type Kind,
  kinded,
  numberOf,
  text,
  textLength,
  textOf,
  tuple,
  typeName,
  unsupported,
  type Value,
} from "./values.ts";

/** Length and items of what is an object here, by its kind. */
const PARTS: {
  readonly [K in Kind["kind"]]: readonly [
    length: (value: Kind<K>) => number | undefined,
    items?: (value: Kind<K>) => IteratorObject<Value>,
  ];
} = {
  tuple: [({ items }) => items.length, ({ items }) => items.values()],
  dict: [({ entries }) => entries.size, ({ entries }) => entries.values().map(([key]) => key)],
  view: [
    ({ dict }) => dict.entries.size,
    ({ dict, of }) =>
      dict.entries.values().map(([key, item]) =>
        of === "keys" ? key : of === "values" ? item : tuple(key, item)
      ),
  ],
  range: [({ length }) => length, rangeItems],
  // a loop that ends early does not close an iterator
  iterator: [() => undefined, ({ source }) => Iterator.from({ next: () => source.next() })],
  markup: [({ text }) => textLength(text), (value) => {
    throw unsupported("a loop over escaped text", value);
  }],
  undefined: [() => 0, () => [].values()],
  thing: [({ length }) => length?.()],
};

function* rangeItems({ start, step, length }: Kind<"range">): Generator<Value, undefined> {
  for (let i = 0; i < length; i++) yield start + step * BigInt(i);
}

/** Python's `len`; undefined where there is none. */
export function lengthOf(value: Value): number | undefined {
  if (typeof value === "string") return textLength(value);
  if (value === null || typeof value !== "object") return undefined;
  if (isList(value)) return value.length;
  return (PARTS[value.kind][0] as (value: Value) => number | undefined)(value);
}

/** What iterating a value gives. */
export function iterate(value: Value): IteratorObject<Value> {
  if (typeof value === "string") return characters(value).values();
  if (isList(value)) return value.values();
  const kind = value !== null && typeof value === "object" ? value.kind : "thing";
  const items = PARTS[kind][1] as ((value: Value) => IteratorObject<Value>) | undefined;
  if (items) return items(value);
  throw new TypeError(`'${typeName(value)}' object is not iterable`);
}

/** All that a value iterates over. */
export function listOf(value: Value): Value[] {
  const items = [...iterate(value)];
  spend(items.length >> 3);
  return items;
}

/** All that a value iterates over, where it must be so many. */
export function unpacked(value: Value, count: number): Value[] {
  const items = listOf(value);
  if (items.length === count) return items;
  throw new TypeError(`expected ${count} values to unpack, found ${items.length}`);
}

/** Python's truth. */
export function truth(value: Value): boolean {
  const number = numberOf(value);
  if (number !== undefined) return number != 0;
  return value !== null && lengthOf(value) !== 0;
}

/** Python's `==`. */
export function equal(a: Value, b: Value): boolean {
  spend();
  if (a === b && typeof a !== "number") return true;
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && x == y;
  const s = textOf(a), t = textOf(b);
  if (s !== undefined || t !== undefined) return s === t;
  if (isUndefined(a) && isUndefined(b)) return true;
  const many = itemsOf(a), others = itemsOf(b);
  if (many && others) {
    return isList(a) === isList(b) && many.length === others.length &&
      many.every((item, i) => equal(item, others[i]!));
  }
  const first = kinded(a, "dict")?.entries, second = kinded(b, "dict")?.entries;
  if (first && second) {
    return first.size === second.size && first.entries().every(([key, [, item]]) => {
      const other = second.get(key);
      return other !== undefined && equal(item, other[1]);
    });
  }
  if (kinded(a, "range") && kinded(b, "range") || kinded(a, "view") && kinded(b, "view")) {
    throw unsupported("a comparison", a, b);
  }
  return false;
}

/** Texts in the order of their code points. */
function compareText(a: string, b: string): number {
  if (isPlain(a) && isPlain(b)) return a < b ? -1 : a > b ? 1 : 0;
  const s = characters(a), t = characters(b);
  for (let i = 0; i < s.length && i < t.length; i++) {
    const difference = s[i]!.codePointAt(0)! - t[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return s.length - t.length;
}

/** Python's order: negative, 0 or positive; NaN where neither is less nor equal. */
export function compare(a: Value, b: Value): number {
  spend();
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const many = itemsOf(a), others = itemsOf(b);
  if (many && others && isList(a) === isList(b)) {
    for (let i = 0; i < many.length && i < others.length; i++) {
      if (!equal(many[i]!, others[i]!)) return compare(many[i]!, others[i]!);
    }
    return many.length - others.length;
  }
  throw unsupported("a comparison by order", a, b);
}

/** Python's `in`. */
function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") return container.includes(text(item, "'in' of a text"));
  const entries = kinded(container, "dict")?.entries;
  return entries
    ? entries.has(keyOf(item))
    : iterate(container).some((other) => equal(other, item));
}

/** Python's comparisons. */
export const COMPARISONS: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  "==": equal,
  "!=": (a, b) => !equal(a, b),
  "<": (a, b) => compare(a, b) < 0,
  "<=": (a, b) => compare(a, b) <= 0,
  ">": (a, b) => compare(a, b) > 0,
  ">=": (a, b) => compare(a, b) >= 0,
  "in": (a, b) => contains(b, a),
  "not in": (a, b) => !contains(b, a),
};

/** Python's `sorted`: stable, also in reverse. */
export function sorted<T>(items: readonly T[], keyOf: (item: T) => Value, reverse = false): T[] {
  return items.map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)) || 0)
    .map(({ item }) => item);
}

/** A mapping, or pairs, as entries of a dict. */
export function pairsOf(value: Value): readonly Entry[] {
  return entriesOf(value) ?? listOf(value).map((pair) => unpacked(pair, 2) as [Value, Value]);
}
