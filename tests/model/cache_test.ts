import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { type Input, type KvCache, loadModel, type Mixture, type Model } from "@moi/moi/model";
import { maxDifference, QWEN3, randomNumbers } from "../golden/golden.ts";

const V = 384;

/** Random token ids. */
function tokens(count: number, seed: number): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => Math.floor(random() * V));
}

/** A random mixture of distinct tokens. */
function mixture(size: number, seed: number): Mixture {
  const random = randomNumbers(seed), start = Math.floor(random() * V);
  const ids = Array.from({ length: size }, (_, k) => (start + 7 * k) % V); // 7 and 384 are coprime
  const raw = ids.map(() => random() + 1e-3), total = raw.reduce((a, b) => a + b);
  return { ids, weights: raw.map((weight) => weight / total) };
}

/** Tokens and mixtures of many sizes in turn. */
function inputs(count: number, seed: number): Input[] {
  return tokens(count, seed).map((id, i) =>
    i % 3 === 0 ? id : mixture([2, 5, 16, 17, 40, 384][(i + seed) % 6]!, seed + i)
  );
}

const row = (logits: Float32Array, index: number) => logits.slice(index * V, (index + 1) * V);

/** Logits after each of the steps of one sequence, alone in a cache. */
async function alone(
  model: Model,
  prompt: readonly Input[],
  steps: readonly Input[],
  length = prompt.length + steps.length,
): Promise<Float32Array[]> {
  using cache = model.openCache({ slots: 1, length });
  const logits = [await cache.prefill(0, 0, prompt, "last")];
  for (const [t, input] of steps.entries()) {
    logits.push((await cache.step([input], [prompt.length + t])).slice());
  }
  return logits;
}

/** The same for several sequences in one cache, stepped together. */
async function together(
  cache: KvCache,
  prompts: readonly (readonly Input[])[],
  steps: readonly (readonly Input[])[],
): Promise<Float32Array[][]> {
  const found: Float32Array[][] = [];
  for (const [slot, prompt] of prompts.entries()) {
    found.push([await cache.prefill(slot, 0, prompt, "last")]);
  }
  for (let t = 0; t < steps[0]!.length; t++) {
    const logits = await cache.step(
      steps.map((list) => list[t]!),
      prompts.map((prompt) => prompt.length + t),
    );
    found.forEach((list, slot) => list.push(row(logits, slot)));
  }
  return found;
}

Deno.test("step() of three ragged prompts equals each alone bit for bit", async () => {
  await using model = await loadModel(QWEN3);
  const prompts = [5, 23, 70].map((length, i) => tokens(length, i));
  const steps = prompts.map((_, i) => tokens(12, 100 + i));
  using cache = model.openCache({ slots: 3, length: 82 });
  const found = await together(cache, prompts, steps);
  for (const [slot, prompt] of prompts.entries()) {
    assertEquals(found[slot], await alone(model, prompt, steps[slot]!));
  }
});

Deno.test("step() of mixtures of different sizes equals each alone bit for bit", async () => {
  await using model = await loadModel(QWEN3);
  const prompts = [4, 9, 31, 2].map((length, i) => inputs(length, i));
  const steps = prompts.map((_, i) => inputs(10, 50 + i));
  using cache = model.openCache({ slots: 6, length: 41 });
  const found = await together(cache, prompts, steps);
  for (const [slot, prompt] of prompts.entries()) {
    assertEquals(found[slot], await alone(model, prompt, steps[slot]!));
  }
});

Deno.test("step() of 64 rows equals each alone bit for bit", async () => {
  await using model = await loadModel(QWEN3);
  const prompts = Array.from({ length: 64 }, (_, i) => tokens(1 + (i * 7) % 40, i));
  const steps = prompts.map((_, i) => inputs(4, i));
  using cache = model.openCache({ slots: 64, length: 64 });
  const found = await together(cache, prompts, steps);
  for (const [slot, prompt] of prompts.entries()) {
    assertEquals(found[slot], await alone(model, prompt, steps[slot]!), `slot ${slot}`);
  }
});

