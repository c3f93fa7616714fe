import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  dirichletSoftThinking,
  distributionOf,
  generate,
  samplerOf,
  softThinking,
  uniform,
} from "@moi/moi/decode";
import { ids, mockModel } from "../../_mock_model.ts";
import { contextOf, denseOf, samples } from "./_distributions.ts";
import {
  assertClose,
  dense,
  descending,
  firstStep,
  largeDistributions,
  letters,
  MARKERS,
  scripted,
  SHORT,
  testMixtures,
  traced,
} from "./_soft.ts";

testMixtures("dirichletSoftThinking()", dirichletSoftThinking({ phase: "all" }));
testMixtures(
  "dirichletSoftThinking({ concentration: 1e-6 })",
  dirichletSoftThinking({ concentration: 1e-6, phase: "all" }),
);
testMixtures(
  "dirichletSoftThinking({ concentration: 1e6, topN: 1000 })",
  dirichletSoftThinking({ concentration: 1e6, topN: 1000, phase: "all" }),
);

/** A Gamma variate by Marsaglia and Tsang, not in logarithms; draws are numbered within a token. */
function gamma(shape: number, u: (k: number) => number): number {
  if (shape < 1) return gamma(shape + 1, u) * (1 - u(0)) ** (1 / shape);
  const d = shape - 1 / 3;
  for (let k = 1;; k += 3) {
    const normal = Math.sqrt(-2 * Math.log(1 - u(k))) * Math.cos(2 * Math.PI * u(k + 1));
    const root = 1 + normal / (3 * Math.sqrt(d)), v = root * root * root;
    if (v <= 0) continue;
    if (1 - u(k + 2) <= Math.exp(normal * normal / 2 + d - d * v) * v ** d) return d * v;
  }
}

/** x ~ Dir(γ·p) over the vocabulary, of it the n largest, renormalised. */
function recomputed(p: readonly number[], gammaOf: number, n: number, seed: number, step: number) {
  const drawn = p.map((q, id) =>
    q === 0 ? 0 : gamma(gammaOf * q, (k) => uniform(seed, 1, step, 64 * id + k))
  );
  const kept = new Set(descending(drawn).slice(0, n));
  const sum = [...kept].reduce((all, id) => all + drawn[id]!, 0);
  return drawn.map((x, id) => kept.has(id) ? x / sum : 0);
}

Deno.test("dirichletSoftThinking() is x ~ Dir(γ·p) over its n heaviest, the first recorded", () => {
  for (const { distribution, token } of samples(300, 81)) {
    const p = denseOf(distribution);
    for (const [topN, concentration, seed] of [[10, 4, 0], [2, 60, 1], [50, 900, 2]] as const) {
      const expected = recomputed(p, concentration, topN, seed, distribution.step);
      const method = dirichletSoftThinking({ topN, concentration, phase: "all" });
      const made = firstStep(method, distribution, token, seed);
      assertClose(dense(made.input, p.length), expected);
      assertAlmostEquals(expected[made.token!]!, Math.max(...expected), 1e-12);
    }
  }
});

