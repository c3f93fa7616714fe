/**
 * Complex numbers of any number of bits: what surds, π, e and the functions of them are compared by.
 *
 * A real number is m · 2^e. {@linkcode arithmetic} gives the operations at a precision: each result has
 * about that many bits, and errs by a few of its last ones. Nothing here bounds errors: who compares
 * evaluates at two precisions and believes what both agree in (`evaluate.ts`). (At 512 bits decimal.js takes
 * 16 to 300 times as long, and ends at 1025 digits.)
 *
 * What would need more room than its precision is worth – an exponent above 2^53, the sine of 10^{9999} –
 * throws a {@linkcode NoValue}, as does what has no value.
 *
 * @module
 */

import type { Fraction } from "../rational.ts";

/** m · 2^e. */
export type Real = { readonly m: bigint; readonly e: number };
export type Complex = { readonly re: Real; readonly im: Real };

export class NoValue extends Error {}

const ZERO: Real = { m: 0n, e: 0 }, ONE: Real = { m: 1n, e: 0 };
/** Most bits by which an argument may be larger, or smaller, than 1. */
const FARTHEST = 8192;

/** Bits of an integer without its sign. */
export function bits(n: bigint): number {
  if (n === 0n) return 0;
  const digits = (n < 0n ? -n : n).toString(16);
  return 4 * digits.length - Math.clz32(parseInt(digits[0]!, 16)) + 28;
}

/** The least t with |x| < 2^t; −∞ for 0. */
export const top = ({ m, e }: Real): number => m === 0n ? -Infinity : bits(m) + e;

/** {@linkcode top} of the larger part. */
export const topOf = ({ re, im }: Complex): number => Math.max(top(re), top(im));

const shift = (m: bigint, by: number) => by >= 0 ? m << BigInt(by) : m >> BigInt(-by);
const negative = (x: Real): Real => ({ m: -x.m, e: x.e });

/** Integer part of a square root. */
export function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((bits(n) + 1) >> 1);
  while (true) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

// series in multiples of 2^−w

/** artanh z, or arctan z where signs alternate. */
function inverseTangent(z: bigint, w: number, alternating: boolean): bigint {
  const square = (z * z) >> BigInt(w);
  let sum = 0n;
  for (let power = z, k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += alternating && k % 4n === 3n ? -(power / k) : power / k;
    power = (power * square) >> BigInt(w);
  }
  return sum;
}

/** Terms of the series of e^z, added up by the remainder of their power by 4. */
function exponentials(z: bigint, w: number): [bigint, bigint, bigint, bigint] {
  const sums: [bigint, bigint, bigint, bigint] = [1n << BigInt(w), 0n, 0n, 0n];
  for (let term = sums[0], k = 1; term !== 0n && term !== -1n; k++) {
    term = ((term * z) >> BigInt(w)) / BigInt(k);
    sums[k % 4]! += term;
  }
  return sums;
}

function remembered(compute: (w: number) => bigint): (w: number) => bigint {
  let known = { w: 0, value: 0n };
  return (w) => {
    if (known.w < w) known = { w, value: compute(w + 64) >> 64n };
    return known.value >> BigInt(known.w - w);
  };
}

const over1 = (n: bigint, w: number) => (1n << BigInt(w)) / n;
const PI = remembered((w) =>
  16n * inverseTangent(over1(5n, w), w, true) - 4n * inverseTangent(over1(239n, w), w, true)
);
const LN2 = remembered((w) => 2n * inverseTangent(over1(3n, w), w, false));

/** Operations whose results have about as many bits as they were made for. */
export type Arithmetic = ReturnType<typeof arithmeticOf>;

const made = new Map<number, Arithmetic>();

/** Operations whose results have about `precision` bits; one of few precisions, since they are kept. */
export function arithmetic(precision: number): Arithmetic {
  const own = made.get(precision) ?? arithmeticOf(precision);
  made.set(precision, own);
  return own;
}