Deno.test("the length of a cache does not change the logits", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = tokens(20, 1), steps = inputs(6, 2);
  const expected = await alone(model, prompt, steps);
  for (const length of [27, 64, 511, 512]) {
    assertEquals(await alone(model, prompt, steps, length), expected, `length ${length}`);
  }
});

Deno.test("the number of slots does not change the logits", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = tokens(20, 1), steps = inputs(6, 2);
  const expected = await alone(model, prompt, steps);
  for (const slots of [2, 5]) {
    using cache = model.openCache({ slots, length: 26 });
    assertEquals((await together(cache, [prompt], [steps]))[0], expected);
  }
});

Deno.test("a token and the mixture of it alone are the same input", async () => {
  await using model = await loadModel(QWEN3);
  const ids = tokens(10, 3), steps = tokens(5, 4);
  const one = (id: number): Mixture => ({ ids: [id], weights: [1] });
  const padded = (id: number): Mixture => ({ ids: [id, 1, 2], weights: [1, 0, 0] });
  const expected = await alone(model, ids, steps);
  assertEquals(await alone(model, ids.map(one), steps.map(one)), expected);
  assertEquals(await alone(model, ids.map(padded), steps.map(padded)), expected);
});

Deno.test("a mixture's entries may come in any order and twice", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = tokens(3, 5);
  const logits = async (input: Mixture) => (await alone(model, prompt, [input]))[1]!;
  const expected = await logits({ ids: [7, 300, 12], weights: [0.5, 0.25, 0.25] });
  const variants = [
    { ids: [12, 7, 300], weights: [0.25, 0.5, 0.25] },
    { ids: [7, 300, 12, 7], weights: [0.25, 0.25, 0.25, 0.25] },
    { ids: Int32Array.of(7, 300, 12), weights: Float64Array.of(0.5, 0.25, 0.25) },
    { ids: new Uint16Array([7, 300, 12]), weights: Float32Array.of(0.5, 0.25, 0.25) },
  ];
  for (const variant of variants) {
    assertLess(maxDifference(await logits(variant), expected), 1e-5);
  }
});

Deno.test("prefill() gives the same as one step after another", async () => {
  await using model = await loadModel(QWEN3);
  for (const sequence of [tokens(40, 6), inputs(40, 7)]) {
    using cache = model.openCache({ slots: 2, length: 40 });
    const all = await cache.prefill(0, 0, sequence, "all");
    assertEquals(all.length, 40 * V);
    for (const [position, input] of sequence.entries()) {
      const logits = await cache.step([input], [position]);
      assertLess(maxDifference(logits.subarray(0, V), row(all, position)), 2e-4);
    }
  }
});

Deno.test("prefill() gives the last row alone where only that is asked for", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 300 });
  for (const sequence of [tokens(30, 8), inputs(30, 9), tokens(300, 10), tokens(1, 11)]) {
    const all = await cache.prefill(0, 0, sequence, "all");
    const last = await cache.prefill(1, 0, sequence, "last");
    assertEquals(last.length, V);
    assertLess(maxDifference(last, row(all, sequence.length - 1)), 1e-5);
  }
});

Deno.test("prefill() beyond one chunk equals one step after another", async () => {
  await using model = await loadModel(QWEN3);
  const sequence = tokens(400, 12);
  using cache = model.openCache({ slots: 2, length: 400 });
  const all = await cache.prefill(1, 0, sequence, "all");
  for (const [position, id] of sequence.entries()) {
    const logits = await cache.step([id], [position]);
    assertLess(maxDifference(logits.subarray(0, V), row(all, position)), 2e-4);
  }
});

Deno.test("prefill() of the lengths around a chunk equals a longer prefill's rows", async () => {
  await using model = await loadModel(QWEN3);
  const sequence = tokens(512, 13);
  using cache = model.openCache({ slots: 1, length: 512 });
  const all = await cache.prefill(0, 0, sequence, "all");
  for (const length of [127, 128, 129, 255, 256, 257, 512]) {
    const last = await cache.prefill(0, 0, sequence.slice(0, length), "last");
    assertLess(maxDifference(last, row(all, length - 1)), 2e-4);
  }
});

