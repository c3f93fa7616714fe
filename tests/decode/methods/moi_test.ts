import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { distributionOf, moi, type MoiOptions, samplerOf, standard } from "@moi/moi/decode";
import { seeded } from "../../_random.ts";
import { dense, denseOf, mixtureOf, type Sample, samples } from "./_distributions.ts";

const BETAS = [0, 0.25, 0.5, 1, 2, 4, 8, 100];

/** softmax(logits / T) in plain arithmetic. */
function softmax(logits: ArrayLike<number>, temperature = 1): number[] {
  const all = Array.from(logits), top = Math.max(...all);
  const weights = all.map((logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** −Σ p ln p / ln N. */
function normalizedEntropy(p: readonly number[], n: number): number {
  return n < 2 ? 0 : -p.reduce((sum, q) => q > 0 ? sum + q * Math.log(q) : sum, 0) / Math.log(n);
}

/** Eq. 5 of arXiv 2505.14827: (H·p + (β + 1 − H)·onehot(y)) / (β + 1). */
function equation5(p: readonly number[], H: number, token: number, beta: number): number[] {
  return p.map((q, id) => (H * q + (id === token ? beta + 1 - H : 0)) / (beta + 1));
}

function assertWeights(actual: readonly number[], expected: readonly number[]): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((w, id) => assertAlmostEquals(actual[id]!, w, 1e-12));
}

/** The 20 most probable tokens of softmax(logits), the lower id first among equals. */
function top20(logits: ArrayLike<number>): { kept: Set<number>; p: number[] } {
  const all = softmax(logits);
  const order = [...all.keys()].sort((a, b) => all[b]! - all[a]! || a - b).slice(0, 20);
  const mass = order.reduce((sum, id) => sum + all[id]!, 0);
  const kept = new Set(order);
  return { kept, p: all.map((q, id) => kept.has(id) ? q / mass : 0) };
}

/** mixinputs 0.1.1: H·Σ((p + β·1_y)/(1 + β))·e + (1 − H)·e_y, the mask of y zero outside the 20. */
function released(logits: ArrayLike<number>, token: number, beta: number, shrink: boolean) {
  const { kept, p } = top20(logits);
  const H = normalizedEntropy(p, Math.min(20, p.length));
  const seen = kept.has(token) || !shrink;
  return p.map((q, id) => {
    const y = id === token ? 1 : 0;
    return H * (q + (seen ? beta * y : 0)) / (1 + beta) + (1 - H) * y;
  });
}

Deno.test("moi() equals Eq. 5 recomputed from the logits, nothing truncated", () => {
  for (const { distribution, token } of samples(200, 11)) {
    const { logits, vocabularySize } = distribution;
    const temperature = 0.7;
    const own = distributionOf(logits, samplerOf({ temperature }));
    const p = softmax(logits, temperature);
    const H = normalizedEntropy(p, vocabularySize);
    for (const beta of BETAS) {
      const actual = dense(mixtureOf(moi({ beta }), { distribution: own, token }), vocabularySize);
      assertWeights(actual, equation5(p, H, token, beta));
    }
  }
});

Deno.test("moi() mixes the distribution sampled from, after truncation, over ln V", () => {
  let truncated = 0;
  for (const sample of samples(300, 12)) {
    const { distribution, token } = sample;
    const p = denseOf(distribution);
    const H = normalizedEntropy(p, distribution.vocabularySize);
    const actual = dense(mixtureOf(moi({ beta: 0.5 }), sample), distribution.vocabularySize);
    assertWeights(actual, equation5(p, H, token, 0.5));
    if (distribution.ids.length < distribution.vocabularySize) truncated++;
  }
  assert(truncated > 50);
});

/** Flat logits over 2 to 60 tokens, of which any may be the one sampled. */
function wideSamples(count: number, seed: number): Sample[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const size = 2 + random.below(59);
    const logits = Float32Array.from({ length: size }, () => 1.5 * random.normal());
    return {
      distribution: distributionOf(logits, samplerOf({ temperature: 3, topP: 0.99 })),
      token: random.below(size),
    };
  });
}

