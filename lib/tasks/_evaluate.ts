/**
 * Whether two expressions have one value. Three means, from the strictest on:
 *
 * 1. {@linkcode exactOf}: the fraction itself, where both are fractions of at most {@linkcode MOST_BITS};
 * 2. {@linkcode residueOf}: what is rational in its names – numbers of any size, polynomials, quotients –
 *    in the field of a prime of 256 bits, with random values for names. Two different expressions agree
 *    there with probability below 10⁻⁷⁰; 9^{9^9} takes a microsecond. π, e, f(x), a sum that is not
 *    evaluated, 10000000! are names too: equal only where they are written of equal parts;
 * 3. {@linkcode nearnessOf}: surds, logarithms, angles, powers with names in them, as complex numbers at
 *    {@linkcode POINTS} points where names are positive, and at others where some are negative and both are
 *    real, at two precisions. What differs between these is error; equal is what
 *    agrees to that error, which must be below 2⁻¹⁰⁰ of the value and 2⁻⁶⁴ itself: so two different
 *    numbers are told apart unless they share their first 30 digits, and in fact some 70.
 *
 * What none of these decides is equal only where it is built alike. Time is bounded by the length of the
 * text: sizes are checked before a power or factorial is computed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  type Arithmetic,
  arithmetic,
  bits,
  type Complex,
  integerRoot,
  NoValue,
  toNumber,
  top,
  topOf,
} from "./_float.ts";
import { type Expression, type Operation, TRIGONOMETRIC } from "./_formula.ts";
import * as Q from "./rational.ts";
import type { Rational } from "./rational.ts";

/** Most bits of the parts of an exact fraction. */
export const MOST_BITS = 65_536;
/** Most bits of parts that are brought to lowest terms, which takes their square in time. */
const MOST_REDUCED_BITS = 8192;
/** Largest number whose factorial is multiplied out. */
const LARGEST_FACTORIAL = 5000;
/** Points at which expressions with names are compared. */
export const POINTS = 4;
/** Precisions in bits, each doubled where the one before does not suffice. */
const PRECISIONS = [256, 512, 1024, 2048];
/** Most operations of an evaluation, one at p bits counted (p / 256)^1.5 times. */
const MOST_WORK = 1500;

const isOperation = (e: Expression): e is Expression & { op: Operation } =>
  "args" in e && e.op !== "call";

// 1. exact

const exactValues = new WeakMap<Expression, { value: Rational | undefined }>();

/** The fraction that an expression is; undefined where it is none, or too large. */
export function exactOf(e: Expression): Rational | undefined {
  if (e.op === "number" || e.op === "base") return e.value;
  const known = exactValues.get(e);
  if (known) return known.value;
  let value: Rational | undefined;
  if (isOperation(e)) {
    const args: Rational[] = [];
    for (const arg of e.args) {
      const own = exactOf(arg);
      if (own === undefined) break;
      args.push(own);
    }
    if (args.length === e.args.length) value = bounded(exactly(e.op, args));
  }
  exactValues.set(e, { value });
  return value;
}

const isWhole = (a: Rational | undefined): a is Rational & { denominator: 1n } =>
  a?.denominator === 1n;
const sizeOf = (a: Rational) => bits(a.numerator) + bits(a.denominator);

function bounded(a: Rational | undefined): Rational | undefined {
  return a && sizeOf(a) <= MOST_BITS ? a : undefined;
}

/** Whether a fraction of two is quickly in lowest terms. */
function isQuick(a: Rational, b: Rational): boolean {
  const [n, d] = [sizeOf(a), sizeOf(b)];
  return isWhole(a) && isWhole(b) || n + d <= 2 * MOST_REDUCED_BITS;
}

