import { assertEquals, assertThrows } from "@std/assert";
import type { Input } from "@moi/moi/model";
import { createFeed, writeInput } from "../../lib/model/feed.ts";

/** An input written into the second row of three, each filled with nines before. */
function written(input: Input, width: number, vocabularySize = 10, dense = false) {
  const shape = { batch: 3, sequence: 1, width, rows: 1 };
  const feed = createFeed(shape, { listed: !dense, dense: 0 });
  feed.ids?.fill(9);
  feed.weights.fill(9);
  writeInput(feed, 1, width, input, vocabularySize);
  return { ids: [...feed.ids ?? []], weights: [...feed.weights] };
}

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

Deno.test("writeInput() writes a row over the vocabulary where there are no ids", () => {
  assertEquals(written(2, 4, 4, true).weights, [9, 9, 9, 9, 0, 0, 1, 0, 9, 9, 9, 9]);
  const mixture = { ids: [3, 0, 3], weights: [0.5, 0.25, 0.25] };
  assertEquals(written(mixture, 4, 4, true).weights.slice(4, 8), [0.25, 0, 0, 0.75]);
});

Deno.test("writeInput() takes plain and typed arrays alike", () => {
  const plain = { ids: [5, 2], weights: [0.25, 0.75] };
  const typed = { ids: Int32Array.of(5, 2), weights: Float64Array.of(0.25, 0.75) };
  const single = { ids: Uint16Array.of(5, 2), weights: Float32Array.of(0.25, 0.75) };
  for (const dense of [false, true]) {
    assertEquals(written(typed, 10, 10, dense), written(plain, 10, 10, dense));
    assertEquals(written(single, 10, 10, dense), written(plain, 10, 10, dense));
  }
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
    { ids: [1, 0.5], weights: [0.5, 0.5] },
    { ids: [1, 2 ** 32 + 1], weights: [0.5, 0.5] },
    { ids: [1, 10], weights: [0.5, 0.5] },
    { ids: [1, 2], weights: [0.5, NaN] },
  ];
  for (const input of bad) {
    assertThrows(() => written(input, 2), RangeError, "Cannot feed");
    assertThrows(() => written(input, 10, 10, true), RangeError, "Cannot feed");
  }
});

Deno.test("writeInput() takes negative weights of a signed mixture, finite ones", () => {
  const weights = [-0.5, 1.5];
  assertEquals(written({ ids: [5, 2], weights, signed: true }, 2).weights.slice(2, 4), weights);
  assertEquals(
    written({ ids: [3, 0], weights, signed: true }, 4, 4, true).weights.slice(4, 8),
    [1.5, 0, 0, -0.5],
  );
  assertEquals(written({ ids: [1], weights: [-1], signed: true }, 2).weights.slice(2, 4), [-1, 0]);
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const dense of [false, true]) {
      const mixture = (weights: number[]) => ({ ids: [1, 2].slice(-weights.length), weights });
      for (const input of [mixture([bad]), mixture([0.5, bad])]) {
        const signed = { ...input, signed: true } as const;
        assertThrows(() => written(signed, 10, 10, dense), RangeError, "must be finite: current");
      }
    }
  }
});
