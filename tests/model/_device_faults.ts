/** What goes wrong, or could, on a GPU: several at once, things that end early, memory that stays. */

import { type Input, type KvCache, loadModel, type Model } from "@moi/moi/model";
import { maxDifference } from "../golden/golden.ts";
import { randomModel } from "./_device_models.ts";
import type { PartOptions } from "./_device_parts.ts";
import { mixtureOf } from "./_device_walk.ts";

const V = 48, SHAPE = { slots: 2, length: 32 };

const load = (path: string, { kv, cacheDir }: PartOptions): Promise<Model> =>
  loadModel(path, { device: "webgpu", dtype: "fp32", kv, cacheDir });

/** Eight steps of both slots, enough that runs are recorded and played back. */
async function stepped(cache: KvCache): Promise<Float32Array> {
  for (const slot of [0, 1]) await cache.prefill(slot, 0, [3, 7 + slot, 11], "last");
  let last = new Float32Array();
  for (let at = 3; at < 11; at++) {
    const inputs: Input[] = [mixtureOf(3, V), at];
    last = (await cache.step(inputs, [at, at])).slice(0, 2 * V);
  }
  return last;
}

/** Caches of one model and models of one device at once, and caches after others. */
async function together(options: PartOptions) {
  await using folder = await randomModel("small");
  await using a = await load(folder.path, options);
  await using b = await load(folder.path, options);
  const alone = async (model: Model) => {
    using cache = model.openCache(SHAPE);
    return await stepped(cache);
  };
  const due = await alone(a), worst: Record<string, number> = {};
  worst["after another"] = maxDifference(await alone(a), due);
  using one = a.openCache(SHAPE), two = a.openCache(SHAPE), three = b.openCache(SHAPE);
  const found = await Promise.all([one, two, three].map(stepped));
  worst["two caches"] = Math.max(...found.slice(0, 2).map((rows) => maxDifference(rows, due)));
  worst["two models"] = maxDifference(found[2]!, due);
  one[Symbol.dispose]();
  worst["beside one that ended"] = maxDifference(await stepped(two), due);
  const shapes = [{ slots: 5, length: 24 }, { slots: 2, length: 48 }]; // other places in memory
  worst["other shapes"] = 0;
  for (const shape of shapes) {
    using cache = a.openCache(shape);
    worst["other shapes"] = Math.max(
      worst["other shapes"],
      maxDifference(await stepped(cache), due),
    );
  }
  return { worst };
}

/** Models and caches that are disposed while a step is in flight: it ends well, and what comes later is refused. */
async function disposed(options: PartOptions) {
  await using folder = await randomModel("small");
  const messages: string[] = [];
  const refused = async (work: () => unknown) => {
    try {
      await work();
    } catch (error) {
      messages.push((error as Error).message);
    }
  };
  const model = await load(folder.path, options);
  using first = model.openCache(SHAPE), second = model.openCache(SHAPE);
  await stepped(first);
  const inFlight = first.step([5, 6], [11, 11]);
  first[Symbol.dispose]();
  const ended = [(await inFlight).length];
  await refused(() => first.step([5], [12]));
  const third = model.openCache(SHAPE), rows = await third.stepRows!([5], [0]);
  third[Symbol.dispose]();
  await refused(() => rows.all());
  await stepped(second);
  const last = second.step([5, 6], [11, 11]), gone = model[Symbol.asyncDispose]();
  ended.push((await last).length);
  await gone;
  await refused(() => second.step([5], [12]));
  await refused(() => model.openCache(SHAPE));
  return { ended, messages };
}

/** Bytes that the process grows by over caches that are opened and disposed. */
async function memory(options: PartOptions) {
  await using folder = await randomModel("small");
  await using model = await load(folder.path, options);
  const shape = { slots: 32, length: 384 }; // 6 MB of keys and values in fp32
  const cycle = async () => {
    using cache = model.openCache(shape);
    await cache.prefill(5, 0, [1, 2, 3], "last");
    await cache.copy(5, 0, 3);
    for (let at = 3; at < 9; at++) await cache.step([at], [at]);
  };
  for (let i = 0; i < 10; i++) await cycle();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 50; i++) await cycle();
  const cacheBytes = shape.slots * shape.length * model.memory.kvBytesPerToken;
  return { grown: Deno.memoryUsage().rss - before, cacheBytes };
}

/** Parts by name. */
export const FAULTS = { together, disposed, memory } as const;
