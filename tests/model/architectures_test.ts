/** Every architecture and its options against transformers; see tests/golden/architectures.ts. */

import { assertEquals, assertLess } from "@std/assert";
import { ARCHITECTURES } from "@moi/moi/graph";
import { forward, loadModel } from "@moi/moi/model";
import { CASES, checkpointOf, logitsOf } from "../golden/architectures.ts";
import { maxDifference } from "../golden/golden.ts";

const TOLERANCE = 2e-4;

for (const value of CASES) {
  const { name, input_ids: ids, max_length: maxLength } = value, expected = logitsOf(value);

  Deno.test(`${name}: logits are those of transformers, however the prompt is fed`, async () => {
    await using folder = await checkpointOf(value);
    await using model = await loadModel(folder.path, { maxLength });
    const size = model.config.vocabularySize;
    const row = (i: number) => expected.subarray(i * size, (i + 1) * size);

    const rows = await forward(model, ids);
    assertLess(maxDifference(rows.flatMap((row) => [...row]), expected), TOLERANCE);

    // a prompt in three pieces, and beside it slots at other positions, one of them a copy
    using cache = model.openCache({ slots: 3, length: ids.length });
    const pieces: number[] = [];
    for (const [from, to] of [[0, 7], [7, 8], [8, 30]] as const) {
      pieces.push(...await cache.prefill(0, from, ids.slice(from, to), "all"));
    }
    assertLess(maxDifference(pieces, expected.subarray(0, 30 * size)), TOLERANCE);
    await cache.prefill(1, 0, ids.slice(0, 12), "last");
    await cache.copy(0, 2, 25);
    for (let t = 0; t < 10; t++) {
      const at = [30 + t, 12 + t, 25 + t];
      const logits = await cache.step(at.map((position) => ids[position]!), at);
      const due = at.flatMap((position) => [...row(position)]);
      assertLess(maxDifference(logits, due), TOLERANCE);
    }
  });
}

Deno.test("every architecture is held to transformers", () => {
  const tested = new Set(CASES.map(({ config }) => config.model_type as string));
  assertEquals([...tested].sort(), Object.keys(ARCHITECTURES).sort());
});
