/** Keys and values in int8: how close to fp32, how large, and bit for bit the same in any batch. */

import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import {
  directMixture,
  generate,
  generateBatch,
  type Method,
  moi,
  standard,
} from "@moi/moi/decode";
import { encodeGraph, graphBuilder, int8Kv, PORTS } from "@moi/moi/graph";
import { estimateMemory, forward, type Input, loadModel } from "@moi/moi/model";
import { klDivergence } from "../../lib/model/quality.ts";
import { createSession, tensor } from "@moi/moi/runtime";
import { countdown } from "@moi/moi/tasks";
import { attention, rotaryOf, slotInputs } from "../../lib/graph/attention.ts";
import { channelScales } from "../../lib/model/kv.ts";
import { hostSlabs } from "../../lib/model/slabs.ts";
import { CASES, checkpointOf } from "../golden/architectures.ts";
import { temporaryFolder } from "../_temporary.ts";
import { QWEN3, randomNumbers } from "../golden/golden.ts";
import { exportFiles, makeExport } from "../graph/_exports.ts";

const INT8 = { dtype: "fp32", kv: "int8" } as const;

Deno.test("channelScales() leaves room over the geometric mean of channel and head", () => {
  const unit = 1.5 / 127;
  // two positions of four channels: the largest are 4, 1, 0, 16
  const rows = Float32Array.of(4, -1, 0, 2, -3, 0.5, 0, -16);
  const scales = channelScales(rows, 4, 0);
  [8, 4, 1, 16].forEach((size, i) => assertAlmostEquals(scales[i]! / unit, size, 1e-5));
});

Deno.test("channelScales() of rotated channels follows the lengths of pairs, wherever they point", () => {
  const random = randomNumbers(1), headDim = 8, rotated = 4;
  const pairs = Array.from({ length: 20 }, () => [6 * random(), 2 * random()] as const);
  const rest = Array.from({ length: 20 }, () => Array.from({ length: 4 }, () => random() - 0.5));
  const rows = (turn: number) =>
    Float32Array.from(pairs.flatMap(([a, b], i) => [
      a * Math.cos(turn * i),
      b * Math.cos(turn * i),
      a * Math.sin(turn * i),
      b * Math.sin(turn * i),
      ...rest[i]!,
    ]));
  const still = channelScales(rows(0), headDim, rotated);
  const turned = channelScales(rows(1.3), headDim, rotated);
  turned.forEach((scale, i) => assertAlmostEquals(scale, still[i]!, 1e-7));
  assertEquals(still[0], still[2]);
  assert(still[4] !== still[6]);
});

Deno.test("channelScales() of a head that is 0 throughout are positive", () => {
  assert(channelScales(new Float32Array(32), 8, 8).every((scale) => scale > 0));
});

