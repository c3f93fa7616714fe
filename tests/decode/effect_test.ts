/** The predicted effect, against independent forward passes over the same texts. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  directMixture,
  generate,
  jsDivergence,
  type Mixture,
  moi,
  predictEffect,
  selar,
  softmax,
  softThinking,
  standard,
} from "@moi/moi/decode";
import { forward, loadModel } from "@moi/moi/model";
import { countdown, votes } from "@moi/moi/tasks";

Deno.test("predictEffect() compares what follows mixtures with what follows tokens", async () => {
  await using model = await loadModel("votes-tiny");
  const prompts = [[1, 26], [1, 26, 3, 4, 5]], beta = 0.25, tokens = 5, seed = 2;
  const found = await predictEffect(model, prompts, moi({ beta }), { tokens, seed });
  for (const [index, prompt] of prompts.entries()) {
    const plain = await generate(model, prompt, { seed, maxNewTokens: tokens, trace: { top: 99 } });
    const own = found.steps.filter((step) => step.prompt === index);
    const text = plain.finishReason === "stop" ? plain.tokens.slice(0, -1) : plain.tokens;
    assertEquals(own.map(({ token }) => token), text);
    const mixtures = text.map((token, t): Mixture => {
      const { entropy, candidates } = plain.trace![t]!;
      const weight = (id: number, p: number) =>
        (entropy * p + (id === token ? beta + 1 - entropy : 0)) / (beta + 1);
      return {
        ids: candidates.map((one) => one.token),
        weights: candidates.map((one) => weight(one.token, one.probability)),
      };
    });
    const after = async (inputs: readonly (number | Mixture)[]) =>
      (await forward(model, [...prompt, ...inputs])).slice(prompt.length);
    const P = await after(text), Q = await after(mixtures);
    for (const [t, { divergence, changed, offSampleMass, entropy }] of own.entries()) {
      assertAlmostEquals(entropy, plain.trace![t]!.entropy, 1e-12);
      const { ids, weights } = mixtures[t]!;
      const mass = Array.from(weights).reduce((sum, w, k) => ids[k] === text[t] ? sum : sum + w, 0);
      assertAlmostEquals(offSampleMass, mass, 1e-9);
      assertAlmostEquals(divergence, jsDivergence(P[t]!, Q[t]!), 1e-6);
      const p = softmax(P[t]!), q = softmax(Q[t]!);
      assertAlmostEquals(changed, p.reduce((sum, v, i) => sum + Math.max(0, v - q[i]!), 0), 1e-5);
    }
  }
});

/** How likely each token is under softmax(logits / T) after top-k, by hand. */
function drawnFrom(logits: ArrayLike<number>, T: number, k: number): number[] {
  const most = Math.max(...Array.from(logits));
  const w = Array.from(logits, (l) => Math.exp((l - most) / T));
  const order = [...w.keys()].sort((a, b) => w[b]! - w[a]! || a - b).slice(0, k);
  const sum = order.reduce((total, id) => total + w[id]!, 0);
  return w.map((own, id) => order.includes(id) ? own / sum : 0);
}

Deno.test("predictEffect() counts changed draws under the request's own sampler", async () => {
  await using model = await loadModel("votes-tiny");
  const prompt = [1, 26], seed = 4, tokens = 6, by: Record<string, number> = {};
  for (const [T, k] of [[0.3, 30], [1, 30], [1, 3], [2, 5], [0, 30]] as const) {
    const settings = { seed, temperature: T, topK: k };
    const mixtures: Mixture[] = [];
    const recorded: typeof mixed = { ...mixed, step: (...args) => record(mixed.step(...args)) };
    const record = (made: ReturnType<typeof mixed.step>) => {
      mixtures.push({ ids: Array.from(made.input.ids), weights: Array.from(made.input.weights) });
      return made;
    };
    const found = await predictEffect(model, [prompt], recorded, { ...settings, tokens });
    const text = found.steps.map(({ token }) => token);
    const after = async (inputs: readonly (number | Mixture)[]) =>
      (await forward(model, [...prompt, ...inputs])).slice(prompt.length);
    const P = await after(text), Q = await after(mixtures.slice(0, text.length));
    for (const [t, { changed, divergence }] of found.steps.entries()) {
      const p = drawnFrom(P[t]!, T || 1e-9, k), q = drawnFrom(Q[t]!, T || 1e-9, k);
      assertAlmostEquals(changed, p.reduce((sum, v, i) => sum + Math.max(0, v - q[i]!), 0), 1e-5);
      assertAlmostEquals(divergence, jsDivergence(P[t]!, Q[t]!), 1e-6);
    }
    by[`${T} ${k}`] = found.changed.mean;
  }
  assert(by["0.3 30"] !== by["1 30"] && by["1 3"] !== by["1 30"]);
});
const mixed = moi({ beta: 0.25 });

