import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type Distribution,
  distributionOf,
  entropyOf,
  type Sampler,
  samplerOf,
  softmax,
  STREAM,
  uniform,
} from "@moi/moi/decode";
import { listed } from "../../lib/decode/distribution.ts";
import { seeded } from "../_random.ts";

/** At this temperature a logit of n has the weight 2ⁿ. */
const HALVING = 1 / Math.LN2;

/** The distribution of logits, each of which is a power of two. */
function distribution(logits: readonly number[], settings: Partial<Sampler> = {}): Distribution {
  return distributionOf(
    Float32Array.from(logits),
    samplerOf({ temperature: HALVING, ...settings }),
  );
}

function assertDistribution(
  { ids, probabilities }: Distribution,
  expected: Readonly<Record<number, number>>,
): void {
  assertEquals(Array.from(ids, String), Object.keys(expected));
  Object.values(expected).forEach((p, i) => assertAlmostEquals(probabilities[i]!, p, 1e-15));
}

/** A distribution to draw from. */
function over(probabilities: readonly number[]): Distribution {
  const size = probabilities.length, row = { step: 0, size, logits: new Float32Array(size) };
  return listed(row, 1, { ids: [...probabilities.keys()], probabilities });
}

Deno.test("distributionOf() at temperature 1 is the softmax", () => {
  const { ids, probabilities } = distributionOf(new Float32Array([0, 1, 3]), samplerOf());
  const sum = 1 + Math.E + Math.E ** 3;
  assertEquals([...ids], [0, 1, 2]);
  [1, Math.E, Math.E ** 3].forEach((w, i) => assertAlmostEquals(probabilities[i]!, w / sum, 1e-15));
});

Deno.test("distributionOf() divides the logits by the temperature", () => {
  assertDistribution(distribution([0, 1, 2, 3]), { 0: 1 / 15, 1: 2 / 15, 2: 4 / 15, 3: 8 / 15 });
  const hot = distribution([0, 2, 4, 6], { temperature: 2 * HALVING });
  assertDistribution(hot, { 0: 1 / 15, 1: 2 / 15, 2: 4 / 15, 3: 8 / 15 });
});

Deno.test("distributionOf() with top-k keeps the k most probable", () => {
  assertDistribution(distribution([3, 0, 2, 1], { topK: 2 }), { 0: 2 / 3, 2: 1 / 3 });
});

Deno.test("distributionOf() with top-k of 0, V or more keeps all", () => {
  for (const topK of [0, 4, 5, 1000]) {
    assertEquals([...distribution([3, 0, 2, 1], { topK }).ids], [0, 1, 2, 3]);
  }
});

Deno.test("distributionOf() with top-p keeps the token that crosses the mass", () => {
  // 8/15 = 0.53, 12/15 = 0.8, 14/15 = 0.93
  assertDistribution(distribution([0, 1, 2, 3], { topP: 0.5 }), { 3: 1 });
  assertDistribution(distribution([0, 1, 2, 3], { topP: 0.6 }), { 2: 1 / 3, 3: 2 / 3 });
  assertDistribution(distribution([0, 1, 2, 3], { topP: 0.81 }), { 1: 1 / 7, 2: 2 / 7, 3: 4 / 7 });
  assertEquals(distribution([0, 1, 2, 3], { topP: 0.99 }).ids.length, 4);
});

Deno.test("distributionOf() with top-p stops at a mass that is reached exactly", () => {
  assertDistribution(distribution([5, 5, 5, 5], { topP: 0.5 }), { 0: 1 / 2, 1: 1 / 2 });
  assertEquals(distribution([5, 5, 5, 5], { topP: 0.51 }).ids.length, 3);
});

Deno.test("distributionOf() with the least top-p keeps one token of equal ones", () => {
  for (const size of [1, 2, 3, 7, 49, 1000]) {
    assertEquals([...distribution(Array(size).fill(-2.7), { topP: 1e-300 }).ids], [0]);
  }
});

Deno.test("distributionOf() with min-p keeps a share of the largest probability", () => {
  assertDistribution(distribution([0, 1, 2, 3], { minP: 0.3 }), { 2: 1 / 3, 3: 2 / 3 });
  assertDistribution(distribution([0, 3, 2, 3], { minP: 1 }), { 1: 1 / 2, 3: 1 / 2 });
});

Deno.test("distributionOf() heats before it truncates", () => {
  // at four times the temperature the first of the four has 0.32, the first two 0.58
  const hot = distribution([0, 1, 2, 3], { temperature: 4 * HALVING, topP: 0.5 });
  assertEquals([...hot.ids], [2, 3]);
});

