/**
 * Whether two expressions have one value. Three means, from the strictest on:
 *
 * 1. `exact.ts`: the fraction itself, where both are fractions of at most {@linkcode MOST_BITS};
 * 2. `residue.ts`: what is rational in its names, in the field of a large prime;
 * 3. {@linkcode nearnessOf}: surds, logarithms, angles, powers with names in them, as complex numbers at
 *    {@linkcode POINTS} points where names are positive, and at others where some are negative and both are
 *    real, at two precisions. What differs between these is error; equal is what
 *    agrees to that error, which must be below 2⁻¹⁰⁰ of the value and 2⁻⁶⁴ itself: so two different
 *    numbers are told apart unless they share their first 30 digits, and in fact some 70.
 *
 * What none of these decides is equal only where it is built alike. Time is bounded by the length of the
 * text.
 *
 * @module
 */

import { Fraction, integerOf } from "../rational.ts";
import { exactOf, MOST_BITS, sizeOf } from "./exact.ts";
import {
  type Arithmetic,
  arithmetic,
  type Complex,
  NoValue,
  toNumber,
  top,
  topOf,
} from "./float.ts";
import { hashed, isRationalIn, residueOf } from "./residue.ts";
import {
  type Expression,
  holds,
  isFixed,
  type Operation,
  TRIGONOMETRIC,
  variablesOf,
} from "./tree.ts";

/** Points at which expressions with names are compared. */
const POINTS = 4;
/** Precisions in bits, each doubled where the one before does not suffice. */
const PRECISIONS = [256, 512, 1024, 2048];
/** Most operations of an evaluation, one at p bits counted (p / 256)^1.5 times. */
const MOST_WORK = 1500;

// numerical values

/** A deterministic value from 0.3 to 2.3, so that roots of names are real. */
function standIn(...parts: readonly (string | number | bigint)[]): Complex {
  const m = 3n * 2n ** 128n / 10n + 2n * (hashed(...parts) & (2n ** 128n - 1n));
  return { re: { m, e: -128 }, im: { m: 0n, e: 0 } };
}

/** A number by its first 100 bits, the same at each precision. */
function rounded(z: Complex): string {
  const size = topOf(z);
  return [z.re, z.im].map(({ m, e }) => {
    if (m === 0n || size === -Infinity) return "0";
    const by = size - 100 - e;
    return `${by > 0 ? (m + (1n << BigInt(by - 1))) >> BigInt(by) : m << BigInt(-by)}`;
  }).join() + `,${size}`;
}

interface At {
  readonly point: number;
  /** Names that are negative there; then what is not real there has no value. */
  readonly negative?: ReadonlySet<string>;
  /** Whether degrees count, as in an argument of a sine. */
  readonly angle?: boolean;
}

type Computed = (F: Arithmetic, args: readonly [Complex, Complex, ...Complex[]]) => Complex;
type OfCircle = (circle: ReturnType<Arithmetic["circle"]>, F: Arithmetic) => Complex;
const circular = (of: OfCircle): Computed => (F, [a]) => of(F.circle(F.onAxis(a)), F);
/** cosh x is cos ix, and sinh x is sin ix / i. */
const hyperbolic = (of: OfCircle): Computed => (F, [a]) => of(F.circle(F.multiply(F.i, a)), F);

/** Operations that need to know no more than the values of their arguments. */
const VALUES: Partial<Record<Operation, Computed>> = {
  add: (F, args) => args.reduce(F.add),
  multiply: (F, args) => args.reduce(F.multiply),
  divide: (F, [a, b]) => F.divide(a, b),
  abs: (F, [a]) => F.abs(F.onAxis(a)),
  ln: (F, [a]) => F.ln(a),
  log: (F, args) => F.divide(F.ln(args[0]), F.ln(args.length > 1 ? args[1] : F.integer(10))),
  exp: (F, [a]) => F.exp(a),
  sin: circular(({ sin }) => sin),
  cos: circular(({ cos }) => cos),
  tan: circular(({ sin, cos }, F) => F.divide(sin, cos)),
  cot: circular(({ sin, cos }, F) => F.divide(cos, sin)),
  sec: circular(({ cos }, F) => F.divide(F.integer(1), cos)),
  csc: circular(({ sin }, F) => F.divide(F.integer(1), sin)),
  arcsin: (F, [a]) => F.onAxis(F.arcsin(a)),
  arccos: (F, [a]) => F.onAxis(F.subtract(F.divide(F.pi, F.integer(2)), F.arcsin(a))),
  arctan: (F, [a]) => F.onAxis(F.arctan(a)),
  sinh: hyperbolic(({ sin }, F) => F.divide(sin, F.i)),
  cosh: hyperbolic(({ cos }) => cos),
  tanh: hyperbolic(({ sin, cos }, F) => F.divide(sin, F.multiply(F.i, cos))),
  min: (F, args) => args.reduce((x, y) => F.subtract(x, y).re.m < 0n ? x : y),
  max: (F, args) => args.reduce((x, y) => F.subtract(x, y).re.m < 0n ? y : x),
};

