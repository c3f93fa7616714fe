import { assertEquals } from "@std/assert";
import { parseFormula } from "../../lib/tasks/math/formula.ts";
import * as reals from "../../lib/tasks/math/reals.ts";
import { placeOf } from "../../lib/tasks/math/evaluate.ts";

/** Intervals from "[0,1) (2,3]". */
const set = (text: string): reals.Interval[] =>
  text.split(" ").filter((own) => own !== "").map((own) => {
    const [low, high] = own.slice(1, -1).split(",").map(parseFormula);
    return {
      low: { value: low!, open: own.startsWith("(") },
      high: { value: high!, open: own.endsWith(")") },
    };
  });
const shown = (intervals: readonly reals.Interval[] | undefined) =>
  intervals?.map(({ low, high }) =>
    `${low.open ? "(" : "["}${placeOf(low.value)},${placeOf(high.value)}${high.open ? ")" : "]"}`
  ).join(" ");

Deno.test("united() has one form for each set", () => {
  assertEquals(shown(reals.united(set("[1,2] [0,1]"))), "[0,2]");
  assertEquals(shown(reals.united(set("(1,2) (0,1)"))), "(0,1) (1,2)");
  assertEquals(shown(reals.united(set("(0,1) [1,1] (1,2)"))), "(0,2)");
  assertEquals(shown(reals.united(set("(0,3) [1,2]"))), "(0,3)");
  assertEquals(shown(reals.united(set("(2,1) (1,1) [3,3)"))), "");
  assertEquals(shown(reals.united(set("[-\\infty,\\infty]"))), "(-Infinity,Infinity)");
  const big = "10000000000000000000000";
  assertEquals(reals.united(set(`[0,${big}1] [${big}2,${big}3]`))!.length, 2);
  assertEquals(reals.united(set("[0,a]")), undefined);
});

Deno.test("complement() and intersection() mind the ends", () => {
  assertEquals(shown(reals.complement([])), "(-Infinity,Infinity)");
  assertEquals(shown(reals.complement(reals.ALL)), "");
  assertEquals(shown(reals.complement(set("[0,1)"))), "(-Infinity,0) [1,Infinity)");
  assertEquals(
    shown(reals.complement([reals.point(parseFormula("2"))])),
    "(-Infinity,2) (2,Infinity)",
  );
  assertEquals(shown(reals.intersection([set("[0,3)"), set("(1,5]")])), "(1,3)");
  assertEquals(shown(reals.intersection([set("[0,1]"), set("[1,2]")])), "[1,1]");
  assertEquals(shown(reals.intersection([set("[0,1)"), set("[1,2]")])), "");
});

Deno.test("mirrored() solves |x| ∈ S", () => {
  assertEquals(shown(reals.mirrored(set("(-\\infty,3)"))), "(-3,3)");
  assertEquals(shown(reals.mirrored(set("[1,2)"))), "(-2,-1] [1,2)");
  assertEquals(shown(reals.mirrored(set("(-\\infty,-1)"))), "");
});