for (const shrink of [false, true]) {
  const what = shrink ? "with shrink loses weight as the release did" : "equals the released rule";
  Deno.test(`moi() with the preset mixinputs-0.1.1 ${what}`, () => {
    let outside = 0, small = 0;
    for (const sample of [...wideSamples(200, 13), ...samples(100, 14)]) {
      const { logits, vocabularySize } = sample.distribution;
      const { kept, p } = top20(logits);
      const inside = kept.has(sample.token);
      const H = normalizedEntropy(p, Math.min(20, vocabularySize));
      for (const beta of [0, 0.25, 1, 8]) {
        const method = moi({ beta, preset: "mixinputs-0.1.1", shrink });
        const actual = dense(mixtureOf(method, sample), vocabularySize);
        assertWeights(actual, released(logits, sample.token, beta, shrink));
        const sum = actual.reduce((a, b) => a + b, 0);
        assertAlmostEquals(sum, inside || !shrink ? 1 : H / (1 + beta) + 1 - H, 1e-12);
      }
      if (!inside) outside++;
      if (vocabularySize < 20) small++;
    }
    assert(outside > 50 && small > 50, `${outside} outside, ${small} small`);
  });
}

Deno.test("moi() with shrink keeps all weight where the token is in the support", () => {
  for (const sample of samples(100, 15)) {
    assertEquals(mixtureOf(moi({ shrink: true }), sample), mixtureOf(moi(), sample));
  }
});

Deno.test("moi() with the preset mixinputs-0.1.1 takes no notice of the sampler", () => {
  const logits = Float32Array.from({ length: 40 }, (_, id) => Math.sin(3 * id) * 2);
  const method = moi({ preset: "mixinputs-0.1.1" });
  const mixtures = [samplerOf(), samplerOf({ temperature: 0.3 }), samplerOf({ topK: 2 })]
    .map((sampler) =>
      mixtureOf(method, { distribution: distributionOf(logits, sampler), token: 7 })
    );
  assertEquals(mixtures[1], mixtures[0]);
  assertEquals(mixtures[2], mixtures[0]);
});

Deno.test("moi() with a token outside the 20 adds it to the support", () => {
  const logits = Float32Array.from({ length: 40 }, (_, id) => -id / 10);
  const distribution = distributionOf(logits, samplerOf());
  const { ids, weights } = mixtureOf(moi({ preset: "mixinputs-0.1.1", beta: 1 }), {
    distribution,
    token: 33,
  });
  assertEquals(Array.from(ids), [...Array(20).keys(), 33]);
  const H = normalizedEntropy(top20(logits).p, 20);
  assertAlmostEquals(weights[20]!, (2 - H) / 2, 1e-12);
});

Deno.test("moi() at β = ∞ feeds back the token alone, as standard() does", () => {
  for (const sample of samples(100, 16)) {
    for (const preset of ["paper", "mixinputs-0.1.1"] as const) {
      const method = moi({ beta: Infinity, preset });
      assertEquals(mixtureOf(method, sample), mixtureOf(standard(), sample));
    }
  }
});

Deno.test("moi() at β = 0 over a flat distribution is the distribution", () => {
  const distribution = distributionOf(new Float32Array(5), samplerOf());
  const weights = dense(mixtureOf(moi({ beta: 0 }), { distribution, token: 3 }), 5);
  weights.forEach((w) => assertAlmostEquals(w, 1 / 5, 1e-15));
});

Deno.test("moi() mixes less the larger β is", () => {
  for (const { distribution, token } of samples(60, 17)) {
    const own = BETAS.map((beta) =>
      dense(mixtureOf(moi({ beta }), { distribution, token }), distribution.vocabularySize)[token]!
    );
    own.slice(1).forEach((weight, i) => assert(weight >= own[i]!));
  }
});

const FOUR = new Float32Array([1, 0, 0, -1]);

/** Weights over four tokens, the last one sampled. */
function four(options: MoiOptions, sampler = samplerOf()): number[] {
  return dense(
    mixtureOf(moi(options), { distribution: distributionOf(FOUR, sampler), token: 3 }),
    4,
  );
}

Deno.test("moi() with prior 'model' mixes the softmax at temperature 1", () => {
  const p = softmax(FOUR), H = normalizedEntropy(p, 4);
  const weights = four({ prior: "model" }, samplerOf({ temperature: 5, topP: 0.9 }));
  assertWeights(weights, equation5(p, H, 3, 1));
});

Deno.test("moi() with topK mixes the most probable tokens, renormalised, over ln V", () => {
  const [a, b] = softmax(FOUR), mass = a! + b!, p = [a! / mass, b! / mass, 0, 0];
  assertWeights(four({ topK: 2 }), equation5(p, normalizedEntropy(p, 4), 3, 1));
});