/** Operations that leave degrees what they are. */
const LINEAR: ReadonlySet<string> = new Set(["add", "multiply", "divide", "degree", "plusminus"]);
const ANGULAR: ReadonlySet<string> = new Set(TRIGONOMETRIC);

function nameValue(name: string, F: Arithmetic, at: At): Complex {
  if (name === "i") return F.i;
  if (name === "π") return F.pi;
  if (name === "e") return F.exp(F.integer(1));
  if (name === "∞") throw new NoValue();
  const value = standIn("name", at.point, name);
  return at.negative?.has(name) ? F.negate(value) : value;
}

function numericalOf(e: Expression, F: Arithmetic, at: At): Complex {
  if (e.op === "number" || e.op === "base") return F.rational(e.value);
  if (e.op === "name") return nameValue(e.name, F, at);
  const own = at.angle && holds(e, "degree") ? undefined : exactOf(e);
  if (own) return F.rational(own);
  const angle = ANGULAR.has(e.op);
  const inner = angle === (at.angle ?? false) || LINEAR.has(e.op) ? at : { ...at, angle };
  const args = e.args.map((arg) => numericalOf(arg, F, inner)), [a = F.integer(0), b] = args;
  const itself = () =>
    standIn("of", at.point, e.op, "name" in e ? e.name : "", ...args.map(rounded));
  // √x has no real value where x is negative
  const real = (x: Complex): Complex => {
    const varies = at.negative && !isFixed(e.args[0]!);
    if (varies && (x.im.m !== 0n || x.re.m < 0n)) throw new NoValue();
    return x;
  };
  switch (e.op) {
    case "power": {
      const n = integerOf(exactOf(e.args[1]!));
      if (n !== undefined && n ** 2n < 2n ** 40n) return F.integerPower(a, Number(n));
      real(F.onAxis(a));
      return F.power(a, b!);
    }
    case "root": {
      const n = integerOf(exactOf(e.args[1]!)), x = F.onAxis(a);
      const odd = n !== undefined && n % 2n !== 0n, by = () => F.divide(F.integer(1), b!);
      if (!odd) real(x);
      if (n === 2n) return F.sqrt(x);
      return odd && x.im.m === 0n && x.re.m < 0n
        ? F.negate(F.power(F.negate(x), by()))
        : F.power(x, by());
    }
    case "degree":
      return at.angle ? F.divide(F.multiply(a, F.pi), F.integer(180)) : a;
    case "binomial": {
      const k = integerOf(exactOf(e.args[1]!));
      if (k === undefined || k < 0n || k > 64n) return itself();
      const factor = (_: unknown, i: number) =>
        F.divide(F.subtract(a, F.integer(i)), F.integer(i + 1));
      return Array.from({ length: Number(k) }, factor).reduce(F.multiply, F.integer(1));
    }
    case "floor":
    case "ceil": {
      const x = F.onAxis(a);
      if (x.im.m !== 0n || top(x.re) > 100 || x.re.e >= 0) return itself();
      const by = BigInt(-x.re.e), up = e.op === "ceil" ? (1n << by) - 1n : 0n;
      // an integer but for rounding may be on either side
      const near = (x.re.m + (1n << (by - 1n))) >> by;
      if (top({ m: x.re.m - (near << by), e: x.re.e }) < -60) return F.real({ m: near, e: 0 });
      return F.real({ m: (x.re.m + up) >> by, e: 0 });
    }
    case "ln":
    case "log":
      real(F.onAxis(a));
  }
  const value = e.op === "call" ? undefined : VALUES[e.op];
  return value ? value(F, args as unknown as Parameters<Computed>[1]) : itself();
}

const values = new WeakMap<Expression, Map<string, Complex>>();

/** Value of an expression at a precision and point, computed once. */
function valueAt(e: Expression, precision: number, at: At): Complex {
  if (operationsOf(e) * (precision / 256) ** 1.5 > MOST_WORK) throw new NoValue();
  const own = values.get(e) ?? new Map<string, Complex>();
  values.set(e, own);
  const key = `${precision},${at.point},${[...at.negative ?? []]}`;
  const value = own.get(key) ?? numericalOf(e, arithmetic(precision), at);
  own.set(key, value);
  return value;
}

