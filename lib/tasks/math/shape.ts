/**
 * An answer to a value that can be compared.
 *
 * The shape is found first, by what stands outside of brackets – alternatives, lists, unions, relations,
 * ratios – and what remains is read as a formula (`formula.ts`). Nothing is evaluated or simplified.
 * What cannot be read is a text.
 *
 * @module
 */

import { closing } from "../answer/pieces.ts";
import { folded } from "../answer/written.ts";
import { DEEPEST, enclosed, partsOf, split, tooDeep } from "./brackets.ts";
import { basedOf, expressionOf, expressionsOf, ratioOf } from "./leaf.ts";
import { matrixOf } from "./matrix.ts";
import { numberOf } from "./numeral.ts";
import * as reals from "./reals.ts";
import { congruenceOf, relationOf } from "./relation.ts";
import { namedSet, setOf } from "./set.ts";
import { partsThousands, tidy, words } from "./spelling.ts";
import { type Expression, negated, signs } from "./tree.ts";
import { splitUnit } from "./unit.ts";
import { asExpression, type Reader, type Value } from "./value.ts";

/** Longest answer that is read; longer ones are compared as texts. */
const LONGEST = 1000;

/** The value of an answer, LaTeX or plain, without the sentence around it; a text where it is no other. */
export function parseValue(answer: string): Value {
  answer = folded(answer);
  const asText: Value = { kind: "text", text: words(answer) };
  if (answer.length > LONGEST || tooDeep(answer)) return asText;
  const money = /^\s*-?\s*(\\\$|€|£)/.exec(answer)?.[1];
  const unit = money && { "\\$": "dollar", "€": "euro", "£": "pound" }[money];
  // money is one amount
  const plain = money ? answer.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "") : answer;
  const value = commasOf(plain) ?? shapeOf(tidy(plain), 0) ?? asText;
  return unit && value.kind === "expression" && value.unit === undefined
    ? { ...value, unit }
    : value;
}

/**
 * Integers between commas: a list, and one number where the commas part thousands
 * ({@linkcode partsThousands}) or one comma has two digits or more behind it ("1,22"): "2,5" is 2 and 5 only.
 */
function commasOf(answer: string): Value | undefined {
  const [, minus, own] = /^\s*\$?\s*([-−]?)(\d+(?:,\d+)+)\s*\$?\s*$/.exec(answer) ?? [];
  if (own === undefined) return undefined;
  const signed = (e: Expression) => minus === "" ? e : negated(e);
  const one = partsThousands(own) ? own.replaceAll(",", "") : own.replace(",", ".");
  const isOne = partsThousands(own) || /^\d+,\d{2,}$/.test(own);
  const [first, ...more] = own.split(",").map(numberOf) as [Expression];
  const items = [signed(first), ...more].map(asExpression);
  return { kind: "list", items, ...(isOne && { number: signed(numberOf(one)) }) };
}

/** Undefined where a text has another shape; null where it has this one, and cannot be read. */
type Shape = (text: string, context: Reader) => Value | null | undefined;

/** Shapes in the order in which they are tried. */
const SHAPES: readonly Shape[] = [
  worded,
  namedSet,
  setOf,
  (text, reader) => text.startsWith("]") ? bracketedOf(text, reader) : undefined,
  listedOf,
  groupedOf,
  congruenceOf,
  residueOf,
  relationOf,
  bracketedOf,
  matrixOf,
  ratioOf,
  leafOf,
];

function shapeOf(text: string, depth: number): Value | undefined {
  if (text === "" || depth > DEEPEST) return undefined;
  const shape = (part: string) => shapeOf(part, depth + 1);
  const read = (part: string): Value => shape(part) ?? { kind: "text", text: words(part) };
  for (const own of SHAPES) {
    const value = own(text, { read, shape });
    if (value !== undefined) return value ?? undefined;
  }
}

/** \text{…}: of an answer set in words. */
function worded(text: string, { shape }: Reader): Value | null | undefined {
  const inner = /^\\text\s?\{([^{}]*)\}$/.exec(text)?.[1]?.trim();
  if (inner === undefined) return undefined;
  if (/\d/.test(inner)) return shape(tidy(inner)) ?? null;
  return namedSet(inner) ?? { kind: "text", text: words(inner) };
}

/** What stands between "or", semicolons, commas and "and". */
function listedOf(text: string, { read }: Reader): Value | undefined {
  for (const marks of ["∨", ";", ",∧"]) {
    const { parts, marks: found } = split(text, marks), own = parts.filter((part) => part !== "");
    if (found.length === 0 || own.length === 0) continue;
    if (own.length === 1) return read(own[0]!);
    const items = own.map(read), joint = found.includes("∨") ? "or" : "and";
    return collected(
      marks.startsWith(",") ? items : items.flatMap((item) => asOne(item, joint)),
      joint,
    );
  }
}

