/** Probes of a mixture, against independent forward passes. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generate, jsDivergence, jsProbe, moi, probeStep, standard } from "@moi/moi/decode";
import { forward, loadModel } from "@moi/moi/model";
import { seeded } from "../_random.ts";

const { next: NEXT } = seeded(7);
const logits = (n: number) => Float32Array.from({ length: n }, () => 8 * NEXT() - 4);

/** ½ KL(P ‖ M) + ½ KL(Q ‖ M), term by term. */
function reference(a: Float32Array, b: Float32Array): number {
  const softmax = (x: Float32Array) => {
    const e = Array.from(x, (v) => Math.exp(v)), sum = e.reduce((s, v) => s + v, 0);
    return e.map((v) => v / sum);
  };
  const p = softmax(a), q = softmax(b), m = p.map((v, i) => (v + q[i]!) / 2);
  const kl = (x: number[]) => x.reduce((s, v, i) => s + (v > 0 ? v * Math.log(v / m[i]!) : 0), 0);
  return (kl(p) + kl(q)) / 2;
}

Deno.test("jsDivergence() is that of the definition: symmetric, 0 to ln 2", () => {
  for (let round = 0; round < 50; round++) {
    const a = logits(2 + round), b = logits(2 + round);
    assertAlmostEquals(jsDivergence(a, b), reference(a, b), 1e-12);
    assertAlmostEquals(jsDivergence(a, b), jsDivergence(b, a), 1e-15);
    assertAlmostEquals(jsDivergence(a, a.map((v) => v + 3)), 0, 1e-6);
  }
  assertEquals(jsDivergence([0, -Infinity], [-Infinity, 0]), Math.LN2);
  assertThrows(() => jsDivergence([1], [1, 2]), RangeError, "both must have 1 logits");
  assertThrows(() => jsDivergence([NaN, 1], [1, 2]), RangeError, "must be finite");
});

Deno.test("jsProbe() feeds the mixture and its heaviest tokens after the same inputs", async () => {
  await using model = await loadModel("votes-tiny");
  const before = [1, 26, { ids: [3, 5], weights: [0.5, 0.5] }];
  const mixture = { ids: [4, 9, 3], weights: [0.2, 0.5, 0.3] };
  const { tokens, follows, weight } = await jsProbe(model, before, mixture, { top: 3 });
  assertEquals(tokens.map((one) => one.token), [9, 3, 4]);
  assertEquals(tokens.map((one) => one.weight), [0.5, 0.3, 0.2]);
  assertAlmostEquals(weight, 1);
  const after = async (last: typeof mixture | number) =>
    (await forward(model, [...before, last]))[3]!;
  const mixed = await after(mixture);
  for (const { token, divergence } of tokens) {
    assertAlmostEquals(divergence, reference(mixed, await after(token)), 1e-5);
  }
  assertEquals(follows.divergence, Math.min(...tokens.map((one) => one.divergence)));
});

Deno.test("jsProbe() works on the first position, and refuses what cannot be fed", async () => {
  await using model = await loadModel("votes-tiny");
  const { tokens } = await jsProbe(model, [], { ids: [1], weights: [1] });
  assertEquals(tokens.map(({ token, divergence }) => [token, divergence]), [[1, 0]]);
  await assertRejects(() => jsProbe(model, [], { ids: [], weights: [] }), RangeError, "has none");
  await assertRejects(
    () => jsProbe(model, [1], { ids: [1], weights: [1] }, { top: 0 }),
    RangeError,
    "'top'",
  );
});

Deno.test("probeStep() probes what a traced generation fed", async () => {
  await using model = await loadModel("votes-tiny");
  const options = { method: moi({ beta: 0 }), maxNewTokens: 4, trace: true, ignoreEos: true };
  const generation = await generate(model, [1, 26], options);
  const { trace } = generation;
  const inputs = [1, 26, ...trace!.slice(0, 2).map(({ mixture }) => mixture)];
  assertEquals(
    await probeStep(model, [1, 26], generation, 2),
    await jsProbe(model, inputs, trace![2]!.mixture),
  );
  await assertRejects(() => probeStep(model, [1], generation, 0), RangeError, "'prompt' must be");
  await assertRejects(() => probeStep(model, [1, 26], generation, 4), RangeError, "'index'");
  const untraced = await generate(model, [1, 26], { maxNewTokens: 1 });
  await assertRejects(() => probeStep(model, [1, 26], untraced, 0), TypeError, "trace: true");
});

Deno.test("a trace tells the length of the mixture's embedding", async () => {
  await using model = await loadModel("votes-tiny");
  const options = { maxNewTokens: 6, trace: true, ignoreEos: true };
  const { trace } = await generate(model, [1, 26], { ...options, method: moi({ beta: 0 }) });
  assert(trace!.some(({ norm }) => Math.abs(norm! - 1) > 0.01), "nothing is mixed");
  const length = (row: ArrayLike<number>) => Math.hypot(...Array.from(row));
  for (const { token, mixture, norm } of trace!) {
    const rows = model.embeddings!(mixture.ids), own = model.embeddings!([token])[0]!;
    const sum = Array.from(
      own,
      (_, d) => rows.reduce((total, row, k) => total + mixture.weights[k]! * row[d]!, 0),
    );
    assertAlmostEquals(norm!, length(sum) / length(own), 1e-6);
  }
  const alone = await generate(model, [1, 26], { ...options, method: standard() });
  assert(alone.trace!.every(({ norm }) => norm === 1));
});