Deno.test("distributionOf() takes top-p of what top-k left", () => {
  // of 8 and 4 alone, the first has 0.67; of all four only 0.53
  assertDistribution(distribution([0, 1, 2, 3], { topK: 2, topP: 0.6 }), { 3: 1 });
});

Deno.test("distributionOf() takes min-p after top-p", () => {
  // min-p first would leave 8 and 4, of which 8 alone reaches 0.6
  const both = distribution([0, 1, 2, 3], { topP: 0.6, minP: 0.3 });
  assertDistribution(both, { 2: 1 / 3, 3: 2 / 3 });
});

Deno.test("distributionOf() with all three settings, by hand", () => {
  // weights 32 16 8 4 2 1: top-k 5 leaves 62, top-p 0.9 needs 32 + 16 + 8 = 56, min-p 0.3 of 32 is 9.6
  const settings = { topK: 5, topP: 0.9, minP: 0.3 };
  assertDistribution(distribution([0, 5, 1, 4, 2, 3], settings), { 1: 2 / 3, 3: 1 / 3 });
});

Deno.test("distributionOf() prefers the lower id among equals", () => {
  assertEquals([...distribution([1, 2, 2, 2, 0], { topK: 2 }).ids], [1, 2]);
  assertEquals([...distribution([1, 2, 2, 2, 0], { topP: 0.4 }).ids], [1, 2]);
  assertEquals([...distribution([1, 2, 2, 2, 0], { temperature: 0 }).ids], [1]);
});

Deno.test("distributionOf() at temperature 0 is certain of the largest logit", () => {
  const settings = { temperature: 0, topK: 3, topP: 0.9, minP: 0.1 };
  const { ids, probabilities, entropy, normalizedEntropy } = distribution([-4, 7, 6.99], settings);
  assertEquals([[...ids], [...probabilities], entropy, normalizedEntropy], [[1], [1], 0, 0]);
});

Deno.test("distributionOf() gives logits of -Infinity no probability", () => {
  const { probabilities, entropy } = distribution([-Infinity, 0, -Infinity, 0]);
  assertEquals([...probabilities], [0, 0.5, 0, 0.5]);
  assertAlmostEquals(entropy, Math.LN2, 1e-15);
  assertEquals([...distribution([-Infinity, 0, -Infinity, 0], { topP: 0.99 }).ids], [1, 3]);
  assertEquals([...distribution([-Infinity, 0, -Infinity, 0], { minP: 0.01 }).ids], [1, 3]);
});

for (const temperature of [0, 0.6, 1]) {
  for (
    const logits of [
      [0, NaN, 1],
      [NaN, 0],
      [0, Infinity],
      [-Infinity, -Infinity],
      [NaN],
    ]
  ) {
    Deno.test(`distributionOf() at temperature ${temperature} refuses logits ${logits}`, () => {
      assertThrows(
        () => distribution(logits, { temperature }),
        RangeError,
        "the model's logits must be finite",
      );
    });
  }
}

Deno.test("distributionOf() of one kept token has no entropy", () => {
  for (const settings of [{ topK: 1 }, { topP: 0.01 }, { minP: 0.9 }]) {
    const { ids, probabilities, entropy, normalizedEntropy } = distribution([1, 4, 2], settings);
    assertEquals([[...ids], [...probabilities]], [[1], [1]]);
    assertEquals([entropy, normalizedEntropy], [0, 0]);
  }
});

Deno.test("distributionOf() of a vocabulary of one is no division by zero", () => {
  const { probabilities, entropy, normalizedEntropy } = distribution([3]);
  assertEquals([[...probabilities], entropy, normalizedEntropy], [[1], 0, 0]);
});

Deno.test("distributionOf() divides the entropy by ln V, whatever is kept", () => {
  const { entropy, normalizedEntropy, vocabularySize } = distribution([2, 2, 1, 0, 0, 0, 0, 0], {
    topK: 2,
  });
  assertEquals(vocabularySize, 8);
  assertAlmostEquals(entropy, Math.LN2, 1e-15);
  assertAlmostEquals(normalizedEntropy, 1 / 3, 1e-15);
  assertAlmostEquals(distribution([1, 1, 1]).normalizedEntropy, 1, 1e-15);
});

