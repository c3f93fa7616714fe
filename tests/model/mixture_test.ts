import { assertEquals } from "@std/assert";
import { oneToken } from "@moi/moi/model";

Deno.test("oneToken() is a mixture of one entry of weight 1", () => {
  const { ids, weights } = oneToken(7);
  assertEquals([Array.from(ids), Array.from(weights)], [[7], [1]]);
});
