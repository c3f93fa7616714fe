import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  type Distribution,
  distributionOf,
  type Mixture,
  moi,
  randomMixture,
  samplerOf,
} from "@moi/moi/decode";
import { contextOf, dense, denseOf, mixtureOf, samples } from "./_distributions.ts";

const SIZE = 50;
const distribution = distributionOf(
  Float32Array.from({ length: SIZE }, (_, id) => 2 * Math.sin(id * id)),
  samplerOf(),
  4,
);

/** q alone: at β = 0 and H = 1, with a token that has no chance, nothing is the token's own. */
function wholly(tokens: "uniform" | "permuted", own: Distribution, token: number, seed = 0) {
  const flat = { ...own, normalizedEntropy: 1 };
  return mixtureOf(randomMixture({ beta: 0, tokens }), { distribution: flat, token }, seed);
}

const offSampleMass = ({ ids, weights }: Mixture, token: number) =>
  Array.from(weights).reduce((sum, w, k) => ids[k] === token ? sum : sum + w, 0);

Deno.test("randomMixture() spends on other tokens what moi() spends, step by step", () => {
  for (const tokens of ["uniform", "permuted"] as const) {
    for (const sample of samples(200, 41)) {
      const { distribution, token } = sample, { normalizedEntropy } = distribution;
      const p = denseOf(distribution)[token]!;
      for (const beta of [0.25, 1, 8]) {
        const mixed = mixtureOf(randomMixture({ beta, tokens }), sample);
        const own = offSampleMass(mixed, token);
        assertAlmostEquals(own, normalizedEntropy * (1 - p) / (beta + 1), 1e-12);
        assertAlmostEquals(own, offSampleMass(mixtureOf(moi({ beta }), sample), token), 1e-12);
        assertAlmostEquals(Array.from(mixed.weights).reduce((a, b) => a + b), 1, 1e-12);
        assert(dense(mixed, distribution.vocabularySize).every((w) => w >= 0));
      }
    }
  }
});

Deno.test("randomMixture() of expected mass spends the mean over draws, whatever was drawn", () => {
  for (const tokens of ["uniform", "permuted"] as const) {
    for (const { distribution } of samples(50, 43)) {
      const p = denseOf(distribution),
        method = randomMixture({ beta: 1, tokens, mass: "expected" });
      const masses = Array.from(
        distribution.ids,
        (token) => offSampleMass(mixtureOf(method, { distribution, token }), token),
      );
      const moiMean = Array.from(
        distribution.ids,
        (token) =>
          p[token]! * offSampleMass(mixtureOf(moi({ beta: 1 }), { distribution, token }), token),
      ).reduce((a, b) => a + b, 0);
      for (const [i, mass] of masses.entries()) {
        // where nothing else can be drawn, there is nothing to permute
        if (tokens === "permuted" && p[distribution.ids[i]!] === 1) continue;
        assertAlmostEquals(mass, moiMean, 1e-9);
      }
    }
  }
});

Deno.test("randomMixture() of uniform tokens gives all others the same weight", () => {
  const weights = dense(mixtureOf(randomMixture(), { distribution, token: 7 }), SIZE);
  const mass = distribution.normalizedEntropy * (1 - denseOf(distribution)[7]!) / 2;
  weights.forEach((w, id) => {
    assertAlmostEquals(w, id === 7 ? 1 - mass : mass / (SIZE - 1), 1e-15);
  });
});

Deno.test("randomMixture() at β = 0 has no negative weight, however small the token's chance", () => {
  const logits = new Float32Array(SIZE).fill(0);
  logits[7] = -20;
  const input = wholly("uniform", distributionOf(logits, samplerOf()), 7);
  assert(dense(input, SIZE).every((w) => w >= 0));
  assertAlmostEquals(Array.from(input.weights).reduce((a, b) => a + b), 1, 1e-12);
});

