/** Continuous batching: what runs side by side, and that nobody notices. */

import { assert, assertEquals } from "@std/assert";
import {
  directMixture,
  generate,
  generateBatch,
  type Generation,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  type Request,
  standard,
} from "@moi/moi/decode";
import { PREFILL_CHUNK } from "@moi/moi/model";
import { EOS, type MockModel, mockModel, prefills, steps } from "../_mock_model.ts";
import { type Random, seeded } from "../_random.ts";

/** All generations of a batch in the order of the requests, without their timing. */
async function decoded(
  model: MockModel,
  requests: readonly Request[],
  options: { slots?: number } = {},
): Promise<Omit<Generation, "timing">[]> {
  const all: Omit<Generation, "timing">[] = [];
  for await (const { index, generation } of generateBatch(model, requests, options)) {
    assert(!(index in all), `request ${index} came twice`);
    const { timing: _, ...rest } = generation;
    all[index] = rest;
  }
  assertEquals(Object.keys(all).length, requests.length);
  assert(model.caches.every(({ disposed }) => disposed));
  return all;
}

/** A method with a state: the last three tokens, mixed with falling weights. */
const memory: Method<readonly number[]> = {
  name: "memory",
  init: () => [],
  step(_, token, last) {
    const state = [token, ...last.filter((other) => other !== token)].slice(0, 3);
    const sum = state.reduce((total, _, k) => total + 2 ** -k, 0);
    return { input: { ids: state, weights: state.map((_, k) => 2 ** -k / sum) }, state };
  },
};

const METHODS: readonly (() => Method)[] = [
  standard,
  () => moi({ beta: 0.25 }),
  () => moi({ beta: 1, preset: "mixinputs-0.1.1" }),
  directMixture,
  () => linearMixture({ weight: 0.3, topK: 4 }),
  () => randomMixture({ beta: 0 }) as Method,
  () => randomMixture({ tokens: "permuted" }) as Method,
  () => memory as Method,
];

function randomRequest(random: Random, prompts: readonly (readonly number[])[]): Request {
  return {
    prompt: random.pick(prompts),
    method: random.pick(METHODS)(),
    seed: random.pick([0, 1, 2, random.below(2 ** 31), 2 ** 40 + random.below(99)]),
    maxNewTokens: 1 + random.below(25),
    temperature: random.pick([0, 0.5, 1, 1, 2]),
    topP: random.pick([1, 0.9]),
    topK: random.pick([0, 6]),
    ignoreEos: random.below(3) === 0,
    stop: random.pick([[], [], ["a"], ["é", "ab", "z."]]),
    trace: random.below(4) === 0,
  };
}

const PROMPTS = (random: Random) =>
  Array.from(
    { length: 20 },
    () => Array.from({ length: 1 + random.below(12) }, () => 3 + random.below(26)),
  );

Deno.test("generateBatch() gives 300 random requests what generate() gives each alone", async () => {
  const random = seeded(51);
  const prompts = PROMPTS(random);
  const requests = Array.from({ length: 300 }, () => randomRequest(random, prompts));
  const alone: Omit<Generation, "timing">[] = [];
  for (const { prompt, ...options } of requests) {
    const { timing: _, ...rest } = await generate(mockModel({ maxLength: 24 }), prompt, options);
    alone.push(rest);
  }
  const reasons = Object.groupBy(alone, ({ finishReason }) => finishReason);
  assert(reasons.stop!.length > 50 && reasons.length!.length > 50);
  for (const slots of [1, 2, 3, 7, 64, 400]) {
    assertEquals(await decoded(mockModel({ maxLength: 24 }), requests, { slots }), alone);
  }
});

Deno.test("generateBatch() does not mind the order of the requests", async () => {
  const random = seeded(52);
  const prompts = PROMPTS(random);
  const requests = Array.from({ length: 120 }, () => randomRequest(random, prompts));
  const expected = await decoded(mockModel(), requests, { slots: 5 });
  for (let round = 0; round < 5; round++) {
    const order = random.shuffled([...requests.keys()]);
    const own = await decoded(mockModel(), order.map((i) => requests[i]!), { slots: 5 });
    assertEquals(own, order.map((i) => expected[i]!));
  }
});