Deno.test("prefill() in two parts equals prefill at once", async () => {
  await using model = await loadModel(QWEN3);
  const sequence = inputs(300, 14);
  using cache = model.openCache({ slots: 2, length: 310 });
  const whole = await cache.prefill(0, 0, sequence, "all");
  for (const cut of [1, 100, 256, 299]) {
    await cache.prefill(1, 0, sequence.slice(0, cut), "last");
    const rest = await cache.prefill(1, cut, sequence.slice(cut), "all");
    assertLess(maxDifference(rest, whole.subarray(cut * V)), 2e-4);
  }
});

Deno.test("prefill() of one slot leaves the others untouched", async () => {
  await using model = await loadModel(QWEN3);
  const prompts = [tokens(10, 15), tokens(12, 16), tokens(8, 17)], steps = inputs(5, 18);
  using cache = model.openCache({ slots: 3, length: 20 });
  for (const [slot, prompt] of prompts.entries()) await cache.prefill(slot, 0, prompt, "last");
  await cache.prefill(1, 0, tokens(20, 19), "last"); // as long as the slot
  for (const [t, input] of steps.entries()) {
    const logits = await cache.step([input, 5, input], [10 + t, 3, 8 + t]);
    for (const slot of [0, 2]) {
      const expected = (await alone(model, prompts[slot]!, steps.slice(0, t + 1)))[t + 1]!;
      assertEquals(row(logits, slot), expected);
    }
  }
});

Deno.test("a refilled slot is as good as a fresh one", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 90 });
  await together(cache, [tokens(70, 20), tokens(60, 21)], [inputs(20, 22), inputs(20, 23)]);
  const prompts = [tokens(5, 24), tokens(33, 25)], steps = [inputs(9, 26), inputs(9, 27)];
  const found = await together(cache, prompts, steps);
  for (const slot of [0, 1]) {
    assertEquals(found[slot], await alone(model, prompts[slot]!, steps[slot]!));
  }
});

Deno.test("a slot taken back to an earlier position goes on from there", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 1, length: 30 });
  const prompt = tokens(10, 28), first = tokens(8, 29), second = tokens(8, 30);
  await together(cache, [prompt], [first]);
  const expected = await alone(model, prompt, second);
  for (const [t, id] of second.entries()) {
    assertEquals((await cache.step([id], [10 + t])).slice(), expected[t + 1]);
  }
});

Deno.test("copy() makes a slot that continues bit for bit as the original", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = inputs(40, 31), steps = inputs(8, 32);
  using cache = model.openCache({ slots: 4, length: 48 });
  await cache.prefill(2, 0, prompt, "last");
  await cache.prefill(0, 0, tokens(48, 33), "last");
  for (const slot of [0, 1, 3]) await cache.copy(2, slot, 40);
  const expected = await alone(model, prompt, steps);
  for (const [t, input] of steps.entries()) {
    const logits = await cache.step(Array(4).fill(input), Array(4).fill(40 + t));
    for (let slot = 0; slot < 4; slot++) assertEquals(row(logits, slot), expected[t + 1]);
  }
});

Deno.test("copy() of some positions copies those alone", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 20 });
  const a = tokens(12, 34), b = tokens(12, 35);
  await cache.prefill(0, 0, a, "last");
  await cache.prefill(1, 0, b, "last");
  await cache.copy(0, 1, 5); // slot 1 now holds five of a, then b
  const next = await cache.prefill(1, 5, b.slice(5, 8), "last");
  const expected = (await alone(model, [...a.slice(0, 5), ...b.slice(5, 8)], []))[0]!;
  assertLess(maxDifference(next, expected), 2e-4);
  await cache.copy(0, 1, 0);
  await cache.copy(1, 1, 20);
});

