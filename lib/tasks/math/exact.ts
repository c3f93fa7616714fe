/**
 * The fraction that an expression is, where it is one of a size worth computing: sizes are checked before a
 * power or a factorial is.
 *
 * @module
 */

import * as Q from "../rational.ts";
import type { Rational } from "../rational.ts";
import { bits, integerRoot } from "./float.ts";
import type { Expression, Operation } from "./tree.ts";

/** Most bits of the parts of an exact fraction. */
export const MOST_BITS = 65_536;
/** Most bits of parts that are brought to lowest terms, which takes their square in time. */
const MOST_REDUCED_BITS = 8192;

const values = new WeakMap<Expression, { value: Rational | undefined }>();

/** The fraction that an expression is; undefined where it is none, or too large. */
export function exactOf(e: Expression): Rational | undefined {
  if (e.op === "number" || e.op === "base") return e.value;
  if (e.op === "name" || e.op === "call") return undefined;
  const known = values.get(e);
  if (known) return known.value;
  const args: Rational[] = [];
  for (const arg of e.args) {
    const own = exactOf(arg);
    if (own === undefined) break;
    args.push(own);
  }
  const found = args.length === e.args.length ? EXACT[e.op]?.(args as unknown as Args) : undefined;
  const value = found && sizeOf(found) <= MOST_BITS ? found : undefined;
  values.set(e, { value });
  return value;
}

/** Whether a value is there, and an integer. */
export const isWhole = (a: Rational | undefined): a is Rational & { denominator: 1n } =>
  a?.denominator === 1n;

/** Bits of both parts. */
export const sizeOf = (a: Rational): number => bits(a.numerator) + bits(a.denominator);

type Args = readonly [Rational, Rational, ...Rational[]];

/** Folds with sizes checked, so that each step is quickly in lowest terms. */
const folded = (by: typeof Q.add, start: bigint) => (args: Args) =>
  args.reduce<Rational | undefined>((total, own) => {
    const size = total ? sizeOf(total) + sizeOf(own) : Infinity;
    const most = total && isWhole(total) && isWhole(own) ? MOST_BITS : 2 * MOST_REDUCED_BITS;
    return size <= most ? by(total!, own) : undefined;
  }, Q.rational(start));

const divisors = (step: (x: bigint, y: bigint, divisor: bigint) => bigint) => (args: Args) =>
  args.every((x) => isWhole(x) && bits(x.numerator) <= MOST_REDUCED_BITS)
    ? Q.rational(
      args.map((x) => x.numerator).reduce((x, y) => step(x, y, Q.greatestCommonDivisor(x, y))),
    )
    : undefined;

const EXACT: Partial<Record<Operation, (args: Args) => Rational | undefined>> = {
  add: folded(Q.add, 0n),
  multiply: folded(Q.multiply, 1n),
  divide: ([a, b]) =>
    b.numerator === 0n || sizeOf(a) + sizeOf(b) > 2 * MOST_REDUCED_BITS
      ? undefined
      : Q.divide(a, b),
  power: ([a, n]) => powerOf(a, n),
  root: ([a, n]) =>
    isWhole(n) && n.numerator > 0n && n.numerator <= 64n
      ? rootOf(a, Number(n.numerator))
      : undefined,
  abs: ([a]) => a.numerator < 0n ? Q.negate(a) : a,
  floor: ([a]) => Q.rational(Q.floor(a)),
  ceil: ([a]) => Q.rational(-Q.floor(Q.negate(a))),
  min: (args) => args.reduce((x, y) => Q.compare(x, y) <= 0 ? x : y),
  max: (args) => args.reduce((x, y) => Q.compare(x, y) >= 0 ? x : y),
  gcd: divisors((_x, _y, divisor) => divisor),
  lcm: divisors((x, y, divisor) => divisor === 0n ? divisor : x / divisor * y),
  factorial: ([a]) =>
    isWhole(a) && a.numerator >= 0n && a.numerator <= 1000n
      ? Q.rational(range(1n, a.numerator))
      : undefined,
  binomial: ([n, k]) => binomialOf(n, k),
  degree: ([a]) => a,
};

/** from · (from + 1) · … · to. */
function range(from: bigint, to: bigint): bigint {
  if (to < from) return 1n;
  if (to === from) return from;
  const middle = (from + to) / 2n;
  return range(from, middle) * range(middle + 1n, to);
}

function powerOf(a: Rational, n: Rational): Rational | undefined {
  if (a.numerator === 0n) return n.numerator > 0n ? a : undefined;
  const by = n.numerator < 0n ? -n.numerator : n.numerator;
  const size = a.denominator === 1n && (a.numerator === 1n || a.numerator === -1n) ? 0 : sizeOf(a);
  if (size > 0 && by * BigInt(size) > BigInt(MOST_BITS)) return undefined;
  if (n.denominator > 1n) {
    if (a.numerator < 0n || n.denominator > 64n) return undefined;
    const root = rootOf(a, Number(n.denominator));
    return root && Q.power(root, n.numerator);
  }
  if (size > 0) return Q.power(a, n.numerator);
  return Q.rational(a.numerator > 0n || n.numerator % 2n === 0n ? 1n : -1n);
}

/** The n-th root of a fraction where it is one. */
function rootOf({ numerator, denominator }: Rational, n: number): Rational | undefined {
  if (bits(numerator) > 4 * MOST_REDUCED_BITS) return undefined;
  if (numerator < 0n && n % 2 === 0) return undefined;
  const sign = numerator < 0n ? -1n : 1n;
  const above = wholeRoot(sign * numerator, n), below = wholeRoot(denominator, n);
  return above === undefined || below === undefined
    ? undefined
    : { numerator: sign * above, denominator: below };
}

/** The n-th root of an integer where it is one. */
function wholeRoot(of: bigint, n: number): bigint | undefined {
  if (of < 2n || n === 1) return of;
  const by = BigInt(n);
  let x = n === 2 ? integerRoot(of) : 1n << BigInt(Math.ceil(bits(of) / n));
  while (true) {
    const next = ((by - 1n) * x + of / x ** (by - 1n)) / by;
    if (next >= x) return x ** by === of ? x : undefined;
    x = next;
  }
}

function binomialOf(n: Rational, k: Rational): Rational | undefined {
  if (!isWhole(k) || k.numerator < 0n) return undefined;
  let least = k.numerator;
  if (isWhole(n) && n.numerator >= 0n) {
    if (least > n.numerator) return Q.rational(0n);
    if (n.numerator - least < least) least = n.numerator - least;
  }
  if (least * BigInt(sizeOf(n)) > BigInt(MOST_BITS) || least > 1000n || !isWhole(n)) {
    return undefined;
  }
  return Q.rational(range(n.numerator - least + 1n, n.numerator) / range(1n, least));
}