Deno.test("generateBatch() prefills every distinct prompt once, neighbours or not", async () => {
  const random = seeded(53);
  for (const slots of [1, 2, 3, 10, 64]) {
    const prompts = PROMPTS(random).slice(0, 6);
    const requests = random.shuffled(
      Array.from({ length: 40 }, (_, i) => ({
        ...randomRequest(random, [[...prompts[i % 6]!]]), // equal, but not the same array
      })),
    );
    const model = mockModel();
    await decoded(model, requests, { slots });
    const distinct = new Set(prompts.map((prompt) => prompt.join())).size;
    assertEquals(prefills(model).length, distinct);
  }
});

Deno.test("generateBatch() keeps prompts apart that start alike or have the same digits", async () => {
  const prompts = [[12, 3], [12, 3, 4], [12], [1, 23], [12, 3]];
  const requests = prompts.map((prompt): Request => ({ prompt, maxNewTokens: 4, ignoreEos: true }));
  const model = mockModel();
  const [first, ...others] = await decoded(model, requests);
  assertEquals(prefills(model).length, 4);
  assertEquals(others.at(-1), first);
  assertEquals(new Set(others.map(({ tokens }) => tokens.join())).size, 4);
});

Deno.test("generateBatch() never has more rows than slots, and no more slots than it needs", async () => {
  const random = seeded(54);
  for (const [count, slots] of [[20, 1], [20, 3], [20, 20], [20, 50]] as const) {
    const requests = Array.from({ length: count }, () => randomRequest(random, PROMPTS(random)));
    const model = mockModel();
    await decoded(model, requests, { slots });
    const rows = steps(model).map(({ positions }) => positions.length);
    assert(Math.max(...rows) <= slots, `${Math.max(...rows)} rows on ${slots} slots`);
    const [cache, ...others] = model.caches;
    assertEquals(others, []);
    assertEquals(cache!.slots, Math.min(slots, count) + 1); // one waits with the prompt
    const reach = requests.map(({ prompt, maxNewTokens }) => prompt.length + maxNewTokens! - 1);
    assertEquals(cache!.length, Math.min(64, Math.max(...reach)));
  }
});

Deno.test("generateBatch() of equal lengths takes as few steps as there are rounds", async () => {
  for (const [count, slots, rounds] of [[12, 4, 3], [13, 4, 4], [3, 64, 1]] as const) {
    const model = mockModel();
    const requests = Array.from({ length: count }, (_, seed): Request => ({
      prompt: "abc",
      seed,
      maxNewTokens: 6,
      ignoreEos: true,
    }));
    await decoded(model, requests, { slots });
    assertEquals(steps(model).length, rounds * 5);
  }
});

Deno.test("generateBatch() refills a slot at once: no more steps than any greedy schedule", async () => {
  const random = seeded(55);
  for (const slots of [2, 3, 8]) {
    const lengths = Array.from({ length: 60 }, () => 1 + random.below(30));
    const requests = lengths.map((maxNewTokens, seed): Request => ({
      prompt: [3 + seed % 5],
      seed,
      maxNewTokens,
      ignoreEos: true,
    }));
    const model = mockModel();
    await decoded(model, requests, { slots });
    const work = lengths.reduce((sum, length) => sum + length - 1, 0);
    const rows = steps(model).map(({ positions }) => positions.length);
    assertEquals(rows.reduce((a, b) => a + b, 0), work); // nothing is computed twice
    // Graham's bound: no slot stands empty while a request waits
    assert(rows.length <= work / slots + Math.max(...lengths), `${rows.length} steps`);
    const firstIdle = rows.findIndex((count) => count < slots);
    assert(firstIdle < 0 || rows.length - firstIdle < Math.max(...lengths));
  }
});

Deno.test("generateBatch() takes requests of one token without a step", async () => {
  const model = mockModel();
  const requests = Array.from({ length: 10 }, (_, seed): Request => ({
    prompt: "a",
    seed,
    maxNewTokens: 1,
  }));
  const results = await decoded(model, requests, { slots: 3 });
  assertEquals([prefills(model).length, steps(model).length], [1, 0]);
  assert(new Set(results.map(({ tokens }) => tokens[0])).size > 1);
});

Deno.test("generateBatch() hands out a generation as soon as it is finished", async () => {
  const lengths = [9, 2, 5, 1, 7];
  const requests = lengths.map((maxNewTokens): Request => ({
    prompt: "a",
    maxNewTokens,
    ignoreEos: true,
  }));
  const model = mockModel(), order: [number, number][] = [];
  for await (const { index } of generateBatch(model, requests)) {
    order.push([index, steps(model).length]);
  }
  assertEquals(order, [[3, 0], [1, 1], [2, 4], [4, 6], [0, 8]]);
});

