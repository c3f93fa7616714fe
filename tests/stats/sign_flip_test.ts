import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { mcnemarExact, mcnemarMidP, signFlipTest } from "../../lib/stats/mod.ts";

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
  for (const [won, lost] of [[60, 40], [10, 8], [700, 610]] as const) {
    assertAlmostEquals(signFlipTest(signs(won, lost)), mcnemarExact(won, lost), 1e-12);
    const p = signFlipTest(signs(won, lost), { midP: true });
    assertAlmostEquals(p, mcnemarMidP(won, lost), 1e-12);
  }
});

Deno.test("signFlipTest() counts multiples of a fraction exactly, however many", () => {
  // Python: the distribution of the sum in whole numbers.
  // deno-fmt-ignore
  const units = [
    3, -3, -2, -2, -2, 3, 3, 1, -3, -3, -1, 0, 1, 0, -1, -2, 2, 2, -3, -3, 0, 0, 4, 1, 0, 0, 2, 1, -2, 2,
    3, 4, 3, -1, -1, 2, 2, 2, 3, -1, 4, -3, -3, 4, 4, -1, -2, -1, -3, 4, 2, 1, -2, 0, -2, 3, 0, -3, -1, 2,
  ];
  for (const k of [1, 4, 7, 48]) {
    const differences = units.map((unit) => unit / k);
    assertAlmostEquals(signFlipTest(differences), 0.3742921564308439, 1e-12);
    assertAlmostEquals(signFlipTest(differences, { midP: true }), 0.34578790968116135, 1e-12);
  }
  // Problems with different numbers of repeats: halves, thirds and quarters.
  const mixed = Array.from({ length: 18 }, (_, i) => (i % 3 === 0 ? -1 : 1) / (2 + i % 3));
  const seen = Math.abs(mixed.reduce((a, b) => a + b));
  let reached = 0;
  for (let pattern = 0; pattern < 2 ** 18; pattern++) {
    const sum = mixed.reduce((total, d, i) => total + (pattern >> i & 1 ? d : -d), 0);
    reached += Number(Math.abs(sum) >= seen - 1e-9);
  }
  assertAlmostEquals(signFlipTest(mixed), reached / 2 ** 18, 1e-12);
});

Deno.test("signFlipTest() has no floor where sums are counted, and is never 0 where they are drawn", () => {
  assertAlmostEquals(signFlipTest(new Array<number>(40).fill(0.25)), 2 ** -39, 1e-20);
  const odd = Array.from({ length: 200 }, (_, i) => 1 + 1e-3 * Math.sin(i));
  assertEquals(signFlipTest(odd, { resamples: 999 }), 1 / 1000);
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
  assertThrows(
    () => signFlipTest([Infinity]),
    RangeError,
    "'differences[0]' must be a number: current value is Infinity",
  );
  assertThrows(() => signFlipTest([1], { resamples: 1.5 }), RangeError, "'resamples'");
  assertThrows(() => signFlipTest([1], { level: 0.9 } as never), TypeError, "'level'");
});