Deno.test("step() may leave slots behind and take them up later", async () => {
  await using model = await loadModel(QWEN3);
  const prompts = [tokens(6, 36), tokens(9, 37)], steps = [inputs(6, 38), inputs(6, 39)];
  using cache = model.openCache({ slots: 2, length: 15 });
  for (const slot of [0, 1]) await cache.prefill(slot, 0, prompts[slot]!, "last");
  const expected = await Promise.all([0, 1].map((i) => alone(model, prompts[i]!, steps[i]!)));
  for (let t = 0; t < 3; t++) {
    assertEquals((await cache.step([steps[0]![t]!], [6 + t])).slice(0, V), expected[0]![t + 1]);
  }
  for (let t = 0; t < 3; t++) {
    const logits = await cache.step([steps[0]![3 + t]!, steps[1]![t]!], [9 + t, 9 + t]);
    assertEquals(row(logits, 0), expected[0]![4 + t]);
    assertEquals(row(logits, 1), expected[1]![t + 1]);
  }
});

Deno.test("caches of one model do not disturb one another", async () => {
  await using model = await loadModel(QWEN3);
  const jobs = [0, 1, 2, 3].map((i) => ({ prompt: tokens(10 + i, i), steps: inputs(8, 40 + i) }));
  const expected = [];
  for (const { prompt, steps } of jobs) expected.push(await alone(model, prompt, steps));
  const found = await Promise.all(jobs.map(({ prompt, steps }) => alone(model, prompt, steps)));
  assertEquals(found, expected);
});

Deno.test("openCache() refuses what is no shape", async () => {
  await using model = await loadModel(QWEN3, { maxLength: 100 });
  for (const slots of [0, -1, 1.5, NaN]) {
    assertThrows(() => model.openCache({ slots, length: 10 }), RangeError, "'slots'");
  }
  for (const length of [0, -1, 1.5, NaN, 101]) {
    assertThrows(() => model.openCache({ slots: 1, length }), RangeError, "'length'");
  }
  assertThrows(
    () => model.openCache({ slots: "1" as unknown as number, length: 1 }),
    TypeError,
    "'slots'",
  );
  assertThrows(() => model.openCache({ slots: 2 ** 40, length: 100 }), Error, "Cannot map");
});

Deno.test("prefill() refuses what does not fit the cache", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 10 });
  for (const slot of [-1, 2, 0.5, NaN]) {
    await assertRejects(() => cache.prefill(slot, 0, [1], "last"), RangeError, "'slot'");
  }
  for (const from of [-1, 10, 0.5, NaN]) {
    await assertRejects(() => cache.prefill(0, from, [1], "last"), RangeError, "position");
  }
  await assertRejects(() => cache.prefill(0, 0, tokens(11, 1), "last"), RangeError, "position");
  await assertRejects(() => cache.prefill(0, 8, tokens(3, 1), "last"), RangeError, "position");
  for (const from of [0, 5]) {
    await assertRejects(() => cache.prefill(0, from, [], "last"), RangeError, "at least one");
  }
});

Deno.test("step() refuses what does not fit the cache", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 10 });
  await assertRejects(() => cache.step([], []), RangeError, "inputs.length");
  await assertRejects(() => cache.step([1, 2, 3], [0, 0, 0]), RangeError, "inputs.length");
  await assertRejects(() => cache.step([1, 2], [0]), RangeError, "positions.length");
  await assertRejects(() => cache.step([1], [0, 0]), RangeError, "positions.length");
  for (const position of [-1, 10, 0.5, NaN]) {
    await assertRejects(() => cache.step([1, 1], [0, position]), RangeError, "slot 1");
  }
});

Deno.test("copy() refuses what does not fit the cache", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 10 });
  for (const slot of [-1, 2, 0.5, NaN]) {
    await assertRejects(() => cache.copy(slot, 0, 1), RangeError, "'from'");
    await assertRejects(() => cache.copy(0, slot, 1), RangeError, "'to'");
  }
  for (const positions of [-1, 11, 0.5, NaN]) {
    await assertRejects(() => cache.copy(0, 1, positions), RangeError, "'positions'");
  }
});

