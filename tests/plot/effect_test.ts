import { assertEquals, assertThrows } from "@std/assert";
import { plotEffect } from "../../lib/plot/mod.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const found = (entropies: readonly number[]) => ({
  method: "<moi>",
  prompts: 2,
  positions: entropies.length,
  steps: entropies.map((entropy, index) => ({
    ...{ prompt: 0, index, token: 1, entropy },
    ...{ offSampleMass: entropy / 2, divergence: 0, changed: 0 },
  })),
});

Deno.test("plotEffect() counts every position in each of three histograms", () => {
  const { data, layout } = plotEffect(found([0, 0.1, 0.1, 0.4])) as Any;
  for (const { y } of data) assertEquals(y.reduce((a: number, b: number) => a + b), 4);
  assertEquals(data[0].y[0], 1);
  assertEquals(data[0].y.at(-1), 1);
  assertEquals(data[2].y[0], 4); // nothing changes
  assertEquals(layout.title.subtitle.text, "&lt;moi&gt; · N = 4 positions of 2 prompts");
});

Deno.test("plotEffect() refuses an effect without positions", () => {
  assertThrows(() => plotEffect(found([])), RangeError, "at least one position");
});

Deno.test("plotEffect() says of a prediction that was stopped how much of it there is", () => {
  for (const [entropies, finished] of [[[0.1, 0.2], 3], [[], 0]] as const) {
    const partial = { finished, planned: 8 };
    const { layout } = plotEffect({ ...found(entropies), partial }) as Any;
    assertEquals(layout.title.subtitle.text.endsWith(`· partial: ${finished} of 8 prompts`), true);
    assertEquals(JSON.stringify(layout).includes("null"), false);
  }
});
