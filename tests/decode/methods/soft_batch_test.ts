/** The soft methods side by side with others: rows that force, switch and end know nothing of others. */

import { assert, assertEquals } from "@std/assert";
import {
  dirichletSoftThinking,
  generate,
  generateBatch,
  type Generation,
  gumbelSoftThinking,
  type Method,
  moi,
  type Request,
  softThinking,
  standard,
  swiReasoning,
} from "@moi/moi/decode";
import { loadModel, type Model } from "@moi/moi/model";
import { votes } from "@moi/moi/tasks";
import { mockModel } from "../../_mock_model.ts";
import { seeded } from "../../_random.ts";
import { MARKERS, SHORT } from "./_soft.ts";

async function decoded(model: Model, requests: readonly Request[], slots?: number) {
  const all: Omit<Generation, "timing">[] = [];
  const options = slots === undefined ? {} : { slots };
  for await (const { index, generation } of generateBatch(model, requests, options)) {
    const { timing: _, ...rest } = generation;
    all[index] = rest;
  }
  return all;
}

const THINKING: readonly Method[] = [SHORT, MARKERS].flatMap((markers) => [
  softThinking({ markers, coldStop: { length: 4, threshold: 2 }, answer: { topK: 3 } }),
  softThinking({ markers, phase: "answer" }),
  gumbelSoftThinking({ markers }),
  dirichletSoftThinking({ markers, answer: { temperature: 0.3 } }),
  swiReasoning({ markers, window: 2, alpha: 0.5 }),
  swiReasoning({ markers, window: 1, maxSwitches: 1, finalWords: "so" }),
  swiReasoning({ markers, phase: "all", window: 3, maxSwitches: 2, finalWords: "so" }),
]);
const ALL: readonly Method[] = [
  softThinking({ phase: "all" }),
  gumbelSoftThinking({ phase: "all" }),
  dirichletSoftThinking({ phase: "all" }),
  swiReasoning({ phase: "all", window: 4 }),
  standard(),
  moi(),
];

Deno.test("generateBatch() gives 300 requests of soft methods what each gets alone", async () => {
  const random = seeded(101), methods = [...THINKING, ...ALL];
  const requests = Array.from({ length: 300 }, (): Request => ({
    prompt: random.pick(["ab", "a<end>", "b<end>cd", "<end>", "c"]),
    method: random.pick(methods),
    seed: random.below(1000),
    maxNewTokens: 1 + random.below(40),
    temperature: random.pick([0, 0.4, 1, 2]),
    topP: random.pick([1, 0.9]),
    topK: random.pick([0, 6]),
    ignoreEos: random.below(2) === 0,
    trace: random.below(3) === 0,
  }));
  const alone: Omit<Generation, "timing">[] = [];
  for (const { prompt, ...options } of requests) {
    const { timing: _, ...rest } = await generate(mockModel(), prompt, options);
    alone.push(rest);
  }
  for (const slots of [1, 3, 64]) assertEquals(await decoded(mockModel(), requests, slots), alone);
  const events = alone.flatMap(({ trace = [] }) => trace.flatMap(({ event = [] }) => event));
  assertEquals(new Set(events), new Set(["token", "soft", "forced", "cold stop"]));
});

Deno.test("one row's Cold Stop, forced words and sampler leave its neighbours alone", async () => {
  const plain: Request = { prompt: "a<end>", method: standard(), seed: 5, maxNewTokens: 40 };
  const [alone] = await decoded(mockModel(), [plain]);
  for (const method of THINKING) {
    const [own, among] = await decoded(mockModel(), [{ ...plain, method, seed: 6 }, plain]);
    assertEquals(among, alone);
    assert(own);
  }
});

Deno.test("the soft methods run on votes-tiny, alone as in a batch", async () => {
  await using model = await loadModel("votes-tiny");
  const task = votes({ limit: 8 }), problems = await task.problems();
  const methods = [
    ...ALL,
    softThinking(),
    gumbelSoftThinking(),
    dirichletSoftThinking(),
    swiReasoning({ window: 4 }),
  ];
  const requests = problems.flatMap((problem, seed) =>
    methods.map((method): Request => ({
      prompt: task.prompt(problem),
      method,
      seed,
      maxNewTokens: 24,
      trace: true,
    }))
  );
  const among = await decoded(model, requests);
  for (const i of [0, 1, 2, 3, 16, 17, 18, 19]) {
    assertEquals(await decoded(model, [requests[i]!]), [among[i]]);
  }
  const mass = methods.map((_, k) =>
    among.filter((_, i) => i % methods.length === k)
      .reduce((sum, { mixing }) => sum + mixing.meanOffSampleMass, 0)
  );
  for (const k of [0, 1, 2, 3]) assert(mass[k]! > 0.01, `${methods[k]!.name} mixes nothing`);
});

Deno.test("softThinking() of one token is greedy decoding on votes-tiny, and swiReasoning() that starts with tokens is standard()", async () => {
  await using model = await loadModel("votes-tiny");
  const task = votes({ limit: 4 });
  for (const [seed, problem] of (await task.problems()).entries()) {
    const prompt = task.prompt(problem), options = { seed, maxNewTokens: 24 };
    const run = async (method: Method, settings = {}) => {
      const { tokens } = await generate(model, prompt, { ...options, ...settings, method });
      return tokens;
    };
    assertEquals(
      await run(softThinking({ topN: 1, phase: "all" })),
      await run(standard(), { temperature: 0 }),
    );
    assertEquals(
      await run(swiReasoning({ start: "token", window: Infinity, phase: "all" })),
      await run(standard()),
    );
  }
});
