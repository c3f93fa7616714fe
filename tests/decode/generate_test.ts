import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  type Distribution,
  generate,
  generateBatch,
  type GenerateOptions,
  type Generation,
  type Method,
  type MethodContext,
  moi,
  type Prompt,
  type Request,
  type Step,
  STREAM,
  stream,
  uniform,
} from "@moi/moi/decode";
import {
  BOS,
  certain,
  END,
  EOS,
  ids,
  mockModel,
  type MockOptions,
  prefills,
  steps,
  VOCABULARY,
  writes,
} from "../_mock_model.ts";

/** What a model that writes a text makes of it, after a prompt of one token. */
async function written(
  script: string,
  options: GenerateOptions = {},
  mock: MockOptions = {},
): Promise<Generation> {
  return await generate(mockModel({ logits: writes(script), ...mock }), [BOS], options);
}

/** A method that notes what it is given and feeds back the token. */
function spy() {
  const contexts: MethodContext[] = [];
  const seen: { distribution: Distribution; token: number; state: number }[] = [];
  const method: Method<number> = {
    name: "spy",
    init(context) {
      contexts.push(context);
      return 0;
    },
    step(distribution, token, state) {
      seen.push({ distribution, token, state });
      return { input: { ids: [token], weights: [1] }, state: state + 1 };
    },
  };
  return { method: method as Method, contexts, seen };
}

Deno.test("generate() ends at the end-of-text token, which is no part of the text", async () => {
  const { text, tokens, finishReason } = await written("hello");
  assertEquals([text, finishReason], ["hello", "stop"]);
  assertEquals(tokens, [...ids("hello"), EOS]);
});

Deno.test("generate() ends at any of several end-of-text tokens", async () => {
  for (const ending of ["<eos>", "<end>"]) {
    const { text, tokens, finishReason } = await written(`ab${ending}cd`, {}, { eos: [EOS, END] });
    assertEquals([text, finishReason, tokens], ["ab", "stop", ids(`ab${ending}`)]);
  }
});

Deno.test("generate() takes a special token that ends nothing as text", async () => {
  assertEquals((await written("a<end>b")).text, "a<end>b");
});

Deno.test("generate() with an end at once has no text", async () => {
  const { text, tokens, finishReason } = await written("");
  assertEquals([text, tokens, finishReason], ["", [EOS], "stop"]);
});

Deno.test("generate() with ignoreEos goes on to the token budget", async () => {
  const options = { ignoreEos: true, maxNewTokens: 5 };
  const { text, tokens, finishReason } = await written("ab<eos>cd", options);
  assertEquals([text, tokens.length, finishReason], ["ab<eos>cd", 5, "length"]);
});

Deno.test("generate() ends at the token budget", async () => {
  for (const maxNewTokens of [1, 2, 4]) {
    const { text, tokens, finishReason } = await written("hello", { maxNewTokens });
    assertEquals([text, finishReason], ["hello".slice(0, maxNewTokens), "length"]);
    assertEquals(tokens.length, maxNewTokens);
  }
});

Deno.test("generate() of an end on the last token allowed stops rather than runs out", async () => {
  assertEquals((await written("hi", { maxNewTokens: 3 })).finishReason, "stop");
  assertEquals((await written("hi", { maxNewTokens: 2 })).finishReason, "length");
});

Deno.test("generate() makes no step whose logits nobody needs", async () => {
  for (const [maxNewTokens, expected] of [[1, 0], [2, 1], [5, 4]]) {
    const model = mockModel({ logits: writes("hello world") });
    await generate(model, [BOS], { maxNewTokens: maxNewTokens! });
    assertEquals([prefills(model).length, steps(model).length], [1, expected]);
  }
  const model = mockModel({ logits: writes("hi") });
  await generate(model, [BOS]);
  assertEquals(steps(model).length, 2); // after h and after i
});

Deno.test("generate() ends where the context is full", async () => {
  const logits = () => certain(ids("a")[0]!);
  for (const [length, expected] of [[1, 8], [4, 5], [8, 1]]) {
    const model = mockModel({ maxLength: 8, logits });
    const { tokens, finishReason } = await generate(model, Array(length).fill(4));
    assertEquals([tokens.length, finishReason], [expected, "length"]);
  }
});