for (const headDim of [8, 16, 24]) { // rotated before the operator, by it, before it
  Deno.test(`int8Kv() caches heads of ${headDim} as multiples of their scales`, async () => {
    const kvHeads = 2, heads = 4, length = 8, positions = 5, width = kvHeads * headDim;
    const b = graphBuilder();
    const inputs = [heads, kvHeads, kvHeads].map((count, i) =>
      b.input("qkv"[i]!, "float32", ["B", "S", count * headDim])
    ) as [string, string, string];
    const rope = { dims: headDim, theta: 1e4, scaling: { type: "default" } } as const;
    const rotary = rotaryOf(b, slotInputs(b), rope, headDim, length);
    const y = attention(b, 0, inputs, rotary, { heads, kvHeads, headDim });
    b.output(y, "float32", ["B", "S", heads * headDim]);
    const kv = [{ layer: 0, kvHeads, headDim }];
    const scales = Float32Array.from({ length: width }, (_, i) => (1 + i) / 256);
    const graph = int8Kv(b.graph(), kv, () => scales);

    using session = await createSession(encodeGraph(graph));
    using slabs = hostSlabs({ kv }, 1, length, "int8");
    using scope = new DisposableStack();
    const { all, past, present } = slabs.first(1);
    all.forEach((value) => scope.use(value));
    const random = randomNumbers(headDim), k = new Float32Array(positions * width);
    // values of every size up to three times the largest that scales allow for
    const v = k.map((_, i) => 3 * 127 * scales[i % width]! * (2 * random() - 1));
    const q = new Float32Array(positions * heads * headDim), out = new Float32Array(q.length);
    const shaped = (data: Float32Array<ArrayBuffer>, size: number) =>
      scope.use(tensor(data, [1, positions, size]));
    using binding = session.bind({
      q: shaped(q, heads * headDim),
      k: shaped(k, width),
      v: shaped(v, width),
      [PORTS.lastPosition]: scope.use(tensor(Int32Array.of(positions - 1), [1])),
      [PORTS.length]: scope.use(tensor(Int32Array.of(positions), [1])),
      ...past,
    }, { [y]: shaped(out, heads * headDim), ...present });
    binding.run();

    const cached = new Int8Array(slabs.buffer), start = kvHeads * length * headDim; // of values
    for (let s = 0; s < positions; s++) {
      for (let c = 0; c < width; c++) {
        const head = Math.floor(c / headDim), at = (head * length + s) * headDim + c % headDim;
        const exact = Math.max(-128, Math.min(127, v[s * width + c]! / scales[c]!));
        assertLess(Math.abs(cached[start + at]! - exact), 0.5 + 1e-4);
        // queries of 0 see the mean of the rounded values
        let mean = 0;
        for (let t = 0; t <= s; t++) mean += cached[start + at - t * headDim]! * scales[c]!;
        const row = out.subarray((s * heads + 2 * head) * headDim); // two query heads a key head
        assertAlmostEquals(row[c % headDim]!, mean / (s + 1), 1e-4);
      }
    }
  });
}

for (const value of CASES) {
  const { name, input_ids: ids, max_length: maxLength } = value;
  Deno.test(`${name}: int8 keys and values are close to fp32, however the prompt is fed`, async () => {
    await using folder = await checkpointOf(value);
    await using exact = await loadModel(folder.path, { dtype: "fp32", maxLength });
    await using model = await loadModel(folder.path, { ...INT8, maxLength });
    const expected = await forward(exact, ids), size = model.config.vocabularySize;
    const divergences: number[] = [];
    const compare = (logits: Float32Array, positions: readonly number[]) =>
      positions.forEach((position, i) => {
        const row = logits.subarray(i * size, (i + 1) * size);
        divergences.push(klDivergence(expected[position]!, row));
      });

    // a prompt in three pieces, and beside it slots at other positions, one of them a copy
    using cache = model.openCache({ slots: 3, length: ids.length });
    for (const [from, to] of [[0, 7], [7, 8], [8, 30]] as const) {
      const logits = await cache.prefill(0, from, ids.slice(from, to), "all");
      compare(logits, Array.from({ length: to - from }, (_, i) => from + i));
    }
    await cache.prefill(1, 0, ids.slice(0, 12), "last");
    await cache.copy(0, 2, 25);
    for (let t = 0; t < 10; t++) {
      const at = [30 + t, 12 + t, 25 + t];
      compare(await cache.step(at.map((position) => ids[position]!), at), at);
    }
    // not the mean: a token on the edge between two experts goes to the other one
    assertLess(divergences.sort((a, b) => a - b)[30]!, 0.02);
  });
}

for (const dtype of ["fp32", "int8", "int4"] as const) {
  Deno.test(`int8 keys and values beside ${dtype} weights take a quarter of the memory`, async () => {
    await using cache = await temporaryFolder();
    await using exact = await loadModel(QWEN3, { dtype, cacheDir: cache.path });
    await using model = await loadModel(QWEN3, { dtype, kv: "int8", cacheDir: cache.path });
    assertEquals([exact.kv, model.kv], ["fp32", "int8"]);
    const { weightsBytes, kvBytesPerToken } = exact.memory;
    assertEquals(model.memory, { weightsBytes, kvBytesPerToken: kvBytesPerToken / 4 });
    const estimate = estimateMemory(model.config, { dtype, kv: "int8", slots: 3, length: 5 });
    assertEquals(estimate.weightsBytes, weightsBytes);
    assertEquals(estimate.kvBytes, 15 * model.memory.kvBytesPerToken);
  });
}

