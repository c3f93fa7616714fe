/** Methods on distributions of a large vocabulary: the same mixtures, whatever form they have. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  directMixture,
  type Distribution,
  distributionOf,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  type Sampler,
  samplerOf,
  standard,
} from "@moi/moi/decode";
import { openOf } from "../_open.ts";
import { seeded } from "../../_random.ts";
import { dense, floatsOf, mixtureOf } from "./_distributions.ts";

const V = 3000;

/** Rows with a sampler and a step each. */
const rowsOf = (samplers: readonly Sampler[], steps: readonly number[]) =>
  samplers.map((sampler, row) => ({ sampler, step: steps[row]! }));

// deno-lint-ignore no-explicit-any -- the state of a method is its own affair
const METHODS: Record<string, Method<any>> = {
  "standard()": standard(),
  "moi()": moi(),
  "moi({ beta: 0 })": moi({ beta: 0 }),
  "moi({ beta: Infinity })": moi({ beta: Infinity }),
  "moi({ preset: 'mixinputs-0.1.1' })": moi({ preset: "mixinputs-0.1.1" }),
  "moi({ preset: 'mixinputs-0.1.1', shrink: true })": moi({
    preset: "mixinputs-0.1.1",
    shrink: true,
  }),
  "moi({ normalizer: 'support' })": moi({ normalizer: "support" }),
  "moi({ topK: 20 })": moi({ topK: 20 }),
  "moi({ topK: 300, normalizer: 'support' })": moi({ topK: 300, normalizer: "support" }),
  "moi({ prior: 'model' })": moi({ prior: "model" }),
  "directMixture()": directMixture(),
  "directMixture({ topK: V })": directMixture({ topK: V }),
  "directMixture({ prior: 'model', topK: 20 })": directMixture({ prior: "model", topK: 20 }),
  "directMixture({ prior: 'model', topK: 65 })": directMixture({ prior: "model", topK: 65 }),
  "linearMixture()": linearMixture(),
  "linearMixture({ weight: 0 })": linearMixture({ weight: 0 }),
  "linearMixture({ weight: 1 })": linearMixture({ weight: 1 }),
  "linearMixture({ weight: 0.3, topK: 64 })": linearMixture({ weight: 0.3, topK: 64 }),
  "randomMixture()": randomMixture(),
  "randomMixture({ beta: 0 })": randomMixture({ beta: 0 }),
  "randomMixture({ tokens: 'permuted' })": randomMixture({ tokens: "permuted" }),
};

const SAMPLERS: readonly Sampler[] = [
  {},
  { temperature: 0.6 },
  { temperature: 3 },
  { temperature: 0 },
  { topK: 20 },
  { topK: 200 },
  { topP: 0.9 },
  { minP: 0.05 },
].map((settings) => samplerOf(settings));

/** A large distribution as the runtime makes it, the same from float64, and tokens that can come of it. */
interface Pair {
  readonly large: Distribution;
  readonly eager: Distribution;
  readonly tokens: readonly number[];
}

/** Calls back with every sampler's distribution of some rows, as long as they are valid. */
async function eachPair(visit: (pair: Pair) => void): Promise<void> {
  await using distributions = openOf(V, 1);
  const random = seeded(71);
  for (const scale of [0.02, 1, 4]) {
    const logits = Float32Array.from({ length: V }, () => scale * random.normal());
    const batch = new Float32Array(SAMPLERS.length * V);
    SAMPLERS.forEach((_, row) => batch.set(logits, row * V));
    const made = await distributions.of(batch, rowsOf(SAMPLERS, SAMPLERS.map((_, step) => step)));
    for (const [step, large] of made.entries()) {
      const eager = distributionOf(logits, SAMPLERS[step]!, step);
      const best = eager.probabilities.indexOf(Math.max(...eager.probabilities));
      visit({ large, eager, tokens: [eager.ids[best]!, random.pick(eager.ids)] });
    }
  }
}

for (const [name, method] of Object.entries(METHODS)) {
  Deno.test(`${name} mixes a large distribution as it mixes one from float64`, async () => {
    await eachPair(({ large, eager, tokens }) => {
      for (const token of tokens) {
        const mixture = mixtureOf(method, { distribution: large, token });
        const actual = dense(mixture, V);
        const expected = dense(mixtureOf(method, { distribution: eager, token }), V);
        const told = `${JSON.stringify(SAMPLERS[large.step])} token ${token}`;
        let worst = 0, sum = 0;
        actual.forEach((weight, id) => {
          worst = Math.max(worst, Math.abs(weight - expected[id]!));
          sum += weight;
        });
        assert(worst < 1e-5, `${told} differs by ${worst}`);
        if (!name.includes("shrink")) assertAlmostEquals(sum, 1, 1e-5, told);
        const { ids, weights } = mixture;
        assertEquals(ids.length, weights.length);
        assertEquals(new Set(Array.from(ids)).size, ids.length);
      }
    });
  });
}

Deno.test("methods that mix all of a large vocabulary list the token alone", async () => {
  const whole = [moi(), directMixture(), linearMixture(), randomMixture()] as Method[];
  await eachPair(({ large, tokens }) => {
    if (!floatsOf(large)) return;
    for (const method of whole) {
      const { ids, dense } = mixtureOf(method, { distribution: large, token: tokens[0]! });
      assertEquals(Array.from(ids), [tokens[0]!]);
      assertEquals(dense!.probabilities.length, V);
    }
  });
});

Deno.test("a prior of the 20 most probable of a large vocabulary lists no more", async () => {
  const methods = [
    moi({ preset: "mixinputs-0.1.1" }),
    directMixture({ topK: 20 }),
    directMixture({ prior: "model", topK: 20 }),
  ];
  await eachPair(({ large, tokens }) => {
    for (const method of methods) {
      const { ids, dense } = mixtureOf(method, { distribution: large, token: tokens[0]! });
      assert(ids.length <= 20);
      assertEquals(dense, undefined);
    }
  });
});

Deno.test("a prior of the 20 most probable of a large vocabulary does not read all logits", async () => {
  const methods = [
    moi({ preset: "mixinputs-0.1.1" }),
    directMixture({ prior: "model", topK: 20 }),
  ];
  await eachPair(({ large, tokens }) => {
    const sample = { distribution: large, token: tokens[0]! }, logits = large.logits.slice();
    for (const method of methods) {
      const expected = mixtureOf(method, sample);
      large.logits.fill(NaN);
      assertEquals(mixtureOf(method, sample), expected);
      large.logits.set(logits);
    }
  });
});

Deno.test("randomMixture() of permuted tokens has every token of a large vocabulary once", async () => {
  await eachPair(({ large, tokens }) => {
    const method = randomMixture({ beta: 0, tokens: "permuted" });
    const { ids, weights } = mixtureOf(method, { distribution: large, token: tokens[0]! });
    assertEquals(new Set(Array.from(ids)).size, ids.length);
    assert(ids.length - large.ids.length <= 1, "a token outside the support joins it");
    assert(Array.from(weights).every((weight) => weight >= 0));
  });
});
