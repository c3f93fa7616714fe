import { assertAlmostEquals, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { loadModel, quality } from "@moi/moi/model";
import { klDivergence } from "../../lib/model/quality.ts";
import { temporaryFolder } from "../_temporary.ts";
import { QWEN3 } from "../golden/golden.ts";

Deno.test("klDivergence() is Σ p log(p / q)", () => {
  const p = [0.5, 0.3, 0.2], q = [0.2, 0.2, 0.6];
  const expected = p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]!), 0);
  const log = (values: number[], shift: number) =>
    Float32Array.from(values, (x) => Math.log(x) + shift);
  assertAlmostEquals(klDivergence(log(p, 3), log(q, -50)), expected, 1e-6);
});

Deno.test("klDivergence() of equal rows is 0, of rows with masked tokens finite", () => {
  const row = Float32Array.of(1, 2, -Infinity, 1000);
  assertEquals(klDivergence(row, row), 0);
  assertEquals(
    klDivergence(Float32Array.of(0, -Infinity), Float32Array.of(0, 0)),
    Math.fround(Math.log(2)) && Math.log(2),
  );
});

Deno.test("quality() of a model with itself is perfect", async () => {
  await using model = await loadModel(QWEN3);
  const found = await quality(model, model, [[1, 2, 3], [4]]);
  assertEquals(found, { meanKl: 0, maxKl: 0, top1Agreement: 1, positions: 4 });
});

Deno.test("quality() orders dtypes by their error", async () => {
  await using cache = await temporaryFolder();
  await using exact = await loadModel(QWEN3, { dtype: "fp32" });
  const errors: number[] = [];
  for (const dtype of ["fp16", "int8", "int4"] as const) {
    await using model = await loadModel(QWEN3, { dtype, cacheDir: cache.path });
    const { meanKl, maxKl } = await quality(model, exact, [[5, 6, 7, 8, 9, 10]]);
    assertGreater(maxKl, meanKl);
    errors.push(meanKl);
  }
  assertEquals(errors, errors.toSorted((a, b) => a - b));
});

Deno.test("quality() refuses no prompts and models of other vocabularies", async () => {
  await using a = await loadModel(QWEN3);
  await using b = await loadModel("votes-tiny");
  await assertRejects(() => quality(a, a, []), RangeError, "'prompts' must hold at least one");
  await assertRejects(() => quality(a, b, [[1]]), RangeError, "both must have 30 tokens");
});
