/** What becomes of a mixture layer by layer, against sums by hand and against the model's own passes. */

import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { jsDivergence, softmax, superposition } from "@moi/moi/decode";
import { forward, type Input, loadModel } from "@moi/moi/model";
import { sharesOf, streamSharesOf } from "../../lib/decode/shares.ts";
import { mockModel } from "../_mock_model.ts";
import { QWEN3 } from "../golden/golden.ts";
import { seeded } from "../_random.ts";

const { next: NEXT } = seeded(11);
const distribution = (n: number) => softmax(Array.from({ length: n }, () => 4 * NEXT()));
const blend = (parts: readonly number[][], weights: readonly number[]) =>
  parts[0]!.map((_, x) => parts.reduce((sum, p, i) => sum + weights[i]! * p[x]!, 0));

const even = (k: number) => Array<number>(k).fill(1 / k);

/** Σ q ln(Σ a_i p_i): what shares make largest. */
const likelihood = (q: readonly number[], parts: readonly number[][], shares: readonly number[]) =>
  blend(parts, shares).reduce((sum, p, x) => sum + q[x]! * Math.log(p), 0);

Deno.test("shares of a mixture of distributions are its weights", () => {
  for (const k of [2, 3, 4, 8]) {
    const parts = Array.from({ length: k }, () => distribution(200)), weights = distribution(k);
    const shares = sharesOf(blend(parts, weights), parts, even(k));
    shares.forEach((share, i) => assertAlmostEquals(share, weights[i]!, 0.002));
  }
  const [a, b, c] = [distribution(50), distribution(50), distribution(50)];
  for (const [i, share] of sharesOf(b, [a, b, c], even(3)).entries()) {
    assertAlmostEquals(share, i === 1 ? 1 : 0, 0.002);
  }
});

Deno.test("shares of what is no mixture are the best that there are, within the gap", () => {
  for (let round = 0; round < 20; round++) {
    const parts = [distribution(40), distribution(40)], q = distribution(40);
    const shares = sharesOf(q, parts, [0.9, 0.1]), found = likelihood(q, parts, shares);
    assertAlmostEquals(shares[0]! + shares[1]!, 1, 1e-12);
    for (let a = 0; a <= 1; a += 0.01) {
      assertLess(likelihood(q, parts, [a, 1 - a]) - found, 1e-6);
    }
  }
});

Deno.test("shares of distributions without a token in common, and of the same ones", () => {
  assertEquals(sharesOf([1, 0], [[1, 0], [0, 1]], even(2)), [1, 0]);
  assertEquals(sharesOf([0, 1], [[1, 0], [0, 1]], even(2)), [0, 1]);
  assertEquals(sharesOf([0.5, 0.5], [[1, 0], [1, 0]], [0.7, 0.3]), [0.7, 0.3]);
  assertEquals(sharesOf([0, 0, 1], [[1, 0, 0], [0, 1, 0]], [0.7, 0.3]), [0.7, 0.3]); // unexplained
});

Deno.test("shares of streams are least squares, of sum 1", () => {
  const random = () => Float32Array.from({ length: 32 }, () => NEXT() - 0.5);
  const parts = [random(), random(), random(), random()], weights = [0.4, 0.3, 0.2, 0.1];
  const sum = (by: readonly number[]) =>
    parts[0]!.map((_, d) => parts.reduce((s, part, i) => s + by[i]! * part[d]!, 0));
  for (const own of [weights, [1.5, -0.25, -0.25, 0], [0, 0, 0, 1]]) {
    const { shares, unexplained } = streamSharesOf(sum(own), parts, weights);
    assertAlmostEquals(unexplained, 0, 1e-10);
    shares.forEach((share, i) => assertAlmostEquals(share, own[i]!, 1e-5));
  }
  const other = random();
  const away = (by: readonly number[]) => sum(by).reduce((s, x, d) => s + (x - other[d]!) ** 2, 0);
  const { shares: best, unexplained } = streamSharesOf(other, parts, weights);
  assertAlmostEquals(unexplained, away(best) / away([1, 0, 0, 0]), 1e-5);
  for (let i = 1; i < 4; i++) {
    for (const by of [-0.01, 0.01]) {
      const near = best.map((b, j) => j === i ? b + by : j === 0 ? b - by : b);
      assertLess(away(best), away(near));
    }
  }
  const same = streamSharesOf(parts[0]!, [parts[0]!, parts[0]!], [0.7, 0.3]);
  assertEquals(same, { shares: [0.7, 0.3], unexplained: 0 }); // nothing tells them apart
});

