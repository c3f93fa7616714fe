/** Decoding on the real models: what arithmetic and a real event loop could spoil. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  directMixture,
  fixedMass,
  generate,
  generateBatch,
  type GenerateOptions,
  linearMixture,
  type Method,
  moi,
  multiplex,
  randomMixture,
  type Request,
  selar,
  standard,
  thinkRouter,
} from "@moi/moi/decode";
import { loadModel, type Model } from "@moi/moi/model";
import { countdown, votes } from "@moi/moi/tasks";

const METHODS: readonly Method[] = [
  standard(),
  moi({ beta: 0.25 }),
  moi({ beta: 1 }),
  moi({ beta: 1, preset: "mixinputs-0.1.1" }),
  directMixture(),
  linearMixture({ weight: 0.5 }),
  randomMixture({ beta: 0.25 }),
  randomMixture({ tokens: "permuted" }),
  fixedMass(),
  selar({ threshold: 0.1 }),
  multiplex(),
  thinkRouter(),
];

/** Requests that differ in prompt, method, seed, temperature and length. */
async function requestsOf(task: "votes" | "countdown", count: number, longest: number) {
  const made = task === "votes" ? votes({ limit: 8 }) : countdown({ limit: 8 });
  const problems = await made.problems();
  const prompts = problems.map((problem) => made.prompt(problem as never));
  return Array.from({ length: count }, (_, i): Request => ({
    prompt: prompts[i % prompts.length]!,
    method: METHODS[Math.floor(i / 2) % METHODS.length]!,
    seed: Math.floor(i / 8),
    temperature: i % 3 === 0 ? 0.6 : 1,
    topP: i % 5 === 0 ? 0.9 : 1,
    maxNewTokens: longest - i % 7,
  }));
}

/** Tokens, text, end and mixing of every request, in the order of the requests. */
async function decoded(model: Model, requests: readonly Request[], options = {}) {
  const all: unknown[] = [];
  for await (const { index, generation } of generateBatch(model, requests, options)) {
    const { tokens, text, finishReason, mixing } = generation;
    all[index] = { tokens, text, finishReason, mixing };
  }
  return all;
}

for (
  const [id, task, count, longest] of [
    ["votes-tiny", "votes", 64, 32],
    ["countdown-tiny", "countdown", 64, 24],
  ] as const
) {
  Deno.test(`generateBatch() on ${id} is bit-identical alone, among 64, on 3 slots, reversed`, async () => {
    await using model = await loadModel(id);
    const requests = await requestsOf(task, count, longest);
    const among = await decoded(model, requests);
    const alone: unknown[] = [];
    for (const request of requests) alone.push((await decoded(model, [request]))[0]);
    assertEquals(among, alone);
    assertEquals(await decoded(model, requests, { slots: 3 }), alone);
    assertEquals(await decoded(model, requests.toReversed()), alone.toReversed());
    assert(new Set(among.map((one) => JSON.stringify(one))).size > count / 2);
  });
}

/** What a method makes of a prompt, with the logits of every step. */
async function withLogits(model: Model, method: Method, options: GenerateOptions) {
  const logits: Float32Array[] = [];
  const noting: Method = {
    ...method,
    step(distribution, token, state) {
      logits.push(distribution.logits.slice());
      return method.step(distribution, token, state);
    },
  };
  const task = model.id === "votes-tiny" ? votes({ limit: 3 }) : countdown({ limit: 3 });
  const problems = await task.problems();
  const prompt = task.prompt(problems[0] as never);
  const { tokens, mixing } = await generate(model, prompt, { ...options, method: noting });
  return { tokens, logits, mixing };
}