Deno.test("generate() cuts the text at a stop text, tokens included up to its end", async () => {
  const { text, tokens, finishReason } = await written("hello world", { stop: ["lo w"] });
  assertEquals([text, finishReason], ["hel", "stop"]);
  assertEquals(tokens, ids("hello w"));
});

Deno.test("generate() stops at the first stop text that is complete", async () => {
  const { text, tokens } = await written("hello world", { stop: ["rld", "wor", "zz"] });
  assertEquals([text, tokens], ["hello ", ids("hello wor")]);
});

Deno.test("generate() of stop texts that end together cuts at the earlier start", async () => {
  for (const stop of [["w", "o w"], ["o w", "w"]]) {
    assertEquals((await written("hello world", { stop })).text, "hell");
  }
});

Deno.test("generate() stops at a stop text of the first token, and of the whole text", async () => {
  assertEquals((await written("hello", { stop: ["h"] })).text, "");
  assertEquals((await written("hello", { stop: ["hello"] })).text, "");
});

Deno.test("generate() finds a stop text that is half a token apart", async () => {
  const { text, tokens, finishReason } = await written("cafés", { stop: ["é"] });
  assertEquals([text, finishReason, tokens], ["caf", "stop", ids("café")]);
});

Deno.test("generate() on the last token allowed still stops at a stop text", async () => {
  const { text, finishReason } = await written("hello", { stop: ["l"], maxNewTokens: 3 });
  assertEquals([text, finishReason], ["he", "stop"]);
});

Deno.test("generate() finds no stop text in the prompt or across its border", async () => {
  const model = mockModel({ logits: writes("bab", 2) });
  const { text } = await generate(model, ids("aa"), { stop: ["aab", "aa"] });
  assertEquals(text, "bab");
});

Deno.test("generate() without the stop text goes on to the end", async () => {
  const { text, finishReason } = await written("hello", { stop: ["lll", "ex"] });
  assertEquals([text, finishReason], ["hello", "stop"]);
});

Deno.test("generate() shows half a character at the end as U+FFFD", async () => {
  assertEquals((await written("é", { maxNewTokens: 1 })).text, "\ufffd");
  assertEquals((await written("é", { maxNewTokens: 2 })).text, "é");
});

Deno.test("generate() feeds the prompt once, whatever its kind", async () => {
  const prompts: [Prompt, number[]][] = [
    ["ab", [BOS, ...ids("ab")]],
    [[{ role: "user", content: "ab" }], [BOS, ...ids("ab.")]],
    [ids("ab"), ids("ab")],
  ];
  for (const [prompt, expected] of prompts) {
    const model = mockModel();
    const { promptTokens } = await generate(model, prompt, { maxNewTokens: 3 });
    assertEquals(prefills(model).map(({ inputs }) => inputs.map(({ ids }) => ids[0])), [expected]);
    assertEquals(promptTokens, expected.length);
  }
});

Deno.test("generate() takes sampler settings from the model unless told otherwise", async () => {
  const model = mockModel({ defaults: { temperature: 0, maxNewTokens: 6 } });
  const greedy = await generate(model, [BOS], { seed: 1, ignoreEos: true });
  assertEquals((await generate(model, [BOS], { seed: 2, ignoreEos: true })).tokens, greedy.tokens);
  assertEquals(greedy.tokens.length, 6);
  const hot = await generate(model, [BOS], { seed: 2, ignoreEos: true, temperature: 1 });
  assert(hot.tokens.join() !== greedy.tokens.join());
});

Deno.test("generate() of one seed gives one text, of another seed another", async () => {
  const texts = await Promise.all(
    [5, 5, 6, 2 ** 32 + 5].map(async (seed) =>
      (await generate(mockModel(), "a", { seed, maxNewTokens: 12, ignoreEos: true })).text
    ),
  );
  assertEquals(texts[0], texts[1]);
  assertEquals(new Set(texts).size, 3);
});

