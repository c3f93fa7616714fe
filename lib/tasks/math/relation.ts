/**
 * Equations and inequalities: what they define, and what they say of a name. Inequalities that are linear in it
 * describe a set of real numbers.
 *
 * @module
 */

import { enclosed, partsOf, split } from "./brackets.ts";
import { placeOf, sameValue } from "./evaluate.ts";
import { integerOf } from "../rational.ts";
import { exactOf } from "./exact.ts";
import { expressionOf, expressionsOf } from "./leaf.ts";
import * as reals from "./reals.ts";
import type { Reals } from "./reals.ts";
import { difference, exact, type Expression, fraction, isConstant, isFixed } from "./tree.ts";
import { named, negated, op, signs, substituted, variablesOf } from "./tree.ts";
import type { Reader, Value, ValueOf } from "./value.ts";

/** Most sides of a chain, less one. */
const MOST = 20;

/** Whether an expression only names a quantity: AB, |AB|, f(x), P(A), a quotient of such. */
function isNamed(e: Expression): boolean {
  if (e.op === "name") return !isConstant(e.name);
  if (e.op === "call") return true;
  return "args" in e && ["multiply", "divide", "abs"].includes(e.op) && e.args.every(isNamed);
}

function isNamedText(text: string): boolean {
  const own = expressionOf(text);
  return (own?.op === "call" ? own.args.every(isNamed) : own !== undefined && isNamed(own)) ||
    /^[A-Z]{3,4}$|^\\(?:text|mathrm)\s?\{[^{}]*\}$/.test(text);
}

/** P(x), W(n): functions whose letter could be a factor as well. */
const FUNCTION = /^[a-zA-Z]\s?\(\s?[a-z](?:\s?,\s?[a-z])*\s?\)$/;

/** The name that a text is, without what only sets it. */
export const nameOf = (text: string): string => text.replace(/[\s{}]|\\mathrm|\\text/g, "");

/** Texts between signs of equality or order; undefined where there are none. */
export function relationOf(text: string, { read }: Reader): Value | undefined {
  const { parts, marks: operators } = split(text, "=<>≤≥≠");
  if (operators.length === 0 || operators.length > MOST || parts.includes("")) return undefined;
  const sides = expressionsOf(parts) ?? [];
  const relation = { kind: "relation", sides, operators } as const;
  if (operators.some((own) => own !== "=")) {
    return rangeOf(sides, operators) ?? (sides.length > 0 ? relation : undefined);
  }
  const first = parts[0]!, last = parts.at(-1)!, tuple = assigned(first, last, read);
  if (tuple) return tuple;
  const define = (name: string, value: Value) => ({ ...relation, name: nameOf(name), value });
  if (split(first, ":").parts.every(isNamedText) || FUNCTION.test(first)) {
    return define(first, read(last));
  }
  const fixed = sides.findIndex(isFixed);
  if (sides.length === 0 && parts.length === 2) return undefined;
  if (sides.length > 0 && isNamedText(last) && fixed >= 0) return define(last, read(parts[fixed]!));
  return parts.length > 2 || sides.every(isFixed) ? { ...relation, value: read(last) } : relation;
}

/** (x, y) = (1, 2), or of several pairs. */
function assigned(first: string, last: string, read: Reader["read"]): Value | undefined {
  const left = enclosed(first);
  if (left?.open !== "(") return undefined;
  const names = partsOf(left.body, ",;").map(nameOf), value = read(last);
  const tuples = value.kind === "tuple" ? [value] : "items" in value ? value.items : [];
  const each = tuples.flatMap((own): Value[] =>
    own.kind === "tuple" && own.items.length === names.length
      ? [{ kind: "assignments", names, items: own.items }]
      : []
  );
  if (names.length < 2 || each.length === 0 || each.length < tuples.length) return undefined;
  return each.length === 1 ? each[0] : { kind: value.kind as "list", items: each };
}

