import { assertAlmostEquals, assertThrows } from "@std/assert";
import { pairedScore } from "@moi/moi/stats";

// Reference: constrained trinomial likelihood maximised numerically with scipy 1.17
// (minimize_scalar, brentq), independent of the closed form used here.
const REFERENCE: [won: number, lost: number, n: number, low: number, high: number][] = [
  [0, 0, 500, -0.007624340461552241, 0.007624340461552241],
  [86, 2, 500, 0.13652365942503278, 0.2040071686554225],
  [2, 0, 500, -0.0036548375365133357, 0.014465715215177815],
  [23, 149, 500, -0.2988235276541391, -0.20574687588237733],
  [8, 1, 40, 0.03471150853293381, 0.32941151557055404],
  [0, 5, 50, -0.21360231437479657, -0.02151764148909052],
  [9, 1, 32, 0.06815212544714247, 0.4325620939144418],
];

Deno.test("pairedScore() agrees with a numerically maximised likelihood", () => {
  for (const [won, lost, n, low, high] of REFERENCE) {
    const interval = pairedScore(won, lost, n);
    assertAlmostEquals(interval.low, low, 1e-7);
    assertAlmostEquals(interval.high, high, 1e-7);
  }
});

Deno.test("pairedScore() mirrors when won and lost change places", () => {
  const a = pairedScore(12, 5, 80, 0.9), b = pairedScore(5, 12, 80, 0.9);
  assertAlmostEquals(a.low, -b.high, 1e-12);
  assertAlmostEquals(a.high, -b.low, 1e-12);
});

Deno.test("pairedScore() stays within -1 and 1 where every pair differs", () => {
  const { low, high } = pairedScore(10, 0, 10);
  assertAlmostEquals(low, 0.4449344002742217, 1e-9); // same reference
  assertAlmostEquals(high, 1, 1e-9);
});

Deno.test("pairedScore() refuses more differing pairs than there are", () => {
  assertThrows(() => pairedScore(3, 3, 5), RangeError, "at most 2: current value is 3");
  assertThrows(() => pairedScore(1, 1, 5, 1), RangeError, "level");
});
