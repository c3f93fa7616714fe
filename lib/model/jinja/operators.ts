/** Python's operators on two values: which are equal, their order, and arithmetic. @module */

import { percent } from "./format.ts";
import { checkSize, joined, MAX_BITS, spend } from "./limits.ts";
import * as py from "./values.ts";
import type { Value } from "./values.ts";

export function equal(a: Value, b: Value): boolean {
  spend();
  if (a === b && typeof a !== "number") return true;
  const x = py.numberOf(a), y = py.numberOf(b);
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && x == y;
  const s = py.textOf(a), t = py.textOf(b);
  if (s !== undefined || t !== undefined) return s === t;
  if (py.isUndefined(a) && py.isUndefined(b)) return true;
  const many = py.itemsOf(a), others = py.itemsOf(b);
  if (many && others) {
    return py.isList(a) === py.isList(b) && many.length === others.length &&
      many.every((item, i) => equal(item, others[i]!));
  }
  const first = py.kinded(a, "dict")?.entries, second = py.kinded(b, "dict")?.entries;
  if (first && second) {
    return first.size === second.size && first.entries().every(([key, [, item]]) => {
      const other = second.get(key);
      return other !== undefined && equal(item, other[1]);
    });
  }
  const areBoth = (kind: "range" | "view") => py.kinded(a, kind) && py.kinded(b, kind);
  if (areBoth("range") || areBoth("view")) throw py.unsupported("a comparison", a, b);
  return false;
}

/** Texts in the order of their code points. */
function compareText(a: string, b: string): number {
  if (py.isPlain(a) && py.isPlain(b)) return a < b ? -1 : a > b ? 1 : 0;
  const s = py.characters(a), t = py.characters(b);
  for (let i = 0; i < s.length && i < t.length; i++) {
    const difference = s[i]!.codePointAt(0)! - t[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return s.length - t.length;
}

/** Python's order: negative, 0 or positive; NaN where neither is less nor equal. */
export function compare(a: Value, b: Value): number {
  spend();
  const x = py.numberOf(a), y = py.numberOf(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const many = py.itemsOf(a), others = py.itemsOf(b);
  if (many && others && py.isList(a) === py.isList(b)) {
    for (let i = 0; i < many.length && i < others.length; i++) {
      if (!equal(many[i]!, others[i]!)) return compare(many[i]!, others[i]!);
    }
    return many.length - others.length;
  }
  throw py.unsupported("a comparison by order", a, b);
}

function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") return container.includes(py.text(item, "'in' of a text"));
  const dict = py.kinded(container, "dict");
  if (dict) return dict.entries.has(py.keyOf(item));
  return py.iterate(container).some((other) => equal(other, item));
}

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

/** Refuses products and powers of more digits than a prompt can have. */
function checkDigits(value: bigint, power: bigint): void {
  const bits = BigInt((value < 0n ? -value : value).toString(16).length) * 4n;
  if (bits * power > MAX_BITS) throw new RangeError("a number has too many digits");
}

function floor(x: bigint, y: bigint): bigint {
  if (y === 0n) throw new RangeError("division by zero");
  const quotient = x / y;
  return x % y !== 0n && (x < 0n) !== (y < 0n) ? quotient - 1n : quotient;
}

/** Operators on two integers that give one. */
const INTEGERS: Readonly<Record<string, (x: bigint, y: bigint) => bigint | undefined>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => {
    checkDigits(x, 1n);
    checkDigits(y, 1n);
    return x * y;
  },
  "//": floor,
  "%": (x, y) => x - floor(x, y) * y,
  "**": (x, y) => {
    if (y < 0n) return undefined;
    checkDigits(x, y);
    return x ** y;
  },
};

const FLOATS: Readonly<Record<string, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / divisor(y),
  "//": (x, y) => Math.floor(x / divisor(y)),
  "%": (x, y) => {
    const rest = x % divisor(y);
    if (rest === 0) return y < 0 ? -0 : 0;
    return (rest < 0) !== (y < 0) ? rest + y : rest;
  },
  "**": (x, y) => {
    if (x === 0 && y < 0) divisor(x);
    if (x < 0 && !Number.isInteger(y)) throw new TypeError("a power is a complex number");
    const power = x ** y, isLost = !Number.isFinite(power) && Number.isFinite(x);
    if (isLost && Number.isFinite(y)) throw new RangeError("a number is too large");
    return power;
  },
};

function divisor(value: number): number {
  if (value === 0) throw new RangeError("division by zero");
  return value;
}

function concatenated(a: Value, b: Value): Value | undefined {
  if (typeof a === "string" && typeof b === "string") return joined([a, b]);
  if (py.textOf(a) !== undefined && py.textOf(b) !== undefined) {
    return py.markup(joined([py.escaped(a), py.escaped(b)]));
  }
  const many = py.itemsOf(a), more = py.itemsOf(b);
  if (!many || !more || py.isList(a) !== py.isList(b)) return undefined;
  checkSize(many.length + more.length);
  return py.isList(a) ? [...many, ...more] : py.tuple(...many, ...more);
}

function repeated(a: Value, b: Value): Value | undefined {
  const [of, times] = py.numberOf(a) === undefined ? [a, b] : [b, a];
  const count = py.numberOf(times), all = typeof of === "string" ? of : py.itemsOf(of);
  if (typeof count !== "bigint" || all === undefined) return undefined;
  const size = checkSize(count < 0n ? 0n : BigInt(all.length) * count);
  const n = size === 0 ? 0 : Number(count);
  if (typeof all === "string") return all.repeat(n);
  const items = Array.from({ length: n }, () => all).flat();
  return py.isList(of) ? items : py.tuple(...items);
}

/** Operators on texts, lists and tuples; undefined for what they do not take. */
const SEQUENCES: Readonly<Record<string, (a: Value, b: Value) => Value | undefined>> = {
  "+": concatenated,
  "*": repeated,
  "%": (a, b) => typeof a === "string" ? percent(a, b) : undefined,
};

export function binary(operator: string, a: Value, b: Value): Value {
  if (operator === "~") return joined([py.str(a), py.str(b)]);
  const x = py.numberOf(a), y = py.numberOf(b);
  if (x !== undefined && y !== undefined) {
    const areWhole = typeof x === "bigint" && typeof y === "bigint";
    const whole = areWhole ? INTEGERS[operator]?.(x, y) : undefined;
    return whole ?? FLOATS[operator]!(Number(x), Number(y));
  }
  const made = SEQUENCES[operator]?.(a, b);
  if (made === undefined) throw py.unsupported(`'${operator}'`, a, b);
  return made;
}
