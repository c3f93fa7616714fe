/** What every method must do, whatever the distribution. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  directMixture,
  type Distribution,
  distributionOf,
  fixedMass,
  generate,
  generateBatch,
  type Generation,
  linearMixture,
  type Method,
  METHODS,
  type Mixture,
  moi,
  multiplex,
  randomMixture,
  type Request,
  samplerOf,
  selar,
  softThinking,
  swiReasoning,
  thinkRouter,
} from "@moi/moi/decode";
import { mockModel } from "../../_mock_model.ts";
import { seeded } from "../../_random.ts";
import {
  contextOf,
  dense,
  floatsOf,
  likeliest,
  mixtureOf,
  saidBy,
  samples,
} from "./_distributions.ts";
import { largeDistributions } from "./_soft.ts";

/** Methods whose weights may be negative. */
const SIGNED = ["selar"];
/** Methods that mix what the sampler cut off. */
const UNCUT = ["fixedMass", "swiReasoning"];

const DEFAULTS = Object.entries(METHODS)
  .map(([name, { make }]): [string, Method] => [`${name}()`, make({ phase: "all" })]);

const VARIANTS: Record<string, Method> = {
  ...Object.fromEntries(DEFAULTS),
  "moi({ beta: 0 })": moi({ beta: 0 }),
  "moi({ beta: 0.25 })": moi({ beta: 0.25 }),
  "moi({ beta: 1e9 })": moi({ beta: 1e9 }),
  "moi({ beta: Infinity })": moi({ beta: Infinity }),
  "moi({ beta: H })": moi({ beta: ({ normalizedEntropy }) => 4 * normalizedEntropy }),
  "moi({ preset: 'mixinputs-0.1.1' })": moi({ preset: "mixinputs-0.1.1" }),
  "moi({ preset: 'mixinputs-0.1.1', beta: 0 })": moi({ preset: "mixinputs-0.1.1", beta: 0 }),
  "moi({ topK: 3, normalizer: 'support' })": moi({ topK: 3, normalizer: "support" }),
  "moi({ prior: 'model' })": moi({ prior: "model" }),
  "moi({ normalizer: 'support' })": moi({ normalizer: "support" }),
  "directMixture({ prior: 'model', topK: 20 })": directMixture({ prior: "model", topK: 20 }),
  "directMixture({ prior: 'model' })": directMixture({ prior: "model" }),
  "directMixture({ topK: 2 })": directMixture({ topK: 2 }),
  "linearMixture({ weight: 0 })": linearMixture({ weight: 0 }),
  "linearMixture({ weight: 1 })": linearMixture({ weight: 1 }),
  "linearMixture({ weight: 0.3, prior: 'model', topK: 4 })": linearMixture({
    weight: 0.3,
    prior: "model",
    topK: 4,
  }),
  "randomMixture({ beta: 0 })": randomMixture({ beta: 0 }),
  "randomMixture({ tokens: 'permuted' })": randomMixture({ tokens: "permuted" }),
  "fixedMass({ mass: 0 })": fixedMass({ mass: 0 }),
  "fixedMass({ mass: 1, prior: 'sampler' })": fixedMass({ mass: 1, prior: "sampler" }),
  "fixedMass({ mass: 0.5, topK: 3 })": fixedMass({ mass: 0.5, topK: 3 }),
  "selar({ threshold: 0 })": selar({ threshold: 0 }),
  "selar({ threshold: 0, strength: 5, topK: 9 })": selar({ threshold: 0, strength: 5, topK: 9 }),
  "multiplex({ draws: 1 })": multiplex({ draws: 1 }),
  "multiplex({ draws: 9, weights: 'probability' })": multiplex({
    draws: 9,
    weights: "probability",
  }),
  "thinkRouter({ threshold: 0 })": thinkRouter({ threshold: 0 }),
  "thinkRouter({ threshold: 0.2, prior: 'model' })": thinkRouter({
    threshold: 0.2,
    prior: "model",
  }),
};

