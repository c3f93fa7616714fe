import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { forward, loadModel, quality } from "@moi/moi/model";
import { autoDtype } from "../../lib/model/dtype.ts";
import { temporaryFolder } from "../_temporary.ts";
import {
  checkpoint,
  encodeSafetensors,
  maxDifference,
  QWEN3,
  qwen3Weights,
  randomNumbers,
  type StoredTensor,
} from "../golden/golden.ts";

const IDS = [1, 2, 3, 100, 383];

/** The golden weights in another type. */
async function stored(dtype: "F16" | "BF16"): Promise<Record<string, StoredTensor>> {
  const entries = Object.entries(await qwen3Weights()).map(([name, { shape, data }]) => {
    const floats = data as Float32Array<ArrayBuffer>;
    const halves = dtype === "F16"
      ? new Float16Array(floats)
      : Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
    return [name, { dtype, shape, data: halves }];
  });
  return Object.fromEntries(entries);
}

/** The same numbers as float32. */
function widened(tensors: Record<string, StoredTensor>): Record<string, StoredTensor> {
  const entries = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const floats = data instanceof Float16Array
      ? new Float32Array(data)
      : new Float32Array(Uint32Array.from(data as Uint16Array, (half) => half << 16).buffer);
    void dtype;
    return [name, { dtype: "F32", shape, data: floats }];
  });
  return Object.fromEntries(entries);
}

const folderOf = (tensors: Record<string, StoredTensor>) =>
  checkpoint({}, { "model.safetensors": encodeSafetensors(tensors) });

for (const type of ["F16", "BF16"] as const) {
  Deno.test(`${type} checkpoints compute as the same numbers in float32, bit for bit`, async () => {
    const tensors = await stored(type);
    await using half = await folderOf(tensors);
    await using full = await folderOf(widened(tensors));
    for (const dtype of ["fp32", "int8", "int4"] as const) {
      await using cache = await temporaryFolder();
      await using a = await loadModel(half.path, { dtype, cacheDir: cache.path });
      await using b = await loadModel(full.path, { dtype, cacheDir: cache.path });
      assertEquals(await forward(a, IDS), await forward(b, IDS));
    }
  });
}

Deno.test("fp16 on the CPU is float32 with matrices rounded to fp16", async () => {
  const weights = await qwen3Weights();
  for (const [name, { dtype, shape, data }] of Object.entries(weights)) {
    if (shape.length < 2) continue;
    const floats = new Float32Array(new Float16Array(data as Float32Array<ArrayBuffer>));
    weights[name] = { dtype, shape, data: floats };
  }
  await using rounded = await folderOf(weights);
  await using expected = await loadModel(rounded.path, { dtype: "fp32" });
  await using model = await loadModel(QWEN3, { dtype: "fp16" });
  await using exact = await loadModel(QWEN3);
  assertEquals(model.dtype, "fp16");
  assertEquals(await forward(model, IDS), await forward(expected, IDS));
  const { meanKl } = await quality(model, exact, [IDS]);
  assertLess(meanKl, 1e-5);
  assert(maxDifference((await forward(model, IDS))[4]!, (await forward(exact, IDS))[4]!) > 0);
});

Deno.test("fp16 and fp32 of an fp16 checkpoint are the same", async () => {
  await using folder = await folderOf(await stored("F16"));
  await using a = await loadModel(folder.path, { dtype: "fp16" });
  await using b = await loadModel(folder.path, { dtype: "fp32" });
  assertEquals(await forward(a, IDS), await forward(b, IDS));
});

Deno.test("autoDtype() takes what needs at most half of the free memory", () => {
  assertEquals(autoDtype(1e6, 1e9), "fp32");
  assertEquals(autoDtype(1e9, 8e9), "fp32");
  assertEquals(autoDtype(1e9, 7.9e9), "int8");
  assertEquals(autoDtype(1e9, 2.25e9), "int8");
  assertEquals(autoDtype(1e9, 2.2e9), "int4");
  assertEquals(autoDtype(1e12, 0), "int4");
  assertEquals(autoDtype(1e12, Infinity), "fp32");
});

Deno.test("loadModel() says which dtype 'auto' is", async () => {
  await using model = await loadModel("votes-tiny", { dtype: "auto" });
  assertEquals(model.dtype, "fp32");
});

