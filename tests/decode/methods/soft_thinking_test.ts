import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  distributionOf,
  generate,
  type GenerateOptions,
  samplerOf,
  softThinking,
  type SoftThinkingOptions,
  standard,
  type Step,
} from "@moi/moi/decode";
import { EOS, ids, mockModel } from "../../_mock_model.ts";
import { denseOf, samples } from "./_distributions.ts";
import {
  assertClose,
  dense,
  descending,
  firstStep,
  largeDistributions,
  letters,
  MARKERS,
  scripted,
  SHORT,
  testMixtures,
  thinkingContext,
  traced,
} from "./_soft.ts";

testMixtures("softThinking()", softThinking({ phase: "all" }));
testMixtures("softThinking({ topN: 1 })", softThinking({ topN: 1, phase: "all" }));
testMixtures("softThinking({ topN: 1000 })", softThinking({ topN: 1000, phase: "all" }));

/** p over its n largest entries, over the whole vocabulary. */
function largest(p: readonly number[], n: number): number[] {
  const kept = descending(p).slice(0, n);
  const mass = kept.reduce((sum, id) => sum + p[id]!, 0);
  return p.map((value, id) => kept.includes(id) ? value / mass : 0);
}

Deno.test("softThinking() feeds the n most probable tokens, renormalised, and records the first", () => {
  for (const { distribution, token } of samples(300, 61)) {
    const p = denseOf(distribution);
    for (const topN of [1, 2, 10, 50]) {
      const made = firstStep(softThinking({ topN, markers: MARKERS }), distribution, token);
      assertClose(dense(made.input, p.length), largest(p, topN));
      assertEquals(made.token, descending(p)[0]);
    }
  }
});

Deno.test("softThinking() mixes what temperature and truncation leave", () => {
  const p = [0.5, 0.3, 0.15, 0.05], logits = Float32Array.from(p, Math.log);
  const at = (settings: object, topN: number) =>
    dense(
      firstStep(
        softThinking({ topN, phase: "all" }),
        distributionOf(logits, samplerOf(settings)),
        0,
      ).input,
      4,
    );
  assertClose(at({}, 10), p);
  assertClose(at({ topP: 0.75 }, 10), [0.5 / 0.8, 0.3 / 0.8, 0, 0]);
  const hot = p.map(Math.sqrt), sum = hot[0]! + hot[1]! + hot[2]!;
  assertClose(at({ temperature: 2 }, 3), [hot[0]! / sum, hot[1]! / sum, hot[2]! / sum, 0]);
});

Deno.test("softThinking() of a large vocabulary mixes the same tokens", async () => {
  for (const distribution of await largeDistributions(["softmax"])) {
    const p = denseOf({ ...distribution, ids: distribution.ids });
    const { input, token } = firstStep(softThinking({ phase: "all" }), distribution, 0);
    assertClose(dense(input, p.length), largest(p, 10));
    assertEquals(p[token!], Math.max(...p));
  }
});

Deno.test("softThinking() of one token is greedy decoding", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const prompt = ids("abc").slice(0, 1 + seed % 3), options = { maxNewTokens: 30, seed };
    const greedy = await generate(mockModel(), prompt, { ...options, temperature: 0 });
    const soft = await generate(mockModel(), prompt, {
      ...options,
      temperature: 1.3,
      method: softThinking({ topN: 1, phase: "all" }),
    });
    assertEquals([soft.tokens, soft.finishReason], [greedy.tokens, greedy.finishReason]);
  }
});

Deno.test("softThinking() at temperature 0 is greedy decoding", async () => {
  const options = { maxNewTokens: 30, temperature: 0 };
  const greedy = await generate(mockModel(), "ab", options);
  const soft = await generate(mockModel(), "ab", {
    ...options,
    method: softThinking({ phase: "all" }),
  });
  assertEquals(soft.tokens, greedy.tokens);
});

Deno.test("softThinking() thinks the same whatever the seed", async () => {
  const method = softThinking({ phase: "all" });
  const [a, b] = [
    await generate(mockModel(), "ab", { method, seed: 1, maxNewTokens: 30 }),
    await generate(mockModel(), "ab", { method, seed: 2, maxNewTokens: 30 }),
  ];
  assertEquals(a.tokens, b.tokens);
});

const PROMPT = ids(`a${MARKERS.open}`);
const QUIET = letters({ a: 0.9999, b: 0.0001 }); // 0.001 nats
const LOUD = letters({ a: 0.6, b: 0.4 });
const CLOSE = ids(MARKERS.close);

