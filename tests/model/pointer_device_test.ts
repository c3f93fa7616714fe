/**
 * What is done on CUDA, on a device that only has its memory and its recordings: batches in place,
 * slots, runs that are played back, next tokens and mixtures where logits are.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { generate, linearMixture, moi } from "@moi/moi/decode";
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
import { startEngine } from "../../lib/model/onnx_engine.ts";
import { targetOf } from "../../lib/model/target.ts";
import { caseOf, checkpointOf } from "../golden/architectures.ts";
import { maxDifference, QWEN3, randomNumbers, wideCheckpoint } from "../golden/golden.ts";
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
const modelOn = (engine: Engine, { id, config, tokenizer, maxLength }: Model): Model =>
  createModel({ id, config, tokenizer, maxLength, engine });

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
      await using engine = await engineOn(device, folder.path);
      assertEquals([engine.device, engine.checked?.chunk], ["cuda", 128]);
      assertLess(engine.checked!.worst!, 1e-5); // of the same kernels
      const before = device.runs.played;
      {
        using cache = engine.openCache(SHAPE);
        found.push(await walk(cache, V));
      }
      assertEquals(device.runs.played - before > 0, records);
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
