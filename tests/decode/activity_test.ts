/** Activity, against independent forward passes over the same texts. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  activity,
  directMixture,
  generate,
  jsDivergence,
  type Mixture,
  moi,
  selar,
  softmax,
  softThinking,
  standard,
} from "@moi/moi/decode";
import { forward, loadModel } from "@moi/moi/model";
import { countdown, votes } from "@moi/moi/tasks";

Deno.test("activity() compares what follows mixtures with what follows tokens", async () => {
  await using model = await loadModel("votes-tiny");
  const prompts = [[1, 26], [1, 26, 3, 4, 5]], beta = 0.25, tokens = 5, seed = 2;
  const found = await activity(model, prompts, moi({ beta }), { tokens, seed });
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

Deno.test("activity() tells the two controls apart", async () => {
  await using mixes = await loadModel("votes-tiny");
  await using certain = await loadModel("countdown-tiny");
  const limit = 10;
  const positive = await activity(
    mixes,
    (await votes({ limit }).problems()).map((p) => votes().prompt(p)),
    moi({ beta: 0.25 }),
    { tokens: 24 },
  );
  const nothing = await activity(
    certain,
    (await countdown({ limit }).problems()).map((p) => countdown().prompt(p)),
    moi({ beta: 0.25 }),
    { tokens: 24, temperature: 0.6, topP: 0.95 },
  );
  assert(positive.changed.mean > 0.01, positive.verdict);
  assert(nothing.changed.mean < 0.001, nothing.verdict);
  assert(positive.verdict.includes("acts here") && nothing.verdict.includes("nearly standard"));
});

Deno.test("activity() of standard decoding is 0, whatever is asked beside it", async () => {
  await using model = await loadModel("votes-tiny");
  const prompts = Array.from(
    { length: 11 },
    (_, i) => [1, 26, ...Array.from({ length: i }, () => 3)],
  );
  const none = await activity(model, prompts, standard(), { tokens: 4 });
  assertEquals([none.changed.max, none.offSampleMass.max, none.divergence.max], [0, 0, 0]);
  const all = await activity(model, prompts, directMixture(), { tokens: 4 });
  const alone = await activity(model, [prompts[9]!], directMixture(), { tokens: 4 });
  assertEquals(
    all.steps.filter(({ prompt }) => prompt === 9).map((step) => ({ ...step, prompt: 0 })),
    alone.steps,
  );
});

Deno.test("activity() takes methods that record another token, or leave the hull", async () => {
  await using model = await loadModel("votes-tiny");
  const soft = await activity(model, [[1, 26]], softThinking({ phase: "all" }), { tokens: 4 });
  assert(soft.divergence.max > 0);
  const signed = await activity(model, [[1, 26]], selar({ threshold: 0.01 }), { tokens: 4 });
  assert(signed.positions > 0);
});

Deno.test("activity() refuses what it cannot do", async () => {
  await using model = await loadModel("votes-tiny");
  const ask = (prompts: number[][], options: object) => () =>
    activity(model, prompts, moi(), options);
  await assertRejects(ask([], {}), RangeError, "'prompts'");
  await assertRejects(ask([[1]], { tokens: 0 }), RangeError, "'tokens'");
  await assertRejects(ask([[1]], { trace: true }), TypeError, "'trace' is not an option");
  await assertRejects(ask([[1]], { temprature: 1 }), TypeError, "'temprature' is not an option");
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(ask([[1]], { signal }), Error, "enough");
});
