import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { mcnemarExact, signFlipTest } from "../../lib/stats/mod.ts";

Deno.test("signFlipTest() counts all patterns of few differences", () => {
  // scipy 1.17: stats.permutation_test(permutation_type="samples", n_resamples=inf).
  const differences = [0.5, 0.25, 0.75, -0.25, 0, 0.5, -0.5, 0.25, 0.25, 1, -0.25, 0.75];
  assertEquals(signFlipTest(differences), 0.0927734375);
  assertEquals(signFlipTest(differences, { seed: 5, resamples: 1 }), 0.0927734375);
});

Deno.test("signFlipTest() counts a tie in spite of rounding", () => {
  // 0.1 + 0.2 and 0.3 are not the same double: of 8 patterns, 2 reach |0.6|, and 4 reach |0|.
  assertEquals(signFlipTest([0.1, 0.2, 0.3]), 2 / 8);
  assertEquals(signFlipTest([0.1, 0.2, -0.3]), 1);
});

Deno.test("signFlipTest() of differences −1 and 1 is McNemar's test", () => {
  const signs = (won: number, lost: number) => [
    ...new Array<number>(won).fill(1),
    ...new Array<number>(lost).fill(-1),
    ...new Array<number>(5).fill(0),
  ];
  assertEquals(signFlipTest(signs(11, 3)), mcnemarExact(11, 3));
  assertEquals(signFlipTest(signs(2, 14)), mcnemarExact(2, 14));
  // Drawn, with a standard error of 0.0022 at p = 0.05.
  assertAlmostEquals(signFlipTest(signs(60, 40)), mcnemarExact(60, 40), 0.009);
  assertAlmostEquals(signFlipTest(signs(10, 8)), mcnemarExact(10, 8), 0.02);
});

Deno.test("signFlipTest() is never 0 where patterns are drawn", () => {
  assertEquals(signFlipTest(new Array<number>(200).fill(1), { resamples: 999 }), 1 / 1000);
});

Deno.test("signFlipTest() does not mind the sign, and repeats itself for a seed", () => {
  const differences = Array.from({ length: 50 }, (_, i) => Math.sin(i) + 0.2);
  const p = signFlipTest(differences, { seed: 2 });
  assertEquals(signFlipTest(differences.map((d) => -d), { seed: 2 }), p);
  assertEquals(signFlipTest(differences, { seed: 2 }), p);
  assertNotEquals(signFlipTest(differences, { seed: 3 }), p);
});

Deno.test("signFlipTest() is 1 where nothing differs", () => {
  assertEquals(signFlipTest([0, 0, 0]), 1);
});

Deno.test("signFlipTest() refuses bad data and options", () => {
  assertThrows(() => signFlipTest([]), RangeError, "'differences' must hold at least one");
  assertThrows(() => signFlipTest([Infinity]), RangeError, "index 0 is Infinity");
  assertThrows(() => signFlipTest([1], { resamples: 1.5 }), RangeError, "'resamples'");
  assertThrows(() => signFlipTest([1], { level: 0.9 } as never), TypeError, "'level'");
});
