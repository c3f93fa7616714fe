/** Tests: what comes after `is`. @module */

import { binary } from "./operators.ts";
import { str } from "./print.ts";
import { COMPARISONS, equal, iterate, lengthOf } from "./python.ts";
import { ANY, type Function, takes } from "./signature.ts";
import { isLower, isUpper } from "./texts.ts";
import { isUndefined, kinded, numberOf, textOf, unsupported, type Value } from "./values.ts";

type Test = Function<Value, boolean>;

const is = (holds: (value: Value) => boolean): Test => takes({}, holds);
const compares = (operator: string): Test =>
  takes({ other: ANY }, (value, { other }) => COMPARISONS[operator]!(value, other));
const leaves = (value: Value, by: Value, rest: Value) => equal(binary("%", value, by), rest);

function isIterable(value: Value): boolean {
  try {
    return kinded(value, "markup") !== undefined || iterate(value) !== undefined;
  } catch {
    return false;
  }
}

/** Python's `is`, where it can be told: which numbers are one object cannot. */
function same(a: Value, b: Value): boolean {
  const isShared = typeof a === "bigint" && a >= -5n && a <= 256n;
  if ((typeof a === "number" || typeof a === "bigint") && !isShared) {
    if (typeof a === typeof b && equal(a, b)) throw unsupported("sameas", a, b);
  }
  return a === b;
}

/** Tests by name, but those that look up names. */
export const TESTS: Readonly<Record<string, Test>> = {
  odd: is((value) => leaves(value, 2n, 1n)),
  even: is((value) => leaves(value, 2n, 0n)),
  divisibleby: takes({ num: ANY }, (value, { num }) => leaves(value, num, 0n)),
  defined: is((value) => !isUndefined(value)),
  undefined: is(isUndefined),
  none: is((value) => value === null),
  boolean: is((value) => typeof value === "boolean"),
  false: is((value) => value === false),
  true: is((value) => value === true),
  integer: is((value) => typeof value === "bigint"),
  float: is((value) => typeof value === "number"),
  lower: is((value) => isLower(str(value))),
  upper: is((value) => isUpper(str(value))),
  string: is((value) => textOf(value) !== undefined),
  mapping: is((value) => kinded(value, "dict") !== undefined),
  number: is((value) => numberOf(value) !== undefined),
  sequence: is((value) =>
    lengthOf(value) !== undefined && !kinded(value, "view") && !kinded(value, "thing")
  ),
  iterable: is(isIterable),
  callable: is((value) => isUndefined(value) || kinded(value, "thing")?.call !== undefined),
  sameas: takes({ other: ANY }, (value, { other }) => same(value, other)),
  escaped: is((value) => kinded(value, "markup") !== undefined),
  in: takes({ seq: ANY }, (value, { seq }) => COMPARISONS.in!(value, seq)),
  ...{ "==": compares("=="), eq: compares("=="), equalto: compares("==") },
  ...{ "!=": compares("!="), ne: compares("!=") },
  ...{ ">": compares(">"), gt: compares(">"), greaterthan: compares(">") },
  ...{ ">=": compares(">="), ge: compares(">=") },
  ...{ "<": compares("<"), lt: compares("<"), lessthan: compares("<") },
  ...{ "<=": compares("<="), le: compares("<=") },
};
