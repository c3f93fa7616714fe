/**
 * What inequalities say of a name: those that are linear in it describe a set of real numbers.
 *
 * @module
 */

import { placeOf, sameValue } from "./evaluate.ts";
import { exactOf } from "./exact.ts";
import * as reals from "./reals.ts";
import type { Interval } from "./reals.ts";
import {
  difference,
  exact,
  type Expression,
  fraction,
  isFixed,
  named,
  negated,
  op,
  signs,
  substituted,
  variablesOf,
} from "./tree.ts";
import type { Value } from "./value.ts";

const MIRROR: Readonly<Record<string, string>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤" };

/** The operator of a relation whose sides are multiplied by what is below 0. */
export const mirror = (operator: string): string => MIRROR[operator] ?? operator;

interface Range {
  readonly name: string;
  readonly intervals: readonly Interval[];
}

/** What a chain of inequalities, linear in one name, says of it. */
export function rangeOf(
  sides: readonly Expression[],
  operators: readonly string[],
): Value | undefined {
  let name: string | undefined, intervals: readonly Interval[] | undefined = reals.ALL;
  for (const [i, operator] of operators.entries()) {
    const [left, right] = sides.slice(i, i + 2);
    const own = left && right && solved(left, operator, right);
    if (!own || (name !== undefined && own.name !== name)) return undefined;
    name = own.name;
    intervals = intervals && reals.intersection(intervals, own.intervals);
  }
  return name !== undefined && intervals ? { kind: "reals", intervals, name } : undefined;
}

function solved(left: Expression, operator: string, right: Expression): Range | undefined {
  if (isFixed(left) === isFixed(right)) return linear(left, operator, right);
  const [own, bound, sign] = isFixed(left)
    ? [right, left, mirror(operator)]
    : [left, right, operator];
  if (sign === "≠" && own.op === "name") { // x ≠ ±1
    const points = signs(bound);
    if (points.some((each) => placeOf(each) === undefined)) return undefined;
    return { name: own.name, intervals: reals.complement(points.map(reals.point))! };
  }
  if (placeOf(bound) === undefined) return undefined;
  const intervals = beside(sign, bound);
  if (own.op === "name") return intervals && { name: own.name, intervals };
  if (own.op === "call") {
    const args = own.args.map((arg) => arg.op === "name" ? arg.name : "…");
    return intervals && { name: `${own.name}(${args.join()})`, intervals };
  }
  if (own.op === "abs" && own.args[0]!.op === "name" && intervals) {
    const both = reals.mirrored(intervals);
    return both && { name: own.args[0]!.name, intervals: both };
  }
  return linear(left, operator, right);
}

/** What stands in a relation to a number. */
function beside(operator: string, value: Expression): readonly Interval[] | undefined {
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
  const intervals = beside(rise < 0 ? mirror(operator) : operator, known ? exact(known) : bound);
  return intervals && { name, intervals };
}
