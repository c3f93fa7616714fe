/**
 * What ± and ∓ stand for.
 *
 * @module
 */

import { type Expression, holds, mapped, negated } from "./tree.ts";

/** Most values of one expression. */
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
