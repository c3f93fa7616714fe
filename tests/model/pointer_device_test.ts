/**
 * What is done on CUDA, on a device that only has its memory and its recordings: batches in place,
 * slots, runs that are played back, next tokens and mixtures where logits are.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  entropyOf,
  generateBatch,
  linearMixture,
  moi,
  type Request,
  standard,
} from "@moi/moi/decode";
import {
  createModel,
  type Dtype,
  type Engine,
  type Input,
  type KvCache,
  type KvFormat,
  loadModel,
  type Model,
  openSource,
} from "@moi/moi/model";
import { PORTS } from "@moi/moi/graph";
import { type DeviceMemory, tensor, type Tensors } from "@moi/moi/runtime";
import { countdown } from "@moi/moi/tasks";
import { lowerFirst } from "../../lib/model/device_next_token.ts";
import { startEngine } from "../../lib/model/onnx_engine.ts";
import { placeOf } from "../../lib/model/place.ts";
import { targetOf } from "../../lib/model/target.ts";
import { caseOf, checkpointOf } from "../golden/architectures.ts";
import { maxDifference, randomNumbers, wideCheckpoint } from "../golden/golden.ts";
import { type TemporaryFolder, temporaryFolder } from "../_temporary.ts";
import { type PointerDevice, pointerDevice } from "./_pointer_device.ts";

/** Formats of a model on a device. */
interface Formats {
  readonly dtype?: Dtype;
  readonly kv?: KvFormat;
  readonly maxLength?: number;
}