/** Fails unless weights sum to 1 over tokens of the vocabulary, none of them negative unless signed. */
function assertMixture(mixture: Mixture, name: string, { vocabularySize }: Distribution): void {
  const { ids, weights, signed } = mixture, whole = mixture.dense;
  assertEquals(ids.length, weights.length);
  assert(ids.length > 0);
  assertEquals(new Set(Array.from(ids)).size, ids.length);
  for (const id of Array.from(ids)) {
    assert(Number.isInteger(id) && id >= 0 && id < vocabularySize, `id ${id}`);
  }
  if (signed) assert(SIGNED.some((own) => name.startsWith(own)), "signed");
  let sum = whole?.weight ?? 0;
  for (const weight of [sum, ...Array.from(weights)]) {
    assert(Number.isFinite(weight) && (signed || weight >= 0), `weight ${weight}`);
  }
  sum = Array.from(weights).reduce((a, b) => a + b, sum);
  assertAlmostEquals(sum, 1, 1e-12);
  if (!whole) return;
  assertEquals(whole.probabilities.length, vocabularySize);
  assert(whole.probabilities.every((p) => p >= 0 && p <= 1));
  assertAlmostEquals(whole.probabilities.reduce((a, b) => a + b, 0), 1, 1e-4);
}

/** Zeros, ties, one token, two. */
const EDGES: readonly Float32Array[] = [
  new Float32Array([0]),
  new Float32Array([0, 0]),
  new Float32Array([-Infinity, 0]),
  new Float32Array([0, -Infinity, 0, -Infinity]),
  new Float32Array([-1e30, 1e30, 0]),
  new Float32Array(40),
];

for (const [name, method] of Object.entries(VARIANTS)) {
  Deno.test(`${name} makes valid mixtures of 400 random distributions`, () => {
    for (const sample of samples(400, 3)) {
      assertMixture(mixtureOf(method, sample), name, sample.distribution);
    }
  });

  Deno.test(`${name} makes valid mixtures of zeros, ties, one token and two`, () => {
    for (const logits of EDGES) {
      for (const settings of [{}, { topK: 1 }, { topP: 0.5 }, { temperature: 0 }]) {
        const distribution = distributionOf(logits, samplerOf(settings), 5);
        distribution.ids.forEach((token, i) => {
          if (distribution.probabilities[i] === 0) return;
          assertMixture(mixtureOf(method, { distribution, token }), name, distribution);
        });
      }
    }
  });

  Deno.test(`${name} makes valid mixtures of a large vocabulary, and lists few tokens of it`, async () => {
    for (const distribution of await largeDistributions(method.needs)) {
      const sample = { distribution, token: likeliest(distribution, 1)[0]! };
      const cut = !floatsOf(distribution) && distribution.ids.length < distribution.vocabularySize;
      let reads = 0;
      if (floatsOf(distribution)) {
        const { get } = Object.getOwnPropertyDescriptor(distribution, "probabilities")!;
        Object.defineProperty(distribution, "probabilities", { get: () => (reads++, get!()) });
      }
      const mixture = mixtureOf(method, sample);
      assertMixture(mixture, name, distribution);
      const listed = /permuted|dirichlet/.test(name) ? Infinity : 1024;
      if (cut || listed === Infinity) continue;
      assert(mixture.ids.length < listed, `${mixture.ids.length} tokens`);
      assertEquals(reads, 0, "an array of V is made");
    }
  });

  Deno.test(`${name} of a certain distribution feeds back the token alone`, () => {
    const certain = distributionOf(new Float32Array([-1, 3, 0]), samplerOf({ topK: 1 }));
    const peaked = distributionOf(new Float32Array([-2000, 3000, 0]), samplerOf());
    for (const distribution of [certain, peaked]) {
      const input = mixtureOf(method, { distribution, token: 1 });
      const uncut = /prior: 'model'|mixinputs/.test(name) ||
        UNCUT.some((own) => name.startsWith(own));
      if (uncut && distribution === certain) continue;
      assertEquals(dense(input, 3), [0, 1, 0]);
    }
  });

  Deno.test(`${name} leaves the distribution as it is`, () => {
    for (const { distribution, token } of samples(20, 4)) {
      const before = saidBy(distribution);
      mixtureOf(method, { distribution, token });
      assertEquals(saidBy(distribution), before);
    }
  });

  Deno.test(`${name} is a pure function of distribution, token and state`, () => {
    for (const { distribution, token } of samples(20, 5)) {
      const state = method.init(contextOf(distribution.vocabularySize));
      const first = method.step(distribution, token, state);
      method.step(distribution, token, first.state);
      assertEquals(method.step(distribution, token, state).input, first.input);
    }
  });
}