function operationsOf(e: Expression): number {
  return "args" in e ? e.args.reduce((sum, arg) => sum + operationsOf(arg), 1) : 0;
}

/** What a computation gives; undefined where there is no value. */
function ifThere<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}

// nearness

/** Whether two expressions have one value at a point; undefined where that is not known. */
function nearAt(a: Expression, b: Expression, at: At): boolean | undefined {
  for (const precision of PRECISIONS) {
    const F = arithmetic(2 * precision);
    const known = (e: Expression) => {
      const value = valueAt(e, 2 * precision, at), size = topOf(value);
      const apart = topOf(F.subtract(value, valueAt(e, precision, at)));
      /** The error is below two to this power. */
      const error = Math.max(apart, size - precision) + 24, zero = size <= error;
      return { value, error, zero, known: error < -64 && (zero || error < size - 100) };
    };
    const x = known(a), y = known(b);
    if (!x.known || !y.known) continue;
    if (x.zero || y.zero) return x.zero && y.zero;
    return topOf(F.subtract(x.value, y.value)) <= Math.max(x.error, y.error);
  }
  return undefined;
}

/** Whether two expressions agree wherever both have a value; undefined where that is not known. */
function nearnessOf(a: Expression, b: Expression): boolean | undefined {
  const names = [...new Set([...variablesOf(a), ...variablesOf(b)])];
  const signed = ["abs", "root", "power"].some((op) => holds(a, op) || holds(b, op));
  const points: readonly At[] = [
    ...Array.from({ length: names.length === 0 ? 1 : POINTS }, (_, point) => ({ point })),
    ...(signed ? signsOf(names) : []).map((negative, i) => ({ point: POINTS + i, negative })),
  ];
  let seen = false;
  for (const at of points) {
    const own = ifThere(() => ({ near: nearAt(a, b, at) }));
    if (!own) continue;
    if (!own.near && !(own.near === undefined && at.negative)) return own.near;
    seen = true;
  }
  return seen || undefined;
}

/** Most names whose signs are tried in all ways; of more, each is negative once, and all are. */
const MOST_SIGNS = 3;

/** Sets of names that are negative together. */
function signsOf(names: readonly string[]): ReadonlySet<string>[] {
  if (names.length > MOST_SIGNS) {
    return [new Set(names), ...names.slice(0, 4 * MOST_SIGNS).map((name) => new Set([name]))];
  }
  return Array.from(
    { length: 2 ** names.length - 1 },
    (_, k) => new Set(names.filter((_, i) => ((k + 1) >> i) & 1)),
  );
}

/** Whether two expressions have the same value, wherever they have one. */
export function sameValue(a: Expression, b: Expression): boolean {
  const x = exactOf(a), y = exactOf(b);
  if (x && y) return x.equals(y);
  const alike = () => residueOf(a) === residueOf(b);
  if (isRationalIn(a) && isRationalIn(b)) return alike();
  return nearnessOf(a, b) ?? alike();
}

/** The value of an expression without names, to some 70 digits. */
const fixedValue = (e: Expression) =>
  ifThere(() => arithmetic(256).onAxis(valueAt(e, 256, { point: 0 })));

/** A real number to some 70 digits, or exactly; undefined where it is not real. */
export function realOf(e: Expression): Fraction | undefined {
  const own = exactOf(e);
  if (own || !isFixed(e)) return own;
  const value = fixedValue(e);
  if (!value || value.im.m !== 0n || Math.abs(value.re.e) > MOST_BITS) return undefined;
  const { m, e: by } = value.re, scale = 1n << BigInt(Math.abs(by));
  return by < 0 ? new Fraction(m, scale) : new Fraction(m * scale);
}

/** A number as the nearest double, for its place on the line; undefined where it is not real. */
export function placeOf(e: Expression): number | undefined {
  if (e.op === "name" && e.name === "∞") return Infinity;
  if (e.op === "multiply" && e.args.length === 2 && placeOf(e.args[1]!) === Infinity) {
    const sign = exactOf(e.args[0]!)?.compare(0);
    return sign ? sign * Infinity : undefined;
  }
  if (!isFixed(e)) return undefined;
  const exact = exactOf(e);
  if (exact && sizeOf(exact) < 1000) return exact.valueOf();
  const value = fixedValue(e);
  return value?.im.m === 0n ? toNumber(value.re) : undefined;
}
