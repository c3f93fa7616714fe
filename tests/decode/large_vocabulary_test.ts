/** Decoding with a large vocabulary, on a real checkpoint: what the runtime works on, end to end. */

import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import {
  directMixture,
  distributionOf,
  generate,
  generateBatch,
  type Generation,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  type Request,
  type Sampler,
  samplerOf,
  standard,
} from "@moi/moi/decode";
import { forward, loadModel, type Model } from "@moi/moi/model";
import { QWEN3, wideCheckpoint } from "../golden/golden.ts";
import { type Random, seeded } from "../_random.ts";

const V = 3001;

async function wideModel(): Promise<Model> {
  await using folder = await wideCheckpoint(V);
  return await loadModel(folder.path);
}

const METHODS: readonly (() => Method)[] = [
  standard,
  () => moi(),
  () => moi({ beta: 0 }),
  directMixture,
  linearMixture,
  () => randomMixture() as Method,
  () => moi({ preset: "mixinputs-0.1.1" }),
  () => directMixture({ prior: "model", topK: 20 }),
  () => linearMixture({ prior: "model", weight: 0.7 }), // a list of V
  () => randomMixture({ tokens: "permuted" }) as Method,
];

const SAMPLERS: readonly Partial<Sampler>[] = [
  { temperature: 0 },
  { topK: 20 },
  { topK: 300, temperature: 2 },
  { topP: 0.9 },
  { topP: 0.95, topK: 40, temperature: 0.6 },
  {},
  { temperature: 0.5 },
  { minP: 0.05 },
  { typicalP: 0.9 },
  { repetitionPenalty: 1.2, topP: 0.9 },
  { presencePenalty: 0.5, temperature: 0.8 }, // keeps nearly all
];

const promptOf = (random: Random, length: number, vocabulary = V) =>
  Array.from({ length }, () => random.below(vocabulary));

/** Requests that pair methods and samplers in many ways; a few prompts come several times. */
function mixedRequests(random: Random, count: number): Request[] {
  const beginning = promptOf(random, 140);
  const prompts = [3, 9, 30, 1].map((length) => promptOf(random, length));
  prompts.push(...[2, 20, 131].map((length) => [...beginning, ...promptOf(random, length)]));
  return Array.from({ length: count }, (_, i) => ({
    prompt: random.pick(prompts),
    method: METHODS[i % METHODS.length]!(),
    ...random.pick(SAMPLERS),
    seed: random.below(1000),
    maxNewTokens: 2 + random.below(12),
    ignoreEos: true,
    trace: i % 3 === 0,
  }));
}

const timeless = ({ timing: _, ...rest }: Generation) => rest;

async function decoded(model: Model, requests: readonly Request[], slots: number) {
  const all: Omit<Generation, "timing">[] = [];
  for await (const { index, generation } of generateBatch(model, requests, { slots })) {
    all[index] = timeless(generation);
  }
  return all;
}

Deno.test("generateBatch() with a large vocabulary gives what generate() gives, bit for bit", async () => {
  await using model = await wideModel();
  const random = seeded(81), requests = mixedRequests(random, 40);
  const alone: Omit<Generation, "timing">[] = [];
  for (const { prompt, ...options } of requests) {
    alone.push(timeless(await generate(model, prompt, options)));
  }
  assert(alone.filter(({ mixing }) => mixing.meanOffSampleMass > 0.01).length > 15);
  assert(new Set(alone.map(({ text }) => text)).size > 30);
  for (const slots of [3, 3, 64]) {
    const order = random.shuffled([...requests.keys()]);
    const own = await decoded(model, order.map((i) => requests[i]!), slots);
    order.forEach((i, place) => assertEquals(own[place], alone[i], `request ${i}, ${slots} slots`));
  }
});

Deno.test("moi({ beta: Infinity }) with a large vocabulary is standard(), bit for bit", async () => {
  await using model = await wideModel();
  const random = seeded(82), prompt = promptOf(random, 20);
  const requests = SAMPLERS.map((sampler, seed): Request => ({
    prompt,
    ...sampler,
    seed,
    maxNewTokens: 10,
    ignoreEos: true,
    trace: true,
  }));
  const withMethod = (method: Method) => requests.map((request) => ({ ...request, method }));
  const plain = await decoded(model, withMethod(standard()), 64);
  assertEquals(await decoded(model, withMethod(moi({ beta: Infinity })), 64), plain);
  assertEquals(await decoded(model, withMethod(linearMixture({ weight: 0 })), 64), plain);
});