Deno.test("superposition() compares the mixture with each ingredient alone", async () => {
  await using model = await loadModel(QWEN3);
  const { layers: L } = model.config,
    before: Input[] = [7, 30, { ids: [3, 5], weights: [0.5, 0.5] }];
  const mixture = { ids: [40, 90, 12], weights: [0.2, 0.5, 0.3] };
  const { ingredients, weight, layers } = await superposition(model, before, mixture, { top: 2 });
  assertEquals(ingredients.map(({ token }) => token), [90, 12]);
  [0.625, 0.375].forEach((own, i) => assertAlmostEquals(ingredients[i]!.weight, own, 1e-12));
  assertAlmostEquals(weight, 0.8);
  assertEquals(layers.map(({ layer }) => layer), Array.from({ length: L + 1 }, (_, i) => i));
  const after = async (last: Input) => (await forward(model, [...before, last]))[3]!;
  const [q, p, r] = [await after(mixture), await after(90), await after(12)];
  const last = layers.at(-1)!, ensemble = blend([softmax(p), softmax(r)], [0.625, 0.375]);
  assertAlmostEquals(last.toMixture, jsDivergence(q, ensemble.map(Math.log)), 1e-5);
  assertAlmostEquals(last.toIngredients[0]!, jsDivergence(q, p), 1e-5);
  assertAlmostEquals(last.toIngredients[1]!, jsDivergence(q, r), 1e-5);
  for (const { shares, survival, unexplained, apart, toMixture, streamShares } of layers) {
    assertAlmostEquals(shares[0]! + shares[1]!, 1, 1e-9);
    assertAlmostEquals(streamShares[0]! + streamShares[1]!, 1, 1e-9);
    assertAlmostEquals(survival[1]!, shares[1]! / 0.375);
    assertLess(unexplained, toMixture + 1e-4);
    assert(apart >= 0 && apart <= 0.6616); // the entropy of the weights
  }
});

Deno.test("superposition() of all of a mixture: the stream begins as its weights", async () => {
  await using model = await loadModel("votes-tiny");
  const mixture = { ids: [3, 4, 5], weights: [0.5, 0.3, 0.2] };
  const { layers: [first, second, ...none] } = await superposition(model, [1, 26], mixture, {
    layers: [0, 1],
  });
  assertEquals(none, []);
  first!.streamShares.forEach((b, i) => assertAlmostEquals(b, mixture.weights[i]!, 1e-5));
  assertEquals(second!.layer, 1);
  const alone = await superposition(model, [], { ids: [3, 4], weights: [1, 1e-9] });
  for (const { toIngredients, shares } of alone.layers) {
    assertAlmostEquals(toIngredients[0]!, 0, 1e-6);
    assertAlmostEquals(shares[0]!, 1, 0.002);
  }
});

Deno.test("superposition() of a dense mixture takes its heaviest tokens", async () => {
  await using model = await loadModel("votes-tiny");
  const { vocabularySize } = model.config;
  const probabilities = new Float32Array(vocabularySize).fill(0.25 / vocabularySize);
  probabilities[6]! += 0.75;
  const mixture = { ids: [9], weights: [0.5], dense: { probabilities, weight: 0.5 } };
  const { ingredients, weight } = await superposition(model, [1], mixture, { top: 2, layers: [] });
  assertEquals(ingredients.map(({ token }) => token), [9, 6]);
  assertAlmostEquals(weight, 0.5 + 0.375 + 0.25 / vocabularySize, 1e-6);
});

Deno.test("superposition() refuses what has no ingredients, or no layers", async () => {
  await using model = await loadModel("votes-tiny");
  const two = { ids: [3, 4], weights: [0.5, 0.5] };
  const one = { ids: [3, 4], weights: [1, 0] };
  await assertRejects(() => superposition(model, [1], one), RangeError, "two tokens at least");
  const heavy = { ids: [3, 4], weights: [1, 1] };
  await assertRejects(() => superposition(model, [1], heavy), RangeError, "sum to 1");
  const token = 3 as unknown as typeof one;
  await assertRejects(() => superposition(model, [1], token), TypeError, "a mixture of tokens");
  const signed = { ids: [3, 4], weights: [1.5, -0.5], signed: true } as const;
  await assertRejects(() => superposition(model, [1], signed), RangeError, "'mixture.signed'");
  for (const [options, words] of [[{ top: 1 }, "'top'"], [{ layers: [99] }, "'layers'"]] as const) {
    await assertRejects(() => superposition(model, [1], two, options), RangeError, words);
  }
  const long = Array(model.maxLength).fill(1);
  await assertRejects(() => superposition(model, long, two), RangeError, "'inputs.length'");
  await assertRejects(
    () => superposition(mockModel(), [1], two),
    TypeError,
    "Cannot look for a superposition as mock does not tell its layers",
  );
});
