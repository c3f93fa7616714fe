/**
 * Are two mathematical answers the same, whatever their form?
 *
 * Both are read into values (`math_value.ts`) and compared by kind:
 *
 * - numbers and expressions by their numerical value over the complex numbers, expressions with
 *   variables at eight points: relative tolerance 10⁻⁹, or 10⁻⁶ where one side is written as a decimal;
 * - lists and sets in any order, tuples and matrices entry by entry; intervals by their ends;
 * - equations up to a constant factor of `left − right`; an equation of a name alone counts as its other
 *   side; inequalities in one variable as intervals;
 * - percent as written or as a fraction (50 %, 50 and 0.5 are the same); units, currency, degrees and
 *   separators of thousands are left out;
 * - texts by their words.
 *
 * Two forms of one number are the same answer: whether an answer is in lowest terms is not asked. What
 * cannot be read is compared as text. Time is in proportion to the length, at most 1000 characters; a
 * longer answer is compared as text.
 *
 * @module
 */

import { evaluateExpression, variablesOf } from "./_evaluate.ts";
import { mathAnswer } from "./math_answer.ts";
import { type End, type Expression, parseValue, type Value, words } from "./math_value.ts";

/** Relative tolerances: of exact forms, and where one side is a decimal. */
const EXACT = 1e-9, DECIMAL = 1e-6;
const POINTS = 8;
/** Most items whose order is searched. */
const LARGEST_SET = 64;

/**
 * Whether an answer means the same as the right one.
 *
 * @param gold The right answer: LaTeX or text, bare, in dollars, in `\boxed{}` or in a sentence.
 * @param answer The answer to be judged, in any of these forms; its last one counts.
 *
 * @example Forms of one half, and two lists
 * ```ts
 * import { mathEqual } from "@moi/moi/tasks";
 * import { assert } from "@std/assert";
 * assert(mathEqual("\\frac{1}{2}", "so it is \\boxed{0.5}"));
 * assert(mathEqual("\\frac{\\sqrt{2}}{2}", "$1/\\sqrt{2}$"));
 * assert(mathEqual("(-\\infty, 2]", "x \\le 2"));
 * assert(mathEqual("1, -2", "$x=-2$ or $x=1$"));
 * assert(!mathEqual("(1,2)", "(2,1)"));
 * ```
 */
export function mathEqual(gold: string, answer: string): boolean {
  const right = mathAnswer(gold), given = mathAnswer(answer);
  if (right.trim() === given.trim()) return right.trim() !== "";
  const a = parseValue(right), b = parseValue(given);
  if (equal(a, b)) return true;
  return words(right) !== "" &&
    words(right).replaceAll(" ", "") === words(given).replaceAll(" ", "");
}

function equal(a: Value, b: Value): boolean {
  // an equation of a name alone stands for its other side
  if (a.kind === "relation" && b.kind !== "relation") {
    return a.kind === "relation" && relationEquals(a, b);
  }
  if (b.kind === "relation" && a.kind !== "relation") return relationEquals(b, a);
  if (a.kind === "relation" && b.kind === "relation") return relationsEqual(a, b);
  if (a.kind === "text" || b.kind === "text") return textsEqual(a, b);
  if (a.kind === "interval" && b.kind === "interval") return intervalsEqual(a, b);
  if (a.kind === "interval" && b.kind === "tuple") return intervalEqualsTuple(a, b);
  if (b.kind === "interval" && a.kind === "tuple") return intervalEqualsTuple(b, a);
  if (a.kind === "union" || b.kind === "union") {
    const parts = (v: Value) => v.kind === "union" ? v.parts : [v];
    return sameItems(parts(a), parts(b));
  }
  if (a.kind === "matrix" && b.kind === "matrix") {
    return a.rows.length === b.rows.length &&
      a.rows.every((row, i) => inOrder(row, b.rows[i]!));
  }
  const vector = (v: Value) =>
    v.kind === "matrix" && (v.rows.length === 1 || v.rows.every((row) => row.length === 1))
      ? { kind: "tuple", items: v.rows.flat() } as const
      : v;
  if (a.kind === "matrix" || b.kind === "matrix") {
    const [x, y] = [vector(a), vector(b)];
    return x.kind === "tuple" && y.kind === "tuple" && inOrder(x.items, y.items);
  }
  if (a.kind === "expression" && b.kind === "expression") return expressionsEqual(a, b);
  if ("decimal" in a && a.decimal !== undefined && b.kind === "expression") {
    return expressionsEqual({ kind: "expression", expression: a.decimal }, b);
  }
  if ("decimal" in b && b.decimal !== undefined && a.kind === "expression") return equal(b, a);
  if (!("items" in a) && !("items" in b)) return false;
  const items = (v: Value) => "items" in v ? v.items : [v];
  const own = items(a), other = items(b);
  if (a.kind === "tuple" || b.kind === "tuple") {
    return inOrder(own, other) || (a.kind !== b.kind && nested(a, b));
  }
  return sameItems(flat(own, a), flat(other, b));
}

