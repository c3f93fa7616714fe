import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { wilson } from "../../lib/stats/mod.ts";

// Expected values: statsmodels 0.14, proportion_confint(method="wilson").
// deno-fmt-ignore
const GOLDEN = [ // successes, n, level, low, high
  [0, 10, 0.95, 0, 0.2775327998628892],
  [1, 1, 0.95, 0.20654931437723745, 1],
  [20, 20, 0.95, 0.8388748419471806, 1],
  [7, 10, 0.95, 0.39677814746114537, 0.8922087325936989],
  [115, 198, 0.95, 0.5111812091759742, 0.6473590639025473],
  [115, 198, 0.99, 0.48930092888723997, 0.6670751366397983],
  [500, 1000, 0.9, 0.4740276914784201, 0.5259723085215798],
] as const;

Deno.test("wilson() agrees with statsmodels", () => {
  for (const [successes, n, level, low, high] of GOLDEN) {
    const interval = wilson(successes, n, level);
    assertAlmostEquals(interval.low, low, 1e-12);
    assertAlmostEquals(interval.high, high, 1e-12);
  }
});

Deno.test("wilson() holds the proportion, mirrors, and stays inside [0, 1]", () => {
  for (const n of [1, 2, 7, 50, 3333]) {
    for (let successes = 0; successes <= n; successes++) {
      const { low, high } = wilson(successes, n);
      assert(0 <= low && low <= successes / n && successes / n <= high && high <= 1);
      assertAlmostEquals(low, 1 - wilson(n - successes, n).high, 1e-14);
    }
  }
});

Deno.test("wilson() widens with the level and narrows with n", () => {
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  assert(width(wilson(30, 60, 0.99)) > width(wilson(30, 60)));
  assert(width(wilson(300, 600)) < width(wilson(30, 60)));
  assertEquals(wilson(30, 60), wilson(30, 60, 0.95));
});

Deno.test("wilson() refuses impossible counts and levels", () => {
  assertThrows(
    () => wilson(5, 4),
    RangeError,
    "'successes' must be an integer at least 0 and at most 4: current value is 5",
  );
  assertThrows(() => wilson(0, 0), RangeError, "'n' must be an integer at least 1");
  assertThrows(() => wilson(0.5, 1), RangeError, "'successes'");
  assertThrows(() => wilson(1, 2, 95), RangeError, "'level' must be a number greater than 0");
  assertThrows(() => wilson(1, 2, "95" as never), TypeError, "'level'");
});