/** Weights of many steps. */
function draws(p: readonly number[], concentration: number, count: number, seed: number) {
  const method = dirichletSoftThinking({ concentration, topN: p.length, phase: "all" });
  const distribution = distributionOf(Float32Array.from(p, Math.log), samplerOf());
  const state = method.init(contextOf(p.length, seed));
  return Array.from(
    { length: count },
    (_, step) => dense(method.step({ ...distribution, step }, 0, state).input, p.length),
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Fails unless the mean of the values is the expected one within 4.5 standard errors. */
function assertMean(values: readonly number[], expected: number, what: string): void {
  const m = mean(values), error = Math.sqrt(mean(values.map((x) => (x - m) ** 2)) / values.length);
  assert(Math.abs(m - expected) < 4.5 * error + 1e-12, `${what}: ${m} ± ${error}, not ${expected}`);
}

Deno.test("dirichletSoftThinking() has the moments of the Dirichlet distribution in 20 000 draws", () => {
  const p = [0.55, 0.25, 0.15, 0.05], n = 20_000;
  for (const [seed, concentration] of [0.5, 1, 4, 30].entries()) {
    const x = draws(p, concentration, n, seed), name = `γ = ${concentration}`;
    p.forEach((q, i) => {
      const variance = q * (1 - q) / (concentration + 1);
      assertMean(x.map((w) => w[i]!), q, `${name}: mean ${i}`);
      assertMean(x.map((w) => (w[i]! - q) ** 2), variance, `${name}: variance ${i}`);
      const skew = 2 * (1 - 2 * q) * q * (1 - q) / ((concentration + 1) * (concentration + 2));
      assertMean(x.map((w) => (w[i]! - q) ** 3), skew, `${name}: third moment ${i}`);
      const j = (i + 1) % p.length, covariance = -q * p[j]! / (concentration + 1);
      assertMean(x.map((w) => (w[i]! - q) * (w[j]! - p[j]!)), covariance, `${name}: covariance`);
      const later = x.slice(1).map((w, k) => (w[i]! - q) * (x[k]![i]! - q));
      assertMean(later, 0, `${name}: from step to step`);
    });
  }
});

Deno.test("dirichletSoftThinking() of two even tokens at γ = 2 is uniform", () => {
  const n = 20_000, x = draws([0.5, 0.5], 2, n, 5).map(([w]) => w!).sort((a, b) => a - b);
  const distance = Math.max(...x.map((w, i) => Math.abs(w - (i + 0.5) / n)));
  assert(distance < 1.95 / Math.sqrt(n), `Kolmogorov–Smirnov distance ${distance}`); // p = 0.001
});

Deno.test("dirichletSoftThinking() never uses a uniform number twice", () => {
  const distribution = distributionOf(new Float32Array(200), samplerOf());
  for (const concentration of [1e-3, 4, 1e4]) {
    const used = new Set<number>();
    let calls = 0;
    const method = dirichletSoftThinking({ concentration, phase: "all" });
    method.step(
      distribution,
      0,
      method.init({
        ...contextOf(200),
        uniform(step, index) {
          used.add(index);
          calls++;
          return uniform(4, 1, step, index);
        },
      }),
    );
    assertEquals(used.size, calls);
    assert(calls >= 600);
  }
});

Deno.test("dirichletSoftThinking() ends where all tries are refused", () => {
  const distribution = distributionOf(new Float32Array(3), samplerOf());
  const method = dirichletSoftThinking({ phase: "all" });
  for (const u of [0, 0.25, 0.5, 1 - 2 ** -53]) {
    const state = method.init({ ...contextOf(3), uniform: () => u });
    assertClose(dense(method.step(distribution, 0, state).input, 3), [1 / 3, 1 / 3, 1 / 3]);
  }
});

Deno.test("dirichletSoftThinking() at a large γ is softThinking()", () => {
  const options = { topN: 1000, phase: "all" } as const;
  for (const { distribution, token } of samples(100, 82)) {
    const size = distribution.vocabularySize;
    const method = dirichletSoftThinking({ ...options, concentration: 1e15 });
    const soft = firstStep(softThinking(options), distribution, token);
    assertClose(
      dense(firstStep(method, distribution, token).input, size),
      dense(soft.input, size),
    );
  }
});

Deno.test("dirichletSoftThinking() at a small γ feeds nearly one token, as often as p says", () => {
  const p = [0.6, 0.3, 0.1], n = 4000, x = draws(p, 1e-4, n, 6);
  const single = x.filter((w) => Math.max(...w) > 0.999);
  assert(single.length > 0.99 * n);
  p.forEach((q, id) => {
    const share = single.filter((w) => w[id]! > 0.5).length / single.length;
    assertAlmostEquals(share, q, 4.5 * Math.sqrt(q * (1 - q) / n));
  });
});

Deno.test("dirichletSoftThinking() gives tokens that cannot be sampled no weight", async () => {
  for (const distribution of await largeDistributions()) {
    const p = denseOf(distribution);
    const made = firstStep(dirichletSoftThinking({ phase: "all" }), distribution, 0, 3);
    dense(made.input, p.length).forEach((w, id) => assert(p[id]! > 0 || w === 0));
    assert(p[made.token!]! > 0);
  }
});

Deno.test("dirichletSoftThinking() thinks until it records the closing marker, fed alone", async () => {
  const prompt = ids(`a${SHORT.open}`), close = letters({ ".": 1 });
  const wide = letters({ a: 0.4, b: 0.3, c: 0.3 });
  const steps = await traced(scripted([wide, wide, close, wide], prompt.length), prompt, {
    method: dirichletSoftThinking({ markers: SHORT, answer: { topK: 1 } }),
    topK: 3,
    maxNewTokens: 6,
  });
  assertEquals(steps[2]!.text, ".");
  assertEquals(steps.map(({ mixture }) => mixture.ids.length), [3, 3, 1, 1, 1, 1]);
  assertEquals(steps.map(({ candidates }) => candidates.length), [3, 3, 3, 1, 1, 1]);
});

Deno.test("dirichletSoftThinking() refuses a model without thinking markers", async () => {
  const run = () => generate(mockModel(), "ab", { method: dirichletSoftThinking() });
  await assertRejects(run, RangeError, "(phase 'all' needs none)");
});

Deno.test("dirichletSoftThinking() records its knobs", () => {
  const { name, parameters } = dirichletSoftThinking({ markers: MARKERS });
  assertEquals(name, "dirichletSoftThinking");
  assertEquals({ ...parameters }, { topN: 10, concentration: 4, phase: "thinking", ...MARKERS });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ topN: 0 }, RangeError, "'topN' must be an integer at least 1: current value is 0"],
  [{ concentration: 0 }, RangeError, "'concentration' must be a number at least 0.000001"],
  [{ concentration: Infinity }, RangeError, "'concentration' must be a number at least"],
  [{ concentration: "4" }, TypeError, "'concentration' must be a number at least"],
  [{ phase: "never" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ gamma: 4 }, TypeError, "'gamma' is not an option: known options are topN, concentration"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`dirichletSoftThinking() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => dirichletSoftThinking(options), type, `Cannot mix as ${sentence}`);
  });
}