/** Items of which those that are sets themselves, as of ±, count each. */
function flat(items: readonly Value[], of: Value): readonly Value[] {
  if (of.kind === "tuple") return items;
  return items.flatMap((item) => item.kind === "set" ? item.items : [item]);
}

function inOrder(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]!));
}

/** A list of one tuple is that tuple. */
function nested(a: Value, b: Value): boolean {
  const [list, tuple] = a.kind === "list" ? [a, b] : [b, a];
  return list.kind === "list" && list.items.length === 1 && equal(list.items[0]!, tuple);
}

/** Whether every item of each has its equal in the other: order and repetition say nothing. */
function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  if (Math.max(a.length, b.length) > LARGEST_SET) return false;
  return a.every((item) => b.some((other) => equal(item, other))) &&
    b.every((item) => a.some((other) => equal(item, other)));
}

function textsEqual(a: Value, b: Value): boolean {
  const textOf = (v: Value) =>
    v.kind === "text"
      ? v.text
      : v.kind === "expression" && typeof v.expression === "string"
      ? v.expression.toLowerCase()
      : undefined;
  const own = textOf(a);
  return own !== undefined && own !== "" && own === textOf(b);
}

/** A deterministic value of a name at a point, from 0.3 to 2.3: positive, so that roots are real. */
function valueAt(name: string, point: number): number {
  let hash = 2166136261 ^ point;
  for (const c of name) hash = Math.imul(hash ^ c.codePointAt(0)!, 16777619);
  hash = Math.imul(hash ^ hash >>> 15, 0x85ebca77);
  return 0.3 + 2 * ((hash ^ hash >>> 13) >>> 0) / 2 ** 32;
}

function isDecimal(e: Expression): boolean {
  if (typeof e === "number") return !Number.isInteger(e);
  return Array.isArray(e) && (e.slice(1) as Expression[]).some(isDecimal);
}

/** Whether two expressions have the same value, wherever they have one. */
function sameValue(a: Expression, b: Expression, tolerance: number, factor = 1): boolean {
  const names = new Set([...variablesOf(a), ...variablesOf(b)]);
  let seen = 0;
  for (let point = 0; point < (names.size === 0 ? 1 : POINTS); point++) {
    const at = (name: string) => valueAt(name, point);
    const x = evaluateExpression(a, at), y = evaluateExpression(b, at);
    if (x === undefined || y === undefined) return same(a, b);
    if (x.isNaN() && y.isNaN()) continue;
    const scale = Math.max(x.abs(), y.abs() * Math.abs(factor));
    if (scale === Infinity) {
      if (x.re !== factor * y.re) return false;
    } else if (!(x.sub(y.mul(factor)).abs() <= tolerance * scale + 1e-14)) return false;
    seen++;
  }
  return seen > 0 || same(a, b);
}

const same = (a: Expression, b: Expression) => JSON.stringify(a) === JSON.stringify(b);

function expressionsEqual(
  a: Value & { kind: "expression" },
  b: Value & { kind: "expression" },
): boolean {
  const x = a.expression, y = b.expression;
  const baseOf = (e: Expression) => Array.isArray(e) && e[0] === "BaseForm" ? e[2] : undefined;
  if (baseOf(x) !== baseOf(y)) return false;
  // names apart from each other's capital are two names, as answers A and a are one
  if (typeof x === "string" && typeof y === "string") return x.toLowerCase() === y.toLowerCase();
  const tolerance = isDecimal(x) || isDecimal(y) ? DECIMAL : EXACT;
  if (typeof x === "number" && typeof y === "number" && tolerance === EXACT && x === y) return true;
  if (sameValue(x, y, tolerance)) return true;
  if (a.percent) return sameValue(x, y, tolerance, 100);
  if (b.percent) return sameValue(y, x, tolerance, 100);
  return false;
}

type Relation = Value & { kind: "relation" };

/** A bare name, or a function of names, as in f(x). */
function isName(e: Expression): boolean {
  if (typeof e === "string") return true;
  return Array.isArray(e) && e.length === 3 && e[0] === "InvisibleOperator" &&
    typeof e[1] === "string" &&
    Array.isArray(e[2]) && e[2][0] === "Delimiter";
}

/** What only names a quantity: AB, |AB|, a quotient of such. */
function isNamed(e: Expression): boolean {
  if (typeof e === "string") return !e.startsWith("'");
  return Array.isArray(e) &&
    ["InvisibleOperator", "Divide", "Abs", "Delimiter", "Angle"].includes(e[0]) &&
    (e.slice(1) as Expression[]).every(isNamed);
}

