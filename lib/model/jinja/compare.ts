/** Which values of Python are equal, and in which order they stand. @module */

import { spend } from "./limits.ts";
import { iterate, keyOf, text, unsupported } from "./types.ts";
import {
  characters,
  isList,
  isPlain,
  isUndefined,
  itemsOf,
  kinded,
  numberOf,
  textOf,
  type Value,
} from "./values.ts";

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