for (const kv of ["int8", "fp16"] as const) {
  Deno.test(`steps on ${kv} keys and values equal each row alone bit for bit, after any load`, async () => {
    await using model = await loadModel(QWEN3, { kv });
    await using again = await loadModel(QWEN3, { kv });
    const random = randomNumbers(5), token = () => Math.floor(random() * 384);
    const input = (i: number): Input => {
      if (i % 2) return token();
      return { ids: [token(), 7, 8], weights: [0.5, 0.3, 0.2] };
    };
    const list = (count: number) => Array.from({ length: count }, (_, i) => input(i));
    const prompts = [1, 5, 23, 200].map(list), steps = prompts.map(() => list(8));
    const length = 208;
    using cache = again.openCache({ slots: 5, length });
    const together = await Promise.all(
      prompts.map(async (prompt, slot) => [await cache.prefill(slot, 0, prompt, "last")]),
    );
    for (let t = 0; t < 8; t++) {
      const logits = await cache.step(
        steps.map((inputs) => inputs[t]!),
        prompts.map((prompt) => prompt.length + t),
      );
      together.forEach((rows, slot) => rows.push(logits.slice(slot * 384, (slot + 1) * 384)));
    }
    for (const [slot, prompt] of prompts.entries()) {
      using one = model.openCache({ slots: 1, length });
      const rows = [await one.prefill(0, 0, prompt, "last")];
      for (let t = 0; t < 8; t++) {
        rows.push((await one.step([steps[slot]![t]!], [prompt.length + t])).slice(0, 384));
      }
      assertEquals(rows, together[slot]);
    }
  });

  Deno.test(`one seed gives one text on ${kv} keys and values, alone and in a batch`, async () => {
    await using model = await loadModel("countdown-tiny", { kv });
    const task = countdown({ limit: 12 }), problems = await task.problems();
    const methods: Method[] = [standard(), moi({ beta: 1 }), directMixture()];
    const requests = problems.map((problem, seed) => ({
      prompt: task.prompt(problem),
      method: methods[seed % 3]!,
      seed,
      maxNewTokens: 60,
    }));
    const texts: string[] = [];
    for await (const { index, generation } of generateBatch(model, requests, { slots: 5 })) {
      texts[index] = generation.text;
    }
    for (const [i, { prompt, ...options }] of requests.entries()) {
      assertEquals((await generate(model, prompt, options)).text, texts[i]);
    }
  });
}

Deno.test("fp16 keys and values take half of the memory, and logits hardly change", async () => {
  await using exact = await loadModel(QWEN3);
  await using model = await loadModel(QWEN3, { kv: "fp16" });
  const { weightsBytes, kvBytesPerToken } = exact.memory;
  assertEquals(model.memory, { weightsBytes, kvBytesPerToken: kvBytesPerToken / 2 });
  const ids = Array.from({ length: 160 }, (_, i) => (i * 31) % 384);
  const [expected, found] = [await forward(exact, ids), await forward(model, ids)];
  const divergences = expected.map((row, i) => klDivergence(row, found[i]!));
  assertLess(Math.max(...divergences), 1e-4);
  assert(divergences.some((value) => value > 0));
});

Deno.test("loadModel() refuses int8 keys and values of an ONNX export", async () => {
  const files = Object.entries(exportFiles(makeExport({ vocabulary: 1100, layers: 1 })));
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/onnx`);
  for (const [name, content] of files) {
    const path = `${folder.path}/${name}`;
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
  await assertRejects(
    () => loadModel(folder.path, { kv: "int8" }),
    RangeError,
    "Cannot load the model as 'kv' must be 'fp32' for an ONNX export: current value is \"int8\"",
  );
});

for (const device of ["webgpu", "cuda"] as const) {
  Deno.test(`loadModel() refuses int8 keys and values on ${device}`, async () => {
    await assertRejects(
      () => loadModel(QWEN3, { kv: "int8", device }),
      RangeError,
      `Cannot load the model as 'kv' must be 'fp32' or 'fp16' on ${device}: current value is "int8"`,
    );
  });
}
