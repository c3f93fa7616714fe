/** What is asked of a GPU beside the golden cases: each part returns the numbers that it found. */

import {
  directMixture,
  generate,
  generateBatch,
  linearMixture,
  type Method,
  moi,
  type Request,
  standard,
} from "@moi/moi/decode";
import { type Dtype, forward, type Input, loadModel, type Model } from "@moi/moi/model";
import { maxDifference } from "../golden/golden.ts";
import { FAULTS } from "./_device_faults.ts";
import { blockModel, LENGTH, randomModel, type Stored, VOCABULARY } from "./_device_models.ts";
import { mixtureOf, referenceOf, SLOTS, walk, worstOf } from "./_device_walk.ts";

/** How models are loaded on the GPU, and where converted weights are kept. */
export interface PartOptions {
  readonly kv: "fp32" | "fp16";
  readonly cacheDir: string;
}

const promptOf = (length: number, vocabularySize: number) =>
  Array.from({ length }, (_, i) => (29 * i + 5 + (i >> 3)) % vocabularySize);

const onGpu = (path: string, options: PartOptions, dtype: Dtype): Promise<Model> =>
  loadModel(path, { device: "webgpu", dtype, ...options });

/** Whole prompts by the engine's own chunks. */
async function lengths(options: PartOptions) {
  await using folder = await randomModel("small");
  await using model = await onGpu(folder.path, options, "fp32");
  const { cacheDir } = options;
  await using host = await referenceOf(folder.path, { dtype: "fp32", maxLength: LENGTH, cacheDir });
  const worst: Record<number, number> = {};
  for (const length of [9, 31, 32, 40, 128, 300]) {
    const prompt = promptOf(length, 48), shape = { slots: 2, length };
    using cache = model.openCache(shape), other = host.openCache(shape);
    const both = [
      await cache.prefill(1, 0, prompt, "all"),
      await other.prefill(1, 0, prompt, "all"),
    ];
    const last = await cache.prefill(0, 0, prompt, "last");
    worst[length] = Math.max(
      maxDifference(both[0]!, both[1]!),
      maxDifference(last, both[1]!.subarray(-48)),
    );
  }
  return { worst, chunk: model.checked!.chunk, fallenBack: [...model.fallenBack?.keys() ?? []] };
}

/** A look inside the layers: logits beside those without, streams beside the host's, a column of the last layer. */
async function inside(options: PartOptions) {
  await using folder = await randomModel("small");
  await using model = await onGpu(folder.path, options, "fp32");
  await using host = await loadModel(folder.path, { device: "cpu", dtype: "fp32" });
  const inputs = promptOf(20, 48), layer = model.config.layers;
  const own = await forward(model, inputs, { layers: true });
  const other = await forward(host, inputs, { layers: true });
  const patches = own.layers[layer]!.map((stream, position) => ({ layer, position, stream }));
  const patched = await forward(model, inputs.toReversed(), { layers: [], patches });
  const largest = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
    Math.max(...a.map((row, i) => maxDifference(row, b[i]!)));
  return {
    logits: largest(own.logits, await forward(model, inputs)),
    patched: largest(patched.logits, own.logits),
    streams: largest(own.layers.flat(), other.layers.flat()),
  };
}

/** A large vocabulary, stored in each format: mixtures of 3 and 20 tokens, then of all. */
async function large(options: PartOptions) {
  const whole: Record<string, number> = {};
  let worst = NaN;
  for (const stored of ["float32", "bfloat16", "float16"] satisfies Stored[]) {
    await using folder = await randomModel("large", stored);
    await using model = await onGpu(folder.path, options, "fp32");
    await using host = await loadModel(folder.path, { device: "cpu", dtype: "fp32" });
    const shape = { slots: SLOTS, length: 48 }, prompt = promptOf(34, VOCABULARY);
    using cache = model.openCache(shape), other = host.openCache(shape);
    if (stored === "bfloat16") {
      const rows = [await walk(cache, prompt, VOCABULARY), await walk(other, prompt, VOCABULARY)];
      worst = worstOf(rows[0]!, rows[1]!);
    }
    for (const one of [cache, other]) {
      for (let slot = 0; slot < SLOTS; slot++) {
        await one.prefill(slot, 0, prompt.slice(slot, 9), "last");
      }
    }
    const all = mixtureOf(VOCABULARY, VOCABULARY);
    const inputs = [all, prompt[1]!, mixtureOf(20, VOCABULARY), all], at = [9, 8, 7, 6];
    const steps = [await cache.step(inputs, at), await other.step(inputs, at)];
    whole[stored] = maxDifference(steps[0]!, steps[1]!);
  }
  return { worst, whole };
}

