import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { below, splitmix32, uint32s, xoshiro128 } from "../../lib/stats/_random.ts";

// Expected integers: a separate Python transcription of the two published algorithms; those of
// state 1, 2, 3, 4 are also the test vector of Rust's rand_xoshiro, made with the C reference.

Deno.test("xoshiro128() gives the published generator's integers", () => {
  const next = xoshiro128([1, 2, 3, 4]);
  assertEquals(Array.from({ length: 10 }, next), [
    11520,
    0,
    5927040,
    70819200,
    2031721883,
    1637235492,
    1287239034,
    3734860849,
    3729100597,
    4258142804,
  ]);
});

Deno.test("splitmix32() fills the state from any seed", () => {
  assertEquals(splitmix32(0), [1684164658, 3653269916, 2939563536, 2141751570]);
  assertEquals(splitmix32(1), [1580013426, 350525680, 3524174333, 3011703609]);
  assertEquals(splitmix32(2 ** 32 - 1), [3950124170, 4293442868, 1302505678, 2762329221]);
});

Deno.test("uint32s() is the one seeded by the other", () => {
  const next = uint32s(1);
  assertEquals(Array.from({ length: 6 }, next), [
    393288148,
    2174103013,
    3814759091,
    2092745082,
    1865176206,
    2179171167,
  ]);
});

Deno.test("below() spreads evenly and stays inside", () => {
  const next = uint32s(5);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[below(7, next)]! += 1;
  assertEquals(counts.length, 7);
  for (const count of counts) assertAlmostEquals(count, 10_000, 400); // 4.3 standard deviations
  assert(below(7, () => 2 ** 32 - 1) === 6);
});
