/** Mixtures over the whole of a large vocabulary, on a real checkpoint. */

import { assert, assertEquals, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import {
  forward,
  type Input,
  loadModel,
  type LoadOptions,
  type Mixture,
  type Model,
} from "@moi/moi/model";
import { temporaryFolder } from "../_temporary.ts";
import { maxDifference, QWEN3, randomNumbers, wideCheckpoint } from "../golden/golden.ts";

const V = 3001; // rows begin anywhere in a cache line

/** The wide checkpoint, loaded. */
async function wideModel(options: LoadOptions = {}, dtype: "F32" | "BF16" = "F32", size = V) {
  await using folder = await wideCheckpoint(size, dtype);
  return await loadModel(folder.path, options);
}

const LOADS = [
  { stored: "F32", dtype: "fp32" },
  { stored: "F32", dtype: "fp16" },
  { stored: "BF16", dtype: "fp32" },
  { stored: "BF16", dtype: "fp16" },
] as const;

/** Probabilities of all tokens, of which `count` are positive. */
function probabilitiesOf(seed: number, count: number = V, size = V): Float32Array {
  const random = randomNumbers(seed),
    p = new Float32Array(size),
    start = Math.floor(random() * size);
  for (let k = 0; k < count; k++) p[(start + 7 * k) % size] = random() + 1e-3;
  const sum = p.reduce((a, b) => a + b, 0);
  return p.map((x) => x / sum);
}

const P = probabilitiesOf(1);

/** A mixture of so many listed tokens, whose weights sum to `mass`. */
function listed(seed: number, count: number, mass = 1): Mixture {
  const p = probabilitiesOf(seed, count), ids = [...p.keys()].filter((id) => p[id]! > 0);
  return { ids, weights: ids.map((id) => mass * p[id]!) };
}

/** Tokens and mixtures of every kind. */
const KINDS: readonly ((seed: number) => Input)[] = [
  (seed) => Math.floor(randomNumbers(seed)() * V),
  (seed) => ({ ids: [seed % V], weights: [1] }),
  (seed) => listed(seed, 5),
  (seed) => listed(seed, 40),
  (seed) => listed(seed, 1000),
  (seed) => listed(seed, 1024),
  (seed) => listed(seed, 1025),
  (seed) => listed(seed, V),
  (seed) => ({ ids: [], weights: [], dense: { probabilities: probabilitiesOf(seed), weight: 1 } }),
  (seed) => ({
    ids: [seed % V],
    weights: [0.4],
    dense: { probabilities: probabilitiesOf(seed), weight: 0.6 },
  }),
  (seed) => ({
    ...listed(seed, 100, 0.5),
    dense: { probabilities: probabilitiesOf(seed + 1), weight: 0.5 },
  }),
  (seed) => ({
    ...listed(seed, 1500, 0.75),
    dense: { probabilities: probabilitiesOf(seed + 1), weight: 0.25 },
  }),
];

const kind = (index: number) => KINDS[index % KINDS.length]!(index);

/** The same mixture as a list of the tokens that have weight. */
function asList({ ids, weights, dense }: Mixture): Mixture {
  const all = dense ? Float32Array.from(dense.probabilities, (p) => p * dense.weight) : [];
  for (let k = 0; k < ids.length; k++) all[ids[k]!] = (all[ids[k]!] ?? 0) + weights[k]!;
  const used = [...all.keys()].filter((id) => all[id]! > 0);
  return { ids: used, weights: used.map((id) => all[id]!) };
}

const row = (logits: Float32Array, index: number) => logits.slice(index * V, (index + 1) * V);

/** Logits after a prompt and each of the steps, alone in a cache. */
async function alone(model: Model, prompt: readonly Input[], steps: readonly Input[]) {
  using cache = model.openCache({ slots: 1, length: prompt.length + steps.length });
  const logits = [await cache.prefill(0, 0, prompt, "last")];
  for (const [t, input] of steps.entries()) {
    logits.push((await cache.step([input], [prompt.length + t])).slice());
  }
  return logits;
}

for (const { stored, dtype } of LOADS) {
  Deno.test(`forward() of a dense mixture equals the list of its weights, ${stored} in ${dtype}`, async () => {
    await using model = await wideModel({ dtype }, stored);
    for (const count of [1, 300, 1000, V]) { // the last is a product as well, the others are gathered
      const spreads = [11, 12, 13].map((seed): Mixture => ({
        ids: [seed],
        weights: [0.25],
        dense: { probabilities: probabilitiesOf(seed, count), weight: 0.75 },
      }));
      const inputs = (own: (mixture: Mixture) => Input) => [
        5,
        own(spreads[0]!),
        own(spreads[1]!),
        2999,
        own(spreads[2]!),
        7,
      ];
      const actual = await forward(model, inputs((mixture) => mixture));
      const expected = await forward(model, inputs(asList));
      actual.forEach((logits, i) => assertLess(maxDifference(logits, expected[i]!), 1e-5));
      const plain = await forward(model, [5, 11]);
      assert(count === 1 || maxDifference(actual[1]!, plain[1]!) > 1e-3);
    }
  });

  Deno.test(`a dense mixture on one token is that token bit for bit, ${stored} in ${dtype}`, async () => {
    await using model = await wideModel({ dtype }, stored);
    for (const id of [0, 383, 384, V - 1]) {
      const probabilities = new Float32Array(V);
      probabilities[id] = 1;
      const whole: Mixture = { ids: [], weights: [], dense: { probabilities, weight: 1 } };
      assertEquals(await forward(model, [9, whole, 8]), await forward(model, [9, id, 8]));
    }
  });
}

Deno.test("fp16 rounds the rows of a dense mixture", async () => {
  await using exact = await wideModel({ dtype: "fp32" });
  await using rounded = await wideModel({ dtype: "fp16" });
  const whole = KINDS[8]!(3),
    [a, b] = [await forward(exact, [whole]), await forward(rounded, [whole])];
  assertNotEquals(a, b);
  assertLess(maxDifference(a[0]!, b[0]!), 0.05);
});

/** Loads whose whole table is read in 8 bits. */
const QUANTIZED = ["int8", "int4"] as const;

for (const dtype of QUANTIZED) {
  Deno.test(`a dense mixture in ${dtype} is near the list of its weights`, async () => {
    await using cache = await temporaryFolder();
    await using model = await wideModel({ dtype, cacheDir: cache.path }, "BF16");
    let one = 0, whole = 0;
    for (const seed of [0, 31, 32, 1000, V - 1]) { // rows of the first and the last block
      const probabilities = new Float32Array(V);
      probabilities[seed] = 1;
      const mixture: Mixture = { ids: [], weights: [], dense: { probabilities, weight: 1 } };
      const [a] = await forward(model, [mixture]), [b] = await forward(model, [seed]);
      one = Math.max(one, maxDifference(a!, b!));
      const spread: Mixture = { ...mixture, dense: { probabilities: P, weight: 1 } };
      const [c] = await forward(model, [spread]), [d] = await forward(model, [asList(spread)]);
      whole = Math.max(whole, maxDifference(c!, d!));
    }
    assertLess(one, 0.4);
    assertLess(whole, 0.1);
    const [a, b] = [await forward(model, [0]), await forward(model, [V - 1])];
    assertLess(2, maxDifference(a[0]!, b[0]!)); // what another row would be off by
  });
}

Deno.test("a table whose columns are converted piece by piece is the right one", async () => {
  const size = 40_000; // of 96 numbers: four pieces
  await using folder = await wideCheckpoint(size), cache = await temporaryFolder();
  await using model = await loadModel(folder.path, { dtype: "int8", cacheDir: cache.path });
  for (const id of [0, 10_912, 10_913, 21_837, 32_768, size - 1]) {
    const probabilities = new Float32Array(size);
    probabilities[id] = 1;
    const mixture: Mixture = { ids: [], weights: [], dense: { probabilities, weight: 1 } };
    const [a] = await forward(model, [mixture]), [b] = await forward(model, [id]);
    assertLess(maxDifference(a!, b!), 0.4);
  }
});

for (
  const [threads, load] of [1, 2].flatMap((threads) =>
    [...LOADS.slice(0, 3), ...QUANTIZED.map((dtype) => ({ stored: "BF16", dtype } as const))]
      .map((load) => [threads, load] as const)
  )
) {
  const { stored, dtype } = load;
  Deno.test(`step() of inputs of every kind equals each alone bit for bit, ${stored} in ${dtype}, ${threads} threads`, async () => {
    await using cache = await temporaryFolder();
    await using model = await wideModel({ dtype, threads, cacheDir: cache.path }, stored);
    const count = KINDS.length, prompts = KINDS.map((_, i) => [1, kind(i), kind(i + 1), 4]);
    const steps = KINDS.map((_, i) => [0, 1, 2, 3].map((t) => kind(i + 5 * t)));
    using slots = model.openCache({ slots: count, length: 8 });
    const found: Float32Array[][] = [];
    for (const [slot, prompt] of prompts.entries()) {
      found.push([await slots.prefill(slot, 0, prompt, "last")]);
    }
    for (let t = 0; t < 4; t++) {
      const rows = t === 3 ? count - 5 : count; // another number of rows, and another buffer's size
      const logits = await slots.step(
        steps.slice(0, rows).map((list) => list[t]!),
        Array(rows).fill(4 + t),
      );
      found.slice(0, rows).forEach((list, slot) => list.push(row(logits, slot)));
    }
    for (const [slot, list] of found.entries()) {
      const expected = await alone(model, prompts[slot]!, steps[slot]!);
      assertEquals(list, expected.slice(0, list.length), `slot ${slot}`);
    }
  });
}

Deno.test("prefill() of dense mixtures gives the same as one step after another", async () => {
  await using model = await wideModel();
  const sequence = Array.from({ length: 140 }, (_, i) => i % 3 === 0 ? i : kind(i));
  using cache = model.openCache({ slots: 1, length: sequence.length });
  const all = await forward(model, sequence);
  for (const [position, input] of sequence.entries()) {
    const logits = await cache.step([input], [position]);
    assertLess(maxDifference(row(logits, 0), all[position]!), 2e-4);
  }
});

Deno.test("a dense mixture leaves nothing behind for the steps after it", async () => {
  await using model = await wideModel();
  using cache = model.openCache({ slots: 2, length: 6 });
  const step = async () => (await cache.step([7, kind(2)], [5, 5])).slice();
  for (const slot of [0, 1]) await cache.prefill(slot, 0, [1, 2, 3, 4, 5], "last");
  const before = await step();
  for (const [a, b] of [[8, 8], [9, 3], [3, 10], [11, 0]] as const) {
    await cache.step([kind(a), kind(b)], [5, 5]);
    assertEquals(await step(), before);
  }
  const bad = { ids: [1], weights: [1], dense: { probabilities: new Float32Array(2), weight: 1 } };
  await cache.step([kind(9), kind(8)], [5, 5]);
  await assertRejects(() => cache.step([kind(9), bad], [5, 5]), RangeError);
  assertEquals(await step(), before);
});

Deno.test("a prefill and a step of dense mixtures at the same time do not disturb each other", async () => {
  await using model = await wideModel();
  const prompt = [8, 9, 10, 11, 8, 9].map(kind), own = [1, 2, 3];
  const [expected] = await alone(model, prompt, []);
  const [, stepped] = await alone(model, own, [kind(9)]);
  using cache = model.openCache({ slots: 2, length: 6 });
  await cache.prefill(0, 0, own, "last");
  for (let round = 0; round < 5; round++) {
    const filling = cache.prefill(1, 0, prompt, "last");
    const stepping = cache.step([kind(9)], [3]);
    assertEquals(row(await stepping, 0), stepped);
    assertEquals(await filling, expected);
  }
});

Deno.test("a mixture whose dense part has no weight is its list alone", async () => {
  await using model = await wideModel();
  for (const count of [3, 1000, 1500]) {
    const list = listed(4, count), probabilities = probabilitiesOf(5);
    const [actual] = await forward(model, [{ ...list, dense: { probabilities, weight: 0 } }]);
    const [expected] = await forward(model, [list]);
    assertLess(maxDifference(actual!, expected!), 1e-5);
  }
});

const REFUSED: Readonly<Record<string, readonly [Mixture, string]>> = {
  "with too few probabilities": [
    { ids: [1], weights: [0.5], dense: { probabilities: P.slice(1), weight: 0.5 } },
    `'dense.probabilities' must have ${V} numbers: current value is ${V - 1}`,
  ],
  "with too many probabilities": [
    { ids: [1], weights: [0.5], dense: { probabilities: new Float32Array(2 * V), weight: 0.5 } },
    `'dense.probabilities' must have ${V} numbers: current value is ${2 * V}`,
  ],
  "of negative weight": [
    { ids: [1], weights: [0.5], dense: { probabilities: P, weight: -0.5 } },
    "'weights' must be finite and at least 0 (or it be 'signed'): current value is -0.5",
  ],
  "of infinite weight": [
    { ids: [1], weights: [0.5], dense: { probabilities: P, weight: Infinity } },
    "'weights' must be finite and at least 0 (or it be 'signed'): current value is Infinity",
  ],
  "whose weight is no number": [
    { ids: [1], weights: [0.5], dense: { probabilities: P, weight: NaN } },
    "'weights' must be finite and at least 0 (or it be 'signed'): current value is NaN",
  ],
  "with an id outside the vocabulary": [
    { ids: [V], weights: [0.5], dense: { probabilities: P, weight: 0.5 } },
    `integers from 0 to ${V - 1}: current value is ${V}`,
  ],
  "with fewer weights than ids": [
    { ids: [1, 2], weights: [0.5], dense: { probabilities: P, weight: 0.5 } },
    "as many weights",
  ],
  "with a weight and no id": [
    { ids: [], weights: [0.5], dense: { probabilities: P, weight: 0.5 } },
    "as many weights",
  ],
};
for (const [name, [mixture, sentence]] of Object.entries(REFUSED)) {
  Deno.test(`forward() refuses a dense mixture ${name}`, async () => {
    await using model = await wideModel();
    const expected = await forward(model, [1, kind(9)]);
    await assertRejects(() => forward(model, [1, mixture]), RangeError, sentence);
    assertEquals(await forward(model, [1, kind(9)]), expected);
  });
}

Deno.test("a small vocabulary takes a dense mixture as a list, and refuses the same ones", async () => {
  await using model = await loadModel(QWEN3);
  const probabilities = probabilitiesOf(2, 384, 384);
  const mixture: Mixture = { ids: [7], weights: [0.5], dense: { probabilities, weight: 0.5 } };
  const [expected] = await forward(model, [asList(mixture)]);
  assertLess(maxDifference((await forward(model, [mixture]))[0]!, expected!), 1e-5);
  const bad: Mixture[] = [
    { ...mixture, dense: { probabilities: probabilities.slice(1), weight: 0.5 } },
    { ...mixture, dense: { probabilities, weight: -0.5 } },
    { ...mixture, ids: [384] },
    { ...mixture, weights: [] },
  ];
  for (const input of bad) {
    await assertRejects(() => forward(model, [input]), RangeError, "Cannot feed");
  }
});

Deno.test("forward() refuses a long list with a bad id, a bad weight or too many weights", async () => {
  await using model = await wideModel();
  const { ids, weights } = listed(1, 1500);
  const changed = (
    values: ArrayLike<number>,
    last: number,
  ) => [...Array.from(values).slice(1), last];
  const bad: Mixture[] = [
    { ids: changed(ids, V), weights },
    { ids: changed(ids, 0.5), weights },
    { ids, weights: changed(weights, -1) },
    { ids, weights: changed(weights, NaN) },
    { ids, weights: [...Array.from(weights), 0] },
    { ids, weights: Array.from(weights).slice(1) },
  ];
  for (const mixture of bad) {
    await assertRejects(() => forward(model, [mixture]), RangeError, "Cannot feed");
  }
});

Deno.test("a disposed model frees what it multiplied dense mixtures with", async () => {
  const size = 30_000; // a table of 11 MiB
  await using folder = await wideCheckpoint(size);
  const probabilities = probabilitiesOf(1, size, size);
  const cycle = async () => {
    await using model = await loadModel(folder.path);
    const [logits] = await forward(model, [{
      ids: [1],
      weights: [0.5],
      dense: { probabilities, weight: 0.5 },
    }]);
    assertEquals(logits!.length, size);
  };
  const native = () => Deno.memoryUsage().rss - Deno.memoryUsage().heapTotal;
  for (let i = 0; i < 6; i++) await cycle();
  const before = native();
  for (let i = 0; i < 12; i++) await cycle();
  assertLess(native() - before, 96 * 2 ** 20); // 250 MiB where the tables stay
});