Deno.test("predictEffect() refuses a prompt as long as the context, and shortens rows near its end", async () => {
  await using model = await loadModel("votes-tiny", { maxLength: 8 });
  const prompt = (length: number) => [1, 26, ...Array<number>(length - 2).fill(3)];
  for (const lengths of [[8], [4, 8]]) {
    await assertRejects(
      () => predictEffect(model, lengths.map(prompt), moi(), { tokens: 4 }),
      RangeError,
      `prompt ${lengths.length - 1} must have at most 7 tokens`,
    );
  }
  await assertRejects(() => predictEffect(model, [prompt(9)], moi()), RangeError, "1 to 8 tokens");
  for (const length of [7, 6]) {
    const { steps } = await predictEffect(model, [prompt(length)], moi(), { tokens: 4 });
    assertEquals(steps.length, 8 - length);
  }
});

Deno.test("predictEffect() tells the two controls apart", async () => {
  await using mixes = await loadModel("votes-tiny");
  await using certain = await loadModel("countdown-tiny");
  const limit = 10;
  const positive = await predictEffect(
    mixes,
    (await votes({ limit }).problems()).map((p) => votes().prompt(p)),
    moi({ beta: 0.25 }),
    { tokens: 24 },
  );
  const nothing = await predictEffect(
    certain,
    (await countdown({ limit }).problems()).map((p) => countdown().prompt(p)),
    moi({ beta: 0.25 }),
    { tokens: 24, temperature: 0.6, topP: 0.95 },
  );
  assert(positive.changed.mean > 0.01, positive.verdict);
  assert(nothing.changed.mean < 0.001, nothing.verdict);
  assert(positive.verdict.includes("acts here") && nothing.verdict.includes("nearly standard"));
});

Deno.test("predictEffect() of standard decoding is 0, whatever is asked beside it", async () => {
  await using model = await loadModel("votes-tiny");
  const prompts = Array.from(
    { length: 11 },
    (_, i) => [1, 26, ...Array.from({ length: i }, () => 3)],
  );
  const none = await predictEffect(model, prompts, standard(), { tokens: 4 });
  assertEquals([none.changed.max, none.offSampleMass.max, none.divergence.max], [0, 0, 0]);
  const all = await predictEffect(model, prompts, directMixture(), { tokens: 4 });
  const alone = await predictEffect(model, [prompts[9]!], directMixture(), { tokens: 4 });
  assertEquals(
    all.steps.filter(({ prompt }) => prompt === 9).map((step) => ({ ...step, prompt: 0 })),
    alone.steps,
  );
});

Deno.test("predictEffect() takes methods that record another token, or leave the hull", async () => {
  await using model = await loadModel("votes-tiny");
  const soft = await predictEffect(model, [[1, 26]], softThinking({ phase: "all" }), { tokens: 4 });
  assert(soft.divergence.max > 0);
  const signed = await predictEffect(model, [[1, 26]], selar({ threshold: 0.01 }), { tokens: 4 });
  assert(signed.positions > 0);
});

Deno.test("predictEffect() refuses what it cannot do", async () => {
  await using model = await loadModel("votes-tiny");
  const ask = (prompts: number[][], options: object) => () =>
    predictEffect(model, prompts, moi(), options);
  await assertRejects(ask([], {}), RangeError, "'prompts'");
  await assertRejects(ask([[1]], { tokens: 0 }), RangeError, "'tokens'");
  await assertRejects(ask([[1]], { trace: true }), TypeError, "'trace' is not an option");
  await assertRejects(ask([[1]], { temprature: 1 }), TypeError, "'temprature' is not an option");
});

Deno.test("predictEffect() that is stopped has the prompts that were finished, and says so", async () => {
  await using model = await loadModel("votes-tiny");
  const prompts = Array.from({ length: 20 }, () => [1]);
  const ask = (signal: AbortSignal) => predictEffect(model, prompts, moi(), { tokens: 4, signal });
  const none = await ask(AbortSignal.abort());
  assertEquals([none.partial, none.positions], [{ finished: 0, planned: 20 }, 0]);
  assertEquals([none.changed.mean, none.verdict], [NaN, "Stopped before the first position."]);
  const stop = new AbortController(), slow = moi(), asked = { steps: 0 };
  const method = {
    ...slow,
    step: (...args: Parameters<typeof slow.step>) => {
      if (++asked.steps > 40) stop.abort(); // in the second group of eight prompts
      return slow.step(...args);
    },
  };
  const some = await predictEffect(model, prompts, method, { tokens: 4, signal: stop.signal });
  assertEquals([some.partial, some.prompts], [{ finished: 8, planned: 20 }, 8]);
  assertStringIncludes(some.verdict, "of 8 prompts (partial: 20 were asked for).");
});