function exactly(op: Operation, args: readonly Rational[]): Rational | undefined {
  const [a, b] = args;
  switch (op) {
    case "add":
    case "multiply":
      return args.reduce<Rational | undefined>(
        (total, own) =>
          total && isQuick(total, own) && sizeOf(total) + sizeOf(own) <= MOST_BITS
            ? op === "add" ? Q.add(total, own) : Q.multiply(total, own)
            : undefined,
        Q.rational(op === "add" ? 0n : 1n),
      );
    case "divide":
      return b!.numerator === 0n || sizeOf(a!) + sizeOf(b!) > 2 * MOST_REDUCED_BITS
        ? undefined
        : Q.divide(a!, b!);
    case "power":
      return exactPower(a!, b!);
    case "root":
      return isWhole(b) && b.numerator > 0n && b.numerator <= 64n
        ? exactRoot(a!, Number(b.numerator))
        : undefined;
    case "abs":
      return a!.numerator < 0n ? Q.negate(a!) : a;
    case "floor":
      return Q.rational(Q.floor(a!));
    case "ceil":
      return Q.rational(-Q.floor(Q.negate(a!)));
    case "min":
      return args.reduce((x, y) => Q.compare(x, y) <= 0 ? x : y);
    case "max":
      return args.reduce((x, y) => Q.compare(x, y) >= 0 ? x : y);
    case "gcd":
    case "lcm":
      if (!args.every((x) => isWhole(x) && bits(x.numerator) <= MOST_REDUCED_BITS)) {
        return undefined;
      }
      return Q.rational(
        args.map((x) => x.numerator).reduce((x, y) => {
          const divisor = Q.greatestCommonDivisor(x, y);
          return op === "gcd" || divisor === 0n ? divisor : x / divisor * y;
        }),
      );
    case "factorial":
      return isWhole(a) && a.numerator >= 0n && a.numerator <= 1000n
        ? Q.rational(range(1n, a.numerator))
        : undefined;
    case "binomial":
      return exactBinomial(a!, b!);
    case "degree":
      return a;
    default:
      return undefined;
  }
}

/** from · (from + 1) · … · to. */
function range(from: bigint, to: bigint): bigint {
  if (to < from) return 1n;
  if (to - from < 16n) {
    let product = from;
    for (let k = from + 1n; k <= to; k++) product *= k;
    return product;
  }
  const middle = (from + to) / 2n;
  return range(from, middle) * range(middle + 1n, to);
}

function exactPower(a: Rational, n: Rational): Rational | undefined {
  if (a.numerator === 0n) return n.numerator > 0n ? a : undefined;
  const by = n.numerator < 0n ? -n.numerator : n.numerator;
  const size = a.denominator === 1n && (a.numerator === 1n || a.numerator === -1n) ? 0 : sizeOf(a);
  if (size > 0 && by * BigInt(size) > BigInt(MOST_BITS)) return undefined;
  if (n.denominator > 1n) {
    if (a.numerator < 0n || n.denominator > 64n) return undefined;
    const root = exactRoot(a, Number(n.denominator));
    return root && Q.power(root, n.numerator);
  }
  if (size > 0) return Q.power(a, n.numerator);
  return Q.rational(a.numerator > 0n || n.numerator % 2n === 0n ? 1n : -1n);
}

function exactRoot({ numerator, denominator }: Rational, n: number): Rational | undefined {
  if (bits(numerator) > 4 * MOST_REDUCED_BITS) return undefined;
  if (numerator < 0n && n % 2 === 0) return undefined;
  const sign = numerator < 0n ? -1n : 1n, above = rootOf(sign * numerator, n);
  const below = rootOf(denominator, n);
  return above === undefined || below === undefined
    ? undefined
    : { numerator: sign * above, denominator: below };
}

/** The n-th root of an integer where it is one. */
function rootOf(of: bigint, n: number): bigint | undefined {
  if (of < 2n || n === 1) return of;
  if (n === 2) {
    const own = integerRoot(of);
    return own * own === of ? own : undefined;
  }
  const by = BigInt(n);
  let x = 1n << BigInt(Math.ceil(bits(of) / n));
  while (true) {
    const next = ((by - 1n) * x + of / x ** (by - 1n)) / by;
    if (next >= x) return x ** by === of ? x : undefined;
    x = next;
  }
}

function exactBinomial(n: Rational, k: Rational): Rational | undefined {
  if (!isWhole(k) || k.numerator < 0n) return undefined;
  let least = k.numerator;
  if (isWhole(n) && n.numerator >= 0n) {
    if (least > n.numerator) return Q.rational(0n);
    if (n.numerator - least < least) least = n.numerator - least;
  }
  if (least * BigInt(sizeOf(n)) > BigInt(MOST_BITS) || least > 1000n || !isWhole(n)) {
    return undefined;
  }
  return Q.rational(
    range(n.numerator - least + 1n, n.numerator) / range(1n, least),
  );
}

// 2. residues

/** The first prime of the form 4n + 1 from the first 256 bits of π − 3 on. */
const PRIME = 0xa43f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6e65n;
/** A square root of −1 in its field. */
const ROOT_OF_MINUS_1 = 0x3a6ed43aa945d764112240dc5a884b6643e1610fd203a1225a727acdaa5fcc27n;

const modulo = (n: bigint) => ((n % PRIME) + PRIME) % PRIME;

