/** Slots of llama.cpp: what is copied, filled anew, padded, at the end of a context, and freed. */

import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { forward, type Input, type KvCache, loadModel, type LoadOptions } from "@moi/moi/model";
import { openLlama } from "../../../lib/llama/library.ts";
import { loadLlamaModel } from "../../../lib/llama/model.ts";
import { startThreads } from "../../../lib/model/llama/threads.ts";
import { inOrder } from "../../../lib/_in_order.ts";
import { openLlamaCache } from "../../../lib/model/llama/cache.ts";
import { caseOf, pathOf } from "../../golden/llama.ts";
import { walk } from "../_device_walk.ts";

const load = (name: string, options: LoadOptions = {}) =>
  loadModel(pathOf(name), { engine: "llama.cpp", device: "cpu", threads: 1, ...options });

const MIXED: Input = { ids: [9, 30, 51], weights: [0.5, 0.3, 0.2] };

/** Logits of a step, of each of its rows, in arrays of their own. */
async function rowsOf(cache: KvCache, inputs: readonly Input[], positions: readonly number[]) {
  const logits = await cache.step(inputs, positions), V = 72;
  return inputs.map((_, row) => logits.slice(row * V, (row + 1) * V));
}

for (const name of ["falcon", "gemma2", "gpt2", "qwen2vl", "bloom"]) {
  Deno.test(`${name}: copied and refilled slots are as fresh ones, bit for bit`, async () => {
    await using model = await load(name);
    const { ids } = caseOf(name), shape = { slots: 5, length: 62 };
    using fresh = model.openCache(shape);
    const due = await fresh.prefill(0, 0, ids.slice(0, 20), "all");
    const steps = [await rowsOf(fresh, [MIXED], [20]), await rowsOf(fresh, [ids[20]!], [21])];

    using cache = model.openCache(shape);
    await cache.prefill(0, 0, ids.slice(5, 40), "last"); // another, longer, is forgotten
    await cache.prefill(3, 0, ids, "last");
    assertEquals(await cache.prefill(3, 0, ids.slice(0, 20), "all"), due);
    await cache.copy(3, 0, 20);
    await cache.copy(0, 2, 20);
    await cache.prefill(1, 0, ids.slice(0, 7), "last");
    for (let again = 0; again < 2; again++) { // the second time positions are written over
      const first = await rowsOf(cache, [MIXED, ids[3]!, MIXED], [20, 7, 20]);
      assertEquals([first[0], first[2]], [steps[0]![0], steps[0]![0]]);
      const second = await rowsOf(cache, [ids[20]!, MIXED, ids[20]!], [21, 8, 21]);
      assertEquals([second[0], second[2]], [steps[1]![0], steps[1]![0]]);
    }
    await cache.copy(2, 4, 12); // a part of it
    const part = await cache.prefill(4, 12, ids.slice(12, 20), "last");
    await fresh.prefill(1, 0, ids.slice(0, 12), "last");
    assertEquals(part, await fresh.prefill(1, 12, ids.slice(12, 20), "last"));
    const both = [await walk(cache, ids, 72), await walk(fresh, ids, 72)];
    assertEquals(both[0], both[1]);
  });
}

Deno.test("the last positions of a context, with rows of padding beside them", async () => {
  for (const [name, maxLength] of [["gpt2", 63], ["falcon", 64], ["gemma2", 64]] as const) {
    await using model = await load(name); // gpt2 has learned positions: one is for padding
    assertEquals(model.maxLength, maxLength);
    const ids = [...caseOf(name).ids, ...caseOf(name).ids].slice(0, maxLength);
    const all = await forward(model, ids);
    assert(all.every((row) => row.every(Number.isFinite)));
    using cache = model.openCache({ slots: 3, length: maxLength });
    for (const slot of [0, 1, 2]) await cache.prefill(slot, 0, ids.slice(0, maxLength - 1), "last");
    const last = ids[maxLength - 1]!, V = model.config.vocabularySize;
    const alone = (await cache.step([last], [maxLength - 1])).slice(0, V);
    for (const count of [3, 2, 1]) {
      const inputs = Array(count).fill(last), positions = Array(count).fill(maxLength - 1);
      const rows = await cache.step(inputs, positions);
      for (let row = 0; row < count; row++) assertEquals(rows.slice(row * V, (row + 1) * V), alone);
    }
    const beyond = `'position' must be from 0 to ${maxLength - 1}`;
    await assertRejects(() => cache.step([last], [maxLength]), RangeError, beyond);
    await assertRejects(() => cache.prefill(0, maxLength - 1, [5, 6], "last"), RangeError);
    const words = `'inputs.length' must be a number at least 1 and at most ${maxLength}`;
    await assertRejects(() => forward(model, [...ids, 5]), RangeError, words);
  }
  await assertRejects(() => load("gpt2", { maxLength: 64 }), RangeError, "'maxLength' must be");
});

