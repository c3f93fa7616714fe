import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { commonPrefix, generate, greedySimilarity, rougeL } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { seeded } from "../_random.ts";

/** Longest common subsequence by trying every subset of the first list. */
function longest(a: readonly number[], b: readonly number[]): number {
  let best = 0;
  for (let mask = 0; mask < 2 ** a.length; mask++) {
    const part = a.filter((_, i) => mask >> i & 1);
    let at = 0;
    for (const token of b) if (token === part[at]) at++;
    if (at === part.length) best = Math.max(best, at);
  }
  return best;
}

Deno.test("rougeL() is that of the definition", () => {
  const { next } = seeded(3);
  for (let round = 0; round < 60; round++) {
    const list = () => Array.from({ length: Math.floor(8 * next()) }, () => Math.floor(4 * next()));
    const a = list(), b = list(), { common, precision, recall, f1 } = rougeL(a, b);
    assertEquals(common, longest(a, b));
    if (a.length === 0 || b.length === 0) continue;
    assertEquals([precision, recall], [common / a.length, common / b.length]);
    const harmonic = common === 0 ? 0 : 2 * precision * recall / (precision + recall);
    assertAlmostEquals(f1, harmonic, 1e-12);
  }
  assertEquals([rougeL([], []).f1, rougeL([], [1]).f1], [1, 0]);
});

Deno.test("commonPrefix() counts until the two part", () => {
  assertEquals(commonPrefix([1, 2, 3], [1, 2, 4, 3]), 2);
  assertEquals(commonPrefix([], [1]), 0);
  assertEquals(commonPrefix([1, 2], [1, 2, 3]), 2);
});

Deno.test("greedySimilarity() compares with greedy decoding of the same length", async () => {
  await using model = await loadModel("votes-tiny");
  const sampled = await generate(model, [1, 26], { seed: 3, maxNewTokens: 8, ignoreEos: true });
  const greedy = await generate(model, [1, 26], {
    ...{ temperature: 0, maxNewTokens: 8, ignoreEos: true },
  });
  const found = await greedySimilarity(model, [1, 26], sampled, { ignoreEos: true });
  assertEquals(found.greedy.tokens, greedy.tokens);
  assertEquals(found.prefix, commonPrefix(sampled.tokens, greedy.tokens));
  assertEquals(found.f1, rougeL(sampled.tokens, greedy.tokens).f1);
  assert(found.f1 < 1, "the two texts are the same: nothing was tested");
  const bad = { temperature: 1 } as never;
  await assertRejects(() => greedySimilarity(model, [1], sampled, bad), TypeError, "not an option");
});
