/**
 * Values of expressions in the field of a prime of 256 bits, for what is rational in its names: numbers of any
 * size, polynomials, quotients.
 *
 * Names have random values there. Two different expressions agree with probability below 10⁻⁷⁰, and 9^{9^9} takes
 * a microsecond. π, e, f(x), a sum that is not evaluated, 10000000! are names too: equal only where they are
 * written of equal parts.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { integerOf } from "../rational.ts";
import { exactOf } from "./exact.ts";
import { type Expression, isFixed, TRIGONOMETRIC } from "./tree.ts";

/** Largest number whose factorial is multiplied out. */
const LARGEST_FACTORIAL = 5000;

/** The first prime of the form 4n + 1 from the first 256 bits of π − 3 on. */
const PRIME = 0xa43f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6e65n;
/** A square root of −1 in its field. */
const ROOT_OF_MINUS_1 = 0x3a6ed43aa945d764112240dc5a884b6643e1610fd203a1225a727acdaa5fcc27n;

const modulo = (n: bigint) => ((n % PRIME) + PRIME) % PRIME;

/** A residue that is not 0 to a power: below 0 too, since its (p − 1)-th is 1. */
function powerOf(base: bigint, n: bigint): bigint {
  let result = 1n, left = n < 0n ? n % (PRIME - 1n) + PRIME - 1n : n;
  for (let square = base; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * square % PRIME;
    square = square * square % PRIME;
  }
  return result;
}

const inverse = (n: bigint) => n === 1n ? n : powerOf(modulo(n), -1n);

/** What stands for a thing that is only named. */
export function hashed(...parts: readonly (string | number | bigint)[]): bigint {
  return modulo(
    BigInt(`0x${createHash("sha256").update(JSON.stringify(parts.map(String))).digest("hex")}`),
  );
}

/** Operations that only a numerical value decides. */
const NUMERICAL: ReadonlySet<string> = new Set([
  ...TRIGONOMETRIC,
  ...["root", "ln", "log", "exp", "abs", "floor", "ceil", "min", "max"],
]);

/** Whether an expression holds nothing that only a numerical value decides. */
export function isRationalIn(e: Expression): boolean {
  if (!("args" in e) || exactOf(e)) return true;
  if (!e.args.every(isRationalIn)) return false;
  // a power of fixed integers may be beyond all bounds: 9^{9^{9^9}}
  if (e.op === "power") {
    return exactOf(e.args[1]!)?.d === 1n || e.args.every((arg) => isFixed(arg) && isTower(arg));
  }
  return !NUMERICAL.has(e.op);
}

function isTower(e: Expression): boolean {
  return exactOf(e)?.d === 1n || "args" in e &&
      ["power", "factorial", "multiply", "add"].includes(e.op) && e.args.every(isTower);
}

/** Value at a point; what has none there – a root, the inverse of 0 – stands for itself by those of its parts. */
export function residueOf(e: Expression, point = 0): bigint {
  if (e.op === "name") return e.name === "i" ? ROOT_OF_MINUS_1 : hashed("name", point, e.name);
  const own = exactOf(e), parts = "args" in e ? e.args : [];
  if (own) {
    const below = modulo(own.d);
    if (below === 0n) return hashed("number", own.s * own.n, own.d);
    return modulo(own.s * own.n) * inverse(below) % PRIME;
  }
  const args = parts.map((part) => residueOf(part, point)), [a = 0n, b = 0n] = args;
  const [n, k] = parts.map((part) => integerOf(exactOf(part)));
  const itself = () => hashed("of", point, e.op, "name" in e ? e.name : "", ...args);
  switch (e.op) {
    case "add":
      return args.reduce((x, y) => (x + y) % PRIME);
    case "multiply":
      return args.reduce((x, y) => x * y % PRIME);
    case "divide":
      return b === 0n ? itself() : a * inverse(b) % PRIME;
    case "power":
      return k === undefined || a === 0n && k <= 0n ? itself() : powerOf(a, k);
    case "degree":
      return a;
    case "factorial":
      return n === undefined || n < 0n || n > LARGEST_FACTORIAL ? itself() : falling(n, n);
    case "binomial": {
      if (k === undefined || k < 0n) return itself();
      const short = n !== undefined && n >= k && n - k < k ? n - k : k;
      if (short > LARGEST_FACTORIAL) return itself();
      return falling(a, short) * inverse(falling(short, short)) % PRIME;
    }
    default:
      return itself();
  }
}

/** n (n − 1) … (n − k + 1). */
function falling(n: bigint, k: bigint): bigint {
  let product = 1n;
  for (let i = 0n; i < k; i++) product = product * modulo(n - i) % PRIME;
  return product;
}