/** x ≡ 3 (mod 5), by the least number that is not below 0. */
export function congruenceOf(text: string): Value | undefined {
  const own = /^([^=]{1,40}?)(?:\\equiv|≡)([^=]{1,80}?)\(?\\?p?mod\s?\{?\s?(\d{1,40})\s?\}?\)?$/
    .exec(text);
  const residue = own ? expressionOf(own[2]!) : undefined;
  const known = integerOf(residue && exactOf(residue));
  if (!own || known === undefined || /^0+$/.test(own[3]!)) return undefined;
  const modulus = BigInt(own[3]!), least = ((known % modulus) + modulus) % modulus;
  return { kind: "text", text: `${nameOf(own[1]!)}≡${least}mod${modulus}` };
}

// inequalities

const MIRROR: Readonly<Record<string, string>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤" };

/** The operator of a relation whose sides are multiplied by what is below 0. */
export const mirror = (operator: string): string => MIRROR[operator] ?? operator;

type Range = ValueOf<"reals"> & { readonly name: string };

/** What a chain of inequalities, linear in one name, says of it. */
function rangeOf(sides: readonly Expression[], operators: readonly string[]): Range | undefined {
  if (sides.length === 0) return undefined;
  const ranges = operators.map((own, i) => solved(sides[i]!, own, sides[i + 1]!));
  const [name, another] = new Set(ranges.map((own) => own?.name));
  const intervals = reals.intersection(ranges.map((own) => own?.intervals));
  return name !== undefined && another === undefined ? said(name, intervals) : undefined;
}

const said = (name: string, intervals: Reals | undefined): Range | undefined =>
  intervals && { kind: "reals", intervals, name };

function solved(left: Expression, operator: string, right: Expression): Range | undefined {
  if (isFixed(left) === isFixed(right)) return linear(left, operator, right);
  const [own, bound, sign] = isFixed(left)
    ? [right, left, mirror(operator)]
    : [left, right, operator];
  if (sign === "≠" && own.op === "name") { // x ≠ ±1
    const points = signs(bound);
    if (points.some((each) => placeOf(each) === undefined)) return undefined;
    return said(own.name, reals.complement(points.map(reals.point)));
  }
  if (placeOf(bound) === undefined) return undefined;
  const intervals = beside(sign, bound);
  if (own.op === "name") return said(own.name, intervals);
  if (own.op === "call") {
    const args = own.args.map((arg) => arg.op === "name" ? arg.name : "…");
    return said(`${own.name}(${args.join()})`, intervals);
  }
  if (own.op === "abs" && own.args[0]!.op === "name" && intervals) {
    return said(own.args[0]!.name, reals.mirrored(intervals));
  }
  return linear(left, operator, right);
}

/** What stands in a relation to a number. */
function beside(operator: string, value: Expression): Reals | undefined {
  if (operator === "=") return [reals.point(value)];
  if (operator === "≠") return reals.complement([reals.point(value)]);
  const open = operator === "<" || operator === ">";
  return [reals.ray({ value, open }, operator === ">" || operator === "≥")];
}

/** What a x + b < c x + d says of x. */
function linear(left: Expression, operator: string, right: Expression): Range | undefined {
  const [name, another] = variablesOf(left, variablesOf(right));
  if (name === undefined || another !== undefined || name.endsWith("()")) return undefined;
  const both = difference(left, right);
  const free = substituted(both, name, fraction(0));
  const slope = difference(substituted(both, name, fraction(1)), free);
  const rise = placeOf(slope), line = op("add", op("multiply", slope, named(name)), free);
  if (!rise || !Number.isFinite(rise) || !sameValue(both, line)) return undefined;
  const bound = op("divide", negated(free), slope), known = exactOf(bound);
  const end = known ? exact(known) : bound;
  return said(name, beside(rise < 0 ? mirror(operator) : operator, end));
}
