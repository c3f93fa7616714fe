/** What every method must do, whatever the distribution. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  directMixture,
  distributionOf,
  linearMixture,
  type Method,
  moi,
  randomMixture,
  samplerOf,
  standard,
} from "@moi/moi/decode";
import { contextOf, mixtureOf, samples, spread } from "./_distributions.ts";

// deno-lint-ignore no-explicit-any -- the state of a method is its own affair
const METHODS: Record<string, Method<any>> = {
  "standard()": standard(),
  "moi()": moi(),
  "moi({ beta: 0 })": moi({ beta: 0 }),
  "moi({ beta: 0.25 })": moi({ beta: 0.25 }),
  "moi({ beta: 1e9 })": moi({ beta: 1e9 }),
  "moi({ beta: Infinity })": moi({ beta: Infinity }),
  "moi({ preset: 'mixinputs-0.1.1' })": moi({ preset: "mixinputs-0.1.1" }),
  "moi({ preset: 'mixinputs-0.1.1', beta: 0 })": moi({ preset: "mixinputs-0.1.1", beta: 0 }),
  "moi({ topK: 3, normalizer: 'support' })": moi({ topK: 3, normalizer: "support" }),
  "moi({ prior: 'model' })": moi({ prior: "model" }),
  "moi({ normalizer: 'support' })": moi({ normalizer: "support" }),
  "directMixture()": directMixture(),
  "directMixture({ prior: 'model', topK: 20 })": directMixture({ prior: "model", topK: 20 }),
  "directMixture({ topK: 2 })": directMixture({ topK: 2 }),
  "linearMixture()": linearMixture(),
  "linearMixture({ weight: 0 })": linearMixture({ weight: 0 }),
  "linearMixture({ weight: 1 })": linearMixture({ weight: 1 }),
  "linearMixture({ weight: 0.3, prior: 'model', topK: 4 })": linearMixture({
    weight: 0.3,
    prior: "model",
    topK: 4,
  }),
  "randomMixture()": randomMixture(),
  "randomMixture({ beta: 0 })": randomMixture({ beta: 0 }),
  "randomMixture({ tokens: 'permuted' })": randomMixture({ tokens: "permuted" }),
};

for (const [name, method] of Object.entries(METHODS)) {
  Deno.test(`${name} makes valid mixtures of 400 random distributions`, () => {
    for (const sample of samples(400, 3)) {
      const { ids, weights } = mixtureOf(method, sample);
      const { vocabularySize } = sample.distribution;
      assertEquals(ids.length, weights.length);
      assert(ids.length > 0);
      assertEquals(new Set(Array.from(ids)).size, ids.length);
      for (const id of Array.from(ids)) {
        assert(Number.isInteger(id) && id >= 0 && id < vocabularySize, `id ${id}`);
      }
      let sum = 0;
      for (const weight of Array.from(weights)) {
        assert(weight >= 0 && Number.isFinite(weight), `weight ${weight}`);
        sum += weight;
      }
      assertAlmostEquals(sum, 1, 1e-12);
    }
  });

  Deno.test(`${name} of a certain distribution feeds back the token alone`, () => {
    const certain = distributionOf(new Float32Array([-1, 3, 0]), samplerOf({ topK: 1 }));
    const peaked = distributionOf(new Float32Array([-2000, 3000, 0]), samplerOf());
    for (const distribution of [certain, peaked]) {
      const input = mixtureOf(method, { distribution, token: 1 });
      if (name.includes("prior: 'model'") || name.includes("mixinputs")) {
        if (distribution === certain) continue; // these mix what top-k cut off
      }
      assertEquals(spread(input, 3), [0, 1, 0]);
    }
  });

  Deno.test(`${name} leaves the distribution as it is`, () => {
    for (const { distribution, token } of samples(20, 4)) {
      const before = structuredClone(distribution);
      mixtureOf(method, { distribution, token });
      assertEquals(distribution, before);
    }
  });

  Deno.test(`${name} is a pure function of distribution, token and state`, () => {
    for (const { distribution, token } of samples(20, 5)) {
      const state = method.init(contextOf(distribution.vocabularySize));
      const first = method.step(distribution, token, state);
      method.step(distribution, token, first.state);
      assertEquals(method.step(distribution, token, state).input, first.input);
    }
  });
}
