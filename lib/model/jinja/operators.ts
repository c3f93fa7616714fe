/**
 * Python's operators on two values.
 *
 * @module
 */

import { escapeMarkup, joined, percent } from "./format.ts";
import {
  checkSize,
  isList,
  itemsOf,
  kinded,
  numberOf,
  text,
  tuple,
  unsupported,
  type Value,
} from "./values.ts";

/** Python's `+`. */
function add(a: Value, b: Value): Value {
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) {
    if (typeof x === "bigint" && typeof y === "bigint") return x + y;
    return Number(x) + Number(y);
  }
  if (typeof a === "string" && typeof b === "string") {
    checkSize(a.length + b.length);
    return a + b;
  }
  if (kinded(a, "markup") || kinded(b, "markup")) {
    const escape = (value: Value) =>
      kinded(value, "markup")?.text ?? escapeMarkup(text(value, "'+' with escaped text"));
    return { kind: "markup", text: joined([escape(a), escape(b)], "") };
  }
  const many = itemsOf(a), more = itemsOf(b);
  if (many && more && isList(a) === isList(b)) {
    checkSize(many.length + more.length);
    return isList(a) ? [...many, ...more] : tuple(...many, ...more);
  }
  throw unsupported("'+'", a, b);
}

const zero = () => new RangeError("division by zero");

/** Python's operators on two numbers. */
function arithmetic(operator: string, x: bigint | number, y: bigint | number): Value {
  if (typeof x === "bigint" && typeof y === "bigint") {
    const floor = () => {
      if (y === 0n) throw zero();
      const quotient = x / y;
      return x % y !== 0n && (x < 0n) !== (y < 0n) ? quotient - 1n : quotient;
    };
    switch (operator) {
      case "-":
        return x - y;
      case "*":
        checkDigits(x, 1n);
        checkDigits(y, 1n);
        return x * y;
      case "//":
        return floor();
      case "%":
        return x - floor() * y;
      case "**":
        if (y >= 0n) {
          checkDigits(x, y);
          return x ** y;
        }
    }
  }
  const a = Number(x), b = Number(y);
  switch (operator) {
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0) throw zero();
      return a / b;
    case "//":
      if (b === 0) throw zero();
      return Math.floor(a / b);
    case "%": {
      if (b === 0) throw zero();
      const rest = a % b;
      return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest;
    }
    default:
      if (a === 0 && b < 0) throw zero();
      if (a < 0 && !Number.isInteger(b)) throw new TypeError("a power is a complex number");
      return a ** b;
  }
}

/** Refuses products and powers of more digits than a prompt can have. */
function checkDigits(value: bigint, power: bigint): void {
  const bits = BigInt((value < 0n ? -value : value).toString(16).length) * 4n;
  if (bits * power > 100_000n) throw new RangeError("a number has too many digits");
}

/** A list or text repeated. */
function repeated(a: Value, b: Value): Value | undefined {
  const [of, times] = numberOf(a) === undefined ? [a, b] : [b, a];
  const count = numberOf(times);
  if (typeof count !== "bigint") return undefined;
  const n = count < 0n ? 0n : count;
  const items = itemsOf(of);
  if (typeof of !== "string" && !items) return undefined;
  const size = BigInt(typeof of === "string" ? of.length : items!.length);
  checkSize(size * n);
  if (typeof of === "string") return of.repeat(size === 0n ? 0 : Number(n));
  const all = size === 0n ? [] : Array.from({ length: Number(n) }, () => items!).flat();
  return isList(of) ? all : tuple(...all);
}

/** An operator of Python on two values. */
export function binary(operator: string, a: Value, b: Value): Value {
  if (operator === "+") return add(a, b);
  if (operator === "%" && typeof a === "string") return percent(a, b);
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return arithmetic(operator, x, y);
  const many = operator === "*" ? repeated(a, b) : undefined;
  if (many === undefined) throw unsupported(`'${operator}'`, a, b);
  return many;
}