/** The engine of a checkpoint on a device, as a load for CUDA makes it. */
async function engineOn(
  { create }: PointerDevice,
  path: string,
  { dtype = "fp16", kv = "fp16", maxLength = 64 }: Formats = {},
) {
  await using scope = new AsyncDisposableStack();
  const folder = scope.use(await temporaryFolder());
  const source = scope.use(await openSource(path, dtype));
  const request = { dtype, maxLength, cacheDir: folder.path, label: "convert" } as const;
  const prepared = scope.use(await source.prepare({ ...request, target: targetOf("cuda", kv) }));
  const settings = { device: "cuda", kv, maxLength, spinning: false } as const;
  const engine = scope.use(await startEngine(prepared, settings, create));
  const owned = scope.move();
  const { config } = prepared;
  return { ...engine, config, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A model of the host, computed by an engine on a device. */
const modelOn = (engine: Engine, { id, config, tokenizer, maxLength, chat }: Model): Model =>
  createModel({ id, config, tokenizer, maxLength, chat, engine });

/** Standard deviation. */
function spread(values: Float32Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}

/** Every way to advance slots of a cache; all logits in turn. */
async function walk(cache: KvCache, V: number): Promise<Float32Array> {
  const rows: Float32Array[] = [], random = randomNumbers(5);
  const token = () => Math.floor(random() * V);
  const mixture = (): Input => {
    const ids = [token(), token(), token()].map((id, i) => (3 * id + i) % V);
    return { ids: [...new Set(ids)], weights: new Set(ids).size === 3 ? [0.5, 0.3, 0.2] : [1] };
  };
  const input = (): Input => random() < 0.5 ? token() : mixture();
  const inputs = (count: number) => Array.from({ length: count }, input);
  const at = [0, 0, 0, 0];
  const step = async (count: number) => {
    const logits = await cache.step(inputs(count), at.slice(0, count));
    rows.push(logits.slice(0, count * V));
    for (let slot = 0; slot < count; slot++) at[slot]!++;
  };
  for (const [slot, size] of [[2, 9], [0, 13], [3, 1], [1, 4]] as const) {
    rows.push(await cache.prefill(slot, 0, inputs(size), slot === 0 ? "all" : "last"));
    at[slot] = size;
  }
  for (const count of [4, 4, 4, 4, 4, 4, 3, 4, 2, 4, 1]) await step(count);
  rows.push(await cache.prefill(1, at[1]!, inputs(6), "all")); // a slot goes on in its middle
  at[1]! += 6;
  await cache.copy(0, 3, at[0]!);
  at[3] = at[0]!;
  for (const count of [4, 4, 3]) await step(count);
  rows.push(await cache.prefill(2, 0, inputs(20), "last")); // and is refilled
  at[2] = 20;
  for (const count of [3, 4, 4]) await step(count);
  const all = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  rows.reduce((start, row) => (all.set(row, start), start + row.length), 0);
  return all;
}

const SHAPE = { slots: 4, length: 48 };

/** Differences of float16 activations from float32 ones, in standard deviations of logits, and what was seen. */
const CHECKPOINTS: readonly [string, () => Promise<TemporaryFolder>, V: number, limit: number][] = [
  ["qwen3, large vocabulary", () => wideCheckpoint(3001, "BF16"), 3001, 0.02],
  ...([
    ["qwen3, biases, heads of 24, windows by layer_types", 0.02],
    ["gemma3_text, layer_types, biases, softcap, untied", 0.02],
    ["llama, yarn, bounds not rounded, mscale", 0.02],
    ["phi3, window", 0.02],
  ] as const).map(([name, limit]) =>
    [name, () => checkpointOf(caseOf(name)), 48, limit] as [
      string,
      () => Promise<TemporaryFolder>,
      number,
      number,
    ]
  ),
];

for (const [name, open, V, limit] of CHECKPOINTS) {
  Deno.test(`${name}: runs that are played back give what others do, near the CPU's own`, async () => {
    await using folder = await open();
    const found: Float32Array[] = [];
    for (const records of [true, false]) {
      const device = pointerDevice({ records: () => records });
      {
        await using engine = await engineOn(device, folder.path);
        assertEquals([engine.device, engine.checked?.chunk], ["cuda", 128]);
        assertLess(engine.checked!.worst!, 1e-5); // of the same kernels
        const before = device.runs.played;
        using cache = engine.openCache(SHAPE);
        found.push(await walk(cache, V));
        assertEquals(device.runs.played - before > 0, records);
        const { waits } = device.asked;
        await cache.step([1, 2], [30, 30]);
        assertEquals(device.asked.waits - waits, records ? 2 : 1); // inputs, logits
      }
      assertEquals(device.asked.blocks.size, 0); // all memory is given back
    }
    const [played, plain] = found as [Float32Array, Float32Array];
    assertEquals(played, plain);
    await using host = await loadModel(folder.path, {
      ...{ device: "cpu", dtype: "fp16", kv: "fp16", maxLength: 64 },
    });
    using cache = host.openCache(SHAPE);
    const due = await walk(cache, V), worst = maxDifference(played, due) / spread(due);
    assertLess(worst, limit);
  });
}

Deno.test("a device whose recordings fail or are wrong is used without them", async () => {
  await using checkpoint = await checkpointOf(caseOf("mistral, window"));
  const isWhole = (outputs: Tensors) => Object.keys(outputs).length > 3;
  const spoil = (outputs: Tensors, memory: DeviceMemory) => {
    const logits = outputs[PORTS.logits]!, count = logits.dims.reduce((a, b) => a * b, 1);
    using numbers = tensor(new Float32Array(count).fill(0.5), logits.dims);
    memory.copy([numbers, logits]);
  };
  const fail = () => {
    throw new Error("CUDA failure 900: operation not permitted when stream is capturing");
  };
  const due: Float32Array[] = [];
  for (
    const onPlayed of [
      () => {},
      fail,
      spoil,
      (outputs: Tensors) => isWhole(outputs) && fail(),
      (outputs: Tensors, memory: DeviceMemory) => isWhole(outputs) && spoil(outputs, memory),
    ]
  ) {
    const device = pointerDevice({ onPlayed });
    await using engine = await engineOn(device, checkpoint.path);
    const before = device.runs.played;
    using cache = engine.openCache(SHAPE);
    due.push(await walk(cache, 48));
    assertEquals(due.at(-1), due[0]);
    assertEquals(device.runs.played > before, due.length === 1);
  }
});

Deno.test("tokens of equal logits are put in the order of their ids", () => {
  const cases: [number[], number[], number[]][] = [
    [[5, 3, 9, 1], [2, 2, 2, 1], [3, 5, 9, 1]],
    [[5, 3, 2, 1, 0], [4, 3, 3, 3, 1], [5, 1, 2, 3, 0]],
    [[2, 1, 0], [3, 2, 1], [2, 1, 0]],
    [[2, 1], [NaN, NaN], [2, 1]],
    [[7], [1], [7]],
    [[], [], []],
  ];
  for (const [ids, logits, due] of cases) {
    const found = Int32Array.from(ids);
    lowerFirst(found, Float32Array.from(logits));
    assertEquals([...found], due);
  }
});

const WIDE = 3001, TOKENS = 2900;

for (const kv of ["fp16", "fp32"] as const) {
  for (const records of [true, false]) {
    const how = records ? "played back" : "left to the host";
    Deno.test(`next tokens of ${kv} logits on a device, ${how}, are the host's`, async () => {
      await using folder = await wideCheckpoint(WIDE, "BF16");
      const device = pointerDevice({ records: () => records });
      await using engine = await engineOn(device, folder.path, { kv });
      await using host = await loadModel(folder.path, { device: "cpu", dtype: "fp16" });
      using cache = engine.openCache({ slots: 4, length: 32 });
      using there = engine.openNextToken!(TOKENS);
      using here = host.openNextToken!(TOKENS);
      const temperatures = [[], [0.5], [2, 1], [1e-3]], random = randomNumbers(3);
      const positions = [0, 0, 0, 0];
      for (let at = 0; at < 12; at++) {
        const count = at % 5 === 4 ? 3 : 4, wanted = temperatures.slice(0, count);
        const inputs = wanted.map(() => Math.floor(random() * WIDE));
        const rows = await cache.stepRows!(inputs, inputs.map((_, row) => positions[row]!++));
        const found = await there.of(rows, wanted), logits = rows.all().slice(0, count * WIDE);
        for (let row = 0; row < count; row++) {
          logits.fill(-Infinity, row * WIDE + TOKENS, (row + 1) * WIDE);
        }
        const due = await here.of(logits, wanted);
        for (const [row, { top, softmax }] of found.entries()) {
          assertEquals([...Array.from(top.ids)], [...Array.from(due[row]!.top.ids)]);
          assertEquals([...Array.from(top.logits)], [...Array.from(due[row]!.top.logits)]);
          for (const [i, own] of softmax.entries()) {
            const { probabilities } = due[row]!.softmax[i]!, [best] = Array.from(top.ids);
            assertEquals(own.held !== undefined, records);
            assertLess(maxDifference(own.probabilities, probabilities), 1e-6);
            if (!own.held) continue;
            assertLess(Math.abs(own.held.of(best!)! - probabilities[best!]!), 1e-6);
            assertLess(Math.abs(own.entropy - entropyOf(probabilities)), 1e-4);
          }
        }
      }
    });
  }
}

for (const kv of ["fp16", "fp32"] as const) {
  Deno.test(`mixtures of probabilities on a device, in ${kv}, are those of the same on the host`, async () => {
    await using folder = await wideCheckpoint(WIDE, "BF16");
    const device = pointerDevice();
    await using engine = await engineOn(device, folder.path, { kv });
    await using host = await loadModel(folder.path, { device: "cpu", dtype: "fp16", kv });
    const shape = { slots: 3, length: 32 };
    using cache = engine.openCache(shape);
    using other = engine.openCache(shape);
    using exact = host.openCache(shape);
    using next = engine.openNextToken!(TOKENS);
    let inputs: Input[] = [5, 6, 7], here = inputs;
    let worst = 0, furthest = 0;
    for (let at = 0; at < 12; at++) {
      const count = at < 6 ? 3 : 2, positions = Array<number>(count).fill(at);
      const rows = await cache.stepRows!(inputs.slice(0, count), positions);
      const found = await next.of(rows, positions.map(() => [1, 4]));
      const logits = rows.all().slice(0, count * WIDE);
      const again = (await other.step(here.slice(0, count), positions)).slice(0, count * WIDE);
      const due = (await exact.step(here.slice(0, count), positions)).slice(0, count * WIDE);
      worst = Math.max(worst, maxDifference(logits, again) / spread(due));
      furthest = Math.max(furthest, maxDifference(logits, due) / spread(due));
      // rows are fed otherwise than they were found, and of both temperatures
      inputs = found.map((_, row): Input => {
        const dense = {
          held: found[(row + 1) % count]!.softmax[row % 2]!.held!,
          weight: 0.75,
          get probabilities(): Float32Array {
            throw new Error("internal: all probabilities are read");
          },
        };
        return { ids: [row], weights: [0.25], dense };
      });
      here = found.map((_, row): Input => {
        const { probabilities } = found[(row + 1) % count]!.softmax[row % 2]!;
        const dense = { probabilities: probabilities.slice(), weight: 0.75 };
        return { ids: [row], weights: [0.25], dense };
      });
    }
    assertLess(worst, 1e-3); // seen: 0
    assertLess(furthest, kv === "fp16" ? 0.02 : 1e-4); // seen: 5e-3 and 0
  });
}

/** Tokens of each request, alone or three at a time. */
async function texts(model: Model, requests: readonly Request[], batched: boolean) {
  const made: (readonly number[])[] = [];
  const groups = batched ? [requests] : requests.map((request) => [request]);
  for (const group of groups) {
    const first = made.length, many = generateBatch(model, group, { slots: 3 });
    for await (const { index, generation } of many) made[first + index] = generation.tokens;
  }
  return made;
}

Deno.test("texts of a large vocabulary with fewer tokens are those of the CPU", async () => {
  await using folder = await wideCheckpoint(WIDE, "BF16");
  await using host = await loadModel(folder.path, { device: "cpu", dtype: "fp16", maxLength: 64 });
  const tokenizer = { ...host.tokenizer, size: TOKENS }, prompts = [[5, 6, 7], [1], [2999, 3, 4]];
  const requests = [
    standard(),
    moi({ beta: 0.5 }),
    linearMixture({ weight: 0.5, prior: "model" }),
    standard(),
    moi({ beta: 1, prior: "model" }),
  ].map((method, i): Request => ({
    ...{ prompt: prompts[i % 3]!, method, seed: i, maxNewTokens: 24 - 3 * i, ignoreEos: true },
    temperature: i === 3 ? 0 : 1,
  }));
  for (const records of [true, false]) {
    const device = pointerDevice({ records: () => records });
    await using engine = await engineOn(device, folder.path, { kv: "fp32" });
    const there = modelOn(engine, { ...host, tokenizer }), here = { ...host, tokenizer };
    const due = await texts(here, requests, false);
    assert(due.every((tokens) => tokens.length > 6 && tokens.every((id) => id < TOKENS)));
    assertEquals(await texts(there, requests, false), due);
    assertEquals(await texts(there, requests, true), due);
  }
});

Deno.test("texts of countdown-tiny in fp16 are those of the CPU", async () => {
  await using host = await loadModel("countdown-tiny", {
    device: "cpu",
    dtype: "fp16",
    kv: "fp16",
  });
  const task = countdown({ limit: 6 }), { maxLength } = host;
  const prompts = (await task.problems()).map((problem) => task.prompt(problem));
  const requests = prompts.flatMap((prompt) =>
    [standard(), moi({ beta: 1 })].map((method): Request => (
      { prompt, method, temperature: 0, maxNewTokens: 40 }
    ))
  );
  const due = await texts(host, requests, false);
  const device = pointerDevice(), path = await placeOf("countdown-tiny", {});
  await using engine = await engineOn(device, path, { maxLength });
  const there = modelOn(engine, host);
  assertEquals(await texts(there, requests, false), due);
  assertEquals(await texts(there, requests, true), due);
  assertEquals(device.runs.played > 100, true);
});
