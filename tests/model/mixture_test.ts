import { assertEquals, assertThrows } from "@std/assert";
import { type Input, oneToken } from "@moi/moi/model";
import { mixtureSize, writeInput } from "../../lib/model/mixture.ts";

/** An input written into the second row of three, each filled with nines before. */
function written(input: Input, width: number, vocabularySize = 10) {
  const ids = new Int32Array(3 * width).fill(9), weights = new Float32Array(3 * width).fill(9);
  writeInput(input, ids, weights, width, width, vocabularySize);
  return { ids: [...ids], weights: [...weights] };
}

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

Deno.test("writeInput() writes a token, pads with zero weights and touches no other row", () => {
  assertEquals(written(4, 3), {
    ids: [9, 9, 9, 4, 0, 0, 9, 9, 9],
    weights: [9, 9, 9, 1, 0, 0, 9, 9, 9],
  });
});

Deno.test("writeInput() writes a mixture, pads it and touches no other row", () => {
  assertEquals(written({ ids: [5, 2], weights: [0.25, 0.75] }, 3), {
    ids: [9, 9, 9, 5, 2, 0, 9, 9, 9],
    weights: [9, 9, 9, 0.25, 0.75, 0, 9, 9, 9],
  });
});

Deno.test("writeInput() takes ids at both ends of the vocabulary and a weight of 0", () => {
  assertEquals(written({ ids: [0, 9], weights: [0, 1] }, 2).ids.slice(2, 4), [0, 9]);
});

Deno.test("writeInput() refuses what is no mixture", () => {
  const bad: Input[] = [
    10,
    -1,
    0.5,
    NaN,
    { ids: [10], weights: [1] },
    { ids: [1], weights: [-1] },
    { ids: [1], weights: [NaN] },
    { ids: [1], weights: [Infinity] },
    { ids: [1, 2], weights: [1] },
    { ids: [1], weights: [1, 1] },
    { ids: [], weights: [] },
  ];
  for (const input of bad) assertThrows(() => written(input, 2), RangeError, "Cannot feed");
});