/** Blocks of GGUF files as they are. */
async function blocks(options: PartOptions) {
  const worst: Record<string, number> = {}, fallenBack = new Set<string>();
  for (const type of ["Q4_0", "Q4_1", "Q8_0"] as const) {
    await using folder = await blockModel(type);
    await using model = await onGpu(folder.file, options, "native");
    const reference = { dtype: "native", maxLength: LENGTH, cacheDir: options.cacheDir } as const;
    await using host = await referenceOf(folder.file, reference);
    const shape = { slots: SLOTS, length: 48 }, prompt = promptOf(34, 48);
    using cache = model.openCache(shape), other = host.openCache(shape);
    worst[type] = worstOf(await walk(cache, prompt, 48), await walk(other, prompt, 48));
    for (const op of model.fallenBack?.keys() ?? []) fallenBack.add(op);
  }
  return { worst, fallenBack: [...fallenBack] };
}

const METHODS: readonly (() => Method)[] = [
  standard,
  () => moi(),
  () => moi({ beta: 0 }), // the whole vocabulary
  directMixture,
  standard,
  () => moi({ beta: 0.25 }),
  linearMixture,
  () => moi(),
];
const SAMPLERS = [{}, { topK: 5 }, { topP: 0.9 }, { temperature: 0 }] as const;

const requests = (vocabularySize: number): Request[] =>
  METHODS.map((method, i) => ({
    prompt: promptOf(5 + 7 * i, Math.min(vocabularySize, 250)),
    method: method(),
    ...SAMPLERS[(i + (i >> 2)) % SAMPLERS.length],
    ...{ seed: i, maxNewTokens: 8, ignoreEos: true },
  }));

/** Tokens of each request, alone and in a batch. */
async function tokensOf(model: Model) {
  const all = requests(model.config.vocabularySize), alone: string[] = [], batch: string[] = [];
  for (const { prompt, ...one } of all) {
    alone.push(`${(await generate(model, prompt, one)).tokens}`);
  }
  for await (const { index, generation } of generateBatch(model, all)) {
    batch[index] = `${generation.tokens}`;
  }
  return { alone, batch };
}

/** One seed, one text: alone, in a batch, on the CPU; a tokenizer with fewer tokens than the vocabulary. */
async function texts(options: PartOptions) {
  const found: Record<string, { isBatchExact: boolean; alike: number; asOnCpu: number }> = {};
  let outside = 0;
  for (
    const [size, dtype] of [["small", "fp32"], ["small", "int4"], ["large", "fp32"]] as const
  ) {
    await using folder = await randomModel(size);
    await using model = await onGpu(folder.path, options, dtype);
    await using host = await loadModel(folder.path, {
      ...options,
      kv: "fp32",
      device: "cpu",
      dtype,
    });
    const { alone, batch } = await tokensOf(model), due = (await tokensOf(host)).alone;
    const alike = (a: readonly string[], b: readonly string[]) =>
      a.filter((tokens, i) => tokens === b[i]).length;
    const { isBatchExact } = model.checked!;
    found[`${size} ${dtype}`] = {
      isBatchExact,
      alike: alike(alone, batch),
      asOnCpu: alike(alone, due),
    };
    const most = model.tokenizer.size ?? Infinity;
    outside += alone.join().split(",").filter((id) => Number(id) >= most).length;
  }
  return { found, requests: METHODS.length, outside };
}

/** Thirty steps at growing positions, which are recorded after three, against the same fed as prompts of one. */
async function recorded(options: PartOptions) {
  await using folder = await randomModel("small");
  await using model = await onGpu(folder.path, options, "fp32");
  const shape = { slots: 3, length: 64 }, worst: number[] = [];
  using cache = model.openCache(shape), other = model.openCache(shape);
  const inputAt = (row: number, step: number): Input =>
    (row + step) % 3 === 0 ? mixtureOf(3, 48) : (7 * step + row) % 48;
  const start = [4, 9, 2];
  for (const one of [cache, other]) {
    for (const [slot, n] of start.entries()) await one.prefill(slot, 0, promptOf(n, 48), "last");
  }
  for (let step = 0; step < 30; step++) {
    const count = 1 + step % 2 * 2, positions = start.slice(0, count); // batches of two sizes take turns
    const inputs = positions.map((_, row) => inputAt(row, step));
    const rows = (await cache.step(inputs, positions)).slice(0, 48 * count);
    for (const [row, input] of inputs.entries()) {
      const due = await other.prefill(row, start[row]!++, [input], "last");
      worst.push(maxDifference(rows.slice(48 * row, 48 * (row + 1)), due));
    }
  }
  return { worst: Math.max(...worst), rows: worst.length };
}

/** Parts by name. */
export const PARTS = { lengths, inside, large, blocks, texts, recorded, ...FAULTS } as const;