Deno.test("calls that are wrong are refused, and the slots go on as before", async () => {
  await using model = await load("granite");
  using cache = model.openCache({ slots: 2, length: 40 });
  await cache.prefill(0, 0, [5, 6, 7], "last");
  const due = await rowsOf(cache, [MIXED], [3]);
  const wrong: (() => Promise<unknown>)[] = [
    ...[2, -1, 0.5, NaN].map((slot) => () => cache.prefill(slot, 0, [5], "last")),
    ...[5, -1, 0.5, NaN].map((from) => () => cache.prefill(0, from, [5], "last")),
    () => cache.prefill(0, 0, [], "last"),
    () => cache.prefill(0, 0, Array(41).fill(5), "last"),
    () => cache.prefill(0, 3, [72], "last"),
    () => cache.prefill(0, 3, [MIXED, -1], "last"),
    () => cache.step([], []),
    () => cache.step([5, 6, 7], [3, 0, 0]),
    () => cache.step([5], [3, 0]),
    () => cache.step([5, 6], [3]),
    ...[5, -1, 0.5, NaN].map((position) => () => cache.step([5], [position])),
    () => cache.step([5, 6], [3, 1]), // nothing is there before it
    ...[72, -1, 0.5, NaN].map((id) => () => cache.step([id], [3])),
    () => cache.step([{ ids: [5, 72], weights: [0.5, 0.5] }], [3]),
    () => cache.step([{ ids: [5], weights: [0.5, 0.5] }], [3]),
    () => cache.step([{ ids: [5], weights: [NaN] }], [3]),
    ...[2, -1, NaN].map((to) => () => cache.copy(0, to, 1)),
    ...[2, -1, NaN].map((from) => () => cache.copy(from, 0, 1)),
    ...[5, -1, 0.5, NaN].map((count) => () => cache.copy(0, 1, count)),
  ];
  for (const call of wrong) {
    await assertRejects(call, Error, "Cannot ");
    await cache.prefill(0, 3, [MIXED], "last"); // a call with a bad input may have cut there
    assertEquals(await rowsOf(cache, [MIXED], [3]), due, String(call));
  }
});

const upToMultiple = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

Deno.test("caches have up to 256 slots, where a run takes 8 of them too", async () => {
  await using model = await load("falcon");
  for (const slots of [257, 2 ** 31]) {
    assertThrows(
      () => model.openCache({ slots, length: 8 }),
      RangeError,
      "'slots' must be at most",
    );
  }
  const llama = await openLlama("cpu");
  using threads = startThreads(llama, 1);
  using own = await loadLlamaModel(llama, pathOf("falcon"), { threads });
  const turn = inOrder(),
    write = (inputs: readonly Input[], into: Float32Array) => {
      const rows = model.embeddings!(inputs as readonly number[]);
      rows.forEach((row, i) => into.set(row, i * row.length));
      return Promise.resolve();
    };
  const found: Float32Array[] = [];
  for (const rows of [{ multiple: 8, most: 8 }, { multiple: 2, most: Infinity }]) {
    const common = { model: own, kv: "fp32", rows, write, turn, lastTurn: turn } as const;
    const parts = { ...common, bytes: 1024, free: () => 0 };
    const room = (bytes: number) => ({ ...parts, free: () => bytes });
    const shape = { slots: 250, length: 8 }, all = upToMultiple(250, rows.multiple) * 256 * 1024;
    openLlamaCache(room(all), shape)[Symbol.dispose]();
    assertThrows(() => openLlamaCache(room(all - 1), shape), RangeError, "GiB are free: ask for");
    using cache = openLlamaCache(parts, { slots: 250, length: 8 });
    const inputs = Array.from({ length: 250 }, (_, slot) => slot % 72);
    for (const slot of inputs.keys()) await cache.prefill(slot, 0, [5], "last");
    found.push((await cache.step(inputs, inputs.map(() => 1))).slice());
  }
  const [eight, all] = found;
  assertEquals(eight!.length, 250 * 72);
  // of other numbers of rows, so that sums may be taken in another order
  assertLess(Math.max(...eight!.map((value, i) => Math.abs(value - all![i]!))), 1e-4);
});

Deno.test("a cache is disposed while it works, before it was used, and twice", async () => {
  await using model = await load("granite");
  const { ids } = caseOf("granite");
  const due = await forward(model, ids);
  const cache = model.openCache({ slots: 2, length: 60 }), words = "as the cache is disposed";
  const working = [cache.prefill(0, 0, ids, "all"), cache.step([5], [0]), cache.copy(0, 1, 1)];
  const ended = Promise.allSettled(working);
  cache[Symbol.dispose]();
  cache[Symbol.dispose]();
  for (const one of await ended) {
    if (one.status === "rejected") assert(String(one.reason).includes(words), String(one.reason));
  }
  await assertRejects(async () => await cache.prefill(0, 0, [5], "last"), Error, words);
  await assertRejects(async () => await cache.step([5], [0]), Error, words);
  model.openCache({ slots: 256, length: 60 })[Symbol.dispose]();
  assertEquals(await forward(model, ids), due);
});

Deno.test("a model is disposed while caches are open, and all memory comes back", async () => {
  const round = async (isFirst: boolean) => {
    const model = await load("falcon", { kv: "fp32" });
    const cache = model.openCache({ slots: 250, length: 60 }); // 32 MB of keys and values
    await cache.prefill(0, 0, [5], "last");
    const working = cache.prefill(1, 0, [5, 6, 7], "last");
    const ended = Promise.allSettled([working]);
    await model[Symbol.asyncDispose]();
    if (isFirst) cache[Symbol.dispose]();
    await ended;
    await assertRejects(async () => await cache.step([5], [1]), Error, "is disposed");
    assertThrows(() => model.openCache({ slots: 1, length: 1 }), Error, "the model is disposed");
    cache[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 0)); // it is freed in its turn
  };
  for (let i = 0; i < 4; i++) await round(i % 2 === 0);
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 16; i++) await round(i % 2 === 0);
  assertLess(Deno.memoryUsage().rss - before, 200e6); // of 512
});