Deno.test("moi() with normalizer 'support' divides the entropy by ln topK", () => {
  const [a, b] = softmax(FOUR), mass = a! + b!, p = [a! / mass, b! / mass, 0, 0];
  const weights = four({ topK: 2, normalizer: "support" });
  assertWeights(weights, equation5(p, normalizedEntropy(p, 2), 3, 1));
});

Deno.test("moi() with normalizer 'support' and no topK divides by ln of the tokens kept", () => {
  const sampler = samplerOf({ topK: 3 });
  const distribution = distributionOf(FOUR, sampler);
  const p = denseOf(distribution);
  const weights = dense(
    mixtureOf(moi({ normalizer: "support" }), { distribution, token: 1 }),
    4,
  );
  assertWeights(weights, equation5(p, normalizedEntropy(p, 3), 1, 1));
});

Deno.test("moi() with topK of V or more mixes all", () => {
  assertEquals(four({ topK: 4 }), four({}));
  assertEquals(four({ topK: 1000 }), four({}));
});

Deno.test("moi() replaces parts of a preset one by one", () => {
  const preset = "mixinputs-0.1.1";
  assertWeights(four({ preset, normalizer: "vocabulary" }), four({ prior: "model" }));
  assertEquals(four({ preset, topK: 2 }), four({ prior: "model", topK: 2, normalizer: "support" }));
});

Deno.test("moi() takes an option that is undefined as left out", () => {
  for (const preset of ["paper", "mixinputs-0.1.1"] as const) {
    const absent = { preset, prior: undefined, topK: undefined, normalizer: undefined };
    const hot = samplerOf({ temperature: 3, topK: 3 });
    assertEquals(four(absent as unknown as MoiOptions, hot), four({ preset }, hot));
  }
});

Deno.test("moi() records its knobs", () => {
  assertEquals(moi().name, "moi");
  assertEquals({ ...moi().parameters }, { beta: 1, preset: "paper" });
  const { parameters } = moi({ beta: Infinity, preset: "mixinputs-0.1.1", shrink: true });
  assertEquals({ ...parameters }, { beta: "Infinity", preset: "mixinputs-0.1.1", shrink: true });
});

Deno.test("moi() records its knobs in one order, however they were given", () => {
  const a = moi({ beta: 2, shrink: true, topK: 5, preset: "mixinputs-0.1.1" });
  const b = moi({ preset: "mixinputs-0.1.1", topK: 5, shrink: true, beta: 2 });
  assertEquals(JSON.stringify(a.parameters), JSON.stringify(b.parameters));
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ beta: -1 }, RangeError, "'beta' must be a number at least 0: current value is -1"],
  [{ beta: NaN }, RangeError, "'beta' must be a number at least 0: current value is NaN"],
  [{ beta: -Infinity }, RangeError, "'beta' must be a number at least 0: current value is -Inf"],
  [{ beta: "1" }, TypeError, `'beta' must be a number at least 0: current value is "1"`],
  [{ beta: null }, TypeError, "'beta' must be a number at least 0: current value is null"],
  [
    { preset: "papper" },
    RangeError,
    `'preset' must be 'paper' or 'mixinputs-0.1.1': current value is "papper"`,
  ],
  [{ preset: "toString" }, RangeError, "'preset' must be 'paper' or 'mixinputs-0.1.1'"],
  [
    { prior: "modle" },
    RangeError,
    `'prior' must be 'sampler' or 'model': current value is "modle"`,
  ],
  [{ topK: -1 }, RangeError, "'topK' must be an integer at least 0: current value is -1"],
  [{ topK: 2.5 }, RangeError, "'topK' must be an integer at least 0: current value is 2.5"],
  [{ topK: "20" }, TypeError, `'topK' must be an integer at least 0: current value is "20"`],
  [
    { normalizer: "vocab" },
    RangeError,
    `'normalizer' must be 'vocabulary' or 'support': current value is "vocab"`,
  ],
  [{ shrink: "no" }, TypeError, `'shrink' must be true or false: current value is "no"`],
  [
    { bta: 1 },
    TypeError,
    "'bta' is not an option: known options are beta, preset, prior, topK, normalizer, shrink",
  ],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`moi() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => moi(options), type, `Cannot mix as ${sentence}`);
  });
}