function modularPower(base: bigint, n: bigint): bigint {
  let result = 1n;
  for (let square = base, left = n; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * square % PRIME;
    square = square * square % PRIME;
  }
  return result;
}

/** The inverse of a residue that is not 0. */
function inverse(n: bigint): bigint {
  let [a, b, x, y] = [n, PRIME, 1n, 0n];
  while (b !== 0n) {
    const times = a / b;
    [a, b, x, y] = [b, a - times * b, y, x - times * y];
  }
  return modulo(x);
}

/** What stands for a thing that is only named. */
function hashed(...parts: readonly (string | number | bigint)[]): bigint {
  return modulo(
    BigInt(`0x${createHash("sha256").update(JSON.stringify(parts.map(String))).digest("hex")}`),
  );
}

const TRANSCENDENTAL = new Set<Operation>([...TRIGONOMETRIC, "root", "ln", "log", "exp"]);

/** Whether an expression holds what only a numerical value decides. */
export function isRationalIn(e: Expression): boolean {
  if (!("args" in e) || exactOf(e)) return true;
  if (!e.args.every(isRationalIn)) return false;
  if (e.op === "call") return true;
  if (e.op === "power") return isWhole(exactOf(e.args[1]!)) || isHuge(e);
  return !TRANSCENDENTAL.has(e.op) && !["abs", "floor", "ceil", "min", "max"].includes(e.op);
}

/** A power of fixed integers beyond all bounds: 9^{9^{9^9}}. */
function isHuge(e: Expression & { args: readonly Expression[] }): boolean {
  return e.args.every((arg) => variablesOf(arg).size === 0 && isWholeTower(arg));
}

function isWholeTower(e: Expression): boolean {
  return isWhole(exactOf(e)) ||
    (e.op === "power" || e.op === "factorial" || e.op === "multiply" || e.op === "add") &&
      e.args.every(isWholeTower);
}

/**
 * Value of an expression in the field, at a point.
 *
 * What has none there – a root, a logarithm, the inverse of 0 – stands for itself by the values of its
 * parts: expressions built alike have equal residues, others have not.
 */
export function residueOf(e: Expression, point = 0): bigint {
  switch (e.op) {
    case "number":
    case "base": {
      const below = modulo(e.value.denominator);
      if (below === 0n) return hashed("number", e.value.numerator, e.value.denominator);
      return modulo(e.value.numerator) * inverse(below) % PRIME;
    }
    case "name":
      return e.name === "i" ? ROOT_OF_MINUS_1 : hashed("name", point, e.name);
  }
  const args = e.args.map((arg) => residueOf(arg, point));
  const itself = () => hashed("of", point, e.op, "name" in e ? e.name : "", ...args);
  const [a = 0n, b = 0n] = args;
  switch (e.op) {
    case "add":
      return args.reduce((x, y) => (x + y) % PRIME);
    case "multiply":
      return args.reduce((x, y) => x * y % PRIME);
    case "divide":
      return b === 0n ? itself() : a * inverse(b) % PRIME;
    case "power": {
      const n = exactOf(e.args[1]!);
      if (!isWhole(n) || (a === 0n && n.numerator <= 0n)) return itself();
      return modularPower(
        n.numerator < 0n ? inverse(a) : a,
        n.numerator < 0n ? -n.numerator : n.numerator,
      );
    }
    case "degree":
      return a;
    case "factorial": {
      const n = exactOf(e.args[0]!);
      if (!isWhole(n) || n.numerator < 0n || n.numerator > LARGEST_FACTORIAL) return itself();
      return falling(n.numerator, Number(n.numerator));
    }
    case "binomial": {
      const [n, k] = e.args.map(exactOf);
      if (!isWhole(k) || k.numerator < 0n) return itself();
      const short =
        isWhole(n) && n.numerator >= k.numerator && n.numerator - k.numerator < k.numerator
          ? n.numerator - k.numerator
          : k.numerator;
      if (short > LARGEST_FACTORIAL) return itself();
      return falling(a, Number(short)) * inverse(falling(short, Number(short))) % PRIME;
    }
    default: {
      const own = exactOf(e);
      return own ? residueOf({ op: "number", value: own }) : itself();
    }
  }
}

/** n (n − 1) … (n − k + 1). */
function falling(n: bigint, k: number): bigint {
  let product = 1n;
  for (let i = 0n; i < BigInt(k); i++) product = product * modulo(n - i) % PRIME;
  return product;
}

// 3. numerical values

