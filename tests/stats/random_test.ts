import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { below, uint32s } from "../../lib/stats/_random.ts";

// Expected integers: a separate Python transcription of the two published algorithms.

Deno.test("uint32s() gives the integers of xoshiro128** seeded by splitmix32", () => {
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
