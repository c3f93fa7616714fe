/**
 * Are two mathematical answers the same, whatever their form?
 *
 * Both are read into values (`math_value.ts`) and compared by kind, the same either way round:
 *
 * - **Numbers and expressions** by value (`_evaluate.ts`): integers, fractions and decimals exactly, of any
 *   size (5^{2023} − 5^{2022} is 4·5^{2022}, 100! is not 100! + 1); what is rational in its names –
 *   polynomials, quotients – as an identity; surds, logarithms, angles, powers of names to at least 30
 *   digits, at values of names of either sign where both are real: √(x²) is |x| and not x. What is too
 *   large to compute, such as 9^{9^{9^9}}, is equal to what is built alike.
 * - **Rounded decimals** – the one tolerance: a decimal of at least {@linkcode LEAST_DIGITS} significant
 *   digits equals a number that is written without a decimal point where it is its correct rounding:
 *   0.333333 is 1/3, 0.33 and 0.333334 are not. Two decimals are compared exactly.
 * - **Commas** between digits make lists: 2,5 is 2 and 5, and not 2.5. Where all groups but the first have
 *   three digits they can part thousands as well: 1,234 is 1234, and 100,101 is both 100101 and the list. Before
 *   two digits and more a comma can be a decimal one: 1,22 is 1.22, and the list.
 * - **Sets and lists** in any order, sets without repetition, lists with it; tuples and matrices entry by
 *   entry. (1,2) is a pair and an open interval.
 * - **Sets of real numbers** as sets: ℝ ∖ {0} is (−∞,0) ∪ (0,∞) is x ≠ 0; an inequality linear in one name
 *   is the set it describes.
 * - **Equations**: x = 3 is 3, and is not y = 3; x = 1, y = 2 is (1,2) in that order; others count up to a
 *   constant factor of left − right.
 * - **Percent** as written or as a fraction: 50 % is 50 and 0.5. **Degrees** as written or in radians: 60°
 *   is 60 and π/3; in a sine, degrees are degrees and other numbers radians. **Units** may be left out; two that are
 *   known and differ make two answers. A number in base 8 is none in base 10.
 * - **Texts** by their words.
 *
 * Two forms of one number are the same answer: whether an answer is in lowest terms is not asked. What
 * cannot be read is compared as text, as is what is longer than 1000 characters and no plain number. No
 * text throws, and none takes long.
 *
 * @module
 */

import { exactOf, placeOf, realOf, sameValue, variablesOf } from "./_evaluate.ts";
import { type Expression, negated, substituted } from "./_formula.ts";
import { mathAnswer } from "./math_answer.ts";
import { mirror, parseValue, partsThousands, realsOf, type Value } from "./math_value.ts";
import { add, compare, multiply, negate, power, type Rational, rational } from "./rational.ts";
import { type End, type Interval, united } from "./_reals.ts";

/** Fewest significant digits of a decimal that may be rounded. */
export const LEAST_DIGITS = 6;
/** Most items whose order is searched. */
const LARGEST_SET = 64;

/**
 * Whether an answer means the same as the right one; symmetric.
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
 *
 * @example Exact where it can be
 * ```ts
 * import { mathEqual } from "@moi/moi/tasks";
 * import { assert } from "@std/assert";
 * assert(mathEqual("5^{2023} - 5^{2022}", "4 \\cdot 5^{2022}"));
 * assert(!mathEqual("100!", "100! + 1"));
 * assert(mathEqual("\\frac{2}{3}", "0.666667"));
 * assert(!mathEqual("\\frac{2}{3}", "0.67"));
 * ```
 */
export function mathEqual(gold: string, answer: string): boolean {
  const right = mathAnswer(gold).trim(), given = mathAnswer(answer).trim();
  if (right === given) return right !== "";
  const [x, y] = [plainNumber(right), plainNumber(given)];
  if (x !== undefined && y !== undefined) return x === y;
  const [letter, choice] = [letterOf(right), letterOf(given)];
  if (letter && choice && (letter.alone || choice.alone)) return letter.name === choice.name;
  return equal(parseValue(right), parseValue(given));
}

/** The letter of an option, alone or with its text behind: C, (C), \text{(C) } 5. */
function letterOf(text: string): { name: string; alone: boolean } | undefined {
  const own = text.replace(/^\\(?:text(?:bf|it|rm)?|math(?:bf|rm)|mbox)\s?\{\s?/, "");
  const bare = /^(?:([A-J])|\(([A-J])\))[\s}.]*$/.exec(own);
  if (bare) return { name: (bare[1] ?? bare[2])!, alone: true };
  const marked = /^\(([A-J])\)(?:[\s}~]|\\[,;:! ]|\\q?quad)[\s}]*[\w\\$-]/.exec(own);
  return marked ? { name: marked[1]!, alone: false } : undefined;
}

