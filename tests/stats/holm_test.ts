import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { holm } from "../../lib/stats/mod.ts";
import { uint32s } from "../../lib/stats/_random.ts";

// Expected values: statsmodels 0.14, multipletests(method="holm").
const GOLDEN = [
  [[0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]],
  [[0.2, 0.2, 0.01, 0.9, 0.0001, 0.04], [0.6, 0.6, 0.05, 0.9, 0.0006, 0.16]],
  [[0.5], [0.5]],
] as const;

Deno.test("holm() agrees with statsmodels, in the order of the input", () => {
  for (const [p, expected] of GOLDEN) {
    holm(p).forEach((value, i) => assertAlmostEquals(value, expected[i]!, 1e-15));
  }
});

Deno.test("holm() keeps the order, never lowers, and stays between p and Bonferroni", () => {
  const next = uint32s(11);
  for (let trial = 0; trial < 50; trial++) {
    const p = Array.from({ length: 1 + trial % 12 }, () => (next() * 2 ** -32) ** 3);
    const adjusted = holm(p);
    p.forEach((value, i) => {
      assert(adjusted[i]! >= value && adjusted[i]! <= Math.min(1, p.length * value));
      p.forEach((other, j) => assert(value > other || adjusted[i]! <= adjusted[j]!));
    });
  }
});

Deno.test("holm() leaves its argument as it was, and has nothing to do for none", () => {
  const p = Object.freeze([0.3, 0.1]);
  assertEquals(holm(p), [0.3, 0.2]);
  assertEquals(holm([]), []);
});

Deno.test("holm() refuses what is no p value", () => {
  assertThrows(() => holm([0.1, 1.2]), RangeError, "'p[1]' must be a number at least 0");
  assertThrows(() => holm([NaN]), RangeError, "'p[0]'");
  assertThrows(() => holm([null as never]), TypeError, "null");
});