async function decoded(
  script: readonly number[][],
  options: SoftThinkingOptions,
  settings: GenerateOptions = {},
): Promise<Step[]> {
  const method = softThinking({ markers: MARKERS, ...options });
  return await traced(scripted(script, PROMPT.length), PROMPT, {
    maxNewTokens: 20,
    ignoreEos: true,
    ...settings,
    method,
  });
}

/** How many tokens a step feeds. */
const fedBy = ({ mixture }: Step) => Array.from(mixture.weights).filter((w) => w > 0).length;

const eventsOf = (steps: readonly Step[]) =>
  steps.flatMap(({ index, event }) => event === undefined ? [] : [[index, event]]);

/** Steps of which the closing marker was forced, from the text. */
const closedAt = (steps: readonly Step[]) =>
  steps.map(({ text }) => text).join("").indexOf(MARKERS.close);

Deno.test("softThinking() forces the closing marker after exactly as many quiet steps", async () => {
  for (const length of [1, 2, 5]) {
    const steps = await decoded([LOUD, LOUD, QUIET], { coldStop: { length } });
    assertEquals(eventsOf(steps), [
      [length + 1, "cold stop"],
      [length + 2, "forced"],
      [length + 3, "forced"],
    ]);
    assertEquals(steps.slice(length + 2, length + 4).map(({ token }) => token), CLOSE);
    for (const step of steps) {
      const alone = step.index > length + 1;
      assertEquals(fedBy(step), alone ? 1 : 2, `step ${step.index}`);
      if (alone) assertEquals(Array.from(step.mixture.ids), [step.token]);
    }
  }
});

Deno.test("softThinking() begins to count anew after a step that is not quiet", async () => {
  const script = [QUIET, QUIET, LOUD, QUIET, QUIET, LOUD, QUIET, QUIET, QUIET, LOUD];
  const steps = await decoded(script, { coldStop: { length: 3 } });
  assertEquals(eventsOf(steps)[0], [8, "cold stop"]);
  assertEquals(closedAt(await decoded([QUIET, QUIET, LOUD], { coldStop: { length: 3 } })), -1);
});

Deno.test("softThinking() takes the entropy before truncation: a nucleus of one token is not quiet", async () => {
  const settings = { topP: 0.5 }; // keeps one token at every step, of entropy 0
  const steps = await decoded([LOUD], { coldStop: { length: 3 } }, settings);
  assert(steps.every(({ entropy }) => entropy === 0));
  assertEquals(closedAt(steps), -1);
  for (const truncating of [settings, { topK: 1 }, { minP: 0.9 }]) {
    const own = await decoded([QUIET], { coldStop: { length: 3 } }, truncating);
    assertEquals(eventsOf(own)[0], [2, "cold stop"]);
  }
});

Deno.test("softThinking() takes the entropy at the temperature of the sampler, in nats", async () => {
  const coldStop = { length: 2, threshold: 0.01 };
  assertEquals(closedAt(await decoded([LOUD], { coldStop }, { temperature: 1 })), -1);
  assert(closedAt(await decoded([LOUD], { coldStop }, { temperature: 0.05 })) > 0);
  const nats = -0.6 * Math.log(0.6) - 0.4 * Math.log(0.4);
  const at = (threshold: number) => decoded([LOUD], { coldStop: { length: 2, threshold } });
  assertEquals(closedAt(await at(nats - 1e-6)), -1);
  assertEquals(closedAt(await at(nats + 1e-6)), 2);
});

Deno.test("softThinking() at temperature 0 counts no step as quiet", async () => {
  assertEquals(
    closedAt(await decoded([QUIET], { coldStop: { length: 2 } }, { temperature: 0 })),
    -1,
  );
});

Deno.test("softThinking() with coldStop false or threshold 0 never ends the thoughts", async () => {
  for (const coldStop of [false, { threshold: 0, length: 1 }] as const) {
    assertEquals(eventsOf(await decoded([letters({ a: 1 })], { coldStop })), []);
  }
});

Deno.test("softThinking() has threshold 0.01 and length 256 unless told otherwise", async () => {
  const method = softThinking({ markers: MARKERS });
  const model = mockModel({ maxLength: 400, logits: () => QUIET });
  const { trace } = await generate(model, PROMPT, { method, maxNewTokens: 300, trace: true });
  assertEquals(eventsOf(trace!)[0], [255, "cold stop"]);
});

