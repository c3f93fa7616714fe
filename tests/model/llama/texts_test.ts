/** One seed gives one text by llama.cpp, alone and in batches, whatever is fed back. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  fixedMass,
  generate,
  generateBatch,
  type Generation,
  linearMixture,
  type Method,
  METHODS,
  moi,
  openBatch,
  type Request,
  standard,
} from "@moi/moi/decode";
import { loadModel, type LoadOptions, type Model } from "@moi/moi/model";
import { caseOf, pathOf } from "../../golden/llama.ts";

const load = (name: string, options: LoadOptions = {}) =>
  loadModel(pathOf(name), { engine: "llama.cpp", device: "cpu", threads: 1, ...options });

const SAMPLERS = [
  { temperature: 1, topK: 0, topP: 1 },
  { temperature: 0.7, topK: 5, topP: 1 },
  { temperature: 1.2, topK: 0, topP: 0.9, minP: 0.02 },
  { temperature: 0 },
] as const;

/** Requests of every method, with all samplers, of several lengths. */
function requestsOf(name: string): Request[] {
  const { ids } = caseOf(name);
  const methods = [
    ...Object.values(METHODS).map(({ make }) => make({ phase: "all" })),
    ...[moi({ beta: 0.25 }), moi({ beta: 4, topK: 3 }), fixedMass({ mass: 0.5 })],
    linearMixture({ weight: 0.7 }),
  ];
  return methods.map((method, seed) => ({
    ...{ method, seed, prompt: ids.slice(0, 1 + 5 * seed % 23), ignoreEos: seed % 2 === 0 },
    ...{ maxNewTokens: 4 + 7 * seed % 17, ...SAMPLERS[seed % SAMPLERS.length] },
  }));
}

const batched = async (model: Model, requests: readonly Request[], slots: number) => {
  const found: Generation[] = [];
  for await (const { index, generation } of generateBatch(model, requests, { slots })) {
    found[index] = generation;
  }
  return found;
};
const told = ({ timing: _, ...rest }: Generation) => rest;

for (const name of ["falcon", "granite", "gemma2", "qwen2moe"]) {
  Deno.test(`${name}: each text is the same alone, in 3 and in 8 slots`, async () => {
    const requests = requestsOf(name);
    for (const kv of ["fp16", "fp32"] as const) {
      await using model = await load(name, { kv });
      assertEquals(model.checked?.isBatchExact, true);
      const alone: Generation[] = [];
      for (const { prompt, ...rest } of requests) alone.push(await generate(model, prompt, rest));
      assert(alone.some(({ mixing }) => mixing.meanOffSampleMass > 0.05));
      for (const slots of [3, 8]) {
        assertEquals((await batched(model, requests, slots)).map(told), alone.map(told));
      }
    }
  });
}

Deno.test("MoI with β → ∞ is standard decoding, bit for bit", async () => {
  await using model = await load("granite");
  const { ids } = caseOf("granite");
  for (const [seed, sampler] of SAMPLERS.entries()) {
    const options = { ...sampler, seed, maxNewTokens: 24, ignoreEos: true };
    const of = (method: Method) => generate(model, ids, { ...options, method });
    const [plain, limit] = [await of(standard()), await of(moi({ beta: Infinity }))];
    assertEquals(told(limit), told(plain)); // with the mean of all entropies
  }
});

Deno.test("texts at the same time on one model, and requests that join, are those alone", async () => {
  await using model = await load("falcon");
  const requests = requestsOf("falcon").slice(0, 6);
  const run = ({ prompt, ...rest }: Request) => generate(model, prompt, rest);
  const alone: Generation[] = [];
  for (const request of requests) alone.push(await run(request));
  assertEquals((await Promise.all(requests.map(run))).map(told), alone.map(told));
  await using batch = openBatch(model, { slots: 4 });
  assertEquals(
    (await Promise.all(requests.map((request) => batch.add(request)))).map(told),
    alone.map(told),
  );
});

Deno.test("a text is aborted, and the next is what it is without that", async () => {
  await using model = await load("granite");
  const { ids } = caseOf("granite"), request = { seed: 3, maxNewTokens: 24, ignoreEos: true };
  const due = await generate(model, ids, request);
  const gone = new AbortController();
  const method = {
    ...moi(),
    step: (...args: Parameters<ReturnType<typeof moi>["step"]>) => {
      if (args[0].step === 5) gone.abort();
      return moi().step(...args);
    },
  };
  const cut = await generate(model, ids, { ...request, method, signal: gone.signal });
  assertEquals(cut.finishReason, "aborted");
  assert(cut.tokens.length < 24);
  const signal = AbortSignal.abort();
  assertEquals((await generate(model, ids, { ...request, signal })).finishReason, "aborted");
  assertEquals(told(await generate(model, ids, request)), told(due));
});

Deno.test("a model that is disposed while it writes refuses to go on, and the process lives", async () => {
  const model = await load("falcon"), { ids } = caseOf("falcon");
  const writing = generate(model, ids, { maxNewTokens: 24, ignoreEos: true });
  const batch = batched(model, requestsOf("falcon"), 3);
  const ended = Promise.allSettled([writing, batch]);
  await new Promise((resolve) => setTimeout(resolve, 2));
  await model[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  for (const one of await ended) {
    if (one.status === "rejected") assertMatch(String(one.reason), /Cannot .* is disposed/);
  }
  await assertRejects(() => generate(model, ids), Error, "as the model is disposed");
});
