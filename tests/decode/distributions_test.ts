/** Large vocabularies: what the runtime's shortlists and softmax give, held to float64. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  type Distribution,
  distributionOf,
  type Sampler,
  samplerOf,
  STREAM,
  uniform,
} from "@moi/moi/decode";
import { type Opened, openOf } from "./_open.ts";
import { dense } from "../../lib/decode/distribution.ts";
import { SHORTLIST } from "@moi/moi/model";
import { type Random, seeded } from "../_random.ts";

const V = 5000;

/** Logits of a spread; some with ties, some with −∞. */
function randomLogits(random: Random, size = V): Float32Array<ArrayBuffer> {
  const scale = random.pick([0.001, 0.3, 1, 3, 10]), shift = random.pick([0, 8, -20]);
  const logits = Float32Array.from({ length: size }, () => shift + scale * random.normal());
  const kind = random.below(4);
  if (kind === 1) logits.forEach((logit, id) => logits[id] = Math.round(2 * logit) / 2);
  if (kind === 2) {
    const share = random.pick([2, 10]);
    logits.forEach((_, id) => {
      if (id > 0 && random.below(share) === 0) logits[id] = -Infinity;
    });
  }
  return logits;
}

function randomSampler(random: Random): Sampler {
  return samplerOf({
    temperature: random.pick([0, 0.01, 0.7, 1, 1, 3]),
    topK: random.pick([0, 0, 0, 0, 1, 5, 63, 64, 65, 300, V]),
    topP: random.pick([1, 1, 0.9, 0.3]),
    minP: random.pick([0, 0, 0.05, 0.9]),
  });
}

const isTruncated = ({ topK, topP, minP }: Sampler) =>
  (topK > 0 && topK < V) || topP < 1 || minP > 0;

/** Rows with a sampler and a step each. */
const rowsOf = (samplers: readonly Sampler[], steps: readonly number[]) =>
  samplers.map((sampler, row) => ({ sampler, step: steps[row]! }));

/** One row's distribution. */
async function of(
  distributions: Opened,
  logits: Float32Array<ArrayBuffer>,
  settings: Partial<Sampler> = {},
): Promise<Distribution> {
  return (await distributions.of(logits, rowsOf([samplerOf(settings)], [0])))[0]!;
}

/** Everything that a distribution says, copied. */
function copied(distribution: Distribution) {
  const { step, ids, probabilities, entropy, normalizedEntropy } = distribution;
  const all = floatsOf(distribution);
  const own = all
    ? { probabilities: all.slice(), first: [...distribution.top(SHORTLIST).ids] }
    : { ids: [...ids], probabilities: [...probabilities] };
  return { step, entropy, normalizedEntropy, ...own };
}

/** The weights on the whole vocabulary, of a dense distribution. */
const floatsOf = (distribution: Distribution) => distribution.mixture(1, 0).dense?.probabilities;

/**
 * The reference; of a nucleus whose mass meets topP up to float32's rounding, the one of the size that
 * was found.
 */
function reference(logits: Float32Array, sampler: Sampler, step: number, size: number) {
  const ROUNDING = 5e-6;
  const all = [0, -ROUNDING, ROUNDING].map((error) =>
    distributionOf(
      logits,
      sampler.topP < 1 ? { ...sampler, topP: sampler.topP + error } : sampler,
      step,
    )
  );
  return all.find(({ ids }) => ids.length === size) ?? all[0]!;
}

/** Tokens that can be drawn, apart from those whose float32 is 0 or has lost digits. */
function possible({ ids, probabilities }: Distribution): [number, number][] {
  return Array.from(ids, (id, k): [number, number] => [id, probabilities[k]!])
    .filter(([, p]) => p > 1e-36);
}

function assertClose(actual: number, expected: number, relative: number, message: string): void {
  assert(
    Math.abs(actual - expected) <= relative * expected,
    `${message}: ${actual} is not ${expected}`,
  );
}

