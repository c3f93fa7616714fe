/** A batch that requests join while it runs: the same texts as alone, whatever happens to the others. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  generate,
  type MapTransform,
  type Method,
  moi,
  openBatch,
  type Request,
} from "@moi/moi/decode";
import { mockModel, writes } from "../_mock_model.ts";
import { seeded } from "../_random.ts";

Deno.test("200 requests that come at random moments get what generate() gives each alone", async () => {
  const model = mockModel(), random = seeded(5);
  const prompts = Array.from(
    { length: 9 },
    () => Array.from({ length: 1 + random.below(9) }, () => 3 + random.below(26)),
  );
  const requests = Array.from({ length: 200 }, (): Request => ({
    prompt: random.pick(prompts),
    method: moi({ beta: random.pick([0.25, 1, Infinity]) }),
    seed: random.below(50),
    maxNewTokens: 1 + random.below(20),
    stop: random.pick([[], ["a"]]),
    trace: random.below(5) === 0,
  }));
  await using batch = openBatch(model, { slots: 5 });
  const made = await Promise.all(requests.map(async (request) => {
    for (let turns = random.below(40); turns > 0; turns--) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    let told = "", count = 0;
    const generation = await batch.add(request, ({ text }) => {
      told += text;
      count++;
    });
    assertEquals([told, count], [generation.text, generation.tokens.length]);
    return generation;
  }));
  for (const [i, request] of requests.entries()) {
    const { timing: _, ...alone } = await generate(model, request.prompt, request);
    const { timing: __, ...beside } = made[i]!;
    assertEquals(beside, alone);
  }
});

Deno.test("a request that its method fails, or that is aborted, costs the others nothing", async () => {
  const model = mockModel();
  const fails: Method = {
    name: "fails",
    init: () => undefined,
    step(p) {
      if (p.step === 2) throw new Error("third step");
      return { input: { ids: [5], weights: [1] }, state: undefined };
    },
  };
  const noInit: Method = {
    ...fails,
    init() {
      throw new RangeError("no markers");
    },
  };
  const options = { seed: 4, maxNewTokens: 16, ignoreEos: true };
  const alone = await generate(model, [7], options);
  await using batch = openBatch(model, { slots: 2 });
  const gone = new AbortController(), late = new AbortController();
  const one = batch.add({ prompt: [7], ...options });
  const failing = batch.add({ prompt: [7], ...options, method: fails });
  const unable = batch.add({ prompt: [8], ...options, method: noInit });
  const ended = batch.add({ prompt: [9], ...options, signal: gone.signal });
  const never = batch.add({ prompt: [9], ...options, signal: late.signal });
  late.abort();
  assertEquals((await never).finishReason, "aborted");
  await Promise.all([
    assertRejects(() => failing, Error, "third step"),
    assertRejects(() => unable, RangeError, "no markers"),
  ]);
  gone.abort();
  assertEquals((await ended).finishReason, "aborted");
  assertEquals((await one).text, alone.text);
  assertEquals([batch.running, batch.waiting], [0, 0]);
});

Deno.test("a batch refuses prompts that do not fit, drains, and closes", async () => {
  const model = mockModel();
  const batch = openBatch(model, { slots: 1, length: 8 });
  assertThrows(() => batch.add({ prompt: [3, 4, 5, 6, 7, 8, 9, 10] }), RangeError, "8 tokens");
  assertThrows(() => batch.add({ prompt: [3], temperature: -1 }), RangeError, "temperature");
  assertThrows(() => openBatch(model, { length: 65 }), RangeError, "at most 64");
  const long = { prompt: [3, 4], ignoreEos: true, maxNewTokens: 99 };
  const answers = [1, 2, 3].map((seed) => batch.add({ ...long, seed }));
  assertEquals([batch.running, batch.waiting].reduce((a, b) => a + b), 3);
  await batch.drain();
  for (const answer of answers) {
    const { tokens, finishReason } = await answer;
    assertEquals([tokens.length, finishReason], [7, "length"]); // as a context of 8 has room for
  }
  assertThrows(() => batch.add(long), Error, "closed");
  await batch[Symbol.asyncDispose]();
  assert(model.caches.every(({ disposed }) => disposed));
});

Deno.test("an engine that never waits leaves the event loop its turns", async () => {
  await using batch = openBatch(mockModel({ maxLength: 20_000 }), { slots: 1 });
  const signal = AbortSignal.timeout(30);
  const endless = { prompt: [3], ignoreEos: true, maxNewTokens: 19_000, signal };
  const { finishReason, tokens } = await batch.add(endless);
  assertEquals([finishReason, tokens.length > 0], ["aborted", true]);
});

Deno.test("where the model fails, all requests learn why, and so do later ones", async () => {
  const model = mockModel({
    logits: writes("abcdefgh"),
    before(steps) {
      if (steps === 3) throw new Error("out of memory");
    },
  });
  await using batch = openBatch(model, { slots: 2 });
  const asked = [
    batch.add({ prompt: [3] }),
    batch.add({ prompt: [3] }),
    batch.add({ prompt: [4] }),
  ];
  for (const answer of asked) await assertRejects(() => answer, Error, "out of memory");
  assertThrows(() => batch.add({ prompt: [3] }), Error, "out of memory");
});

Deno.test("a sampler or a listener that fails ends its own request alone, wherever it is", async () => {
  const model = mockModel(), options = { seed: 4, maxNewTokens: 16, ignoreEos: true };
  const alone = await generate(model, [7], options);
  const own = (map: MapTransform["map"]): MapTransform => ({ name: "own", map });
  const bad = (step: number) =>
    own((logits, context) => context.step < step ? logits : logits.fill(NaN));
  const failing: Partial<Request>[] = [
    ...[0, 3].map((step) => ({ sampler: [bad(step)] })),
    { sampler: [{ name: "no transform" } as unknown as MapTransform] },
    { logitBias: { 5: 1e308 }, presencePenalty: -1e308 }, // infinite once it is drawn
    { repetitionPenalty: 1e-320 },
    { allowedTokens: [5, 6], logitBias: { 5: -1.7e308, 6: -1.7e308 }, presencePenalty: 1.7e308 },
  ];
  await using batch = openBatch(model, { slots: 3 });
  const one = batch.add({ prompt: [7], ...options });
  for (const more of failing) {
    let fault: Error | undefined;
    try {
      await batch.add({ prompt: [9], ...options, ...more });
    } catch (error) {
      fault = error as Error;
    }
    assertMatch(`${fault?.message}`, /^Cannot /, Deno.inspect(more));
  }
  for (const at of [0, 2, 15]) {
    let count = 0;
    const listener = () => {
      if (count++ >= at) throw new Error(`token ${at}`);
    };
    const answer = batch.add({ prompt: [9], ...options }, listener);
    await assertRejects(() => answer, Error, `token ${at}`);
    assertEquals(count, at + 1);
  }
  assertEquals((await one).text, alone.text);
  assertEquals([batch.running, batch.waiting, batch.failed], [0, 0, undefined]);
});

Deno.test("requests of one token that never cease leave the others their steps", async () => {
  const model = mockModel({ before: () => new Promise((resolve) => setTimeout(resolve, 0)) });
  await using batch = openBatch(model, { slots: 3 });
  const stop = new AbortController();
  const endless = async (first: number) => {
    for (let i = 0; !stop.signal.aborted; i++) {
      await batch.add({ prompt: [first, 3 + i % 20], maxNewTokens: 1 });
      assert(i < 500, "the long one does not get on");
    }
  };
  const short = Promise.all([4, 5, 6].map(endless));
  const long = batch.add({ prompt: [3], maxNewTokens: 40, ignoreEos: true }).finally(() =>
    stop.abort()
  );
  await Promise.all([long, short]);
});
