/**
 * Whether two values are the same answer, by their kinds.
 *
 * @module
 */

import { type Decimal, decimalOf, HUNDREDTH } from "./numeral.ts";
import { placeOf, realOf, sameValue } from "./evaluate.ts";
import { mirror } from "./relation.ts";
import { type End, united } from "./reals.ts";
import {
  difference,
  type Expression,
  fraction,
  named,
  op,
  some,
  substituted,
  variablesOf,
} from "./tree.ts";
import { asExpression, realsOf, type Value, type ValueOf } from "./value.ts";

/** Fewest significant digits of a decimal that may be rounded. */
export const LEAST_DIGITS = 6;
/** Most items whose order is searched. */
const LARGEST_SET = 64;

export function equal(a: Value, b: Value): boolean {
  const either = <K extends Value["kind"]>(kind: K) =>
    (a.kind === kind ? a : b.kind === kind ? b : undefined) as ValueOf<K> | undefined;
  const relation = either("relation");
  if (relation) {
    const other = relation === a ? b : a;
    if (other.kind === "relation") return relationsEqual(relation, other);
    return relation.value !== undefined && equal(relation.value, other);
  }
  if (either("text")) return textsEqual(a, b);
  if (either("reals")) return realsEqual(a, b);
  if (either("union")) {
    const parts = (v: Value) => v.kind === "union" ? v.parts : [v];
    return sameItems(parts(a), parts(b), false);
  }
  if (either("ratio")) return ratiosEqual(a, b);
  if (a.kind === "expression" && b.kind === "expression") return expressionsEqual(a, b);
  if (a.kind === "matrix" && b.kind === "matrix") {
    return a.rows.length === b.rows.length && a.rows.every((row, i) => inOrder(row, b.rows[i]!));
  }
  return collectionsEqual(a, b);
}

// collections

function collectionsEqual(a: Value, b: Value): boolean {
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
      return equal(asExpression(one.number), another);
    }
  }
  const kinds = [a.kind, b.kind];
  if (kinds.some((kind) => ["tuple", "assignments", "matrix"].includes(kind))) {
    return !kinds.includes("set") && inOrder(own, other) || isOnly(a, b) || isOnly(b, a);
  }
  // a repeated number is a double root, a repeated pair is said twice
  const counted = a.kind === "list" && b.kind === "list" &&
    [...own, ...other].every(({ kind }) => kind === "expression");
  return sameItems(own, other, counted);
}

/** Whether a list holds nothing but this one value. */
const isOnly = (list: Value, value: Value): boolean =>
  (list.kind === "list" || list.kind === "set") && inOrder(list.items, [value]);

/** The items of a value beside another; none of a matrix that is no vector. */
function itemsOf(value: Value, beside: Value): readonly Value[] | undefined {
  if (value.kind === "assignments") {
    const { names, items } = value;
    if ("items" in beside && beside.items.some((item) => item.kind === "relation" && item.name)) {
      return items.map((item, i) => (
        { kind: "relation", sides: [], operators: ["="], name: names[i]!, value: item }
      ));
    }
    // (2,3) gives x and y in their order, "2, 3" as they are written; longer names are as written
    const isAsWritten = beside.kind === "list" || beside.kind === "assignments" ||
      !names.every((name) => /^[a-zA-Z]$/.test(name));
    if (isAsWritten) return items;
    return names.map((name, i) => [name, items[i]!] as const).sort(([x], [y]) => x < y ? -1 : 1)
      .map(([, item]) => item);
  }
  if (value.kind !== "matrix") return "items" in value ? value.items : [value];
  const isVector = value.rows.length === 1 || value.rows.every((row) => row.length === 1);
  return isVector ? value.rows.flat() : undefined;
}

const inOrder = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((item, i) => equal(item, b[i]!));

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

const product = (...args: Expression[]) => op("multiply", ...args);

function expressionsEqual(a: ValueOf<"expression">, b: ValueOf<"expression">): boolean {
  const x = a.expression, y = b.expression;
  if (a.unit && b.unit && a.unit !== b.unit) return false;
  const baseOf = (e: Expression) => e.op === "base" ? e.base : e.op === "number" ? undefined : 0;
  if ((x.op === "base" || y.op === "base") && baseOf(x) !== baseOf(y)) return false;
  // names apart from each other's capital are two names, as answers A and a are one
  if (x.op === "name" && y.op === "name") return x.name.toLowerCase() === y.name.toLowerCase();
  if (same(x, y)) return true;
  const inRadians = (e: Expression) => product(e, fraction(1, 180), named("π"));
  if (a.unit === "degree" && !b.unit) return same(inRadians(x), y);
  if (b.unit === "degree" && !a.unit) return same(x, inRadians(y));
  if (a.percent && !b.percent) return same(product(x, HUNDREDTH), y);
  return b.percent && !a.percent ? same(x, product(y, HUNDREDTH)) : false;
}

