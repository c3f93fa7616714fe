/**
 * Equations and inequalities, and what they define.
 *
 * @module
 */

import { enclosed, partsOf, split } from "./brackets.ts";
import { exactOf } from "./exact.ts";
import { rangeOf } from "./inequality.ts";
import { expressionOf, expressionsOf } from "./leaf.ts";
import { type Expression, isConstant, isFixed } from "./tree.ts";
import type { Read, Value } from "./value.ts";

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
  const named = own?.op === "call" ? own.args.every(isNamed) : own !== undefined && isNamed(own);
  return named || /^[A-Z]{3,4}$|^\\(?:text|mathrm)\s?\{[^{}]*\}$/.test(text);
}

/** P(x), W(n): functions whose letter could be a factor as well. */
const FUNCTION = /^[a-zA-Z]\s?\(\s?[a-z](?:\s?,\s?[a-z])*\s?\)$/;

/** The name that a text is, without what only sets it. */
export const nameOf = (text: string): string => text.replace(/[\s{}]|\\mathrm|\\text/g, "");

/** Texts between signs of equality or order; undefined where there are none. */
export function relationOf(text: string, read: Read): Value | undefined {
  const { parts, marks: operators } = split(text, "=<>≤≥≠");
  if (operators.length === 0 || operators.length > MOST || parts.includes("")) return undefined;
  const sides = expressionsOf(parts) ?? [],
    relation = { kind: "relation", sides, operators } as const;
  if (operators.some((own) => own !== "=")) {
    return rangeOf(sides, operators) ?? (sides.length > 0 ? relation : undefined);
  }
  const first = parts[0]!, last = parts.at(-1)!, tuple = assigned(first, last, read);
  if (tuple) return tuple;
  const define = (name: string, value: string): Value => ({
    ...relation,
    name: nameOf(name),
    value: read(value),
  });
  if (isNamedText(first) || split(first, ":").parts.every(isNamedText) || FUNCTION.test(first)) {
    return define(first, last);
  }
  const fixed = sides.findIndex(isFixed);
  if (sides.length === 0 && parts.length === 2) return undefined;
  if (sides.length > 0 && isNamedText(last) && fixed >= 0) return define(last, parts[fixed]!);
  return parts.length > 2 || sides.every(isFixed) ? { ...relation, value: read(last) } : relation;
}

/** (x, y) = (1, 2), or of several pairs. */
function assigned(first: string, last: string, read: Read): Value | undefined {
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
  const residue = own && expressionOf(own[2]!), exact = residue && exactOf(residue);
  if (!own || exact?.denominator !== 1n || /^0+$/.test(own[3]!)) return undefined;
  const modulus = BigInt(own[3]!), least = ((exact.numerator % modulus) + modulus) % modulus;
  return { kind: "text", text: `${nameOf(own[1]!)}≡${least}mod${modulus}` };
}
