import { assertEquals } from "@std/assert";
import { oneToken } from "@moi/moi/model";
import { mixtureSize } from "../../lib/model/mixture.ts";

Deno.test("oneToken() is a mixture of one entry of weight 1", () => {
  const { ids, weights } = oneToken(7);
  assertEquals([Array.from(ids), Array.from(weights)], [[7], [1]]);
});

Deno.test("mixtureSize() counts the entries", () => {
  assertEquals([
    mixtureSize(3),
    mixtureSize(oneToken(3)),
    mixtureSize({ ids: [1, 2], weights: [] }),
  ], [
    1,
    1,
    2,
  ]);
});
