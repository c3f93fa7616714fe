import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  distributionOf,
  generate,
  type GenerateOptions,
  type MethodContext,
  samplerOf,
  standard,
  swiReasoning,
  type SwiReasoningOptions,
} from "@moi/moi/decode";
import { certain, ids, type MockModel, mockModel, VOCABULARY } from "../../_mock_model.ts";
import { seeded } from "../../_random.ts";
import { samples } from "./_distributions.ts";
import { assertClose, dense, largeDistributions, testMixtures } from "./_soft.ts";

testMixtures("swiReasoning()", swiReasoning({ phase: "all" }));
testMixtures("swiReasoning({ window: 0 })", swiReasoning({ window: 0, alpha: 0.1, phase: "all" }));
testMixtures("swiReasoning({ start: 'token' })", swiReasoning({ start: "token", phase: "all" }));

/** Words, the markers, a line break, and some symbols: as many as the mock model has tokens. */
const PIECES = [
  ...["<bos>", "<eos>", "<think>", "</think>", "\n", " The", " answer", " is", "7", "="],
  ...Array.from({ length: VOCABULARY - 10 }, (_, i) => ` word${String.fromCharCode(97 + i)}`),
];
const [EOS, OPEN, CLOSE, NEWLINE, SYMBOL, WORD] = [1, 2, 3, 4, 8, 12];
const WORDS = [...Array(VOCABULARY - 10).keys()].map((i) => i + 10);

const tokenizer = {
  eosTokenIds: [EOS],
  encode(text: string) {
    const found: number[] = [];
    for (let at = 0; at < text.length; at += PIECES[found.at(-1)!]!.length) {
      found.push(PIECES.findIndex((piece) => text.startsWith(piece, at)));
      if (found.at(-1)! < 0) throw new Error(`no token for ${text.slice(at)}`);
    }
    return found;
  },
  decode: (tokens: ArrayLike<number>) => Array.from(tokens, (id) => PIECES[id]).join(""),
};

const model = (logits: (index: number) => ArrayLike<number>, promptLength: number): MockModel => ({
  ...mockModel({ logits: (history) => logits(history.length - promptLength) }),
  tokenizer,
});

const FINAL = tokenizer.encode("</think> The answer is");
const finalWords = " The answer is";

function contextOf(maxNewTokens: number | undefined, own: MethodContext["tokenizer"] = tokenizer) {
  return {
    vocabularySize: VOCABULARY,
    prompt: [OPEN],
    uniform: () => 0,
    ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
    ...(own === undefined ? {} : { tokenizer: own }),
  };
}

function softmax(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits), top = Math.max(...all);
  const weights = all.map((logit) => Math.exp(logit - top));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
}

const entropy = (p: readonly number[]) =>
  p.reduce((sum, q) => q > 0 ? sum - q * Math.log(q) : sum, 0);

/** The released loop of one row without switch counts, written out over the vocabulary. */
function released(
  rows: readonly { logits: ArrayLike<number>; token: number }[],
  { window, alpha, beta, length }: { window: number; alpha: number; beta: number; length: number },
): { fed: number[]; event: string | undefined }[] {
  let soft = true, stayed = 0, reference = NaN;
  return rows.map(({ logits, token }, t) => {
    const q = softmax(logits), H = entropy(q);
    const one = (id: number) => q.map((_, i) => i === id ? 1 : 0);
    const mix = (a: readonly number[], share: number, b: readonly number[]) =>
      a.map((value, i) => share * value + (1 - share) * b[i]!);
    let event: string | undefined;
    if (t === 0) reference = H;
    else {
      stayed++;
      if (soft && H < reference) event = "token";
      else if (!soft && H > reference && stayed >= window) event = "soft";
      if (event) [soft, stayed, reference] = [event === "soft", 0, H];
    }
    const symbol = token === 8 || token === 9;
    const alphaNow = alpha + (1 - alpha) * t / length, betaNow = beta + (1 - beta) * t / length;
    const softFed = t === 0
      ? mix(q, 0.9, one(NEWLINE))
      : event === "soft"
      ? mix(q, alphaNow, one(OPEN))
      : q;
    const tokenFed = event === "token" ? mix(q, betaNow, one(CLOSE)) : one(token);
    return { fed: soft && !symbol ? softFed : tokenFed, event };
  });
}

