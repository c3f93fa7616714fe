import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { distributionOf, type Mixture, moi, randomMixture, samplerOf } from "@moi/moi/decode";
import { contextOf, mixtureOf, type Sample, samples, spread, spreadOf } from "./_distributions.ts";

const SIZE = 50;
const distribution = distributionOf(
  Float32Array.from({ length: SIZE }, (_, id) => 2 * Math.sin(id * id)),
  samplerOf(),
  4,
);

/** q alone: at β = 0 and H = 1 nothing is the token's own. */
function wholly(tokens: "uniform" | "permuted", { distribution, token }: Sample, seed = 0) {
  const flat = { distribution: { ...distribution, normalizedEntropy: 1 }, token };
  return mixtureOf(randomMixture({ beta: 0, tokens }), flat, seed);
}

const offSampleMass = ({ ids, weights }: Mixture, token: number) =>
  Array.from(weights).reduce((sum, w, k) => ids[k] === token ? sum : sum + w, 0);

Deno.test("randomMixture() gives other tokens what moi() gives them, but for q of the token", () => {
  for (const tokens of ["uniform", "permuted"] as const) {
    for (const sample of samples(200, 41)) {
      const { distribution, token } = sample, { vocabularySize, normalizedEntropy } = distribution;
      const q = spread(wholly(tokens, sample), vocabularySize)[token]!;
      const p = spreadOf(distribution)[token]!;
      for (const beta of [0, 0.25, 1, 8]) {
        const share = normalizedEntropy / (beta + 1);
        const own = offSampleMass(mixtureOf(randomMixture({ beta, tokens }), sample), token);
        assertAlmostEquals(own, share * (1 - q), 1e-12);
        const imitated = offSampleMass(mixtureOf(moi({ beta }), sample), token);
        assertAlmostEquals(imitated, share * (1 - p), 1e-12);
      }
    }
  }
});

Deno.test("randomMixture() of uniform tokens gives all others the same weight", () => {
  const weights = spread(mixtureOf(randomMixture(), { distribution, token: 7 }), SIZE);
  const H = distribution.normalizedEntropy;
  weights.forEach((w, id) => {
    assertAlmostEquals(w, H / 2 / SIZE + (id === 7 ? (2 - H) / 2 : 0), 1e-15);
  });
});

Deno.test("randomMixture() of permuted tokens uses p's own weights, each once", () => {
  const truncated = distributionOf(distribution.logits, samplerOf({ topK: 12 }), 4);
  for (const own of [distribution, truncated]) {
    const input = wholly("permuted", { distribution: own, token: 7 }, 3);
    const weights = Array.from(input.weights).filter((w) => w > 0).sort();
    assertEquals(weights, [...own.probabilities].sort());
    assertNotEquals(spread(input, SIZE), spreadOf(own));
  }
});

Deno.test("randomMixture() permutes anew at every step, and the same way for the same seed", () => {
  const method = randomMixture({ tokens: "permuted" });
  const at = (step: number, seed: number) => {
    const state = method.init(contextOf(SIZE, seed));
    return spread(method.step({ ...distribution, step }, 7, state).input, SIZE);
  };
  assertEquals(at(0, 1), at(0, 1));
  assertNotEquals(at(0, 1), at(1, 1));
  assertNotEquals(at(0, 1), at(0, 2));
});

Deno.test("randomMixture() of permuted tokens puts every weight on every token about as often", () => {
  const small = distributionOf(new Float32Array([3, 2, 1, 0, -1]), samplerOf({ topK: 2 }));
  const n = 5000, counts = [0, 1].map(() => new Array<number>(5).fill(0));
  for (let step = 0; step < n; step++) {
    const input = wholly("permuted", { distribution: { ...small, step }, token: 0 }, 9);
    for (let k = 0; k < input.ids.length; k++) {
      const rank = [...small.probabilities].indexOf(input.weights[k]!);
      if (rank >= 0) counts[rank]![input.ids[k]!]!++;
    }
  }
  const sigma = Math.sqrt(0.2 * 0.8 / n);
  for (const count of counts.flat()) assertAlmostEquals(count / n, 0.2, 4 * sigma);
});

Deno.test("randomMixture() has no relation to p: its tokens are seldom the probable ones", () => {
  const top = distribution.probabilities.indexOf(Math.max(...distribution.probabilities));
  let mass = 0;
  const n = 500, token = (top + 1) % SIZE;
  for (let step = 0; step < n; step++) {
    const input = wholly("permuted", { distribution: { ...distribution, step }, token }, 5);
    mass += spread(input, SIZE)[top]!;
  }
  assert(Math.max(...distribution.probabilities) > 0.05);
  assertAlmostEquals(mass / n, 1 / SIZE, 0.01);
});

Deno.test("randomMixture() records its knobs", () => {
  const { name, parameters } = randomMixture({ beta: 0.25 });
  assertEquals([name, { ...parameters }], ["randomMixture", { beta: 0.25, tokens: "uniform" }]);
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
  [{ token: "uniform" }, TypeError, "'token' is not an option: known options are beta, tokens"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`randomMixture() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => randomMixture(options), type, `Cannot mix as ${sentence}`);
  });
}
