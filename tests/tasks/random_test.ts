import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { seededRandom } from "../../lib/tasks/_random.ts";

Deno.test("seededRandom() gives the words of sfc32", () => {
  // From a transcription of PractRand's sfc.cpp into Python integers.
  const words = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 4 }, () => random.word());
  };
  assertEquals(words(0), [1363572419, 145230303, 808754475, 4216505632]);
  assertEquals(words(2 ** 53 - 1), [3268402823, 2602357022, 3266425223, 182731693]);
});

Deno.test("seededRandom() tells seeds apart above 2³²", () => {
  assertNotEquals(seededRandom(1).word(), seededRandom(2 ** 32 + 1).word());
});

Deno.test("below() is even", () => {
  const random = seededRandom(3);
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
  const chi2 = counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
  assert(chi2 < 22.5, `χ² with 6 degrees of freedom is ${chi2}`); // p = 0.001
});

Deno.test("below() draws 0 where that is the only choice", () => {
  assertEquals(seededRandom(0).below(1), 0);
});

Deno.test("shuffled() keeps the elements and reaches every order evenly", () => {
  const random = seededRandom(4);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffled("abc").join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
  assert(Math.min(...counts.values()) > 850);
});