Deno.test("softThinking() of a large vocabulary takes the entropy from the runtime", async () => {
  for (const distribution of await largeDistributions(["softmax"])) {
    const { logits, temperature = 1, vocabularySize } = distribution;
    if (temperature === 0) continue;
    const top = Math.max(...logits);
    const weights = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
    const sum = weights.reduce((a, b) => a + b);
    const entropy = -weights.reduce((all, w) => w > 0 ? all + w / sum * Math.log(w / sum) : all, 0);
    for (const [factor, fires] of [[0.999, false], [1.001, true]] as const) {
      const coldStop = { length: 1, threshold: entropy * factor };
      const method = softThinking({ markers: MARKERS, coldStop });
      const { event } = method.step(distribution, 0, method.init(thinkingContext(vocabularySize)));
      assertEquals(event === "cold stop", fires);
    }
  }
});

Deno.test("softThinking() ends where the most probable token closes the thoughts, fed alone", async () => {
  const script = [LOUD, letters({ ".": 0.7, a: 0.3 }), LOUD];
  const steps = await decoded(script, { markers: SHORT, coldStop: false });
  assertEquals(steps[1]!.text, ".");
  assertEquals(steps.map(fedBy).slice(0, 4), [2, 1, 1, 1]);
  assertEquals(Array.from(steps[1]!.mixture.ids), ids("."));
  assert(new Set(steps.slice(2).map(({ token }) => token)).size === 2); // the answer is sampled
});

Deno.test("softThinking() forces nothing where the last quiet token closes the thoughts", async () => {
  const script = [QUIET, letters({ ".": 0.9999, a: 0.0001 }), LOUD];
  const steps = await decoded(script, { markers: SHORT, coldStop: { length: 2 } });
  assertEquals(eventsOf(steps), []);
  assertEquals(steps.filter(({ text }) => text === ".").length, 1);
});

Deno.test("softThinking() counts anew where thoughts begin again", async () => {
  const script = [LOUD, QUIET, letters({ ".": 0.7, a: 0.3 }), letters({ "<end>": 1 }), QUIET];
  const steps = await decoded(script, { markers: SHORT, coldStop: { length: 3 } });
  assertEquals(eventsOf(steps), [[6, "cold stop"], [7, "forced"]]);
});

Deno.test("softThinking() samples the answer with its own settings, and thoughts with the run's", async () => {
  const wide = letters({ a: 0.4, b: 0.3, c: 0.2, d: 0.1 });
  const close = letters({ ".": 0.4, b: 0.3, c: 0.2, d: 0.1 });
  const again = letters({ "<end>": 0.7, b: 0.2, c: 0.1 });
  const script = [wide, close, wide, again, wide, wide, close, wide];
  const sizes = async (answer: GenerateOptions, phase: "all" | "thinking" = "thinking") => {
    const options = { markers: SHORT, coldStop: false, answer, phase } as SoftThinkingOptions;
    const steps = await decoded(script, options, { topK: 3, maxNewTokens: 8 });
    return steps.map(({ candidates }) => candidates.length);
  };
  assertEquals(await sizes({ topK: 1 }), [3, 3, 1, 1, 3, 3, 3, 1]);
  assertEquals(await sizes({ topK: 1 }, "all"), [3, 3, 1, 1, 3, 3, 3, 1]);
  assertEquals((await sizes({ topK: 2, temperature: 0 })).slice(0, 4), [3, 3, 1, 1]);
  assertEquals((await sizes({ temperature: 0.5 })).slice(0, 4), [3, 3, 3, 3]); // topK stays
});

Deno.test("softThinking() switches the sampler with the last token of a forced marker", async () => {
  const steps = await decoded([QUIET, QUIET, LOUD], {
    coldStop: { length: 2 },
    answer: { topK: 1 },
  });
  assertEquals(eventsOf(steps).map(([index]) => index), [1, 2, 3]);
  const more = steps.map(({ candidates }) => candidates.filter((one) => one.probability > 0));
  assertEquals(more.map(({ length }) => length).slice(0, 7), [2, 2, 2, 2, 1, 1, 1]);
});

Deno.test("softThinking() ends at any end-of-text token, also within the thoughts", async () => {
  for (const last of ["q", "<eos>"]) {
    const script = [LOUD, letters({ [last]: 0.7, a: 0.3 })];
    const model = mockModel({
      eos: [EOS, ids("q")[0]!],
      logits: (history) => script[Math.min(history.length - PROMPT.length, 1)]!,
    });
    const method = softThinking({ markers: MARKERS });
    const { tokens, finishReason } = await generate(model, PROMPT, { method });
    assertEquals([tokens.length, finishReason], [2, "stop"]);
  }
});

