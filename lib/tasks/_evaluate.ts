/**
 * Numerical values of expressions, over the complex numbers.
 *
 * Every function costs a constant: sums over ranges, integrals and the like are not evaluated, so that
 * an expression takes time in proportion to its length, whatever numbers it names.
 *
 * @module
 */

import { Complex } from "complex.js";
import type { Expression } from "./math_value.ts";

const CONSTANTS: Readonly<Record<string, Complex>> = {
  Pi: new Complex(Math.PI, 0),
  ExponentialE: new Complex(Math.E, 0),
  e: new Complex(Math.E, 0),
  i: Complex.I,
  ImaginaryUnit: Complex.I,
  PositiveInfinity: new Complex(Infinity, 0),
  NegativeInfinity: new Complex(-Infinity, 0),
};

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 170) return NaN;
  let product = 1;
  for (let k = 2; k <= n; k++) product *= k;
  return product;
}

function binomial(n: number, k: number): number {
  if (!Number.isInteger(n) || !Number.isInteger(k) || k < 0 || n < k || Math.min(k, n - k) > 1000) {
    return NaN;
  }
  let product = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) product = product * (n - i + 1) / i;
  return Math.round(product);
}

const real = (value: number) => new Complex(value, 0);
const NONE = new Complex(NaN, NaN);

/** The real root of a real number where there is one, the principal one otherwise. */
function root(x: Complex, n: Complex): Complex {
  const odd = x.im === 0 && n.im === 0 && Number.isInteger(n.re) && Math.abs(n.re % 2) === 1;
  return odd && x.re < 0 ? real(-((-x.re) ** (1 / n.re))) : x.pow(n.inverse());
}

const FUNCTIONS: Readonly<Record<string, (...args: Complex[]) => Complex>> = {
  Add: (...args) => args.reduce((a, b) => a.add(b)),
  Subtract: (a, b) => b ? a!.sub(b) : a!.neg(),
  Negate: (a) => a!.neg(),
  Multiply: (...args) => args.reduce((a, b) => a.mul(b)),
  InvisibleOperator: (...args) => args.reduce((a, b) => a.mul(b)),
  Divide: (a, b) => a!.div(b!),
  Rational: (a, b) => a!.div(b!),
  Power: (a, b) => a!.pow(b!),
  Square: (a) => a!.mul(a!),
  Sqrt: (a) => a!.sqrt(),
  Root: (a, b) => root(a!, b!),
  Exp: (a) => a!.exp(),
  Ln: (a, base) => base ? a!.log().div(base.log()) : a!.log(),
  Log: (a, base) => a!.log().div((base ?? real(10)).log()),
  Lb: (a) => a!.log().div(Math.LN2),
  Lg: (a) => a!.log().div(Math.LN10),
  Abs: (a) => real(a!.abs()),
  Norm: (a) => real(a!.abs()),
  Sin: (a) => a!.sin(),
  Cos: (a) => a!.cos(),
  Tan: (a) => a!.tan(),
  Cot: (a) => a!.cot(),
  Sec: (a) => a!.sec(),
  Csc: (a) => a!.csc(),
  Arcsin: (a) => a!.asin(),
  Arccos: (a) => a!.acos(),
  Arctan: (a) => a!.atan(),
  Sinh: (a) => a!.sinh(),
  Cosh: (a) => a!.cosh(),
  Tanh: (a) => a!.tanh(),
  Floor: (a) => a!.floor(0),
  Ceil: (a) => a!.ceil(0),
  Factorial: (a) => a!.im === 0 ? real(factorial(a!.re)) : NONE,
  Binomial: (a, b) => real(binomial(a!.re, b!.re)),
  Choose: (a, b) => real(binomial(a!.re, b!.re)),
  BaseForm: (a) => a!,
  Delimiter: (a) => a!,
  Degrees: (a) => a!,
};

/** Whether a product is a mixed number, such as 1½: an integer before a fraction of integers. */
function isMixed([first, second, ...more]: readonly Expression[]): boolean {
  return more.length === 0 && typeof first === "number" && Number.isInteger(first) && first >= 0 &&
    Array.isArray(second) && second[0] === "Divide" &&
    (second.slice(1) as Expression[]).every((part) =>
      typeof part === "number" && Number.isInteger(part)
    );
}

/**
 * Value of an expression.
 *
 * @param e The expression.
 * @param variable Values of names.
 * @returns A complex number, NaN where it has none; undefined where something in it is not known.
 */
export function evaluateExpression(
  e: Expression,
  variable: (name: string) => number,
): Complex | undefined {
  if (typeof e === "number") return real(e);
  if (typeof e === "string") {
    if (e.startsWith("'")) return undefined;
    return CONSTANTS[e] ?? real(variable(e));
  }
  const [name, ...args] = e as readonly [string, ...Expression[]];
  if (name === "Negate" && Array.isArray(args[0]) && args[0][0] === "InvisibleOperator") {
    const value = evaluateExpression(args[0], variable);
    return value?.neg();
  }
  if (name === "Delimiter" && args.length > 2) return undefined;
  const own = FUNCTIONS[name];
  if (!own || args.length === 0) return undefined;
  const body = name === "Delimiter" ? args.slice(0, 1) : args;
  const values: Complex[] = [];
  for (const arg of body) {
    const value = evaluateExpression(arg, variable);
    if (value === undefined) return undefined;
    values.push(value);
  }
  if (name === "InvisibleOperator" && isMixed(args)) return values[0]!.add(values[1]!);
  return own(...values);
}

/** Names that stand for no number of their own. */
export function variablesOf(e: Expression, into: Set<string> = new Set()): Set<string> {
  if (typeof e === "string" && !e.startsWith("'") && CONSTANTS[e] === undefined) into.add(e);
  if (Array.isArray(e)) { for (const arg of e.slice(1) as Expression[]) variablesOf(arg, into); }
  return into;
}