/** A list between semicolons is a tuple; between alternatives, numbers stand each for itself. */
function asOne(value: Value, joint: "and" | "or"): readonly Value[] {
  if (value.kind !== "list") return [value];
  const plain = joint === "or" && value.items.every(({ kind }) => kind === "expression");
  return plain ? value.items : [{ kind: "tuple", items: value.items }];
}

function groupedOf(text: string, { read, shape }: Reader): Value | null | undefined {
  if (!text.startsWith("{") || closing(text, 0) !== text.length - 1) return undefined;
  const inside = text.slice(1, -1);
  return split(inside, ",").marks.length > 0
    ? collected(partsOf(inside, ",").map(read), "and")
    : shape(inside.trim()) ?? null;
}

/** 42 (mod 100): the number that is said. */
function residueOf(text: string, { read }: Reader): Value | undefined {
  const own =
    /^(-?\d{1,40}) ?(?:\\(?:pmod|bmod|mod) ?(?:\d{1,40}|\{ ?\d{1,40} ?\})|\( ?(?:\\bmod|\\mod|mod|\\text ?\{ ?mod ?\}) ?\d{1,40} ?\))$/
      .exec(text);
  return own ? read(own[1]!) : undefined;
}

function bracketedOf(text: string, { read, shape }: Reader): Value | undefined {
  const around = enclosed(text);
  if (!around) return undefined;
  const { open, close, body } = around, inside = partsOf(body, ",;");
  if (open === "\\{" || close === "\\}") {
    if (open !== "\\{" || close !== "\\}") return undefined;
    return { kind: "set", items: expanded(inside.map(read)) };
  }
  if (open === "[" && inside.length > 0 && inside.every((row) => /^\[.*\]$/.test(row))) {
    const rows = inside.map((row) => partsOf(row.slice(1, -1), ",").map(read));
    return { kind: "matrix", rows };
  }
  if (inside.length === 2 && (open !== "(" || close !== ")")) {
    const [low, high] = expressionsOf(inside) ?? [];
    if (low === undefined || high === undefined) return undefined;
    const own = { value: low, open: open !== "[" }, other = { value: high, open: close !== "]" };
    return { kind: "reals", intervals: [{ low: own, high: other }] };
  }
  if (inside.length > 1) {
    return oneOrMore(rowsOf(inside.map(read)).map((items) => ({ kind: "tuple", items })));
  }
  const isPlain = open === "(" && close === ")" && !/^[a-zA-Z]$/.test(body.trim());
  return isPlain && expressionOf(text) === undefined ? shape(body.trim()) : undefined;
}

/** A formula, with its unit. */
function leafOf(text: string, { shape }: Reader): Value | null | undefined {
  const base = basedOf(text);
  if (base) return asExpression(base);
  const { text: body, ...unit } = splitUnit(text);
  if (body !== text && body !== "") {
    const value = shape(body);
    if (value?.kind === "text") return null;
    return value?.kind === "expression" ? { ...value, ...unit } : value;
  }
  const own = expressionOf(text);
  return own && oneOrMore(signs(own).map(asExpression));
}

/** Items of which those with ± count each. */
function expanded(items: readonly Value[]): Value[] {
  return items.flatMap((item) => {
    if ("signs" in item) return item.items;
    if (item.kind !== "relation" || !item.value || !("signs" in item.value)) return [item];
    return item.value.items.map((value) => ({ ...item, sides: [], value })); // x = ±2
  });
}

/** Most tuples that ± makes of one. */
const MOST_TUPLES = 32;

/** All rows of items where each with ± is one of what it stands for. */
function rowsOf(items: readonly Value[]): Value[][] {
  return items.reduce<Value[][]>(
    (rows, item) =>
      rows.flatMap((row) => expanded([item]).map((one) => [...row, one])).slice(0, MOST_TUPLES),
    [[]],
  );
}

/** One value, or what ± makes of it. */
function oneOrMore(values: readonly Value[]): Value {
  return values.length === 1 ? values[0]! : { kind: "set", items: values, signs: true };
}

/** The set, the assignments or the list that values are together. */
function collected(own: readonly Value[], joint: "and" | "or"): Value {
  const sets = own.flatMap((item) =>
    item.kind === "reals" && item.name !== undefined ? [item] : []
  );
  const name = sets[0]?.name;
  if (name !== undefined && sets.length === own.length && sets.every((set) => set.name === name)) {
    const all = sets.map((set) => set.intervals);
    const shared = joint === "or" ? undefined : reals.intersection(all);
    return { kind: "reals", intervals: shared && shared.length > 0 ? shared : all.flat(), name };
  }
  const names = own.flatMap((item) => item.kind === "relation" ? item.name ?? [] : []);
  if (names.length === own.length && new Set(names).size === names.length) {
    const items = own.map((item) => (item as { value: Value }).value);
    return oneOrMore(rowsOf(items).map((row) => ({ kind: "assignments", names, items: row })));
  }
  return { kind: "list", items: expanded(own) };
}
