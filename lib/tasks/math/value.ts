/**
 * What an answer is: a number or expression, a collection, a set of real numbers, an equation, a text.
 *
 * @module
 */

import { placeOf } from "./evaluate.ts";
import * as reals from "./reals.ts";
import type { Reals } from "./reals.ts";
import type { Expression } from "./tree.ts";

/** What an answer is. */
export type Value =
  | {
    readonly kind: "expression";
    readonly expression: Expression;
    readonly percent?: true;
    /** The unit, where it is one that is known. */
    readonly unit?: string;
  }
  | { readonly kind: "text"; readonly text: string }
  /** "tuple": ordered, in parentheses; "set": in braces; "list": bare, in any order. */
  | {
    readonly kind: "tuple" | "set" | "list";
    readonly items: readonly Value[];
    /** What "1,234" is where its comma parts thousands. */
    readonly number?: Expression;
    /** Whether it is what ± stands for, so that its items count each where it is one itself. */
    readonly signs?: true;
  }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Value[])[] }
  /** 2 : 3 : 4, or a time of day. */
  | {
    readonly kind: "ratio";
    readonly parts: readonly Expression[];
    /** Of what can be a time of day: seconds as they are written, and since midnight if that is said. */
    readonly clock?: number;
    readonly seconds?: number;
  }
  /** A set of real numbers, of a name where one is said: x > 2. */
  | { readonly kind: "reals"; readonly intervals: Reals; readonly name?: string }
  | { readonly kind: "union"; readonly parts: readonly Value[] }
  /** x = 1, y = 2: names are different. */
  | {
    readonly kind: "assignments";
    readonly names: readonly string[];
    readonly items: readonly Value[];
  }
  | {
    readonly kind: "relation";
    /** Sides as expressions; none where one is something else. */
    readonly sides: readonly Expression[];
    readonly operators: readonly string[];
    /** What a definition defines, and as what. */
    readonly name?: string;
    readonly value?: Value;
  };

export type ValueOf<Kind extends Value["kind"]> = Extract<Value, { kind: Kind }>;

/** What the parts of an answer are read with. */
export interface Reader {
  /** A part as a value, a text at least. */
  readonly read: (text: string) => Value;
  /** The same; undefined where it is but a text. */
  readonly shape: (text: string) => Value | undefined;
}

export const asExpression = (expression: Expression): Value => ({ kind: "expression", expression });

/** The set of real numbers that a value is or can be: (1,2) is an interval too. */
export function realsOf(value: Value): Reals | undefined {
  if (value.kind === "reals") return value.intervals;
  if (value.kind !== "set" && value.kind !== "tuple") return undefined;
  const items = value.items.flatMap((item) => item.kind === "expression" ? [item.expression] : []);
  if (items.length < value.items.length) return undefined;
  if (value.kind === "set") {
    return items.every((item) => placeOf(item) !== undefined) ? items.map(reals.point) : undefined;
  }
  const [low, high, more] = items;
  if (!low || !high || more) return undefined;
  return [{ low: { value: low, open: true }, high: { value: high, open: true } }];
}