Deno.test("generate() with a large vocabulary traces what forward() gives", async () => {
  await using model = await wideModel();
  const random = seeded(83);
  const methods = [standard(), moi({ preset: "mixinputs-0.1.1" }), linearMixture({ topK: 30 })];
  for (const [i, settings] of SAMPLERS.entries()) {
    const method = methods[i % methods.length]!, prompt = promptOf(random, 4), top = 70;
    const options = { ...settings, seed: i, maxNewTokens: 5, ignoreEos: true, trace: { top } };
    const { trace, tokens } = await generate(model, prompt, { ...options, method });
    const fed = trace!.slice(0, -1).map(({ mixture }) => mixture);
    const rows = (await forward(model, [...prompt, ...fed])).slice(prompt.length - 1);
    assertEquals(trace!.map(({ token }) => token), tokens);
    for (const [step, { token, probability, entropy, candidates }] of trace!.entries()) {
      const history = { prompt, generated: tokens.slice(0, step) };
      const expected = distributionOf(rows[step]!, samplerOf(settings), step, history);
      const p = new Map(expected.ids.map((id, k) => [id, expected.probabilities[k]!]));
      assertAlmostEquals(probability, p.get(token)!, 1e-3 * probability);
      assertAlmostEquals(entropy, expected.normalizedEntropy, 1e-4);
      assertEquals(candidates.length, Math.min(top, expected.ids.length));
      const ranks = [...p.values()].sort((a, b) => b - a);
      candidates.forEach((candidate, rank) => {
        assertAlmostEquals(candidate.probability, p.get(candidate.token)!, 1e-3);
        assertAlmostEquals(candidate.probability, ranks[rank]!, 1e-3);
        assertEquals(candidate.text, `<${candidate.token}>`);
      });
      assertEquals(new Set(candidates.map(({ token }) => token)).size, candidates.length);
    }
  }
});

Deno.test("generate() traces of a mixture over a whole large vocabulary its heaviest entries", async () => {
  await using model = await wideModel();
  const random = seeded(84), prompt = promptOf(random, 8);
  const methods = [moi(), directMixture(), linearMixture(), randomMixture()] as Method[];
  for (const method of methods) {
    for (const settings of [{}, { temperature: 0.5 }, { temperature: 3 }]) {
      const options = {
        ...settings,
        method,
        seed: 3,
        maxNewTokens: 8,
        ignoreEos: true,
        trace: true,
      };
      const { trace, mixing } = await generate(model, prompt, options);
      let mass = 0;
      for (const { token, mixture: { ids, weights, dense }, offSampleMass } of trace!) {
        assertEquals([ids.length, dense], [weights.length, undefined]);
        assert(ids.length >= 64 && ids.length <= 65, `${ids.length} entries`);
        assertEquals(new Set(Array.from(ids)).size, ids.length);
        assert(Array.from(weights).every((weight) => weight > 0));
        assertLess(Array.from(weights).reduce((a, b) => a + b), 1 + 1e-6);
        assertAlmostEquals(1 - weights[Array.from(ids).indexOf(token)]!, offSampleMass, 1e-5);
        mass += offSampleMass / trace!.length;
      }
      assertAlmostEquals(mass, mixing.meanOffSampleMass, 1e-12);
    }
  }
});

/** A method that notes the logits of every step. */
function noting(method: Method, logits: Float32Array[]): Method {
  return {
    ...method,
    step(distribution, token, state) {
      logits.push(distribution.logits.slice());
      return method.step(distribution, token, state);
    },
  };
}

Deno.test("generateBatch() of long and alike prompts gives the logits of generate(), bit for bit", async () => {
  await using small = await loadModel(QWEN3);
  await using wide = await wideModel();
  for (const model of [small, wide]) {
    const random = seeded(85), beginning = promptOf(random, 300, 384);
    const requests = Array.from({ length: 16 }, (_, i): Request => ({
      prompt: i % 4 === 3 ? promptOf(random, 1 + random.below(450), 384) : [
        ...beginning.slice(0, random.pick([127, 128, 200, 256, 300])),
        ...promptOf(random, random.pick([1, 50, 128, 129]), 384),
      ],
      ...samplerOf(),
      seed: i,
      maxNewTokens: 1 + random.below(20),
      ignoreEos: true,
    }));
    const prepared = () => {
      const logits = requests.map((): Float32Array[] => []);
      const own = requests.map((request, i) => ({
        ...request,
        method: noting(METHODS[i % METHODS.length]!(), logits[i]!),
      }));
      return { logits, own };
    };
    const { own, logits } = prepared(), alone: Omit<Generation, "timing">[] = [];
    for (const { prompt, ...options } of own) {
      alone.push(timeless(await generate(model, prompt, options)));
    }
    for (const slots of [1, 3, 16]) {
      const batch = prepared();
      assertEquals(await decoded(model, batch.own, slots), alone, `${slots} slots`);
      assertEquals(batch.logits, logits, `${slots} slots`);
    }
  }
});