/** Whether two expressions have one value, or one is the rounded value of the other. */
const same = (x: Expression, y: Expression): boolean =>
  sameValue(x, y) || isRounded(decimalOf(x), y) || isRounded(decimalOf(y), x);

/** Whether a decimal is the correct rounding of a number that is written without one. */
function isRounded(decimal: Decimal | undefined, e: Expression): boolean {
  const written = (part: Expression) => part.op === "number" && part.decimal !== undefined;
  if (!decimal || decimal.digits < LEAST_DIGITS || some(e, written)) return false;
  return realOf(e)?.sub(decimal.value).abs().lte(decimal.half) ?? false;
}

function ratiosEqual(a: Value, b: Value): boolean {
  const partsOf = (v: Value) =>
    v.kind === "ratio" ? v.parts : v.kind === "expression" ? [v.expression, fraction(1)] : [];
  const own = partsOf(a), other = partsOf(b);
  if (own.length !== other.length) return false;
  if (a.kind === "ratio" && b.kind === "ratio" && a.clock !== undefined && b.clock !== undefined) {
    const isSaid = a.seconds !== undefined && b.seconds !== undefined;
    return (a.seconds ?? a.clock) === (b.seconds ?? b.clock) || !isSaid && a.clock === b.clock;
  }
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
    p.every((one) => q.some((two) => endsEqual(one.low, two.low) && endsEqual(one.high, two.high)));
}

function endsEqual(a: End, b: End): boolean {
  const infinite = Math.abs(placeOf(a.value) ?? 0) === Infinity;
  if (infinite) return placeOf(a.value) === placeOf(b.value);
  return a.open === b.open && same(a.value, b.value);
}

// relations

type Relation = ValueOf<"relation">;

function relationsEqual(a: Relation, b: Relation): boolean {
  // y and f(x) are two words for one thing
  const plain = ({ name }: Relation) => name === "f(x)" ? "y" : name;
  const named = a.name === undefined || b.name === undefined || plain(a) === plain(b);
  if (a.value && b.value && named && equal(a.value, b.value)) return true;
  if (a.sides.length === 0 || a.sides.length !== b.sides.length) return false;
  const alike = (sides: readonly Expression[], operators: readonly string[]) =>
    operators.every((own, i) => own === a.operators[i]) &&
    sides.every((side, i) => sameValue(side, a.sides[i]!));
  return alike(b.sides, b.operators) ||
    alike(b.sides.toReversed(), b.operators.toReversed().map(mirror)) ||
    a.sides.length === 2 && proportional(a, b);
}

/** Values of names, no root of any equation that is likely. */
const PLACES = [7919, 104_729, 1_299_709, 15_485_863].map((p, i) => fraction(p, 6_700_417 + 2 * i));

/** Whether left − right of one is that of the other times a constant that is not 0. */
function proportional(a: Relation, b: Relation): boolean {
  const off = ({ sides }: Relation) => difference(sides[0]!, sides[1]!), f = off(a), g = off(b);
  const names = [...variablesOf(f, variablesOf(g))];
  if (names.length === 0) return false;
  // f(k) g = f g(k) at a point k
  const atPoint = (e: Expression) =>
    names.reduce((own, name, i) => substituted(own, name, PLACES[i % PLACES.length]!), e);
  const fixedF = atPoint(f), fixedG = atPoint(g), zero = fraction(0);
  if (sameValue(fixedF, zero) || sameValue(fixedG, zero)) return false;
  const [own, other] = [a.operators[0]!, b.operators[0]!];
  if (mirror(own) !== own) {
    const sign = Math.sign(placeOf(fixedF) ?? NaN) * Math.sign(placeOf(fixedG) ?? NaN);
    if (Number.isNaN(sign) || own !== (sign < 0 ? mirror(other) : other)) return false;
  } else if (own !== other) return false;
  return sameValue(product(fixedF, g), product(fixedG, f));
}