/** Markers that the mock model knows; the second take two tokens to close. */
const MARKERS = [{ open: "<end>", close: "." }, { open: "<end>", close: ". " }] as const;

/** Every method, in every phase. */
const BATCH: readonly Method[] = [
  ...Object.values(VARIANTS),
  ...Object.values(METHODS).flatMap(({ make }) =>
    MARKERS.flatMap((markers) => [
      make({ phase: "thinking", markers }),
      make({ phase: "answer", markers }),
    ])
  ),
  softThinking({ markers: MARKERS[0], coldStop: { threshold: 3, length: 3 } }),
  swiReasoning({ phase: "all", window: 2, markers: MARKERS[0], maxSwitches: 1, finalWords: "so" }),
];

async function decoded(requests: readonly Request[], slots: number) {
  const all: Omit<Generation, "timing">[] = [];
  for await (const { index, generation } of generateBatch(mockModel(), requests, { slots })) {
    const { timing: _, ...rest } = generation;
    all[index] = rest;
  }
  return all;
}

Deno.test("all methods in all phases, mixed in one batch, are what each is alone", async () => {
  const random = seeded(71);
  const requests = [...BATCH, ...BATCH, ...BATCH].map((method): Request => ({
    method,
    prompt: random.pick(["ab", "a<end>", "a<end>b", "b<end>c.", "<end>"]),
    seed: random.below(1000),
    temperature: random.pick([0, 0.4, 1, 2]),
    topP: random.pick([1, 0.9]),
    topK: random.pick([0, 6]),
    maxNewTokens: 1 + random.below(30),
    ignoreEos: random.below(2) === 0,
    trace: random.below(2) === 0,
  }));
  const alone: Omit<Generation, "timing">[] = [];
  for (const { prompt, ...options } of requests) {
    const { timing: _, ...rest } = await generate(mockModel(), prompt, options);
    alone.push(rest);
  }
  const order = random.shuffled([...requests.keys()]);
  const shuffled = order.map((i) => requests[i]!);
  for (const slots of [1, 7, 64]) {
    assertEquals(await decoded(shuffled, slots), order.map((i) => alone[i]));
  }
});

Deno.test("METHODS name their methods, and describe each of them", () => {
  const names = Object.keys(METHODS);
  for (const [name, { make, ...words }] of Object.entries(METHODS)) {
    assertEquals([make().name, make({ phase: "all" }).name], [name, name]);
    assert(Object.values(words).every((text) => text.length > 0 && !/[|\n]/.test(text)), name);
    assertEquals(make({ phase: "all" }).parameters?.phase, undefined);
    if (name !== "standard") {
      assertEquals(make({ phase: "answer" }).parameters?.phase, "answer");
    }
  }
  assertEquals(new Set(names).size, 13);
});

/** The sampled token and the most probable one, half each: a method made of ids and probabilities. */
const HALF: Method = {
  name: "half",
  init: () => undefined,
  step({ ids, probabilities }, token) {
    const top = ids[probabilities.indexOf(Math.max(...probabilities))]!;
    const input = top === token
      ? { ids: [token], weights: [1] }
      : { ids: [token, top], weights: [0.5, 0.5] };
    return { input, state: undefined };
  },
};

Deno.test("a method of one's own made of ids and probabilities mixes what it says, small and large", async () => {
  const small = samples(100, 6).map(({ distribution }) => distribution);
  for (const distribution of [...small, ...await largeDistributions()]) {
    const [top, token] = likeliest(distribution, 2);
    const { ids, weights } = mixtureOf(HALF, { distribution, token: token ?? top! });
    assertEquals(new Set(ids as number[]), new Set([token ?? top!, top!]));
    assertEquals([...weights as number[]], token === undefined ? [1] : [0.5, 0.5]);
  }
});
