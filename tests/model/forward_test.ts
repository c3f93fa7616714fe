import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { forward, type Input, loadModel, type Mixture } from "@moi/moi/model";
import { maxDifference, QWEN3, randomNumbers } from "../golden/golden.ts";

const tokens = (count: number, seed = 1) => {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => Math.floor(random() * 384));
};

Deno.test("forward() gives a row of logits for every input", async () => {
  await using model = await loadModel(QWEN3);
  for (const length of [1, 2, 17]) {
    const rows = await forward(model, tokens(length));
    assertEquals(rows.map((row) => row.length), Array(length).fill(384));
    assert(rows.every((row) => row.every(Number.isFinite)));
  }
});

Deno.test("forward() is causal: later inputs do not change earlier rows", async () => {
  await using model = await loadModel(QWEN3);
  const ids = tokens(20);
  const long = await forward(model, ids), short = await forward(model, ids.slice(0, 9));
  for (let i = 0; i < 9; i++) assertLess(maxDifference(short[i]!, long[i]!), 2e-4);
  const changed = await forward(model, [...ids.slice(0, 9), 3, ...ids.slice(10)]);
  assert(maxDifference(changed[9]!, long[9]!) > 1e-2);
});

Deno.test("forward() takes the whole context", async () => {
  for (const id of [QWEN3, "votes-tiny", "countdown-tiny"]) {
    await using model = await loadModel(id);
    const ids = tokens(model.maxLength).map((t) => t % model.config.vocabularySize);
    const rows = await forward(model, ids);
    assertEquals(rows.length, model.maxLength);
    assert(rows.at(-1)!.every(Number.isFinite));
  }
});

Deno.test("forward() of the same inputs gives the same bits", async () => {
  await using model = await loadModel(QWEN3);
  assertEquals(await forward(model, tokens(50)), await forward(model, tokens(50)));
});

Deno.test("forward() of mixtures is the model on the mixed embedding", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = tokens(6), a = prompt[0]!, b = 200;
  const at = (weight: number) =>
    forward(model, [{ ids: [a, b], weights: [1 - weight, weight] }, ...prompt.slice(1)]);
  const [pureA, pureB] = [
    await forward(model, prompt),
    await forward(model, [b, ...prompt.slice(1)]),
  ];
  assertEquals(await at(0), pureA);
  assertLess(maxDifference((await at(1))[5]!, pureB[5]!), 1e-6);
  const half = await at(0.5);
  assert(maxDifference(half[5]!, pureA[5]!) > 1e-3);
  assert(maxDifference(half[5]!, pureB[5]!) > 1e-3);
  assertLess(maxDifference((await at(1e-5))[5]!, pureA[5]!), 1e-2);
});

Deno.test("forward() takes a mixture of the whole vocabulary at every position", async () => {
  await using model = await loadModel(QWEN3);
  const ids = Array.from({ length: 384 }, (_, id) => id);
  const uniform: Mixture = { ids, weights: ids.map(() => 1 / 384) };
  const rows = await forward(model, Array<Input>(300).fill(uniform));
  assertEquals(rows.length, 300);
  assert(rows.every((row) => row.every(Number.isFinite)));
});

Deno.test("forward() refuses an empty and a too long sequence", async () => {
  await using model = await loadModel(QWEN3, { maxLength: 40 });
  assertEquals((await forward(model, tokens(40))).length, 40);
  for (const length of [0, 41]) {
    await assertRejects(
      () => forward(model, tokens(length)),
      RangeError,
      `must be a number at least 1 and at most 40: current value is ${length}`,
    );
  }
});

Deno.test("forward() refuses ids outside the vocabulary", async () => {
  await using model = await loadModel(QWEN3);
  for (const id of [384, -1, 1.5, NaN, Infinity, 2 ** 32]) {
    for (const input of [id, { ids: [1, id], weights: [0.5, 0.5] }] as Input[]) {
      await assertRejects(
        () => forward(model, [1, input]),
        RangeError,
        "integers from 0 to 383",
      );
    }
  }
});

Deno.test("forward() refuses weights that are negative, infinite or no numbers", async () => {
  await using model = await loadModel(QWEN3);
  for (const weight of [-1e-9, -1, NaN, Infinity, undefined as unknown as number]) {
    await assertRejects(
      () => forward(model, [1, { ids: [1, 2], weights: [0.5, weight] }]),
      RangeError,
      "'weights' must be finite and at least 0",
    );
  }
});

Deno.test("forward() of a signed mixture that adds and takes away the same is the token", async () => {
  await using model = await loadModel(QWEN3);
  const [, plain] = await forward(model, [1, 2]);
  const [, same] = await forward(model, [1, {
    ids: [2, 3, 3],
    weights: [1, 0.5, -0.5],
    signed: true,
  }]);
  assertLess(maxDifference(plain!, same!), 1e-4);
  const [, other] = await forward(model, [1, { ids: [2, 3], weights: [1.5, -0.5], signed: true }]);
  assert(maxDifference(plain!, other!) > 1e-2);
});

Deno.test("forward() refuses an empty mixture and one with too few or too many weights", async () => {
  await using model = await loadModel(QWEN3);
  const mixtures = [
    { ids: [], weights: [] },
    { ids: [1, 2], weights: [1] },
    { ids: [1], weights: [0.5, 0.5] },
  ];
  for (const mixture of mixtures) {
    await assertRejects(() => forward(model, [1, mixture]), RangeError, "Cannot feed a mixture");
  }
});

Deno.test("forward() works again after a refusal", async () => {
  await using model = await loadModel(QWEN3);
  const expected = await forward(model, tokens(5));
  await assertRejects(() => forward(model, [1, 999]), RangeError);
  assertEquals(await forward(model, tokens(5)), expected);
});