/** Bounds of KL to fp32 in nats and of top-1 agreement, twice what was measured (see below). */
const BOUNDS = {
  // mean KL, agreement: qwen3 golden (random weights, nearly uniform: the worst case)
  qwen3: { fp16: [2e-6, 0.97], int8: [3e-3, 0.92], int4: [0.28, 0.5] },
  "votes-tiny": { fp16: [1e-5, 0.99], int8: [2e-3, 0.95], int4: [0.15, 0.75] },
  "countdown-tiny": { fp16: [2e-6, 0.99], int8: [2e-3, 0.95], int4: [0.15, 0.8] },
} as const;

for (const [id, bounds] of Object.entries(BOUNDS)) {
  for (const [dtype, [kl, agreement]] of Object.entries(bounds)) {
    Deno.test(`${id} in ${dtype} is within ${kl} nats and ${agreement} agreement of fp32`, async () => {
      await using cache = await temporaryFolder();
      const source = id === "qwen3" ? QWEN3 : id;
      await using exact = await loadModel(source, { dtype: "fp32" });
      await using model = await loadModel(source, {
        dtype: dtype as "fp16" | "int8" | "int4",
        cacheDir: cache.path,
      });
      assertEquals(model.dtype, dtype);
      const random = randomNumbers(5), { vocabularySize } = exact.config;
      const prompts = id === "qwen3"
        ? Array.from(
          { length: 4 },
          () => Array.from({ length: 64 }, () => Math.floor(random() * vocabularySize)),
        )
        : await answered(exact);
      const found = await quality(model, exact, prompts);
      assertLess(found.meanKl, kl);
      assert(found.top1Agreement >= agreement, `agreement ${found.top1Agreement}`);
      assertEquals(found.positions, prompts.flat().length);
    });
  }
}

/** Prompts of the model's own task. */
async function answered(model: Awaited<ReturnType<typeof loadModel>>): Promise<number[][]> {
  const { countdown, votes } = await import("@moi/moi/tasks");
  const task = model.id === "votes-tiny" ? votes() : countdown();
  return (await task.problems()).slice(0, 12).map((problem) => {
    const prompt = task.prompt(problem as never);
    return model.tokenizer.encode(typeof prompt === "string" ? prompt : model.chat(prompt));
  });
}

for (const id of ["votes-tiny", "countdown-tiny", QWEN3]) {
  for (const dtype of ["fp32", "fp16", "int8", "int4"] as const) {
    Deno.test(`${String(id).slice(-15)} in ${dtype} gives a sequence the same bits alone and in a batch`, async () => {
      await using cacheFolder = await temporaryFolder();
      await using model = await loadModel(id, { dtype, cacheDir: cacheFolder.path });
      const { vocabularySize } = model.config, batch = 7, steps = 12;
      const inputs = (t: number) =>
        Array.from({ length: batch }, (_, i) => (7 * i + 3 * t) % vocabularySize);
      using all = model.openCache({ slots: batch, length: steps });
      const together: Float32Array[] = [];
      for (let t = 0; t < steps; t++) {
        together.push((await all.step(inputs(t), Array(batch).fill(t))).slice());
      }
      for (const slot of [0, 3, batch - 1]) {
        using one = model.openCache({ slots: 1, length: steps });
        for (let t = 0; t < steps; t++) {
          const row = together[t]!.slice(slot * vocabularySize, (slot + 1) * vocabularySize);
          assertEquals(await one.step([inputs(t)[slot]!], [t]), row);
        }
      }
    });
  }
}

Deno.test("memory.weightsBytes is that of the dtype in use", async () => {
  await using cache = await temporaryFolder();
  const bytes = async (dtype: "fp32" | "int8" | "int4") => {
    await using model = await loadModel("countdown-tiny", { dtype, cacheDir: cache.path });
    return model.memory.weightsBytes;
  };
  const [fp32, int8, int4] = [await bytes("fp32"), await bytes("int8"), await bytes("int4")];
  assertEquals(fp32, 4 * 1_597_312);
  assert(int4 < int8 && int8 < fp32);
});

Deno.test("loadModel() refuses NaN and infinite weights by name when it quantises", async () => {
  await using cache = await temporaryFolder();
  for (const bad of [NaN, Infinity, -Infinity]) {
    const weights = await qwen3Weights(), name = "model.layers.1.mlp.up_proj.weight";
    (weights[name]!.data as Float32Array)[77] = bad;
    await using folder = await folderOf(weights);
    await assertRejects(
      () => loadModel(folder.path, { dtype: "int4", cacheDir: cache.path }),
      RangeError,
      `'${name}' must hold finite numbers: current value is ${bad}`,
    );
  }
  const left = [...Deno.readDirSync(`${cache.path}/converted`)];
  assertEquals(left, []);
});
