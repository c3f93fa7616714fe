/**
 * Formulas as trees of operations, with exact numbers and names as leaves.
 *
 * @module
 */

import { Fraction } from "../rational.ts";

/** A tree of operations over numbers and names. */
export type Expression =
  | {
    readonly op: "number";
    readonly value: Fraction;
    /** Of what is written with a decimal point: digits after it, and digits that signify. */
    readonly decimal?: { readonly places: number; readonly digits: number };
  }
  | { readonly op: "name"; readonly name: string }
  /** A number written in a base: its value counts with the base. */
  | { readonly op: "base"; readonly value: Fraction; readonly base: number }
  /** A function that is only named, such as f(x), \overline{AB} or a sum. */
  | { readonly op: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly op: Operation; readonly args: readonly Expression[] };

/** Functions of an angle and their inverses. */
export const TRIGONOMETRIC = [
  ...["sin", "cos", "tan", "cot", "sec", "csc"] as const,
  ...["arcsin", "arccos", "arctan"] as const,
  ...["sinh", "cosh", "tanh"] as const,
] as const;

const OTHERS = [
  ...["add", "multiply", "divide", "power", "root", "plusminus", "minusplus"] as const,
  ...["factorial", "binomial", "degree", "floor", "ceil", "abs"] as const,
  ...["min", "max", "gcd", "lcm", "ln", "log", "exp"] as const,
] as const;

export type Operation = typeof TRIGONOMETRIC[number] | typeof OTHERS[number];

export const op = (name: Operation, ...args: Expression[]): Expression => ({ op: name, args });
export const named = (name: string): Expression => ({ op: "name", name });
export const exact = (value: Fraction): Expression => ({ op: "number", value });
export const fraction = (n: number | bigint, d: number | bigint = 1): Expression =>
  exact(new Fraction(n, d));

/** −e; of a number, that number. */
export function negated(e: Expression): Expression {
  return e.op === "number" ? { ...e, value: e.value.neg() } : op("multiply", fraction(-1), e);
}

export const difference = (a: Expression, b: Expression): Expression => op("add", a, negated(b));

function mapped(e: Expression, change: (arg: Expression) => Expression): Expression {
  return "args" in e ? { ...e, args: e.args.map(change) } : e;
}

/** Whether an expression or a part of it passes a test. */
export function some(e: Expression, test: (part: Expression) => boolean): boolean {
  return test(e) || "args" in e && e.args.some((arg) => some(arg, test));
}

export const holds = (e: Expression, op: string): boolean => some(e, (part) => part.op === op);

export function substituted(e: Expression, name: string, by: Expression): Expression {
  if (e.op === "name") return e.name === name ? by : e;
  return mapped(e, (arg) => substituted(arg, name, by));
}

/** Whether a name stands for a number of its own. */
export const isConstant = (name: string): boolean => ["i", "e", "π", "∞"].includes(name);

/** Names that stand for no number of their own. */
export function variablesOf(e: Expression, into: Set<string> = new Set()): Set<string> {
  if (e.op === "name" && !isConstant(e.name)) into.add(e.name);
  if (e.op === "call") into.add(`${e.name}()`);
  if ("args" in e) { for (const arg of e.args) variablesOf(arg, into); }
  return into;
}

export const isFixed = (e: Expression): boolean => variablesOf(e).size === 0;

/** Most values of one expression with ±. */
const MOST = 8;

/** Both values of an expression that holds ±; itself where it holds none. */
export function signs(e: Expression): Expression[] {
  if (holds(e, "minusplus")) return [chosen(e, true), chosen(e, false)];
  if (!("args" in e)) return [e];
  if (e.op === "plusminus") return signs(e.args[0]!).flatMap((own) => [own, negated(own)]);
  let all: Expression[][] = [[]];
  for (const arg of e.args) {
    const own = signs(arg);
    if (all.length * own.length > MOST) return [e];
    all = all.flatMap((before) => own.map((one) => [...before, one]));
  }
  return all.length === 1 ? [e] : all.map((args) => ({ ...e, args }));
}

/** An expression with the upper signs of ± and ∓, or with the lower ones. */
function chosen(e: Expression, upper: boolean): Expression {
  const own = mapped(e, (arg) => chosen(arg, upper));
  if (own.op !== "plusminus" && own.op !== "minusplus") return own;
  const [arg] = own.args as [Expression];
  return upper === (own.op === "plusminus") ? arg : negated(arg);
}