Deno.test("openDistributions() equals distributionOf() on 400 random rows and samplers", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(61), kinds: Record<string, number> = {};
  for (let i = 0; i < 400; i++) {
    const logits = randomLogits(random), sampler = randomSampler(random);
    const [actual] = await distributions.of(logits, rowsOf([sampler], [i]));
    const expected = reference(logits, sampler, i, actual!.ids.length),
      told = `row ${i} ${JSON.stringify(sampler)}`;
    const { temperature } = sampler;
    const kind = temperature === 0 ? "greedy" : isTruncated(sampler) ? "cut" : "whole";
    const largest = logits.reduce((m, l) => Number.isFinite(l) ? Math.max(m, Math.abs(l)) : m, 0);
    const float32 = 1e-5 + 2 ** -23 * largest / temperature; // the runtime scales in float32
    const error = kind === "whole" ? float32 : 1e-6;
    const found = possible(actual!), wanted = possible(expected);
    assert(found.length === wanted.length, `${told}: ${found.length} tokens, not ${wanted.length}`);
    found.forEach(([id, p], k) => {
      assert(id === wanted[k]![0], `${told}: token ${id} in place of ${wanted[k]![0]}`);
      assertClose(p, wanted[k]![1], error, `${told} token ${id}`);
    });
    assertAlmostEquals(actual!.entropy, expected.entropy, 1e-4, told);
    assertAlmostEquals(actual!.normalizedEntropy, actual!.entropy / Math.log(V), 1e-12);
    assertEquals([actual!.step, actual!.vocabularySize, actual!.logits], [i, V, logits]);
    const size = expected.ids.length;
    const key = kind === "cut" && size > SHORTLIST ? "cut beyond the shortlist" : kind;
    kinds[key] = (kinds[key] ?? 0) + 1;
    assertEquals(floatsOf(actual!) !== undefined, kind === "whole", told);
  }
  for (const count of Object.values(kinds)) assert(count >= 20, JSON.stringify(kinds));
  assertEquals(Object.keys(kinds).length, 4);
});

Deno.test("openDistributions() cuts no wide nucleus off", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(62);
  for (
    const [settings, least] of [
      [{ topP: 0.9 }, 4000],
      [{ topP: 0.5, temperature: 3 }, 2000],
      [{ topP: 0.05, temperature: 3 }, 200],
      [{ minP: 0.9, temperature: 3 }, 4000],
      [{ topP: 0.9, minP: 0.9, temperature: 3 }, 4000],
      [{ topK: 3000, topP: 0.9 }, 2600],
      [{ topK: V - 1 }, V - 1],
    ] as const
  ) {
    const logits = Float32Array.from({ length: V }, () => 0.05 * random.normal());
    const actual = await of(distributions, logits, settings), sampler = samplerOf(settings);
    const expected = reference(logits, sampler, 0, actual.ids.length);
    assertEquals(actual.ids, expected.ids, JSON.stringify(settings));
    assert(
      actual.ids.length >= least,
      `${actual.ids.length} tokens of ${JSON.stringify(settings)}`,
    );
    assertAlmostEquals(actual.entropy, expected.entropy, 1e-9);
  }
});

Deno.test("openDistributions() of equal logits keeps the lower ids", async () => {
  await using distributions = openOf(V, 1);
  const flat = new Float32Array(V).fill(-2.5);
  for (const topK of [1, 63, 64, 65, 2000]) {
    const { ids } = await of(distributions, flat, { topK });
    assertEquals(ids, Array.from({ length: topK }, (_, id) => id));
  }
  assertEquals((await of(distributions, flat, { temperature: 0 })).ids, [0]);
  const whole = await of(distributions, flat), { entropy } = whole;
  assertEquals(whole.top(SHORTLIST).ids, Array.from({ length: SHORTLIST }, (_, id) => id));
  assertAlmostEquals(entropy, Math.log(V), 1e-4);
});

Deno.test("openDistributions() takes extreme temperatures, and logits of −∞ at any", async () => {
  await using distributions = openOf(V, 1);
  const logits = new Float32Array(V).fill(-Infinity);
  [3, 70, 4000].forEach((id, i) => logits[id] = [-3, 5, 4.999][i]!);
  for (const settings of [{}, { minP: 0.01 }, { topP: 0.999 }, { topK: 1000 }]) {
    for (const temperature of [1e-300, 1e-30, 0.01, 1, 1e5, 1e30, 1e300]) {
      const { ids, probabilities } = await of(distributions, logits, { ...settings, temperature });
      const expected = distributionOf(logits, samplerOf({ ...settings, temperature }));
      for (const id of [3, 70, 4000]) {
        const p = probabilities[ids.indexOf(id)] ?? 0;
        const q = expected.probabilities[expected.ids.indexOf(id)] ?? 0;
        assertAlmostEquals(
          p,
          q,
          1e-4,
          `token ${id} at ${temperature}, ${JSON.stringify(settings)}`,
        );
      }
    }
  }
});