/** A decimal number of any length without separators and zeros that say nothing. */
function plainNumber(text: string): string | undefined {
  const own = /^([-−+]?)(\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?$/.exec(text);
  if (!own || own[2]!.includes(",") && !partsThousands(own[2]!)) return undefined;
  const whole = own[2]!.replaceAll(",", "").replace(/^0+(?=\d)/, "");
  let end = own[3]?.length ?? 0;
  while (end > 0 && own[3]![end - 1] === "0") end--;
  const size = end > 0 ? `${whole}.${own[3]!.slice(0, end)}` : whole;
  return size === "0" || own[1] === "" || own[1] === "+" ? size : `-${size}`;
}

function equal(a: Value, b: Value): boolean {
  if (a.kind === "relation" || b.kind === "relation") {
    if (a.kind === "relation" && b.kind === "relation") return relationsEqual(a, b);
    const [relation, other] = a.kind === "relation" ? [a, b] : [b as Relation, a];
    return relation.value !== undefined && equal(relation.value, other);
  }
  if (a.kind === "text" || b.kind === "text") return textsEqual(a, b);
  if (a.kind === "reals" || b.kind === "reals") return realsEqual(a, b);
  if (a.kind === "union" || b.kind === "union") {
    const parts = (v: Value) => v.kind === "union" ? v.parts : [v];
    return sameItems(parts(a), parts(b), false);
  }
  if (a.kind === "ratio" || b.kind === "ratio") return ratiosEqual(a, b);
  if (a.kind === "expression" && b.kind === "expression") return expressionsEqual(a, b);
  if (a.kind === "matrix" && b.kind === "matrix") {
    return a.rows.length === b.rows.length && a.rows.every((row, i) => inOrder(row, b.rows[i]!));
  }
  const own = itemsOf(a, b), other = itemsOf(b, a);
  if (!own || !other) return false;
  if (a.kind === "assignments" && b.kind === "assignments") {
    return own.length === other.length &&
      a.names.every((name, i) => {
        const at = b.names.indexOf(name);
        return at >= 0 && equal(own[i]!, other[at]!);
      });
  }
  for (const [one, another] of [[a, b], [b, a]] as const) {
    if ("number" in one && one.number !== undefined && another.kind === "expression") {
      return equal({ kind: "expression", expression: one.number }, another);
    }
  }
  if (isOrdered(a) || isOrdered(b)) {
    const either = a.kind !== "set" && b.kind !== "set" && inOrder(own, other);
    return either || isOnly(a, b) || isOnly(b, a);
  }
  // a repeated number is a double root, a repeated pair is said twice
  const counted = a.kind === "list" && b.kind === "list" &&
    [...own, ...other].every(({ kind }) => kind === "expression");
  return sameItems(own, other, counted);
}

/** Whether a list holds nothing but this one value. */
function isOnly(list: Value, value: Value): boolean {
  return (list.kind === "list" || list.kind === "set") && list.items.length === 1 &&
    equal(list.items[0]!, value);
}

const isOrdered = ({ kind }: Value) =>
  kind === "tuple" || kind === "assignments" || kind === "matrix";

/** The items of a value beside another; none of a matrix that is no vector. */
function itemsOf(value: Value, beside: Value): readonly Value[] | undefined {
  if (value.kind === "assignments") {
    const { names, items } = value;
    if ("items" in beside && beside.items.some((item) => item.kind === "relation" && item.name)) {
      return items.map((item, i) => (
        { kind: "relation", sides: [], operators: ["="], name: names[i]!, value: item }
      ));
    }
    // (2,3) gives x and y in their order, "2, 3" as they are written
    return beside.kind === "list" || beside.kind === "assignments"
      ? value.items
      : inOrderOfNames(value.names, value.items);
  }
  if (value.kind !== "matrix") return "items" in value ? value.items : [value];
  const isVector = value.rows.length === 1 || value.rows.every((row) => row.length === 1);
  return isVector ? value.rows.flat() : undefined;
}

/** x, y and z stand in that order, longer names as they are written. */
function inOrderOfNames(names: readonly string[], items: readonly Value[]): readonly Value[] {
  if (!names.every((name) => /^[a-zA-Z]$/.test(name))) return items;
  return names.map((name, i) => [name, items[i]!] as const).sort(([x], [y]) => x < y ? -1 : 1)
    .map(([, item]) => item);
}

function inOrder(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]!));
}