Deno.test("distributionOf() survives extreme temperatures", () => {
  const cold = distribution([-3, 5, 4.999], { temperature: 1e-300 });
  assertEquals([...cold.probabilities], [0, 1, 0]);
  const hot = distribution([-3e4, 5, 0], { temperature: 1e300 });
  hot.probabilities.forEach((p) => assertAlmostEquals(p, 1 / 3, 1e-15));
});

Deno.test("distributionOf() hands on the step and the raw logits", () => {
  const logits = new Float32Array([1, 2]);
  const result = distributionOf(logits, samplerOf({ temperature: 0.5, topK: 1 }), 17);
  assertEquals(result.step, 17);
  assertStrictEquals(result.logits, logits);
  assertEquals([...logits], [1, 2]);
});

/** The documented order, step by step on a list of tokens. */
function recomputed(logits: Float32Array, { temperature, topK, topP, minP }: Sampler) {
  const renormalized = (tokens: { id: number; p: number }[]) => {
    const sum = tokens.reduce((total, { p }) => total + p, 0);
    return tokens.map(({ id, p }) => ({ id, p: p / sum }));
  };
  const top = Math.max(...logits);
  let tokens = renormalized(
    Array.from(logits, (logit, id) => ({ id, p: Math.exp((logit - top) / temperature) })),
  );
  tokens.sort((a, b) => logits[b.id]! - logits[a.id]! || a.id - b.id);
  if (topK > 0) tokens = renormalized(tokens.slice(0, topK));
  if (topP < 1) {
    let before = 0;
    tokens = renormalized(tokens.filter(({ p }) => {
      const kept = before < topP;
      before += p;
      return kept;
    }));
  }
  tokens = renormalized(tokens.filter(({ p }) => p >= minP * tokens[0]!.p));
  tokens.sort((a, b) => a.id - b.id);
  return {
    ids: tokens.map(({ id }) => id),
    probabilities: tokens.map(({ p }) => p),
    entropy: -tokens.reduce((sum, { p }) => sum + p * Math.log(p), 0),
  };
}

Deno.test("distributionOf() equals a plain recomputation on 300 random rows and settings", () => {
  const random = seeded(1);
  const cuts = { k: 0, p: 0, m: 0 };
  for (let i = 0; i < 300; i++) {
    const size = 2 + random.below(80), ties = random.below(3) === 0;
    const logits = Float32Array.from({ length: size }, () => {
      const logit = 3 * random.normal();
      return ties ? Math.round(logit) : logit;
    });
    const sampler = samplerOf({
      temperature: 0.2 + 2 * random.next(),
      topK: random.pick([0, 0, 1 + random.below(size)]),
      topP: random.pick([1, 1, 0.02 + 0.97 * random.next()]),
      minP: random.pick([0, 0, random.next() ** 3]),
    });
    const actual = distributionOf(logits, sampler, i), expected = recomputed(logits, sampler);
    assertEquals([...actual.ids], expected.ids, JSON.stringify(sampler));
    expected.probabilities.forEach((p, k) =>
      assertAlmostEquals(actual.probabilities[k]!, p, 1e-12)
    );
    assertAlmostEquals(actual.entropy, expected.entropy, 1e-12);
    assertAlmostEquals(actual.normalizedEntropy, expected.entropy / Math.log(size), 1e-12);
    if (sampler.topK > 0) cuts.k++;
    if (sampler.topP < 1) cuts.p++;
    if (sampler.minP > 0) cuts.m++;
  }
  for (const count of Object.values(cuts)) assert(count > 50, JSON.stringify(cuts));
});

Deno.test("draw() inverts the cumulative distribution", () => {
  const quarters = over([0.25, 0.25, 0.25, 0.25]);
  const below = (x: number) => x - 2 ** -53;
  const table = [
    [0, 0],
    [below(0.25), 0],
    [0.25, 1],
    [below(0.5), 1],
    [0.5, 2],
    [0.75, 3],
    [below(1), 3],
  ];
  for (const [u, expected] of table) assertEquals(quarters.draw(u!), expected);
});

Deno.test("draw() takes the first token whose cumulative probability exceeds u, on 100 rows", () => {
  const random = seeded(2);
  for (let i = 0; i < 100; i++) {
    const logits = Float32Array.from({ length: 1 + random.below(30) }, () => random.normal());
    const sampled = distributionOf(logits, samplerOf({ topP: random.pick([1, 0.8]) }));
    const u = random.next(), choice = sampled.draw(u);
    const mass = (end: number) => sampled.probabilities.slice(0, end).reduce((a, b) => a + b, 0);
    const place = sampled.ids.indexOf(choice);
    assert(mass(place) <= u && u < mass(place + 1));
  }
});