const LIMITS: [string, Method, Method][] = [
  ["moi() at β = ∞ is standard()", moi({ beta: Infinity }), standard()],
  ["linearMixture() of weight 0 is standard()", linearMixture({ weight: 0 }), standard()],
  ["linearMixture() of weight 1 is directMixture()", linearMixture({ weight: 1 }), directMixture()],
  ["moi() with a constant function is moi()", moi({ beta: () => 0.5 }), moi({ beta: 0.5 })],
  ["fixedMass() of mass 0 is standard()", fixedMass({ mass: 0 }), standard()],
  ["multiplex() of one draw is standard()", multiplex({ draws: 1 }), standard()],
  [
    "multiplex() of one draw weighted by probability is standard()",
    multiplex({ draws: 1, weights: "probability" }),
    standard(),
  ],
  ["selar() with a threshold above 1 is standard()", selar({ threshold: 1.01 }), standard()],
  [
    "thinkRouter() with a threshold above 1 is standard()",
    thinkRouter({ threshold: 2 }),
    standard(),
  ],
  [
    "thinkRouter() with threshold 0 is directMixture()",
    thinkRouter({ threshold: 0 }),
    directMixture(),
  ],
];
for (const [what, method, limit] of LIMITS) {
  Deno.test(`${what} on the embedded models, tokens and logits bit for bit`, async () => {
    for (const id of ["votes-tiny", "countdown-tiny"]) {
      await using model = await loadModel(id);
      for (const seed of [1, 2, 3]) {
        const options = { seed, maxNewTokens: 24 };
        const actual = await withLogits(model, method, options);
        assertEquals(actual, await withLogits(model, limit, options));
        assertEquals(actual.mixing.meanOffSampleMass > 0, limit.name !== "standard");
      }
    }
  });
}

Deno.test("moi() on votes-tiny changes the logits that follow, not those it was made of", async () => {
  await using model = await loadModel("votes-tiny");
  const options = { seed: 1, maxNewTokens: 8 };
  const mixed = await withLogits(model, moi({ beta: 0.25 }), options);
  const plain = await withLogits(model, standard(), options);
  assertEquals(mixed.logits[0], plain.logits[0]);
  assertEquals(mixed.tokens[0], plain.tokens[0]);
  assert(mixed.logits[1]!.some((logit, id) => Math.abs(logit - plain.logits[1]![id]!) > 0.01));
});

Deno.test("generate() of a method that makes no mixture rejects with its fault", async () => {
  await using model = await loadModel("votes-tiny");
  const made = (ids: number[], weights: number[]) =>
    generate(model, [1], {
      ignoreEos: true,
      method: { name: "bad", init: () => 0, step: () => ({ input: { ids, weights }, state: 0 }) },
    });
  await assertRejects(() => made([3], [NaN]), RangeError, "'weights' must be finite");
  await assertRejects(() => made([3, 4], [1.5, -0.5]), RangeError, "at least 0");
  await assertRejects(() => made([30], [1]), RangeError, "from 0 to 29: current value is 30");
  await assertRejects(() => made([3, 4], [1]), RangeError, "as many weights");
  await assertRejects(() => made([], []), RangeError, "at least one id");
});

Deno.test("generateBatch() leaves the event loop alive", async () => {
  await using model = await loadModel("countdown-tiny");
  const requests = (await requestsOf("countdown", 160, 90))
    .map((request): Request => ({ ...request, ignoreEos: true }));
  let least = Infinity, ticks = 0, took = 0;
  for (let attempt = 0; attempt < 3 && least >= 100; attempt++) { // others use this machine, too
    let last = performance.now(), largest = 0;
    const start = last;
    const timer = setInterval(() => {
      const now = performance.now();
      largest = Math.max(largest, now - last);
      last = now;
      ticks++;
    }, 2);
    try {
      for await (const _ of generateBatch(model, requests));
    } finally {
      clearInterval(timer);
    }
    took = performance.now() - start;
    least = Math.min(least, Math.max(largest, performance.now() - last));
  }
  assert(least < 100, `no timer ran for ${least.toFixed(0)} ms`);
  assert(ticks > 5 && took > 200, `${ticks} ticks in ${took.toFixed(0)} ms`);
});

Deno.test("generateBatch() ends within a second of its signal, with what is there", async () => {
  await using model = await loadModel("countdown-tiny");
  const requests = (await requestsOf("countdown", 200, 400))
    .map((request): Request => ({ ...request, ignoreEos: true }));
  const controller = new AbortController();
  let aborted = Infinity;
  const timer = setTimeout(() => {
    aborted = performance.now();
    controller.abort();
  }, 300);
  const ends = new Map<string, number>();
  let tokens = 0;
  for await (
    const { generation } of generateBatch(model, requests, { signal: controller.signal })
  ) {
    ends.set(generation.finishReason, (ends.get(generation.finishReason) ?? 0) + 1);
    tokens += generation.tokens.length;
  }
  const waited = performance.now() - aborted;
  clearTimeout(timer);
  assert(waited >= 0 && waited < 1000, `${waited} ms`);
  assertEquals(ends, new Map([["aborted", 200]]));
  assert(tokens > 64);
});