/** A deterministic value from 0.3 to 2.3, so that roots of names are real. */
function valueOf(...parts: readonly (string | number | bigint)[]): Complex {
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

function numericalOf(e: Expression, F: Arithmetic, at: At): Complex {
  switch (e.op) {
    case "number":
    case "base":
      return F.rational(e.value);
    case "name":
      switch (e.name) {
        case "i":
          return F.i;
        case "π":
          return F.pi;
        case "e":
          return F.exp(F.integer(1));
        case "∞":
          throw new NoValue();
        default: {
          const own = valueOf("name", at.point, e.name);
          return at.negative?.has(e.name) ? F.negate(own) : own;
        }
      }
  }
  const own = at.angle && holds(e, "degree") ? undefined : exactOf(e);
  if (own) return F.rational(own);
  const isTrigonometric = (TRIGONOMETRIC as readonly string[]).includes(e.op);
  const inner = isTrigonometric === (at.angle ?? false) || e.op === "add" || e.op === "multiply" ||
      e.op === "divide" || e.op === "degree" || e.op === "plusminus"
    ? at
    : { ...at, angle: isTrigonometric };
  const args = e.args.map((arg) => numericalOf(arg, F, inner));
  const itself = () =>
    valueOf("of", at.point, e.op, "name" in e ? e.name : "", ...args.map(rounded));
  const [a = F.integer(0), b] = args;
  // √x has no real value where x is negative
  const checkReal = (x: Complex) => {
    if (at.negative && variablesOf(e.args[0]!).size > 0 && (x.im.m !== 0n || x.re.m < 0n)) {
      throw new NoValue();
    }
  };
  switch (e.op) {
    case "add":
      return args.reduce(F.add);
    case "multiply":
      return args.reduce(F.multiply);
    case "divide":
      return F.divide(a, b!);
    case "power": {
      const n = exactOf(e.args[1]!);
      if (isWhole(n) && n.numerator ** 2n < 2n ** 40n) {
        return F.integerPower(a, Number(n.numerator));
      }
      checkReal(F.onAxis(a));
      return F.power(a, b!);
    }
    case "root": {
      const n = exactOf(e.args[1]!), x = F.onAxis(a);
      const odd = isWhole(n) && n.numerator % 2n !== 0n;
      if (!odd) checkReal(x);
      if (isWhole(n) && n.numerator === 2n) return F.sqrt(x);
      return odd && x.im.m === 0n && x.re.m < 0n
        ? F.negate(F.power(F.negate(x), F.divide(F.integer(1), b!)))
        : F.power(x, F.divide(F.integer(1), b!));
    }
    case "degree":
      return at.angle ? F.divide(F.multiply(a, F.pi), F.integer(180)) : a;
    case "abs":
      return F.abs(F.onAxis(a));
    case "ln":
      checkReal(F.onAxis(a));
      return F.ln(a);
    case "log":
      checkReal(F.onAxis(a));
      return F.divide(F.ln(a), F.ln(b ?? F.integer(10)));
    case "exp":
      return F.exp(a);
    case "sin":
      return F.sin(F.onAxis(a));
    case "cos":
      return F.cos(F.onAxis(a));
    case "tan":
      return F.divide(F.sin(F.onAxis(a)), F.cos(F.onAxis(a)));
    case "cot":
      return F.divide(F.cos(F.onAxis(a)), F.sin(F.onAxis(a)));
    case "sec":
      return F.divide(F.integer(1), F.cos(F.onAxis(a)));
    case "csc":
      return F.divide(F.integer(1), F.sin(F.onAxis(a)));
    case "arcsin":
      return F.onAxis(F.arcsin(a));
    case "arccos":
      return F.onAxis(F.subtract(F.divide(F.pi, F.integer(2)), F.arcsin(a)));
    case "arctan":
      return F.onAxis(F.arctan(a));
    case "sinh":
      return F.divide(F.subtract(F.exp(a), F.exp(F.negate(a))), F.integer(2));
    case "cosh":
      return F.divide(F.add(F.exp(a), F.exp(F.negate(a))), F.integer(2));
    case "tanh": {
      const [up, down] = [F.exp(a), F.exp(F.negate(a))];
      return F.divide(F.subtract(up, down), F.add(up, down));
    }
    case "binomial": {
      const k = exactOf(e.args[1]!);
      if (!isWhole(k) || k.numerator < 0n || k.numerator > 64n) return itself();
      let product = F.integer(1);
      for (let i = 0; i < Number(k.numerator); i++) {
        product = F.divide(F.multiply(product, F.subtract(a, F.integer(i))), F.integer(i + 1));
      }
      return product;
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
    case "min":
    case "max":
      return args.reduce((x, y) => (F.subtract(x, y).re.m < 0n) === (e.op === "min") ? x : y);
    default:
      return itself();
  }
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

/** Whether two expressions have one value at a point; undefined where that is not known. */
function nearAt(a: Expression, b: Expression, at: At): boolean | undefined {
  for (const precision of PRECISIONS) {
    const F = arithmetic(2 * precision);
    const [x, y] = [a, b].map((e) => {
      const value = valueAt(e, 2 * precision, at), size = topOf(value);
      const apart = topOf(F.subtract(value, valueAt(e, precision, at)));
      const error = Math.max(apart, size - precision) + 24;
      return { value, zero: size <= error, error, known: error < -64 && error < size - 100 };
    }) as [Known, Known];
    if (![x, y].every(({ known, zero, error }) => known || zero && error < -64)) continue;
    if (x.zero || y.zero) return x.zero && y.zero;
    return topOf(F.subtract(x.value, y.value)) <= Math.max(x.error, y.error);
  }
  return undefined;
}

interface Known {
  readonly value: Complex;
  /** The error is below two to this power. */
  readonly error: number;
  readonly zero: boolean;
  readonly known: boolean;
}

/** Whether two expressions agree wherever both have a value; undefined where that is not known. */
function nearnessOf(a: Expression, b: Expression): boolean | undefined {
  const names = [...new Set([...variablesOf(a), ...variablesOf(b)])];
  const signed = ["abs", "root", "power"].some((op) => holds(a, op) || holds(b, op));
  const points: readonly At[] = [
    ...Array.from({ length: names.length === 0 ? 1 : POINTS }, (_, point) => ({ point })),
    ...(signed ? signsOf(names) : []).map((negative, i) => ({ point: POINTS + i, negative })),
  ];
  let seen = 0;
  for (const at of points) {
    try {
      const own = nearAt(a, b, at);
      if (!own && !(own === undefined && at.negative)) return own;
      seen++;
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
    }
  }
  return seen > 0 ? true : undefined;
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

function holds(e: Expression, op: string): boolean {
  return e.op === op || "args" in e && e.args.some((arg) => holds(arg, op));
}

const CONSTANTS = new Set(["i", "e", "π", "∞"]);

/** Names that stand for no number of their own. */
export function variablesOf(e: Expression, into: Set<string> = new Set()): Set<string> {
  if (e.op === "name" && !CONSTANTS.has(e.name)) into.add(e.name);
  if (e.op === "call") into.add(`${e.name}()`);
  if ("args" in e) { for (const arg of e.args) variablesOf(arg, into); }
  return into;
}

/** Whether two expressions have the same value, wherever they have one. */
export function sameValue(a: Expression, b: Expression): boolean {
  const x = exactOf(a), y = exactOf(b);
  if (x && y) return Q.compare(x, y) === 0;
  const alike = () => residueOf(a) === residueOf(b);
  if (isRationalIn(a) && isRationalIn(b)) return alike();
  return nearnessOf(a, b) ?? alike();
}

/** A real number to some 70 digits, or exactly; undefined where it is not real. */
export function realOf(e: Expression): Rational | undefined {
  const own = exactOf(e);
  if (own || variablesOf(e).size > 0) return own;
  try {
    const { re, im } = arithmetic(256).onAxis(valueAt(e, 256, { point: 0 }));
    if (im.m !== 0n || Math.abs(re.e) > MOST_BITS) return undefined;
    const scale = 1n << BigInt(Math.abs(re.e));
    return re.e < 0 ? Q.rational(re.m, scale) : Q.rational(re.m * scale);
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}

/** A number as the nearest double, for its place on the line; undefined where it is not real. */
export function placeOf(e: Expression): number | undefined {
  if (e.op === "name" && e.name === "∞") return Infinity;
  if (e.op === "multiply" && e.args.length === 2 && placeOf(e.args[1]!) === Infinity) {
    const sign = exactOf(e.args[0]!)?.numerator;
    return sign === undefined || sign === 0n ? undefined : sign > 0n ? Infinity : -Infinity;
  }
  if (variablesOf(e).size > 0) return undefined;
  const exact = exactOf(e);
  if (exact && sizeOf(exact) < 1000) return Number(exact.numerator) / Number(exact.denominator);
  try {
    const { re, im } = arithmetic(256).onAxis(valueAt(e, 256, { point: 0 }));
    return im.m === 0n ? toNumber(re) : undefined;
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}