/** The last side of an equation that says what a name is; undefined where it says something else. */
function definition({ sides, operators }: Relation): Expression | undefined {
  if (!operators.every((operator) => operator === "=")) return undefined;
  const numbers = sides.filter((side) => variablesOf(side).size === 0);
  if (isName(sides[0]!) || numbers.length === sides.length || sides.length > 2) {
    return sides.at(-1)!;
  }
  return isName(sides.at(-1)!) && numbers.length > 0 ? numbers[0] : undefined;
}

/** Against what is no relation, an equation counts as its last side, an inequality as its interval. */
function relationEquals(relation: Relation, other: Value): boolean {
  const { sides, operators } = relation;
  if (operators.every((operator) => operator === "=")) {
    const expression = definition(relation) ?? (isNamed(sides[0]!) ? sides.at(-1)! : undefined);
    return expression !== undefined && equal({ kind: "expression", expression }, other);
  }
  const interval = intervalOf(relation);
  return interval !== undefined && equal(interval, other);
}

const MIRROR: Readonly<Record<string, string>> = {
  "<": ">",
  ">": "<",
  "≤": "≥",
  "≥": "≤",
  "=": "=",
  "≠": "≠",
};
const INFINITE: End = { value: "PositiveInfinity", open: true };
const MINUS_INFINITE: End = { value: "NegativeInfinity", open: true };

/** The interval that an inequality of one bare name stands for. */
function intervalOf({ sides, operators }: Relation): Value | undefined {
  const isFixed = (e: Expression) => variablesOf(e).size === 0;
  const open = (operator: string) => operator === "<" || operator === ">";
  if (operators.some((operator) => operator === "=" || operator === "≠")) return undefined;
  if (sides.length === 2) {
    const [left, right] = sides as [Expression, Expression];
    const flipped = isFixed(left), name = flipped ? right : left, end = flipped ? left : right;
    if (typeof name !== "string" || !isFixed(end)) return undefined;
    const operator = flipped ? MIRROR[operators[0]!]! : operators[0]!;
    const own = { value: end, open: open(operator) };
    return operator === "<" || operator === "≤"
      ? { kind: "interval", low: MINUS_INFINITE, high: own }
      : { kind: "interval", low: own, high: INFINITE };
  }
  if (
    sides.length !== 3 || !isName(sides[1]!) || !isFixed(sides[0]!) || !isFixed(sides[2]!)
  ) {
    return undefined;
  }
  const ends = [0, 2].map((i) => ({ value: sides[i]!, open: open(operators[i / 2]!) }));
  const rising = operators.every((operator) => operator === "<" || operator === "≤");
  const [low, high] = rising ? ends : ends.toReversed();
  return { kind: "interval", low: low!, high: high! };
}

function relationsEqual(a: Relation, b: Relation): boolean {
  const [x, y] = [definition(a), definition(b)];
  if (x !== undefined && y !== undefined && sameValue(x, y, EXACT)) return true;
  const [p, q] = [intervalOf(a), intervalOf(b)];
  if (p && q) return equal(p, q);
  if (a.sides.length !== 2 || b.sides.length !== 2) return false;
  const difference = ({ sides }: Relation): Expression => ["Subtract", sides[0]!, sides[1]!];
  const at = (e: Expression) => evaluateExpression(e, (name) => valueAt(name, 99))?.re ?? NaN;
  const factor = at(difference(a)) / at(difference(b));
  if (!Number.isFinite(factor) || factor === 0) return false;
  const operator = factor < 0 ? MIRROR[b.operators[0]!] : b.operators[0];
  return operator === a.operators[0] && sameValue(difference(a), difference(b), EXACT, factor);
}

const endsEqual = (a: End, b: End) => {
  const value = (end: End): Value => ({ kind: "expression", expression: end.value });
  const infinite = (end: End) => evaluateExpression(end.value, () => NaN)?.abs() === Infinity;
  return (a.open === b.open || infinite(a)) && equal(value(a), value(b));
};

function intervalsEqual(a: Value & { kind: "interval" }, b: Value & { kind: "interval" }): boolean {
  return endsEqual(a.low, b.low) && endsEqual(a.high, b.high);
}

/** (a, b) is a pair and an open interval. */
function intervalEqualsTuple(
  a: Value & { kind: "interval" },
  b: { readonly items: readonly Value[] },
): boolean {
  const [low, high] = b.items;
  if (b.items.length !== 2 || low?.kind !== "expression" || high?.kind !== "expression") {
    return false;
  }
  return endsEqual(a.low, { value: low.expression, open: true }) &&
    endsEqual(a.high, { value: high.expression, open: true });
}