Deno.test("randomMixture() of permuted tokens uses p's own weights, each once, and not on the token", () => {
  const truncated = distributionOf(distribution.logits, samplerOf({ topK: 12 }), 4);
  for (const own of [distribution, truncated]) {
    for (const token of [own.ids[0]!, own.ids[5]!, own.ids.at(-1)!]) {
      const p = denseOf(own), mixed = dense(wholly("permuted", own, token, 3), SIZE);
      const [there, here] = [p, mixed].map((all) =>
        all.filter((w, id) => id !== token && w > 0).sort((a, b) => a - b)
      );
      there!.forEach((w, i) => assertAlmostEquals(here![i]!, w, 1e-12)); // H = 1: the mass is 1 − p_y
      assertEquals(here!.length, there!.length);
      assertNotEquals(mixed, p);
    }
  }
});

Deno.test("randomMixture() permutes anew at every step, and the same way for the same seed", () => {
  const method = randomMixture({ tokens: "permuted" });
  const at = (step: number, seed: number) => {
    const state = method.init(contextOf(SIZE, seed));
    return dense(method.step({ ...distribution, step }, 7, state).input, SIZE);
  };
  assertEquals(at(0, 1), at(0, 1));
  assertNotEquals(at(0, 1), at(1, 1));
  assertNotEquals(at(0, 1), at(0, 2));
});

Deno.test("randomMixture() of permuted tokens puts every weight on every other token about as often", () => {
  const small = distributionOf(new Float32Array([3, 2, 1, 0, -1]), samplerOf({ topK: 3 }));
  const n = 5000, counts = [0, 1].map(() => new Array<number>(5).fill(0));
  for (let step = 0; step < n; step++) {
    const { ids, weights } = wholly("permuted", { ...small, step }, 0, 9);
    Array.from(ids).forEach((id, k) => {
      if (k > 0) counts[weights[k]! > weights[k === 1 ? 2 : 1]! ? 0 : 1]![id]!++;
    });
  }
  const sigma = Math.sqrt(0.25 * 0.75 / n);
  for (const count of counts) {
    assertEquals(count[0], 0);
    for (const one of count.slice(1)) assertAlmostEquals(one / n, 0.25, 4 * sigma);
  }
});

Deno.test("randomMixture() has no relation to p: its tokens are seldom the probable ones", () => {
  const top = distribution.probabilities.indexOf(Math.max(...distribution.probabilities));
  let mass = 0;
  const n = 500, token = (top + 1) % SIZE;
  for (let step = 0; step < n; step++) {
    mass += dense(wholly("permuted", { ...distribution, step }, token, 5), SIZE)[top]!;
  }
  assert(Math.max(...distribution.probabilities) > 0.05);
  assertAlmostEquals(mass / n, 1 / SIZE, 0.01);
});

Deno.test("randomMixture() records its knobs", () => {
  const { name, parameters } = randomMixture({ beta: 0.25 });
  assertEquals([name, { ...parameters }], ["randomMixture", {
    beta: 0.25,
    tokens: "uniform",
    mass: "drawn",
  }]);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ beta: -1 }, RangeError, "'beta' must be a number at least 0: current value is -1"],
  [{ beta: NaN }, RangeError, "'beta' must be a number at least 0: current value is NaN"],
  [{ beta: Infinity }, RangeError, "'beta' must be a number at least 0: current value is Infinity"],
  [{ beta: "1" }, TypeError, `'beta' must be a number at least 0: current value is "1"`],
  [
    { tokens: "any" },
    RangeError,
    `'tokens' must be 'uniform' or 'permuted': current value is "any"`,
  ],
  [{ mass: "moi" }, RangeError, `'mass' must be 'drawn' or 'expected': current value is "moi"`],
  [
    { token: "uniform" },
    TypeError,
    "'token' is not an option: known options are beta, tokens, mass",
  ],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`randomMixture() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => randomMixture(options), type, `Cannot mix as ${sentence}`);
  });
}