Deno.test("draw() never takes a token without probability", () => {
  const holes = over([0, 0.5, 0, 0.5, 0]);
  assertEquals([0, 0.25, 0.5, 0.75, 1 - 2 ** -53].map((u) => holes.draw(u)), [1, 1, 3, 3, 3]);
});

Deno.test("draw() where rounding left the sum below u takes the last possible token", () => {
  assertEquals(over([0.5, 0.499, 0]).draw(0.9999), 1);
});

Deno.test("draw() of a single token", () => {
  assertEquals([0, 0.5, 1 - 2 ** -53].map((u) => over([1]).draw(u)), [0, 0, 0]);
});

Deno.test("draw() takes each of 20 000 tokens about as often as its probability says", () => {
  const n = 20_000;
  const sampled = distribution([0, 5, 1, 4, 2, 3, 3, -9], { topP: 0.98 });
  const counts = new Map(sampled.ids.map((id) => [id, 0]));
  for (let step = 0; step < n; step++) {
    const id = sampled.draw(uniform(3, STREAM.sample, step));
    counts.set(id, counts.get(id)! + 1);
  }
  counts.forEach((count, id) => {
    const p = sampled.probability(id);
    assertAlmostEquals(count / n, p, 4 * Math.sqrt(p * (1 - p) / n), `token ${id}`);
  });
});

Deno.test("softmax() sums to 1 and does not overflow", () => {
  const p = softmax([1000, 1001, -1000]);
  assertAlmostEquals(p[1]! / p[0]!, Math.E, 1e-12);
  assertAlmostEquals(p[0]! + p[1]! + p[2]!, 1, 1e-15);
});

Deno.test("entropyOf() of certain, even and mixed distributions", () => {
  assertEquals(entropyOf([0, 1, 0]), 0);
  assertAlmostEquals(entropyOf(Array(8).fill(1 / 8)), Math.log(8), 1e-15);
  const [a, b] = [0.9, 0.1];
  assertAlmostEquals(entropyOf([a, b]), -a * Math.log(a) - b * Math.log(b), 1e-15);
});

Deno.test("top() keeps the k most probable, ids ascending, renormalised", () => {
  const { ids, probabilities } = over([0.1, 0.4, 0.2, 0.3]).top(2);
  assertEquals([...ids], [1, 3]);
  assertAlmostEquals(probabilities[0]!, 4 / 7, 1e-15);
  assertAlmostEquals(probabilities[1]!, 3 / 7, 1e-15);
});

Deno.test("top() prefers the lower id among equals, and keeps all where k is V or more", () => {
  const quarters = over([0.25, 0.25, 0.25, 0.25]);
  assertEquals([...quarters.top(2).ids], [0, 1]);
  assertEquals([...quarters.top(4).ids], [0, 1, 2, 3]);
  assertEquals([...quarters.top(9).probabilities], [...quarters.probabilities]);
});

Deno.test("samplerOf() fills in temperature 1 without truncation", () => {
  assertEquals(samplerOf(), { temperature: 1, topK: 0, topP: 1, minP: 0 });
  assertEquals(samplerOf({ topP: 0.9 }), { temperature: 1, topK: 0, topP: 0.9, minP: 0 });
});

const REFUSED: [keyof Sampler, unknown, string][] = [
  ["temperature", -0.1, "be a number at least 0: current value is -0.1"],
  ["temperature", NaN, "be a number at least 0: current value is NaN"],
  ["temperature", Infinity, "be a number at least 0: current value is Infinity"],
  ["temperature", "1", 'be a number at least 0: current value is "1"'],
  ["topK", -1, "be an integer at least 0: current value is -1"],
  ["topK", 1.5, "be an integer at least 0: current value is 1.5"],
  ["topP", 0, "be a number greater than 0 and at most 1: current value is 0"],
  ["topP", 1.01, "be a number greater than 0 and at most 1: current value is 1.01"],
  ["minP", -0.1, "be a number at least 0 and at most 1: current value is -0.1"],
  ["minP", 1.1, "be a number at least 0 and at most 1: current value is 1.1"],
  ["minP", null, "be a number at least 0 and at most 1: current value is null"],
];
for (const [name, value, rule] of REFUSED) {
  Deno.test(`samplerOf() refuses ${name} ${Deno.inspect(value)}`, () => {
    assertThrows(
      () => samplerOf({ [name]: value }),
      typeof value === "number" ? RangeError : TypeError,
      `Cannot sample as '${name}' must ${rule}`,
    );
  });
}
