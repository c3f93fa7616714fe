/**
 * The fraction that an expression is, where it is one of a size worth computing: sizes are checked before a
 * power or a factorial is.
 *
 * @module
 */

import { Fraction, integerOf } from "../rational.ts";
import { bits, integerRoot } from "./float.ts";
import type { Expression, Operation } from "./tree.ts";

/** Most bits of the parts of an exact fraction. */
export const MOST_BITS = 65_536;
/** Most bits of parts that are brought to lowest terms, which takes their square in time. */
const MOST_REDUCED_BITS = 8192;

const values = new WeakMap<Expression, { value: Fraction | undefined }>();

/** The fraction that an expression is; undefined where it is none, or too large. */
export function exactOf(e: Expression): Fraction | undefined {
  if (e.op === "number" || e.op === "base") return e.value;
  if (e.op === "name" || e.op === "call") return undefined;
  const known = values.get(e);
  if (known) return known.value;
  const args = e.args.map(exactOf);
  const found = args.includes(undefined) ? undefined : EXACT[e.op]?.(args as unknown as Args);
  const value = found && sizeOf(found) <= MOST_BITS ? found : undefined;
  values.set(e, { value });
  return value;
}

/** Bits of both parts. */
export const sizeOf = (a: Fraction): number => bits(a.n) + bits(a.d);

type Args = readonly [Fraction, Fraction, ...Fraction[]];

/** Folds with sizes checked, so that each step is quickly in lowest terms. */
const folded = (by: (a: Fraction, b: Fraction) => Fraction) => ([first, ...rest]: Args) =>
  rest.reduce<Fraction | undefined>((total, own) => {
    if (!total) return undefined;
    const most = total.d === 1n && own.d === 1n ? MOST_BITS : 2 * MOST_REDUCED_BITS;
    return sizeOf(total) + sizeOf(own) <= most ? by(total, own) : undefined;
  }, first);
const ofIntegers = (by: (a: Fraction, b: Fraction) => Fraction) => (args: Args) =>
  args.every(({ n, d }) => d === 1n && bits(n) <= MOST_REDUCED_BITS) ? args.reduce(by) : undefined;

const EXACT: Partial<Record<Operation, (args: Args) => Fraction | undefined>> = {
  add: folded((a, b) => a.add(b)),
  multiply: folded((a, b) => a.mul(b)),
  divide: ([a, b]) =>
    b.n === 0n || sizeOf(a) + sizeOf(b) > 2 * MOST_REDUCED_BITS ? undefined : a.div(b),
  power: ([a, n]) => powerOf(a, n),
  root: ([a, n]) => n.s > 0n && n.d === 1n ? rootOf(a, n.n) : undefined,
  abs: ([a]) => a.abs(),
  floor: ([a]) => a.floor(),
  ceil: ([a]) => a.ceil(),
  min: (args) => args.reduce((x, y) => x.lte(y) ? x : y),
  max: (args) => args.reduce((x, y) => x.gte(y) ? x : y),
  gcd: ofIntegers((x, y) => x.gcd(y)),
  lcm: ofIntegers((x, y) => x.lcm(y)),
  factorial: ([a]) => {
    const n = integerOf(a);
    return n !== undefined && n >= 0n && n <= 1000n ? new Fraction(range(1n, n)) : undefined;
  },
  binomial: ([n, k]) => binomialOf(n, k),
  degree: ([a]) => a,
};

/** from · (from + 1) · … · to. */
function range(from: bigint, to: bigint): bigint {
  if (to < from) return 1n;
  if (to === from) return from;
  const middle = from + (to - from) / 2n;
  return range(from, middle) * range(middle + 1n, to);
}

function powerOf(a: Fraction, n: Fraction): Fraction | undefined {
  if (a.n === 0n) return n.compare(0) > 0 ? a : undefined;
  const size = a.n === 1n && a.d === 1n ? 0 : sizeOf(a);
  if (n.n * BigInt(size) > (a.d === 1n ? MOST_BITS : 2 * MOST_REDUCED_BITS)) return undefined;
  if (n.d === 1n) return a.pow(n);
  return a.s < 0n ? undefined : rootOf(a, n.d)?.pow(n.s * n.n);
}

/** The n-th root of a fraction where it is one. */
function rootOf({ s, n: above, d: below }: Fraction, n: bigint): Fraction | undefined {
  if (n === 0n || n > 64n || bits(above) > 4 * MOST_REDUCED_BITS) return undefined;
  if (s < 0n && n % 2n === 0n) return undefined;
  const [x, y] = [wholeRoot(above, Number(n)), wholeRoot(below, Number(n))];
  return x === undefined || y === undefined ? undefined : new Fraction(s * x, y);
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

function binomialOf(above: Fraction, below: Fraction): Fraction | undefined {
  const [n, k] = [integerOf(above), integerOf(below)];
  if (n === undefined || k === undefined || k < 0n) return undefined;
  if (n >= 0n && k > n) return new Fraction(0);
  const least = n >= 0n && n - k < k ? n - k : k;
  if (least * BigInt(sizeOf(above)) > BigInt(MOST_BITS) || least > 1000n) return undefined;
  return new Fraction(range(n - least + 1n, n) / range(1n, least));
}