Deno.test("openDistributions() refuses logits that are not finite, wherever they are", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(63), usual = Float32Array.from({ length: V }, () => 3 * random.normal());
  const bad = [0, 17, 2500, V - 1].flatMap((id) =>
    [NaN, Infinity].map((logit) => usual.map((other, i) => i === id ? logit : other))
  );
  bad.push(new Float32Array(V).fill(-Infinity), new Float32Array(V).fill(NaN));
  for (
    const settings of [{}, { temperature: 0 }, { topK: 5 }, { topK: 500 }, { topP: 0.9 }, {
      minP: 0.1,
    }]
  ) {
    for (const logits of bad) {
      await assertRejects(() => of(distributions, logits, settings), RangeError, "must be finite");
    }
    const { probabilities } = await of(distributions, usual, settings);
    assert(probabilities.every((p) => p >= 0));
  }
});

for (const [size, threads] of [[V, 1], [V + 3, 1], [V + 3, 2]] as const) {
  Deno.test(`openDistributions() of ${size} tokens on ${threads} threads gives a row the same bits in any batch`, async () => {
    await using distributions = openOf(size, threads);
    const random = seeded(64), count = 32, one = new Float32Array(size);
    const rows = Array.from({ length: count }, () => ({
      logits: randomLogits(random, size),
      sampler: random.pick([samplerOf(), randomSampler(random)]),
    }));
    const alone: ReturnType<typeof copied>[] = [];
    for (const [step, { logits, sampler }] of rows.entries()) {
      one.set(logits);
      alone.push(copied((await distributions.of(one, rowsOf([sampler], [step])))[0]!));
    }
    const batch = new Float32Array(count * size);
    for (const n of [2, 5, 31, count, count, count]) {
      const order = random.shuffled([...rows.keys()]).slice(0, n);
      order.forEach((row, place) => batch.set(rows[row]!.logits, place * size));
      const made = await distributions.of(
        batch,
        rowsOf(order.map((row) => rows[row]!.sampler), order),
      );
      order.forEach((row, place) => assertSame(copied(made[place]!), alone[row]!));
    }
  });
}

/** Equal bit for bit; without a listing of thousands of numbers where not. */
function assertSame(a: Record<string, unknown>, b: Record<string, unknown>): void {
  assertEquals(Object.keys(a), Object.keys(b));
  for (const [name, value] of Object.entries(a)) {
    const [x, y] = [value, b[name]].map((v) =>
      typeof v === "object" ? v as ArrayLike<number> : [v]
    );
    assert(x!.length === y!.length, name);
    for (let i = 0; i < x!.length; i++) assert(Object.is(x![i], y![i]), `${name}[${i}]`);
  }
}

Deno.test("openDistributions() keeps what it made of one array while it works on another", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(65), a = new Float32Array(2 * V), b = new Float32Array(3 * V);
  const samplers = [samplerOf(), samplerOf({ topP: 0.9 }), samplerOf({ topK: 5, temperature: 2 })];
  const fill = (array: Float32Array) => array.forEach((_, i) => array[i] = 2 * random.normal());
  fill(a);
  const ofA = await distributions.of(a, rowsOf(samplers.slice(0, 2), [0, 1]));
  const before = ofA.map(copied);
  for (let round = 0; round < 3; round++) {
    fill(b);
    const ofB = await distributions.of(b, rowsOf(samplers, [4, 5, 6]));
    ofA.forEach((distribution, row) => assertSame(copied(distribution), before[row]!));
    assertEquals(ofB.map(({ step }) => step), [4, 5, 6]);
    ofB.forEach(({ logits }, row) => assertEquals(logits[0], b[row * V]));
  }
  fill(a);
  const [again] = await distributions.of(a, rowsOf([samplers[0]!], [7]));
  const own = new Float32Array(a.subarray(0, V));
  assertSame(
    copied(again!),
    copied((await distributions.of(own, rowsOf([samplers[0]!], [7])))[0]!),
  );
});

Deno.test("openDistributions() of a whole vocabulary lists ids and probabilities that sum to 1", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(66);
  for (let i = 0; i < 20; i++) {
    const logits = randomLogits(random), distribution = await of(distributions, logits);
    const { ids, probabilities } = distribution;
    assertEquals([ids.length, ids[0], ids[V - 1]], [V, 0, V - 1]);
    assertAlmostEquals(probabilities.reduce((a, b) => a + b), 1, 1e-12);
    assert(distribution.probabilities === probabilities, "made twice");
    const first = distribution.top(SHORTLIST).ids;
    assertEquals(first, [...first].sort((a, b) => a - b));
    const least = Math.min(...first.map((id) => logits[id]!)), chosen = new Set(first);
    assertEquals(chosen.size, SHORTLIST);
    logits.forEach((logit, id) => assert(chosen.has(id) || logit <= least));
  }
});