/** Whether each item of each has its equal in the other; with `counted`, one of its own. */
function sameItems(a: readonly Value[], b: readonly Value[], counted: boolean): boolean {
  if (Math.max(a.length, b.length) > LARGEST_SET) return inOrder(a, b);
  if (!counted) {
    return a.every((item) => b.some((other) => equal(item, other))) &&
      b.every((item) => a.some((other) => equal(item, other)));
  }
  const left = [...b];
  return a.length === b.length && a.every((item) => {
    const at = left.findIndex((other) => equal(item, other));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function textsEqual(a: Value, b: Value): boolean {
  const textOf = (v: Value) =>
    v.kind === "text"
      ? v.text.replace(/(?<!\d) | (?!\d)/g, "")
      : v.kind === "expression" && v.expression.op === "name"
      ? v.expression.name.toLowerCase()
      : undefined;
  const own = textOf(a);
  return own !== undefined && own !== "" && own === textOf(b);
}

// numbers

type Single = Value & { kind: "expression" };

function expressionsEqual(a: Single, b: Single): boolean {
  const x = a.expression, y = b.expression;
  if (a.unit && b.unit && a.unit !== b.unit) return false;
  const baseOf = (e: Expression) => e.op === "base" ? e.base : e.op === "number" ? undefined : 0;
  if ((x.op === "base" || y.op === "base") && baseOf(x) !== baseOf(y)) {
    return false;
  }
  // names apart from each other's capital are two names, as answers A and a are one
  if (x.op === "name" && y.op === "name") return x.name.toLowerCase() === y.name.toLowerCase();
  if (same(x, y)) return true;
  if (a.unit === "degree" && !b.unit) return same(inRadians(x), y);
  if (b.unit === "degree" && !a.unit) return same(x, inRadians(y));
  if (a.percent && !b.percent) return same(hundredth(x), y);
  return b.percent && !a.percent ? same(x, hundredth(y)) : false;
}

const HUNDREDTH: Expression = { op: "number", value: rational(1n, 100n) };
const hundredth = (e: Expression): Expression => ({ op: "multiply", args: [e, HUNDREDTH] });

const inRadians = (e: Expression): Expression => ({
  op: "multiply",
  args: [e, { op: "number", value: rational(1n, 180n) }, { op: "name", name: "π" }],
});

/** Whether two expressions have one value, or one is the rounded value of the other. */
function same(x: Expression, y: Expression): boolean {
  return sameValue(x, y) || isRounded(x, y) || isRounded(y, x);
}

/** Whether a decimal is the correct rounding of a number that is written without one. */
function isRounded(rounded: Expression, e: Expression): boolean {
  const decimal = decimalOf(rounded);
  if (!decimal || decimal.digits < LEAST_DIGITS || holdsDecimal(e)) return false;
  const value = realOf(e);
  if (!value) return false;
  const off = add(value, negate(decimal.value));
  return compare(off, decimal.half) <= 0 && compare(off, negate(decimal.half)) >= 0;
}

interface Decimal {
  readonly value: Rational;
  /** Half a unit of its last digit. */
  readonly half: Rational;
  readonly digits: number;
}

/** A decimal as it is written: with a sign, a power of ten, or as percent. */
function decimalOf(e: Expression): Decimal | undefined {
  if (e.op === "number") {
    if (!e.decimal) return undefined;
    const ten = power(rational(10n), BigInt(-e.decimal.places));
    return { value: e.value, half: multiply(ten, rational(1n, 2n)), digits: e.decimal.digits };
  }
  if (e.op !== "multiply" || e.args.length !== 2) return undefined;
  const [first, second] = e.args as [Expression, Expression];
  const own = decimalOf(first), scale = isScale(second) ? exactOf(second) : undefined;
  return own && scale &&
    { value: multiply(own.value, scale), half: multiply(own.half, scale), digits: own.digits };
}

/** A power of ten, or the hundredth of percent. */
function isScale(e: Expression): boolean {
  if (e === HUNDREDTH) return true;
  const ten = e.op === "power" ? exactOf(e.args[0]!) : undefined;
  return ten?.numerator === 10n && ten.denominator === 1n;
}

function holdsDecimal(e: Expression): boolean {
  return e.op === "number" && e.decimal !== undefined || "args" in e && e.args.some(holdsDecimal);
}

function ratiosEqual(a: Value, b: Value): boolean {
  const partsOf = (v: Value) =>
    v.kind === "ratio"
      ? v.parts
      : v.kind === "expression"
      ? [v.expression, { op: "number", value: rational(1n) } as Expression]
      : [];
  const own = partsOf(a), other = partsOf(b);
  if (own.length !== other.length) return false;
  if (a.kind === "ratio" && b.kind === "ratio" && a.clock !== undefined && b.clock !== undefined) {
    const isSaid = a.seconds !== undefined && b.seconds !== undefined;
    return (a.seconds ?? a.clock) === (b.seconds ?? b.clock) || !isSaid && a.clock === b.clock;
  }
  const product = (x: Expression, y: Expression): Expression => ({ op: "multiply", args: [x, y] });
  return own.every((part, i) =>
    sameValue(product(part, other.at(-1)!), product(other[i]!, own.at(-1)!))
  );
}

// sets of real numbers

function realsEqual(a: Value, b: Value): boolean {
  const x = realsOf(a), y = realsOf(b);
  if (!x || !y) return false;
  const nameOf = (v: Value) => v.kind === "reals" ? v.name : undefined;
  const own = nameOf(a), other = nameOf(b);
  if (own !== undefined && other !== undefined && own !== other) return false;
  const [p, q] = [united(x) ?? x, united(y) ?? y];
  return p.length === q.length &&
    p.every((interval) => q.some((another) => intervalsEqual(interval, another)));
}

function intervalsEqual(a: Interval, b: Interval): boolean {
  return endsEqual(a.low, b.low) && endsEqual(a.high, b.high);
}

function endsEqual(a: End, b: End): boolean {
  const infinite = Math.abs(placeOf(a.value) ?? 0) === Infinity;
  if (infinite) return placeOf(a.value) === placeOf(b.value);
  return a.open === b.open && same(a.value, b.value);
}

// relations

type Relation = Value & { kind: "relation" };

function relationsEqual(a: Relation, b: Relation): boolean {
  if (
    a.value && b.value && (a.name === undefined || b.name === undefined || sameName(a.name, b.name))
  ) {
    if (equal(a.value, b.value)) return true;
  }
  if (a.sides.length === 0 || a.sides.length !== b.sides.length) return false;
  const alike = (sides: readonly Expression[], operators: readonly string[]) =>
    operators.every((own, i) => own === a.operators[i]) &&
    sides.every((side, i) => sameValue(side, a.sides[i]!));
  if (alike(b.sides, b.operators)) return true;
  if (alike(b.sides.toReversed(), b.operators.toReversed().map(mirror))) return true;
  return a.sides.length === 2 && proportional(a, b);
}

/** y and f(x) are two words for one thing. */
function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name === "f(x)" ? "y" : name;
  return plain(a) === plain(b);
}

/** Whether left − right of one is that of the other times a constant that is not 0. */
function proportional(a: Relation, b: Relation): boolean {
  const difference = ({ sides }: Relation): Expression => ({
    op: "add",
    args: [sides[0]!, negated(sides[1]!)],
  });
  const f = difference(a), g = difference(b), names = variablesOf(f, variablesOf(g));
  if (names.size === 0) return false;
  // f(k) g = f g(k) at a point k
  const [fixedF, fixedG] = [f, g].map((e) =>
    [...names].reduce((own, name, i) => substituted(own, name, PLACES[i % PLACES.length]!), e)
  ) as [Expression, Expression];
  if (sameValue(fixedF, ZERO) || sameValue(fixedG, ZERO)) return false;
  const product = (x: Expression, y: Expression): Expression => ({ op: "multiply", args: [x, y] });
  const [own, other] = [a.operators[0]!, b.operators[0]!];
  if (mirror(own) !== own) {
    const sign = Math.sign(placeOf(fixedF) ?? NaN) * Math.sign(placeOf(fixedG) ?? NaN);
    if (!(own === (sign < 0 ? mirror(other) : other)) || Number.isNaN(sign)) return false;
  } else if (own !== other) return false;
  return sameValue(product(fixedF, g), product(fixedG, f));
}

const ZERO: Expression = { op: "number", value: rational(0n) };
/** Values of names, no root of any equation that is likely. */
const PLACES: readonly Expression[] = [7919n, 104_729n, 1_299_709n, 15_485_863n].map((p, i) => ({
  op: "number",
  value: rational(p, BigInt(6_700_417 + 2 * i)),
}));