Deno.test("generate() draws token i with the i-th number of the seed's stream", async () => {
  const { method, seen } = spy();
  const options = { method, seed: 9, maxNewTokens: 8, ignoreEos: true, temperature: 2 };
  const { tokens } = await generate(mockModel(), "a", options);
  const drawn = seen.map(({ distribution }, i) => distribution.draw(uniform(9, STREAM.sample, i)));
  assertEquals(tokens, drawn);
  assertEquals(seen.map(({ distribution }) => distribution.step), [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("generate() tells a method of its run and hands its state on", async () => {
  const { method, contexts, seen } = spy();
  const { tokens } = await generate(mockModel(), ids("abc"), { method, seed: 4, maxNewTokens: 5 });
  assertEquals(seen.map(({ state }) => state), tokens.map((_, i) => i));
  assertEquals(seen.map(({ token }) => token), tokens);
  const [context, ...others] = contexts;
  assertEquals(others, []);
  assertEquals([context!.vocabularySize, context!.prompt], [VOCABULARY, ids("abc")]);
  assertEquals(context!.uniform(3, 2), uniform(4, STREAM.method, 3, 2));
});

Deno.test("generate() feeds exactly what the method made, each at the next position", async () => {
  const model = mockModel();
  const options = { method: moi({ beta: 0.25 }), maxNewTokens: 9, ignoreEos: true, trace: true };
  const { trace } = await generate(model, ids("abc"), options);
  const fed = steps(model);
  assertEquals(fed.map(({ positions }) => positions), [3, 4, 5, 6, 7, 8, 9, 10].map((p) => [p]));
  const made = trace!.slice(0, -1).map(({ mixture }) => [mixture]); // nothing follows the last one
  assertEquals(fed.map(({ inputs }) => inputs), made);
});

Deno.test("generate() records a trace that agrees with the generation", async () => {
  const { method, seen } = spy();
  const options = { maxNewTokens: 10, trace: { top: 4 }, seed: 3 };
  const mixed = await generate(mockModel(), "a", { ...options, method: moi({ beta: 0.5 }) });
  const { trace, tokens } = mixed;
  assertEquals(trace!.map(({ token }) => token), tokens);
  assertEquals(trace!.map(({ index }) => index), tokens.map((_, i) => i));
  const means = (pick: (step: Step) => number) =>
    trace!.reduce((sum, step) => sum + pick(step), 0) / trace!.length;
  assertAlmostEquals(mixed.mixing.meanEntropy, means(({ entropy }) => entropy), 1e-12);
  const mass = means(({ offSampleMass }) => offSampleMass);
  assertAlmostEquals(mixed.mixing.meanOffSampleMass, mass, 1e-12);
  assert(mass > 0.01);
  for (
    const { mixture: { ids, weights }, token, offSampleMass, candidates, probability } of trace!
  ) {
    const at = Array.from(ids).indexOf(token);
    assertAlmostEquals(1 - weights[at]!, offSampleMass, 1e-12);
    assertEquals(candidates.length, 4);
    candidates.slice(1).forEach((c, i) => assert(c.probability <= candidates[i]!.probability));
    for (const c of candidates) if (c.token === token) assertEquals(c.probability, probability);
    assert(probability <= candidates[0]!.probability);
  }

  const plain = await generate(mockModel(), "a", { ...options, method });
  plain.trace!.forEach(({ entropy, probability, token, candidates }, i) => {
    const { ids, probabilities, normalizedEntropy } = seen[i]!.distribution;
    assertEquals(entropy, normalizedEntropy);
    assertEquals(probability, probabilities[ids.indexOf(token)]);
    assertEquals(candidates[0]!.probability, Math.max(...probabilities));
  });
});

Deno.test("generate() names the candidates of a trace", async () => {
  const logits = () => Array.from({ length: VOCABULARY }, (_, id) => id === EOS ? -99 : -id);
  const model = mockModel({ logits });
  const { trace } = await generate(model, [BOS], { trace: { top: 3 }, topK: 5, maxNewTokens: 1 });
  const [step] = trace!;
  assertEquals(step!.candidates.map(({ token, text }) => [token, text]), [
    [BOS, "<bos>"],
    [END, "<end>"],
    [3, "a"],
  ]);
  const all = await generate(model, [BOS], { trace: true, topK: 5, maxNewTokens: 1 });
  assertEquals(all.trace![0]!.candidates.length, 5); // no more than can be sampled
});

Deno.test("generate() keeps a trace only where asked", async () => {
  assertEquals("trace" in await written("hi"), false);
  assertEquals("trace" in await written("hi", { trace: false }), false);
  assertEquals((await written("hi", { trace: true })).trace!.length, 3);
});

Deno.test("generate() keeps a trace that later steps do not change", async () => {
  const weights = new Float64Array(1), own = new Int32Array(1);
  const reusing: Method = {
    name: "reusing", // one pair of arrays for all its mixtures
    init: () => undefined,
    step(_, token) {
      own[0] = token;
      weights[0] = 1;
      return { input: { ids: own, weights }, state: undefined };
    },
  };
  const { trace, tokens } = await written("hello", { method: reusing, trace: true });
  assertEquals(trace!.map(({ mixture }) => mixture.ids[0]), tokens);
});

Deno.test("generate() tells the time it took", async () => {
  const { timing } = await written("hello");
  for (const ms of [timing.prefillMs, timing.decodeMs]) assert(ms >= 0 && ms < 10_000);
});

Deno.test("generate() of a certain model mixes nothing", async () => {
  const { mixing } = await written("hello", { method: moi({ beta: 0 }) });
  assertEquals(mixing, { meanEntropy: 0, meanOffSampleMass: 0 });
});

Deno.test("generate() with a signal aborted before does no work", async () => {
  const model = mockModel();
  const signal = AbortSignal.abort();
  const { text, tokens, finishReason, mixing } = await generate(model, "a", { signal });
  assertEquals([text, tokens, finishReason], ["", [], "aborted"]);
  assertEquals(mixing, { meanEntropy: 0, meanOffSampleMass: 0 });
  assertEquals(prefills(model).length, 0);
  assert(model.caches.every(({ disposed }) => disposed));
});

Deno.test("generate() with a signal aborted on the way returns what is there", async () => {
  for (const at of [0, 1, 4]) {
    const controller = new AbortController();
    const model = mockModel({
      logits: writes("hello world"),
      before: (made) => {
        if (made === at && steps(model).length + prefills(model).length > 0) controller.abort();
      },
    });
    const { text, tokens, finishReason, trace } = await generate(model, [BOS], {
      signal: controller.signal,
      trace: true,
    });
    assertEquals([text, finishReason], ["hello world".slice(0, at + 1), "aborted"]);
    assertEquals([tokens.length, trace!.length], [at + 1, at + 1]);
    assertEquals(steps(model).length, at + 1); // the one on the way, and no more
    assert(model.caches[0]!.disposed);
  }
});

Deno.test("generate() with a signal aborted during the prefill has no tokens", async () => {
  const controller = new AbortController();
  const model = mockModel({ before: () => controller.abort() });
  const { tokens, finishReason } = await generate(model, "a", { signal: controller.signal });
  assertEquals([tokens, finishReason, steps(model).length], [[], "aborted", 0]);
});

for (const where of ["init", "step"] as const) {
  Deno.test(`generate() of a method that throws in ${where} rejects and frees the cache`, async () => {
    const failure = new Error("on purpose");
    let count = 0;
    const fail = () => {
      throw failure;
    };
    const method: Method = {
      name: "failing",
      init: () => where === "init" ? fail() : undefined,
      step: (_, token) =>
        ++count === 3 ? fail() : { input: { ids: [token], weights: [1] }, state: undefined },
    };
    const model = mockModel();
    const error = await assertRejects(() => generate(model, "a", { method, ignoreEos: true }));
    assertStrictEquals(error, failure);
    assertEquals(model.caches.map(({ disposed }) => disposed), [true]);
    assertEquals(steps(model).length, where === "init" ? 0 : 2);
  });
}

Deno.test("generate() of a model that fails rejects and frees the cache", async () => {
  const model = mockModel({
    before: (made) => {
      if (made === 2) throw new Error("no more");
    },
  });
  await assertRejects(() => generate(model, "a", { ignoreEos: true }), Error, "no more");
  assert(model.caches[0]!.disposed);
});

Deno.test("generate() of logits that are not finite rejects and frees the cache", async () => {
  const model = mockModel({
    logits: (history) => history.length < 3 ? certain(5) : Array(VOCABULARY).fill(NaN),
  });
  await assertRejects(() => generate(model, [BOS]), RangeError, "must be finite");
  assert(model.caches[0]!.disposed);
});

Deno.test("generate() refuses before it opens a cache", async () => {
  const model = mockModel();
  await assertRejects(() => generate(model, "a", { seed: -1 }), RangeError, "'seed' must be");
  await assertRejects(() => generate(model, []), RangeError, "the prompt must have");
  assertEquals(model.caches, []);
});

Deno.test("stream() yields the steps of the trace, and its pieces are the text", async () => {
  for (const seed of [0, 1, 2]) {
    const options = { seed, maxNewTokens: 30, method: moi({ beta: 1 }), trace: { top: 2 } };
    const own: Step[] = [];
    for await (const step of stream(mockModel(), "a", options)) own.push(step);
    const { trace, text, tokens } = await generate(mockModel(), "a", options);
    assertEquals(own, trace);
    assertEquals(own.map(({ text }) => text).join(""), text);
    assertEquals(own.at(-1)!.end ?? false, tokens.at(-1) === EOS);
  }
});

Deno.test("stream() holds half a character back", async () => {
  const pieces: string[] = [];
  const model = mockModel({ logits: writes("aéb") });
  for await (const { text } of stream(model, [BOS])) pieces.push(text);
  assertEquals(pieces, ["a", "", "é", "b", ""]);
});

Deno.test("stream() yields a token before it computes the next but one", async () => {
  const model = mockModel({ logits: writes("hello world") });
  let count = 0;
  for await (const { index } of stream(model, [BOS])) {
    assertEquals(index, count++);
    assert(steps(model).length <= count);
  }
});

Deno.test("stream() that is left early makes no more steps and frees the cache", async () => {
  const model = mockModel({ logits: writes("hello world") });
  for await (const { index } of stream(model, [BOS])) if (index === 2) break;
  assert(steps(model).length <= 3);
  assertEquals(model.caches.map(({ disposed }) => disposed), [true]);
});

Deno.test("stream() ends where the signal is aborted", async () => {
  const controller = new AbortController();
  const model = mockModel({ logits: writes("hello world") });
  let text = "";
  for await (const step of stream(model, [BOS], { signal: controller.signal })) {
    text += step.text;
    if (text === "hell") controller.abort();
  }
  assertEquals(text, "hell");
  assert(model.caches[0]!.disposed);
});

Deno.test("stream() carries 10 candidates a step unless told how many", async () => {
  const count = async (options: GenerateOptions) => {
    for await (const step of stream(mockModel(), "a", options)) return step.candidates.length;
  };
  assertEquals(await count({}), 10);
  assertEquals(await count({ trace: false }), 10);
  assertEquals(await count({ trace: { top: 2 } }), 2);
});

Deno.test("stream() refuses what generate() refuses", async () => {
  const first = (options: object) => stream(mockModel(), "a", options).next();
  await assertRejects(() => first({ topP: 2 }), RangeError, "'topP' must be");
  await assertRejects(() => first({ tracing: true }), TypeError, "'tracing' is not an option");
});

/** All generations of a batch, in the order of the requests. */
async function batch(
  model: ReturnType<typeof mockModel>,
  requests: readonly Request[],
  options = {},
): Promise<Generation[]> {
  const all: Generation[] = [];
  for await (const { index, generation } of generateBatch(model, requests, options)) {
    assert(!(index in all), `request ${index} came twice`);
    all[index] = generation;
  }
  return all;
}

Deno.test("generateBatch() of no requests opens no cache", async () => {
  const model = mockModel();
  assertEquals(await batch(model, []), []);
  assertEquals(model.caches, []);
});

Deno.test("generateBatch() checks all requests before it runs any", async () => {
  const model = mockModel();
  const requests = [{ prompt: "a" }, { prompt: "b", seed: -1 }];
  await assertRejects(() => batch(model, requests), RangeError, "'seed' must be");
  assertEquals(model.caches, []);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ slots: 0 }, RangeError, "'slots' must be an integer at least 1: current value is 0"],
  [{ slots: 1.5 }, RangeError, "'slots' must be an integer at least 1: current value is 1.5"],
  [{ slots: "4" }, TypeError, `'slots' must be an integer at least 1: current value is "4"`],
  [{ slot: 4 }, TypeError, "'slot' is not an option: known options are slots, signal"],
  [{ signal: "stop" }, TypeError, "'signal' must be an AbortSignal"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`generateBatch() refuses ${Deno.inspect(options)}`, async () => {
    const run = () => batch(mockModel(), [{ prompt: "a" }], options);
    await assertRejects(run, type, `Cannot generate as ${sentence}`);
  });
}

Deno.test("generateBatch() ends requests by the batch's signal, others by their own", async () => {
  const whole = new AbortController(), own = new AbortController();
  const model = mockModel({
    logits: () => certain(ids("a")[0]!),
    before: (made) => {
      if (made === 3) whole.abort();
      if (made === 6) own.abort();
    },
  });
  const never = new AbortController().signal;
  const results = await batch(model, [
    { prompt: "a", maxNewTokens: 20 },
    { prompt: "b", maxNewTokens: 20, signal: own.signal },
    { prompt: "c", maxNewTokens: 20, signal: never },
    { prompt: "d", maxNewTokens: 2 },
  ], { signal: whole.signal });
  const ends = results.map(({ finishReason, tokens }) => [finishReason, tokens.length]);
  assertEquals(ends, [["aborted", 4], ["aborted", 7], ["length", 20], ["length", 2]]);
});

Deno.test("generateBatch() gives the slot of an aborted request to the next one", async () => {
  const controller = new AbortController();
  const requests = [..."abc"].map((prompt, seed): Request => ({
    prompt,
    seed,
    maxNewTokens: 15,
    ignoreEos: true,
    ...(prompt === "b" ? { signal: controller.signal } : {}),
  }));
  const model = mockModel({
    before: (made) => {
      if (made === 4) controller.abort();
    },
  });
  const results = await batch(model, requests, { slots: 2 });
  for (const [i, { prompt, signal: _, ...options }] of requests.entries()) {
    const { tokens } = await generate(mockModel(), prompt, options);
    assertEquals(results[i]!.tokens, prompt === "b" ? tokens.slice(0, 5) : tokens);
  }
  assertEquals(results[1]!.finishReason, "aborted");
  // b leaves after 5 steps, c makes 14 from there; if it had to wait for a, there would be 28
  assertEquals(steps(model).length, 19);
});

Deno.test("generateBatch() with a signal aborted before prefills nothing", async () => {
  const model = mockModel();
  const signal = AbortSignal.abort();
  const results = await batch(model, [{ prompt: "a" }, { prompt: "b" }], { signal });
  assertEquals(results.map(({ finishReason }) => finishReason), ["aborted", "aborted"]);
  assertEquals(prefills(model).length, 0);
});

Deno.test("generateBatch() of a method that throws rejects as a whole and frees the cache", async () => {
  const failure = new Error("on purpose");
  const failing: Method = {
    name: "failing",
    init: () => undefined,
    step: ({ step }, token) => {
      if (step === 4) throw failure;
      return { input: { ids: [token], weights: [1] }, state: undefined };
    },
  };
  const model = mockModel();
  const requests: Request[] = [{ prompt: "a", ignoreEos: true, maxNewTokens: 3 }, {
    prompt: "b",
    method: failing,
    ignoreEos: true,
  }];
  const done: number[] = [];
  const error = await assertRejects(async () => {
    for await (const { index } of generateBatch(model, requests)) done.push(index);
  });
  assertStrictEquals(error, failure);
  assertEquals(done, [0]); // what was finished was handed out
  assert(model.caches[0]!.disposed);
});

Deno.test("generateBatch() that is left early makes no more steps and frees the cache", async () => {
  const model = mockModel();
  const requests = [3, 30, 30].map((maxNewTokens): Request => ({
    prompt: "a",
    maxNewTokens,
    ignoreEos: true,
  }));
  for await (const { index } of generateBatch(model, requests)) {
    assertEquals(index, 0);
    break;
  }
  assertEquals(steps(model).length, 2);
  assert(model.caches[0]!.disposed);
});

Deno.test("generateBatch() decodes up to 64 rows at once unless told otherwise", async () => {
  const widest = async (count: number, options: object, mock: MockOptions = {}) => {
    const model = mockModel(mock);
    const requests = Array.from({ length: count }, (_, seed): Request => ({
      prompt: "a",
      seed,
      maxNewTokens: 3,
      ignoreEos: true,
    }));
    await batch(model, requests, options);
    return Math.max(...steps(model).map(({ positions }) => positions.length));
  };
  assertEquals(await widest(100, {}), 64);
  assertEquals(await widest(10, {}), 10);
  assertEquals(await widest(100, { slots: 80 }), 80);
  // 5 positions of 2³¹ / 15 bytes: 3 rows fill the budget of 2 GiB
  assertEquals(await widest(10, {}, { kvBytesPerToken: 2 ** 31 / 15 }), 3);
  assertEquals(await widest(10, {}, { kvBytesPerToken: 2 ** 40 }), 1);
});