function randomRows(count: number, seed: number) {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const scale = random.pick([0, 0.5, 1, 3, 6]);
    return {
      logits: Float32Array.from({ length: VOCABULARY }, () => scale * random.normal()),
      token: random.pick([8, 9, 7, ...WORDS]),
    };
  });
}

Deno.test("swiReasoning() feeds what the released loop feeds, step by step", () => {
  let switches = 0;
  for (let seed = 0; seed < 40; seed++) {
    const rows = randomRows(60, seed), length = 60 + seed;
    const options = { window: [0, 1, 3, 10, 512][seed % 5]!, alpha: seed / 40, beta: 0.7 };
    const method = swiReasoning({ ...options, phase: seed % 2 === 0 ? "all" : "thinking" });
    const sampler = samplerOf({ temperature: 0.6, topP: 0.95, topK: 20 });
    let state = method.init(contextOf(length));
    const expected = released(rows, { ...options, length });
    for (const [step, { logits, token }] of rows.entries()) {
      const made = method.step(distributionOf(logits, sampler, step), token, state);
      assertClose(dense(made.input, VOCABULARY), expected[step]!.fed);
      assertEquals(made.event, expected[step]!.event);
      assertEquals(made.token ?? token, token);
      state = made.state;
      if (made.event) switches++;
    }
  }
  assert(switches > 300, `${switches} switches`);
});

Deno.test("swiReasoning() feeds q of the whole vocabulary at temperature 1, whatever is sampled from", () => {
  for (const { distribution, token } of samples(200, 91)) {
    const { logits, vocabularySize } = distribution, method = swiReasoning({ phase: "all" });
    const state = method.init({ ...contextOf(10), vocabularySize, tokenizer: undefined! });
    assertClose(
      dense(method.step(distribution, token, state).input, vocabularySize),
      softmax(logits),
    );
  }
});

Deno.test("swiReasoning() of a large vocabulary feeds a dense mixture and the markers", async () => {
  const all = await largeDistributions(["model"]);
  const order = all.map((one) => ({ one, H: entropy(softmax(one.logits)) }));
  const [sharp, flat] = [
    order.reduce((a, b) => a.H < b.H ? a : b).one,
    order.reduce((a, b) => a.H > b.H ? a : b).one,
  ];
  const method = swiReasoning({ window: 1, alpha: 0.4, beta: 0.7, phase: "all" });
  let state = method.init(contextOf(undefined));
  const shares = [[0.9, NEWLINE], [0.7, CLOSE], [0.4, OPEN]] as const;
  for (const [i, distribution] of [flat, sharp, flat].entries()) {
    const made = method.step(distribution, WORD, state), [share, marker] = shares[i]!;
    const q = softmax(distribution.logits);
    assert(made.input.dense);
    assertClose(
      dense(made.input, q.length),
      q.map((p, id) => share * p + (id === marker ? 1 - share : 0)),
    );
    state = made.state;
  }
  for (const distribution of all) {
    const { input } = method.step(distribution, WORD, method.init(contextOf(9)));
    const q = softmax(distribution.logits);
    assertClose(dense(input, q.length), q.map((p, id) => 0.9 * p + (id === NEWLINE ? 0.1 : 0)));
  }
});

const logitsOf = (entropyLevel: number) =>
  Float32Array.from(
    { length: VOCABULARY },
    (_, id) => WORDS.includes(id) ? -id / entropyLevel : -1e3,
  );
const SURE = logitsOf(1), UNSURE = logitsOf(10), LOST = logitsOf(100);

/** Events and mixtures of a run that takes its distributions from a list of levels. */
function run(levels: readonly Float32Array[], options: SwiReasoningOptions, token = WORD) {
  const method = swiReasoning({ phase: "all", ...options });
  let state = method.init(contextOf(100));
  return levels.map((logits, step) => {
    const made = method.step(distributionOf(logits, samplerOf(), step), token, state);
    state = made.state;
    return made;
  });
}