function arithmeticOf(precision: number) {
  const fit = (m: bigint, e: number): Real => {
    if (m === 0n) return ZERO;
    if (Math.abs(e) > 2 ** 52) throw new NoValue();
    const over = bits(m) - precision;
    return over > 0 ? { m: m >> BigInt(over), e: e + over } : { m, e };
  };

  function plus(a: Real, b: Real): Real {
    const ahead = top(a) - top(b);
    if (b.m === 0n || ahead > precision + 8) return a;
    if (a.m === 0n || -ahead > precision + 8) return b;
    const e = Math.min(a.e, b.e);
    return fit(shift(a.m, a.e - e) + shift(b.m, b.e - e), e);
  }
  const times = (a: Real, b: Real) => fit(a.m * b.m, a.e + b.e);
  function over(a: Real, b: Real): Real {
    if (b.m === 0n) throw new NoValue();
    const by = Math.max(0, precision + 4 + bits(b.m) - bits(a.m));
    return fit(shift(a.m, by) / b.m, a.e - b.e - by);
  }
  function rootOf(x: Real): Real {
    const by = Math.max(0, 2 * precision + 4 - bits(x.m)), odd = Math.abs((x.e - by) % 2);
    return fit(integerRoot(shift(x.m, by + odd)), (x.e - by - odd) / 2);
  }
  /** A number as a multiple of 2^−w, and what is added for its size. */
  function fixed(x: Real): { w: number; m: bigint } {
    const size = x.m === 0n ? 0 : top(x);
    if (Math.abs(size) > FARTHEST) throw new NoValue();
    const w = precision + 64 + Math.abs(size);
    return { w, m: shift(x.m, x.e + w) };
  }

  function exponential(x: Real): Real {
    if (x.m === 0n || top(x) < -FARTHEST) return ONE;
    if (top(x) > 53) throw new NoValue();
    const { w, m } = fixed(x), n = m / LN2(w);
    let sum = exponentials((m - n * LN2(w)) >> 16n, w).reduce((a, b) => a + b);
    for (let k = 0; k < 16; k++) sum = (sum * sum) >> BigInt(w);
    return fit(sum, Number(n) - w);
  }
  /** cos x + i sin x. */
  function turn(x: Real): Complex {
    const { w, m } = fixed(x), full = 2n * PI(w), by = BigInt(w);
    const [one, i, minusOne, minusI] = exponentials((m - (m / full) * full) >> 16n, w);
    let [c, s] = [one - minusOne, i - minusI];
    for (let k = 0; k < 16; k++) [c, s] = [(c * c - s * s) >> by, (c * s) >> (by - 1n)];
    return { re: fit(c, -w), im: fit(s, -w) };
  }
  /** The logarithm of what is above 0. */
  function logarithm(x: Real): Real {
    if (x.m <= 0n) throw new NoValue();
    const w = precision + 64, one = 1n << BigInt(w);
    let n = top(x), y = shift(x.m, w - bits(x.m));
    if (3n * y < 2n * one) [y, n] = [y << 1n, n - 1];
    for (let k = 0; k < 12; k++) y = integerRoot(y << BigInt(w));
    const sum = inverseTangent(((y - one) << BigInt(w)) / (y + one), w, false);
    return fit((sum << 13n) + BigInt(n) * LN2(w), -w);
  }
  /** arctan of what is within ±1. */
  function arctangent(x: Real): Real {
    if (x.m === 0n) return ZERO;
    const { w, m } = fixed(x), one = 1n << BigInt(w), by = BigInt(w);
    let t = m;
    for (let k = 0; k < 8; k++) t = (t << by) / (one + integerRoot((one + ((t * t) >> by)) << by));
    return fit(inverseTangent(t, w, true) << 8n, -w);
  }
  const pi: Real = fit(PI(precision + 8), -precision - 8);
  const half = (x: Real): Real => ({ m: x.m, e: x.e - 1 });

  /** Angle of a number that is not 0. */
  function angle({ re, im }: Complex): Real {
    if (re.m === 0n && im.m === 0n) throw new NoValue();
    if (top(im) <= top(re)) {
      const own = arctangent(over(im, re));
      return re.m > 0n ? own : plus(own, im.m < 0n ? negative(pi) : pi);
    }
    const right = im.m > 0n ? half(pi) : negative(half(pi));
    return plus(right, negative(arctangent(over(re, im))));
  }

  const real = (re: Real): Complex => ({ re, im: ZERO });
  const integer = (n: number): Complex => real({ m: BigInt(n), e: 0 });
  const i: Complex = { re: ZERO, im: ONE }, one = integer(1), two = integer(2);
  const negate = ({ re, im }: Complex): Complex => ({ re: negative(re), im: negative(im) });
  const add = (a: Complex, b: Complex) => ({ re: plus(a.re, b.re), im: plus(a.im, b.im) });
  const subtract = (a: Complex, b: Complex) => add(a, negate(b));
  function multiply(a: Complex, b: Complex): Complex {
    if (a.im.m === 0n && b.im.m === 0n) return real(times(a.re, b.re));
    return {
      re: plus(times(a.re, b.re), negative(times(a.im, b.im))),
      im: plus(times(a.re, b.im), times(a.im, b.re)),
    };
  }
  function divide(a: Complex, b: Complex): Complex {
    if (a.im.m === 0n && b.im.m === 0n) return real(over(a.re, b.re));
    const size = plus(times(b.re, b.re), times(b.im, b.im));
    const { re, im } = multiply(a, { re: b.re, im: negative(b.im) });
    return { re: over(re, size), im: over(im, size) };
  }
  /** A number beside an axis by its rounding alone is put on it, so that it has the branch it means. */
  function onAxis(z: Complex): Complex {
    if (top(z.im) < top(z.re) - precision + 32) return real(z.re);
    return top(z.re) < top(z.im) - precision + 32 ? { re: ZERO, im: z.im } : z;
  }
  const abs = (z: Complex): Complex =>
    z.im.m === 0n
      ? real(z.re.m < 0n ? negative(z.re) : z.re)
      : real(rootOf(plus(times(z.re, z.re), times(z.im, z.im))));
  function ln(of: Complex): Complex {
    const z = onAxis(of);
    return { re: logarithm(abs(z).re), im: angle(z) };
  }
  function exp({ re, im }: Complex): Complex {
    const size = exponential(re);
    if (im.m === 0n) return real(size);
    const { re: c, im: s } = turn(im);
    return { re: times(size, c), im: times(size, s) };
  }
  function sqrt(of: Complex): Complex {
    const z = onAxis(of);
    if (z.im.m !== 0n) return exp(divide(ln(z), two));
    return z.re.m < 0n ? { re: ZERO, im: rootOf(negative(z.re)) } : real(rootOf(z.re));
  }
  function integerPower(a: Complex, n: number): Complex {
    let result = one, square = a;
    for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = multiply(result, square);
      if (left > 1) square = multiply(square, square);
    }
    return n < 0 ? divide(one, result) : result;
  }
  function power(a: Complex, b: Complex): Complex {
    if (topOf(a) !== -Infinity) return exp(multiply(b, ln(a)));
    if (b.im.m === 0n && b.re.m > 0n) return a;
    throw new NoValue();
  }
  /** The cosine and the sine of a number. */
  function circle(z: Complex): { cos: Complex; sin: Complex } {
    const by = z.im.m === 0n ? turn(z.re) : undefined;
    if (by) return { cos: real(by.re), sin: real(by.im) };
    const up = exp(multiply(i, z)), down = exp(negate(multiply(i, z)));
    return { cos: divide(add(up, down), two), sin: divide(subtract(up, down), multiply(two, i)) };
  }
  const arcsin = (z: Complex) =>
    negate(multiply(i, ln(add(multiply(i, z), sqrt(subtract(one, multiply(z, z)))))));
  const arctan = (z: Complex) => {
    const iz = multiply(i, z);
    return divide(multiply(i, subtract(ln(subtract(one, iz)), ln(add(one, iz)))), two);
  };
  return {
    ...{ real, integer, i, pi: real(pi), negate, add, subtract, multiply, divide, abs, ln, exp },
    ...{ sqrt, integerPower, power, onAxis, circle, arcsin, arctan },
    rational: ({ s, n, d }: Fraction) => real(over({ m: s * n, e: 0 }, { m: d, e: 0 })),
  };
}

/** The nearest double. */
export function toNumber({ m, e }: Real): number {
  if (m === 0n) return 0;
  const over = Math.max(0, bits(m) - 60);
  return Number(m >> BigInt(over)) * 2 ** Math.max(-1100, Math.min(1100, e + over));
}