Deno.test("a refused input leaves the cache as it was", async () => {
  await using model = await loadModel(QWEN3);
  const prompt = tokens(8, 41), steps = tokens(4, 42);
  const expected = await alone(model, prompt, steps);
  using cache = model.openCache({ slots: 1, length: 12 });
  await cache.prefill(0, 0, prompt, "last");
  for (const [t, id] of steps.entries()) {
    for (const bad of [V, -1, { ids: [1], weights: [NaN] }, { ids: [], weights: [] }]) {
      await assertRejects(() => cache.step([bad], [8 + t]), RangeError);
    }
    assertEquals((await cache.step([id], [8 + t])).slice(), expected[t + 1]);
  }
});

Deno.test("step() refuses a second step while one runs", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 2, length: 10 });
  const expected = (await alone(model, [3], []))[0];
  const first = cache.step([3], [0]); // the first run of a cache is in the background
  await assertRejects(() => cache.step([4], [0]), Error, "step before must have ended");
  await assertRejects(() => cache.step([4, 5], [0, 0]), Error, "step before must have ended");
  assertEquals((await first).slice(0, V), expected);
});

Deno.test("a disposed cache refuses all work", async () => {
  await using model = await loadModel(QWEN3);
  const cache = model.openCache({ slots: 2, length: 10 });
  await cache.prefill(0, 0, [1, 2], "last");
  await cache.step([1], [2]);
  cache[Symbol.dispose]();
  cache[Symbol.dispose]();
  await assertRejects(() => cache.prefill(0, 0, [1], "last"), Error, "the cache is disposed");
  await assertRejects(() => cache.step([1], [0]), Error, "the cache is disposed");
  await assertRejects(() => cache.copy(0, 1, 1), Error, "the cache is disposed");
});

Deno.test("a cache disposed while it works frees its memory afterwards", async () => {
  await using model = await loadModel(QWEN3);
  const sequence = tokens(100, 43);
  const expected = (await alone(model, sequence, []))[0];
  for (let i = 0; i < 5; i++) {
    const cache = model.openCache({ slots: 1, length: 200 });
    const running = cache.prefill(0, 0, sequence, "last");
    cache[Symbol.dispose]();
    await assertRejects(() => cache.step([1], [0]), Error, "the cache is disposed");
    assertEquals(await running, expected);
  }
});

Deno.test("a cache disposed between the chunks of a prefill ends it with an error", async () => {
  await using model = await loadModel(QWEN3);
  const cache = model.openCache({ slots: 1, length: 400 });
  const running = cache.prefill(0, 0, tokens(400, 44), "last");
  cache[Symbol.dispose]();
  await assertRejects(() => running, Error, "the cache is disposed");
});

Deno.test("timers run during long work", async () => {
  await using model = await loadModel(QWEN3);
  using cache = model.openCache({ slots: 1, length: 512 });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const start = performance.now();
  while (ticks < 10 && performance.now() - start < 5000) {
    for (let position = 0; position < 64; position++) await cache.step([1], [position]);
  }
  clearInterval(timer);
  assertEquals(ticks >= 10, true);
});

Deno.test("200 caches opened and closed leave no memory behind", async () => {
  await using model = await loadModel(QWEN3);
  const slots = 64, length = 512; // 64 · 512 · 1536 bytes = 48 MiB
  assert(slots * length * model.memory.kvBytesPerToken >= 48 * 2 ** 20);
  const cycle = async () => {
    using cache = model.openCache({ slots, length });
    await cache.prefill(63, 0, tokens(5, 1), "last");
    await cache.step(tokens(64, 2), Array(64).fill(8));
    await cache.step(Array.from({ length: 64 }, (_, i) => mixture(20, i)), Array(64).fill(9));
    await cache.copy(63, 0, 5);
  };
  for (let i = 0; i < 20; i++) await cycle();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 200; i++) await cycle();
  assertLess(Deno.memoryUsage().rss - before, 24 * 2 ** 20);
});