Deno.test("swiReasoning() with an infinite window never returns to soft", () => {
  const random = seeded(3);
  const levels = Array.from({ length: 300 }, () => random.pick([SURE, UNSURE, LOST]));
  const steps = run([LOST, ...levels], { window: Infinity });
  const at = steps.findIndex(({ event }) => event === "token");
  assert(at > 0);
  assertEquals(steps.filter(({ event }) => event).length, 1);
  steps.slice(0, at).forEach(({ input }) => assert(input.ids.length > 1));
  steps.slice(at + 1).forEach(({ input }) => assertEquals(Array.from(input.ids), [WORD]));
});

Deno.test("swiReasoning() with an infinite window that starts with tokens is standard(), bit for bit", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const options: GenerateOptions = { seed, maxNewTokens: 30, temperature: 1.5, trace: true };
    const method = swiReasoning({ start: "token", window: Infinity, phase: "all" });
    const { timing: _, ...swi } = await generate(mockModel(), "ab", { ...options, method });
    const { timing: __, ...plain } = await generate(mockModel(), "ab", {
      ...options,
      method: standard(),
    });
    assertEquals(swi, plain);
  }
});

Deno.test("swiReasoning() stays soft while the model does not gain confidence", () => {
  const steps = run([UNSURE, UNSURE, LOST, LOST, UNSURE], {});
  assertEquals(steps.map(({ event }) => event), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert(steps.every(({ input }) => input.ids.length > 1));
});

Deno.test("swiReasoning() turns to tokens at once, and soft after W steps", () => {
  for (const window of [1, 2, 5]) {
    const steps = run([LOST, SURE, ...new Array(8).fill(LOST)], { window });
    const events = steps.map(({ event }) => event);
    assertEquals(events.indexOf("token"), 1);
    assertEquals(events.indexOf("soft"), 1 + window);
    assertEquals(events.lastIndexOf("soft"), 1 + window);
  }
});

Deno.test("swiReasoning() compares with the entropy of the last switch, not of the last step", () => {
  const levels = [LOST, UNSURE, SURE, UNSURE, LOST];
  const events = run(levels, { window: 1 }).map(({ event }) => event);
  // UNSURE at 3 is above SURE, but not above UNSURE at 1, the reference
  assertEquals(events, [undefined, "token", undefined, undefined, "soft"]);
});

Deno.test("swiReasoning() feeds symbols alone in soft mode", () => {
  const soft = run([LOST, LOST, LOST], {}, SYMBOL);
  for (const { input } of soft) assertEquals(Array.from(input.ids), [SYMBOL]);
});

Deno.test("swiReasoning() looks every token's text up once", () => {
  let looked = 0;
  const own = {
    ...tokenizer,
    decode: (ids: ArrayLike<number>) => (looked++, tokenizer.decode(ids)),
  };
  const method = swiReasoning({ phase: "all" });
  let state = method.init(contextOf(100, own));
  looked = 0;
  for (let step = 0; step < 50; step++) {
    state = method.step(distributionOf(LOST, samplerOf(), step), WORD + step % 2, state).state;
  }
  assertEquals(looked, 2);
});

Deno.test("swiReasoning() raises the shares of q until none is left to the markers", () => {
  const share = (step: number, length: number | undefined) => {
    const method = swiReasoning({ alpha: 0.2, beta: 0.6, window: 1, phase: "all" });
    let state = method.init(contextOf(length));
    const fed = [LOST, SURE, LOST].map((logits) => {
      const made = method.step(distributionOf(logits, samplerOf(), step), WORD, state);
      state = made.state;
      return dense(made.input, VOCABULARY);
    });
    return [fed[1]![CLOSE]!, fed[2]![OPEN]!];
  };
  assertClose(share(0, 100), [0.4, 0.8]);
  assertClose(share(50, 100), [0.2, 0.4]);
  assertClose(share(100, 100), [0, 0]);
  assertClose(share(50, undefined), [0.4, 0.8]);
});

Deno.test("swiReasoning() spreads the share of a marker of several tokens evenly", () => {
  const markers = { open: " The answer", close: " is is The is" };
  const steps = run([LOST, SURE], { markers, beta: 0.6 });
  const fed = dense(steps[1]!.input, VOCABULARY);
  const share = 0.4 * 99 / 100; // the second of 100 steps
  assertAlmostEquals(fed[7]!, share * 3 / 4, 1e-6);
  assertAlmostEquals(fed[5]!, share / 4, 1e-6);
});

Deno.test("swiReasoning() in the phase 'all' does without markers that the model has not", () => {
  const without = { ...tokenizer, encode: () => [0] };
  const method = swiReasoning({ phase: "all", alpha: 0.1, window: 1 });
  let state = method.init(contextOf(100, without));
  for (const [step, logits] of [LOST, SURE, LOST].entries()) {
    const made = method.step(distributionOf(logits, samplerOf(), step), WORD, state);
    assertClose(dense(made.input, VOCABULARY), softmax(logits));
    state = made.state;
  }
});

/** A run of the mock model that thinks from the first token on. */
async function decoded(
  options: SwiReasoningOptions,
  logits: (index: number) => ArrayLike<number>,
  settings: GenerateOptions = {},
) {
  const prompt = [OPEN];
  const { trace, finishReason, tokens } = await generate(model(logits, 1), prompt, {
    maxNewTokens: 60,
    trace: true,
    ...settings,
    method: swiReasoning({ window: 2, ...options }),
  });
  const events = trace!.flatMap(({ index, event }) => event ? [`${index} ${event}`] : []);
  return { trace: trace!, events, finishReason, tokens };
}

/** Switches into tokens at 1, 9, 17 …, and into soft two later. */
const waves = (index: number) => index % 8 === 1 ? SURE : UNSURE;

Deno.test("swiReasoning() forces the closing marker from the C-th switch to the 2C-th, then the end", async () => {
  const { trace, events, finishReason, tokens } = await decoded(
    { maxSwitches: 1, finalWords },
    waves,
  );
  const first = [0, 8, 16].map((at) =>
    events.filter((event) => event === `${at + 1} token`).length
  );
  assertEquals(first, [1, 1, 1]);
  assertEquals(events.filter((event) => event.endsWith("forced")), [
    ...["2 forced", "10 forced"], // the 1st and the 2nd
    ...["18 forced", "19 forced", "20 forced", "21 forced"], // the 3rd
  ]);
  assertEquals([trace[2]!.token, trace[10]!.token], [CLOSE, CLOSE]);
  assertEquals(trace.slice(18, 22).map(({ token }) => token), FINAL);
  for (const at of [2, 10, 18, 19, 20, 21]) {
    assertEquals(Array.from(trace[at]!.mixture.ids), [trace[at]!.token]);
  }
  assertEquals([tokens.length, finishReason], [17 + 32, "stop"]);
});

Deno.test("swiReasoning() forces nothing before the C-th switch, and nothing without C", async () => {
  const forced = async (maxSwitches: number) => {
    const { events } = await decoded({ maxSwitches, finalWords }, waves);
    return events.filter((event) => event.endsWith("forced")).map((event) => parseInt(event));
  };
  assertEquals(await forced(3), [18, 26, 34, 42, 50, 51, 52, 53]);
  assertEquals(await forced(50), []);
  const { events, tokens } = await decoded({}, waves);
  assertEquals(events.filter((event) => event.endsWith("forced")), []);
  assertEquals(tokens.length, 60);
});

Deno.test("swiReasoning() forces no words while others are under way", () => {
  const method = swiReasoning({ maxSwitches: 1, finalWords, phase: "all" });
  const [first, sure] = [LOST, SURE].map((logits, i) => distributionOf(logits, samplerOf(), i));
  const { state } = method.step(first!, WORD, method.init(contextOf(100)));
  assertEquals(method.step(sure!, WORD, state).force, [CLOSE]);
  const forced = method.step(sure!, WORD, state, true);
  assertEquals([forced.force, forced.event], [undefined, "forced"]);
});

Deno.test("swiReasoning() does not act after the closing marker that the model writes, fed alone", async () => {
  const logits = (index: number) => index === 5 ? certain(CLOSE) : waves(index);
  const { trace, events } = await decoded({}, logits);
  assertEquals(trace[5]!.token, CLOSE);
  assertEquals(Array.from(trace[5]!.mixture.ids), [CLOSE]);
  assert(events.every((event) => parseInt(event) <= 5));
  for (const { token, mixture } of trace.slice(5)) {
    assertEquals(Array.from(mixture.ids), [token]);
  }
});

Deno.test("swiReasoning() goes on after a closing marker that it forced", async () => {
  const { events } = await decoded({ maxSwitches: 2, finalWords }, waves);
  const [first] = events.filter((event) => event.endsWith("forced"));
  assert(events.some((event) => event.endsWith("soft") && parseInt(event) > parseInt(first!)));
});

Deno.test("swiReasoning() in the phase 'thinking' waits for the thoughts", async () => {
  const run = (prompt: number[]) =>
    generate(model((index) => index === 3 ? certain(OPEN) : LOST, 1), prompt, {
      method: swiReasoning(),
      maxNewTokens: 8,
      trace: true,
    });
  const { trace } = await run([0]);
  const mixed = trace!.map(({ mixture }) => mixture.ids.length > 1);
  assertEquals(mixed, [false, false, false, false, true, true, true, true]);
  const newline = dense(trace![4]!.mixture, VOCABULARY)[NEWLINE]!;
  assertAlmostEquals(newline, 0.1, 1e-6);
});

Deno.test("swiReasoning() records the sampled token in soft mode", async () => {
  const options = { seed: 4, maxNewTokens: 1 };
  const [soft, plain] = [
    await generate(model(() => LOST, 1), [OPEN], { ...options, method: swiReasoning() }),
    await generate(model(() => LOST, 1), [OPEN], options),
  ];
  assertEquals(soft.tokens, plain.tokens);
});

Deno.test("swiReasoning() refuses a model without thinking markers where it needs them", async () => {
  const on = (options: SwiReasoningOptions) => () =>
    generate(mockModel(), "ab", { method: swiReasoning(options), maxNewTokens: 3 });
  await assertRejects(on({}), RangeError, "(phase 'all' needs none)");
  await assertRejects(on({ phase: "all", maxSwitches: 1 }), RangeError, "'markers' must be texts");
  const unknown = { open: "<thought>", close: "</thought>" };
  await assertRejects(
    on({ phase: "all", markers: unknown }),
    RangeError,
    "'markers' must be texts",
  );
  const markers = { open: "<end>", close: "." };
  await assertRejects(
    on({ phase: "all", maxSwitches: 1, markers, finalWords: "42" }),
    RangeError,
    `'finalWords' must be a text that the model's tokenizer knows: current value is "42"`,
  );
  await on({ phase: "all" })();
  await on({ phase: "all", maxSwitches: 1, markers, finalWords: "so" })();
});

Deno.test("swiReasoning() records its knobs", () => {
  const { name, parameters, needs } = swiReasoning();
  assertEquals([name, needs], ["swiReasoning", ["model"]]);
  assertEquals(
    { ...parameters },
    { window: 512, alpha: 1, beta: 0.7, start: "soft", maxSwitches: null, phase: "thinking" },
  );
  const own = swiReasoning({ window: Infinity, maxSwitches: 2, finalWords: "x", phase: "all" });
  assertEquals(
    { ...own.parameters },
    { window: "Infinity", alpha: 1, beta: 0.7, start: "soft", maxSwitches: 2, finalWords: "x" },
  );
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ window: -1 }, RangeError, "'window' must be an integer at least 0: current value is -1"],
  [{ window: 1.5 }, RangeError, "'window' must be an integer at least 0: current value is 1.5"],
  [{ window: "512" }, TypeError, `'window' must be an integer at least 0: current value is "512"`],
  [{ alpha: 1.1 }, RangeError, "'alpha' must be a number at least 0 and at most 1"],
  [{ beta: -0.1 }, RangeError, "'beta' must be a number at least 0 and at most 1"],
  [{ start: "hard" }, RangeError, `'start' must be 'soft' or 'token': current value is "hard"`],
  [{ maxSwitches: 0 }, RangeError, "'maxSwitches' must be an integer at least 1"],
  [{ finalWords: 7 }, TypeError, "'finalWords' must be a string: current value is 7"],
  [{ phase: "never" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ alpha0: 1 }, TypeError, "'alpha0' is not an option: known options are window, alpha, beta"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`swiReasoning() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => swiReasoning(options), type, `Cannot mix as ${sentence}`);
  });
}

Deno.test("swiReasoning() names tokens of the mock model as it reads them", () => {
  assertEquals(tokenizer.decode(tokenizer.encode("<think>\n The=7")), "<think>\n The=7");
  assertEquals([ids("<eos>")[0], PIECES.length], [EOS, VOCABULARY]);
});