Deno.test("softThinking() acts in its phase only", async () => {
  const outside = ids("ab");
  const run = async (phase: "all" | "thinking" | "answer") => {
    const model = scripted([LOUD], outside.length);
    const method = softThinking({ phase, markers: MARKERS });
    const steps = await traced(model, outside, { method, maxNewTokens: 4 });
    return steps.map(fedBy);
  };
  assertEquals(await run("all"), [2, 2, 2, 2]);
  assertEquals(await run("answer"), [2, 2, 2, 2]);
  assertEquals(await run("thinking"), [1, 1, 1, 1]);
});

Deno.test("softThinking() outside of its phase is standard decoding", async () => {
  const options = { maxNewTokens: 30, seed: 5 };
  const soft = await generate(mockModel(), "ab", {
    ...options,
    method: softThinking({ markers: { open: "<bos><end>", close: "<end><bos>" } }),
  });
  const plain = await generate(mockModel(), "ab", { ...options, method: standard() });
  assertEquals(soft.tokens, plain.tokens);
});

Deno.test("softThinking() refuses a model without thinking markers, and says what would go", async () => {
  await assertRejects(
    () => generate(mockModel(), "ab", { method: softThinking() }),
    RangeError,
    "Cannot mix as 'markers' must be texts that the model's tokenizer knows (phase 'all' needs none)",
  );
  await generate(mockModel(), "ab", { method: softThinking({ phase: "all" }), maxNewTokens: 2 });
});

Deno.test("softThinking() records its knobs", () => {
  assertEquals(softThinking().name, "softThinking");
  assertEquals(
    { ...softThinking().parameters },
    { topN: 10, coldThreshold: 0.01, coldLength: 256, phase: "thinking" },
  );
  assertEquals({ ...softThinking({ phase: "all" }).parameters }, { topN: 10, coldStop: false });
  assertEquals(
    {
      ...softThinking({
        topN: 3,
        coldStop: { length: 5 },
        answer: { topP: 0.95, temperature: 0.6 },
        markers: MARKERS,
      }).parameters,
    },
    {
      topN: 3,
      coldThreshold: 0.01,
      coldLength: 5,
      phase: "thinking",
      ...MARKERS,
      answerTemperature: 0.6,
      answerTopP: 0.95,
    },
  );
});

Deno.test("softThinking() asks for the softmax only where Cold Stop needs it", () => {
  assertEquals(softThinking().needs, ["softmax"]);
  assertEquals(softThinking({ coldStop: false }).needs, []);
});

Deno.test("softThinking() weighs by probability: its weights are those of p to the last bit", () => {
  const p = distributionOf(Float32Array.from([1, 3, 2]), samplerOf());
  const { input } = firstStep(softThinking({ topN: 3, phase: "all" }), p, 0);
  assertEquals(dense(input, 3), [...p.probabilities]);
  assertAlmostEquals(p.probabilities.reduce((a, b) => a + b), 1, 1e-15);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ topN: 0 }, RangeError, "'topN' must be an integer at least 1: current value is 0"],
  [{ topN: 2.5 }, RangeError, "'topN' must be an integer at least 1: current value is 2.5"],
  [{ topN: "5" }, TypeError, `'topN' must be an integer at least 1: current value is "5"`],
  [{ coldStop: true }, TypeError, "'coldStop' must be an object or false: current value is true"],
  [{ coldStop: null }, TypeError, "'coldStop' must be an object or false: current value is null"],
  [{ coldStop: { treshold: 1 } }, TypeError, "'treshold' is not an option"],
  [{ coldStop: { threshold: -1 } }, RangeError, "'coldStop.threshold' must be a number at least 0"],
  [{ coldStop: { length: 0 } }, RangeError, "'coldStop.length' must be an integer at least 1"],
  [
    { phase: "all", coldStop: {} },
    RangeError,
    "'coldStop' must be false where 'phase' is not 'thinking': current value is {}",
  ],
  [{ phase: "thought" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ markers: { open: "", close: "." } }, TypeError, "'markers.open' must be a text"],
  [{ topn: 5 }, TypeError, "'topn' is not an option: known options are topN, coldStop, answer"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`softThinking() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => softThinking(options), type, `Cannot mix as ${sentence}`);
  });
}

Deno.test("softThinking() refuses sampler settings of the answer that do not exist", () => {
  const answer = { topk: 5 } as object;
  assertThrows(() => softThinking({ answer }), TypeError, "'topk' is not an option");
  assertThrows(() => softThinking({ answer: { topP: 2 } }), RangeError, "'topP' must be a number");
});