Deno.test("generateBatch() aborts rows at random moments without disturbing the others", async () => {
  const random = seeded(56);
  for (let round = 0; round < 20; round++) {
    const requests = Array.from({ length: 24 }, () => randomRequest(random, PROMPTS(random)));
    const whole = await decoded(mockModel(), requests, { slots: 4 });
    const controllers = requests.map(() => new AbortController());
    const at = new Map(requests.map((_, i) => [1 + random.below(60), i]));
    const model = mockModel({ before: (made) => controllers[at.get(made) ?? -1]?.abort() });
    const own = await decoded(
      model,
      requests.map((request, i) => ({ ...request, signal: controllers[i]!.signal })),
      { slots: 4 },
    );
    let aborted = 0;
    for (const [i, { finishReason, tokens }] of own.entries()) {
      if (finishReason !== "aborted") {
        assertEquals(own[i], whole[i]);
      } else {
        assert(controllers[i]!.signal.aborted);
        assertEquals(tokens, whole[i]!.tokens.slice(0, tokens.length));
        aborted++;
      }
    }
    assert(aborted > 0);
  }
});

Deno.test("generateBatch() does not feed an end-of-text token back", async () => {
  const model = mockModel();
  const requests = Array.from({ length: 50 }, (_, seed): Request => ({ prompt: "abc", seed }));
  const results = await decoded(model, requests, { slots: 6 });
  assert(results.some(({ finishReason }) => finishReason === "stop"));
  for (const { inputs } of steps(model)) {
    for (const { ids } of inputs) assert(ids[0] !== EOS);
  }
});

const tokensOf = (random: Random, length: number) =>
  Array.from({ length }, () => 3 + random.below(26));

/** Prompts of 100 to 700 tokens, of which most begin like some other one. */
function longPrompts(random: Random, count: number): number[][] {
  const beginnings = [100, 128, 250, 256, 400, 513].map((length) => tokensOf(random, length));
  beginnings.push([...beginnings[1]!, ...tokensOf(random, 200)]);
  return Array.from({ length: count }, () => {
    const start = random.below(4) === 0 ? [] : random.pick(beginnings);
    const most = 700 - start.length, least = Math.max(1, 100 - start.length);
    return [...start, ...tokensOf(random, least + random.below(random.pick([20, most - least])))];
  });
}

const longModel = (options: Parameters<typeof mockModel>[0] = {}) =>
  mockModel({ maxLength: 1024, ...options });

Deno.test("generateBatch() gives 200 random requests of long, alike prompts what each is given alone", async () => {
  const random = seeded(57), prompts = longPrompts(random, 120);
  const requests = Array.from({ length: 200 }, () => randomRequest(random, prompts));
  const alone: Omit<Generation, "timing">[] = [];
  for (const { prompt, ...options } of requests) {
    const { timing: _, ...rest } = await generate(longModel(), prompt, options);
    alone.push(rest);
  }
  for (const slots of [1, 2, 5, 64]) {
    const order = random.shuffled([...requests.keys()]);
    const own = await decoded(longModel(), order.map((i) => requests[i]!), { slots });
    assertEquals(own, order.map((i) => alone[i]!));
  }
});

Deno.test("generateBatch() prefills in chunks that begin at multiples of their size", async () => {
  const random = seeded(58), prompts = longPrompts(random, 60);
  for (const slots of [1, 4, 64]) {
    const model = longModel();
    await decoded(model, prompts.map((prompt) => ({ prompt, maxNewTokens: 6 })), { slots });
    for (const { from, inputs } of prefills(model)) {
      assertEquals(from % PREFILL_CHUNK, 0);
      assert(inputs.length <= PREFILL_CHUNK);
    }
  }
});

