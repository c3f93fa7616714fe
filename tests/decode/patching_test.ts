/** Places of one run put into another: against forward(), and what must hold of any model. */

import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { jsDivergence, lens, patchEffects } from "@moi/moi/decode";
import { forward, type Input, loadModel } from "@moi/moi/model";
import { mockModel } from "../_mock_model.ts";
import { QWEN3 } from "../golden/golden.ts";

const CLEAN = [7, 30, 90, 41, 5, 6], AT = 2;
const MIXED: Input[] = CLEAN.with(AT, { ids: [90, 12], weights: [0.6, 0.4] } as never);

Deno.test("patching nothing changes nothing, to the bit", async () => {
  await using model = await loadModel(QWEN3);
  const zeros = { divergence: 0, remaining: 0, change: 0, between: 0 };
  const { divergence, remaining, change, between } = await patchEffects(model, MIXED, MIXED);
  for (const [name, rows] of Object.entries({ divergence, remaining, change })) {
    assertEquals(new Set(rows.flat()), new Set([zeros[name as keyof typeof zeros]]), name);
  }
  assertEquals(between, 0);
});

Deno.test("places before the difference change nothing; the mixed place itself carries all of it", async () => {
  await using model = await loadModel(QWEN3);
  const { layers: L } = model.config;
  for (const [into, from] of [[CLEAN, MIXED], [MIXED, CLEAN]] as const) {
    const { divergence, remaining, between } = await patchEffects(model, into, from);
    for (const row of divergence) assertEquals(row.slice(0, AT), [0, 0]);
    for (const row of remaining) assertEquals(row.slice(0, AT), [between, between]);
    assertEquals(remaining[0]![AT], 0); // the input itself
    assertAlmostEquals(divergence[0]![AT]!, between, 1e-12);
    assertEquals(divergence[0]!.slice(AT + 1), [0, 0, 0]);
    assertEquals(remaining[L]!.at(-1), 0); // what is said next
    assertEquals(divergence[L]!.slice(0, -1), Array(5).fill(0)); // which nothing else reads
    assert(divergence.slice(1, L).some((row) => row.at(-1)! > 0));
  }
});

Deno.test("an effect is that of forward() with the patch", async () => {
  await using model = await loadModel(QWEN3);
  const { layers: [own] } = await forward(model, MIXED, { layers: [1] });
  const patches = [{ layer: 1, position: 3, stream: own![3]! }];
  const R = (await forward(model, CLEAN, { layers: [], patches })).logits.at(-1)!;
  const P = (await forward(model, CLEAN)).at(-1)!, Q = (await forward(model, MIXED)).at(-1)!;
  const options = { layers: [1], positions: [3], token: 17 };
  const effects = await patchEffects(model, CLEAN, MIXED, options);
  assertAlmostEquals(effects.divergence[0]![0]!, jsDivergence(R, P), 1e-7);
  assertAlmostEquals(effects.remaining[0]![0]!, jsDivergence(R, Q), 1e-7);
  assertAlmostEquals(effects.between, jsDivergence(P, Q), 1e-7);
  const logOf = (row: Float32Array) =>
    row[17]! - Math.log(row.reduce((sum, own) => sum + Math.exp(own), 0));
  assertAlmostEquals(effects.change[0]![0]!, logOf(R) - logOf(P), 1e-4);
  assertAlmostEquals(effects.token.from, logOf(Q), 1e-4);
  assertAlmostEquals(effects.token.into, logOf(P), 1e-4);
});

Deno.test("a place is told when it is done, and a stop ends the work", async () => {
  await using model = await loadModel("votes-tiny");
  const told: number[] = [], stop = new AbortController();
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    told.push(done);
    assertEquals(total, 2);
    if (done === 1) stop.abort(new Error("enough"));
  };
  const options = { layers: [1], positions: [1, 0], onProgress, signal: stop.signal };
  await assertRejects(() => patchEffects(model, [1, 3], [1, 4], options), Error, "enough");
  assertEquals(told, [1]);
});

Deno.test("patchEffects() refuses runs that do not fit, and places that there are not", async () => {
  await using model = await loadModel("votes-tiny");
  const patch = (options: object, from: Input[] = [1, 4]) => () =>
    patchEffects(model, [1, 3], from, options);
  await assertRejects(patch({}, [1]), RangeError, "'from.length'");
  await assertRejects(patch({ layers: [9] }), RangeError, "'layers'");
  await assertRejects(patch({ positions: [2] }), RangeError, "'positions'");
  await assertRejects(patch({ positions: 1 }), TypeError, "'positions' must be a list");
  await assertRejects(patch({ token: 30 }), RangeError, "'token'");
  await assertRejects(patch({ layer: 1 }), TypeError, "known options are");
  await assertRejects(
    () => patchEffects(mockModel(), [1], [2]),
    TypeError,
    "Cannot patch a run as mock does not tell its layers",
  );
});

Deno.test("lens() tells the most probable tokens of each layer, and of the last the model's", async () => {
  await using model = await loadModel("votes-tiny");
  const inputs: Input[] = [1, { ids: [26, 23], weights: [0.3, 0.7] }, 3];
  const { layers, inputs: named, cells } = await lens(model, inputs, { top: 3 });
  assertEquals(layers, Array.from({ length: model.config.layers + 1 }, (_, i) => i));
  assertEquals(named.map((tokens) => tokens.map(({ token }) => token)), [[1], [23, 26], [3]]);
  const rows = await forward(model, inputs);
  for (const [i, { tokens, divergence, entropy }] of cells.at(-1)!.entries()) {
    const order = [...rows[i]!.keys()].sort((a, b) => rows[i]![b]! - rows[i]![a]!);
    assertEquals(tokens.map(({ token }) => token), order.slice(0, 3));
    assertEquals(divergence, 0);
    assertLess(0, entropy);
  }
  assert(cells[0]!.every(({ divergence }) => divergence > 0 && divergence <= Math.LN2));
  const some = await lens(model, inputs, { layers: [2], top: 1 });
  assertEquals(some.cells, [cells[2]!.map((one) => ({ ...one, tokens: one.tokens.slice(0, 1) }))]);
  await assertRejects(
    () => lens(mockModel(), [1]),
    TypeError,
    "Cannot look through the lens as mock",
  );
  await assertRejects(() => lens(model, [1], { layers: [-1] }), RangeError, "'layers'");
});
