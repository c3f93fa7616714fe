/** Steps on WebGPU over a large vocabulary, beside those of the CPU; prints what came of them. */

import { generateBatch, METHODS, type Request } from "@moi/moi/decode";
import { type Input, loadModel, type Model } from "@moi/moi/model";
import { maxDifference, wideCheckpoint } from "../golden/golden.ts";

const V = 3001;

const uniform = () => ({
  ids: [5],
  weights: [0.2],
  dense: { probabilities: new Float32Array(V).fill(1 / V), weight: 0.8 },
});

/** Steps of changing rows, of which some are fed mixtures of all tokens, and some are refused. */
async function walked(model: Model) {
  using cache = model.openCache({ slots: 5, length: 32 });
  const dense = uniform(), wide = { ids: [...Array(40).keys()], weights: Array(40).fill(1 / 40) };
  const steps: Input[][] = [
    [dense, dense, dense, dense],
    [7, 8],
    [7, 8, 9, 10],
    [dense, wide, dense, 10],
    [7],
    [7, V],
    [7, 8, dense],
    [7, 8, 9, 10],
  ];
  for (let slot = 0; slot < 4; slot++) await cache.prefill(slot, 0, [1 + slot, 2, 3], "last");
  const logits: number[] = [];
  for (const [at, inputs] of steps.entries()) {
    const step = cache.step(inputs, inputs.map(() => 3 + at));
    const found = await step.catch(() => new Float32Array(inputs.length * V));
    logits.push(...found.subarray(0, inputs.length * V));
  }
  return logits;
}

const requests = (seed: number): Request[] =>
  ["standard", "moi", "directMixture"].map((name, i) => ({
    prompt: Array.from({ length: 3 + 20 * i }, (_, at) => (at * 131 + seed) % V),
    method: METHODS[name]!.make({ phase: "all" }),
    ...{ seed, temperature: 1 + i / 2, maxNewTokens: 5 + i, ignoreEos: true },
  }));

async function decoded(model: Model, seed: number) {
  const texts: string[] = [];
  for await (const { index, generation } of generateBatch(model, requests(seed), { slots: 2 })) {
    texts[index] = generation.tokens.join();
  }
  return texts.join(";");
}

/** What one look at tokens finds of two caches, and whether a mixture of the first can be fed after the other. */
async function looked(model: Model) {
  using one = model.openCache({ slots: 2, length: 8 }),
    two = model.openCache({ slots: 1, length: 8 });
  using nextToken = model.openNextToken!();
  const found: number[] = [];
  for (const cache of [one, two]) await cache.prefill(0, 0, [1, 2], "last");
  for (let at = 2; at < 5; at++) {
    let input: Input = 3;
    for (const cache of [one, two, one]) {
      const [row] = await nextToken.of(await cache.stepRows!([input], [at]), [[1]]);
      const { softmax: [softmax], top } = row!;
      found.push(top.ids[0]!, softmax!.entropy);
      input = { ids: [], weights: [], dense: { ...softmax!, weight: 1 } };
    }
  }
  return found;
}

const messageOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
};

await using folder = await wideCheckpoint(V);
await using host = await loadModel(folder.path, { device: "cpu" });
await using there = await loadModel(folder.path, { device: "webgpu", kv: "fp32" });
const due = await Promise.all([0, 1].map((seed) => decoded(host, seed)));
const loading = loadModel(folder.path, { device: "webgpu", kv: "fp32" });
const together = await Promise.all([0, 1].map((seed) => decoded(there, seed)));
const other = await loading;
const cache = other.openCache({ slots: 1, length: 8 }), nextToken = other.openNextToken!();
await cache.prefill(0, 0, [1], "last");
const rows = await cache.stepRows!([2], [1]), [found] = await nextToken.of(rows, [[1]]);
await other[Symbol.asyncDispose]();
const late = [() => rows.all(), () => found!.softmax[0]!.probabilities].map(messageOf);
for (const value of [nextToken, cache]) value[Symbol.dispose]();
const result = JSON.stringify({
  device: there.device,
  worst: maxDifference(await walked(there), await walked(host)),
  isAlike: String(together) === String(due),
  looked: maxDifference(await looked(there), await looked(there)),
  late,
});
Deno.stdout.writeSync(new TextEncoder().encode(`${result}\n`));