Deno.test("generateBatch() prefills a long prompt while the other rows take steps", async () => {
  const random = seeded(59), model = longModel();
  const requests = [10, 700, 20].map((length): Request => ({
    prompt: tokensOf(random, length),
    maxNewTokens: 12,
    ignoreEos: true,
  }));
  await decoded(model, requests);
  const [{ calls } = { calls: [] }] = model.caches;
  const kinds = calls.flatMap((call) =>
    call.kind === "step"
      ? [`${call.positions.length} rows`]
      : call.kind === "prefill"
      ? ["prefill"]
      : []
  );
  const chunk = ["prefill", "1 rows"]; // the first prompt's row goes on after every chunk
  assertEquals(kinds.slice(0, 13), [
    "prefill",
    ...Array(5).fill(chunk).flat(),
    "prefill",
    "prefill",
  ]);
  assertEquals(kinds.filter((kind) => kind === "prefill").length, 8);
  assertEquals(kinds.slice(13).every((kind) => kind.endsWith("rows")), true);
});

Deno.test("generateBatch() prefills a long prompt at once where no row waits", async () => {
  const random = seeded(60), model = longModel();
  await decoded(model, [{ prompt: tokensOf(random, 700), maxNewTokens: 3, ignoreEos: true }]);
  const kinds = model.caches[0]!.calls.map(({ kind }) => kind);
  assertEquals(kinds, [...Array(6).fill("prefill"), "step", "step"]);
});

Deno.test("generateBatch() copies the whole chunks that prompts begin with alike", async () => {
  const random = seeded(61), beginning = tokensOf(random, 300);
  const own = [50, 100, 10, 300, 1].map((length) => [...beginning, ...tokensOf(random, length)]);
  const shortest = beginning.slice(0, 256); // its last chunk is computed for the logits
  const requests = [...own, shortest].map((prompt): Request => ({
    prompt,
    maxNewTokens: 30,
    ignoreEos: true,
  }));
  for (const slots of [1, 3, 6, 64]) {
    const model = longModel();
    await decoded(model, requests, { slots });
    const starts = prefills(model).map(({ from }) => from);
    const of = (at: number) => starts.filter((from) => from === at).length;
    // the first prompt from 0, its end, the others' ends, what 300 tokens take further, the shortest
    assertEquals([of(0), of(128), of(256), of(384), of(512)], [1, 2, own.length, 2, 1], `${slots}`);
    const copies = model.caches[0]!.calls.filter((call) => call.kind === "copy");
    assert(copies.length > 0);
  }
});

Deno.test("generateBatch() prefills fewer tokens of prompts that begin alike than there are", async () => {
  const random = seeded(62), beginning = tokensOf(random, 200);
  const alike = Array.from({ length: 30 }, () => [...beginning, ...tokensOf(random, 50)]);
  const others = alike.map(() => tokensOf(random, 250));
  const prefilled = async (prompts: readonly number[][], slots: number) => {
    const model = longModel();
    const requests = prompts.map((prompt, seed): Request => ({ prompt, seed, maxNewTokens: 8 }));
    await decoded(model, requests, { slots });
    return prefills(model).reduce((sum, { inputs }) => sum + inputs.length, 0);
  };
  for (const slots of [1, 4]) {
    assertEquals(await prefilled(others, slots), 30 * 250);
    assertEquals(await prefilled(alike, slots), 250 + 29 * (250 - 128));
  }
});

Deno.test("generateBatch() drops an aborted prompt between two chunks and goes on", async () => {
  const random = seeded(63);
  for (let chunks = 1; chunks < 5; chunks++) {
    const requests = [10, 640, 20, 640, 30].map((length): Request => ({
      prompt: tokensOf(random, length),
      maxNewTokens: 40,
      ignoreEos: true,
    }));
    requests[3] = { ...requests[3]!, prompt: [...(requests[1]!.prompt as number[])] };
    (requests[3]!.prompt as number[])[600] = 3;
    const whole = await decoded(longModel(), requests, { slots: 2 });
    const controller = new AbortController();
    const model: MockModel = longModel({
      before: () => {
        const filling = prefills(model).filter(({ inputs }) => inputs.length === PREFILL_CHUNK);
        if (filling.length === chunks) controller.abort();
      },
    });
    const own = await decoded(
      model,
      requests.map((request, i) => i === 1 ? { ...request, signal: controller.signal } : request),
      { slots: 2 },
    );
    assertEquals([own[1]!.finishReason, own[1]!.tokens], ["aborted", []]);
    for (const i of [0, 2, 3, 4]) assertEquals(own[i], whole[i]);
    const chunksOfAll = prefills(model).filter(({ inputs }) => inputs.length === PREFILL_CHUNK);
    assertEquals(chunksOfAll.length, 5, "what was there of the aborted prompt serves the next one");
  }
});