Deno.test("openDistributions() of a small vocabulary is distributionOf() itself", async () => {
  await using distributions = openOf(300);
  const random = seeded(67), logits = Float32Array.from({ length: 600 }, () => random.normal());
  const samplers = [samplerOf({ topP: 0.9 }), samplerOf()];
  assertEquals(
    (await distributions.of(logits, rowsOf(samplers, [3, 4]))).map(copied),
    samplers.map((sampler, row) =>
      copied(distributionOf(logits.subarray(row * 300, row * 300 + 300), sampler, 3 + row))
    ),
  );
});

Deno.test("draw() from a whole large vocabulary takes tokens as often as their probabilities say", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(68), logits = Float32Array.from({ length: V }, () => 2 * random.normal());
  const distribution = await of(distributions, logits), { probabilities } = distribution;
  const n = 20_000, first = new Set(distribution.top(SHORTLIST).ids);
  // groups: each of the first tokens, and the others by their id
  const GROUPS = 10,
    groupOf = (id: number) => first.has(id) ? id : -1 - Math.floor(id / V * GROUPS);
  const expected = new Map<number, number>(), found = new Map<number, number>();
  const add = (to: Map<number, number>, group: number, x: number) =>
    to.set(group, (to.get(group) ?? 0) + x);
  probabilities.forEach((p, id) => add(expected, groupOf(id), p));
  for (let i = 0; i < n; i++) {
    add(found, groupOf(distribution.draw(uniform(5, STREAM.sample, i))), 1);
  }
  assertEquals(expected.size, SHORTLIST + GROUPS);
  for (const [group, p] of expected) {
    assertAlmostEquals(
      (found.get(group) ?? 0) / n,
      p,
      4.5 * Math.sqrt(p * (1 - p) / n),
      `${group}`,
    );
  }
});

Deno.test("draw() from a whole large vocabulary goes through the first tokens, then the others", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(69);
  for (let i = 0; i < 10; i++) {
    const distribution = await of(distributions, randomLogits(random)),
      first = distribution.top(SHORTLIST).ids,
      probabilities = floatsOf(distribution)!;
    const others = Array.from(probabilities.keys()).filter((id) => !first.includes(id));
    const order = [...first, ...others], ends = [0];
    for (const id of order) ends.push(ends.at(-1)! + probabilities[id]!);
    for (const u of [0, 0.3, 0.9, 0.99, 1 - 1e-4, ...Array.from({ length: 20 }, random.next)]) {
      const at = order.indexOf(distribution.draw(u));
      assert(ends[at]! <= u && u < ends[at + 1]!, `u = ${u} gave the place ${at}`);
    }
  }
});

Deno.test("draw() from a whole large vocabulary gives every u a token of positive probability", async () => {
  await using distributions = openOf(V, 1);
  const random = seeded(70), below = 2 ** -53;
  const cases = Array.from({ length: 40 }, () => ({
    logits: randomLogits(random),
    temperature: random.pick([0.01, 0.7, 3]),
  }));
  const two = new Float32Array(V).fill(-Infinity); // float32 probabilities that may not reach 1
  [two[4900], two[4950]] = [0.3, -0.7];
  for (const temperature of [0.5, 0.7, 1, 1.3, 3]) cases.push({ logits: two, temperature });
  for (const { logits, temperature } of cases) {
    const distribution = await of(distributions, logits, { temperature });
    const us = [0, 1 - below, 1 - 2 * below, 1 - 1e-12, 1 - 1e-9, 1 - 1e-7, 1 - 3e-6, 1 - 1e-5];
    for (const u of [...us, random.next()]) {
      const id = distribution.draw(u);
      assert(distribution.probability(id) > 0, `u = ${u} gave token ${id}`);
    }
  }
});

Deno.test("draw() where rounding left the sum below u draws anew with the rest", () => {
  const probabilities = Float32Array.of(0, 0.5, 0.25, 0, 0.125, 0, 0); // an eighth is missing
  const distribution = dense({ step: 0, size: 7, logits: new Float32Array(7) }, 1, {
    probabilities,
  });
  const rest = (u: number) => 0.875 + u / 8;
  for (const u of [0, 0.49, 0.5, 0.74, 0.75, 0.87]) {
    assertEquals(distribution.draw(rest(u)), distribution.draw(u), `${u}`);
  }
  assertEquals([0, 0.5, 0.75, 1 - 2 ** -53].map((u) => distribution.draw(u)), [1, 2, 4, 4]);
});
