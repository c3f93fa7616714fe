import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  distributionOf,
  generate,
  gumbelSoftThinking,
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

testMixtures("gumbelSoftThinking()", gumbelSoftThinking({ phase: "all" }));
testMixtures(
  "gumbelSoftThinking({ temperature: 0 })",
  gumbelSoftThinking({ temperature: 0, phase: "all" }),
);
testMixtures(
  "gumbelSoftThinking({ temperature: 1e-3, topN: 1000 })",
  gumbelSoftThinking({ temperature: 1e-3, topN: 1000, phase: "all" }),
);

/** ln p plus Gumbel noise over the n most probable tokens, −∞ elsewhere. */
function perturbed(p: readonly number[], n: number, seed: number, step: number): number[] {
  const kept = new Set(descending(p).slice(0, n));
  const mass = [...kept].reduce((sum, id) => sum + p[id]!, 0);
  return p.map((value, id) => {
    if (!kept.has(id) || value === 0) return -Infinity;
    const exponential = -Math.log(uniform(seed, 1, step, id));
    return Math.log(value / mass) - Math.log(exponential);
  });
}

Deno.test("gumbelSoftThinking() is softmax((ln p + g) / τ), and records the heaviest", () => {
  for (const { distribution, token } of samples(300, 71)) {
    const p = denseOf(distribution);
    for (const [topN, temperature, seed] of [[5, 0.5, 0], [2, 0.1, 1], [40, 3, 2]] as const) {
      const noisy = perturbed(p, topN, seed, distribution.step);
      const top = Math.max(...noisy),
        powers = noisy.map((x) => Math.exp(x - top) ** (1 / temperature));
      const sum = powers.reduce((a, b) => a + b);
      const method = gumbelSoftThinking({ topN, temperature, phase: "all" });
      const made = firstStep(method, distribution, token, seed);
      assertClose(dense(made.input, p.length), powers.map((w) => w / sum));
      assertEquals(made.token, noisy.indexOf(top));
    }
  }
});

Deno.test("gumbelSoftThinking() at τ → 0 is the argmax of what is perturbed, exactly", () => {
  for (const { distribution, token } of samples(200, 72)) {
    const p = denseOf(distribution), noisy = perturbed(p, 5, 9, distribution.step);
    const best = noisy.indexOf(Math.max(...noisy));
    const alone = p.map((_, id) => id === best ? 1 : 0);
    for (const temperature of [0, 1e-300, 1e-12]) {
      const method = gumbelSoftThinking({ temperature, phase: "all" });
      const made = firstStep(method, distribution, token, 9);
      assertEquals(dense(made.input, p.length), alone);
      assertEquals(made.token, best);
    }
  }
});

Deno.test("gumbelSoftThinking() at a large τ weighs all alike, of one token it is greedy", () => {
  const distribution = distributionOf(new Float32Array([3, 2, 1, 0]), samplerOf());
  const flat = firstStep(
    gumbelSoftThinking({ temperature: 1e9, topN: 3, phase: "all" }),
    distribution,
    0,
  );
  assertClose(dense(flat.input, 4), [1 / 3, 1 / 3, 1 / 3, 0]);
  for (const sample of samples(50, 73)) {
    const one = firstStep(gumbelSoftThinking({ topN: 1, phase: "all" }), sample.distribution, 0);
    const soft = firstStep(softThinking({ topN: 1, phase: "all" }), sample.distribution, 0);
    assertEquals([one.input, one.token], [soft.input, soft.token]);
  }
});

Deno.test("gumbelSoftThinking() records a token as often as p says, whatever τ", () => {
  const p = [0.5, 0.3, 0.15, 0.05], n = 20_000;
  const distribution = distributionOf(Float32Array.from(p, Math.log), samplerOf());
  for (const temperature of [0, 0.5]) {
    const method = gumbelSoftThinking({ temperature, topN: 4, phase: "all" });
    const state = method.init(contextOf(4, 11)), counts = [0, 0, 0, 0];
    for (let step = 0; step < n; step++) {
      counts[method.step({ ...distribution, step }, 0, state).token!]!++;
    }
    p.forEach((q, id) => assertAlmostEquals(counts[id]! / n, q, 4 * Math.sqrt(q * (1 - q) / n)));
  }
});

Deno.test("gumbelSoftThinking() survives the smallest uniform number", () => {
  const distribution = distributionOf(new Float32Array([1, 0]), samplerOf());
  const method = gumbelSoftThinking({ phase: "all" });
  for (const u of [0, 1 - 2 ** -53]) {
    const state = method.init({ vocabularySize: 2, prompt: [], uniform: () => u });
    const { input } = method.step(distribution, 0, state);
    assertClose(dense(input, 2), [1 / (1 + Math.exp(-2)), Math.exp(-2) / (1 + Math.exp(-2))]);
  }
});

Deno.test("gumbelSoftThinking() of a large vocabulary mixes the same tokens", async () => {
  for (const distribution of await largeDistributions()) {
    const p = denseOf(distribution), noisy = perturbed(p, 5, 3, distribution.step);
    const made = firstStep(gumbelSoftThinking({ phase: "all" }), distribution, 0, 3);
    assertEquals(made.token, noisy.indexOf(Math.max(...noisy)));
    const powers = noisy.map((x) => Math.exp(2 * x)), sum = powers.reduce((a, b) => a + b);
    assertClose(dense(made.input, p.length), powers.map((w) => w / sum));
  }
});

Deno.test("gumbelSoftThinking() draws anew at every step, and the same for the same seed", async () => {
  const options = (seed: number) => ({
    method: gumbelSoftThinking({ phase: "all" }),
    seed,
    maxNewTokens: 20,
    ignoreEos: true,
  });
  const run = async (seed: number) => (await generate(mockModel(), "ab", options(seed))).tokens;
  assertEquals(await run(1), await run(1));
  const texts = new Set<string>();
  for (let seed = 0; seed < 10; seed++) texts.add((await run(seed)).join());
  assertEquals(texts.size, 10);
});

Deno.test("gumbelSoftThinking() thinks until it records the closing marker, fed alone", async () => {
  const prompt = ids(`a${SHORT.open}`), close = letters({ ".": 0.999, a: 0.001 });
  const wide = letters({ a: 0.4, b: 0.3, c: 0.3 });
  const steps = await traced(scripted([wide, wide, close, wide], prompt.length), prompt, {
    method: gumbelSoftThinking({ markers: SHORT, answer: { topK: 1 } }),
    topK: 3,
    maxNewTokens: 6,
  });
  assertEquals(steps[2]!.text, ".");
  assertEquals(steps.map(({ mixture }) => mixture.ids.length), [3, 3, 1, 1, 1, 1]);
  assertEquals(steps.map(({ candidates }) => candidates.length), [3, 3, 3, 1, 1, 1]);
});

Deno.test("gumbelSoftThinking() refuses a model without thinking markers", async () => {
  const run = () => generate(mockModel(), "ab", { method: gumbelSoftThinking() });
  await assertRejects(run, RangeError, "(phase 'all' needs none)");
});

Deno.test("gumbelSoftThinking() records its knobs", () => {
  const { name, parameters, needs } = gumbelSoftThinking({ markers: MARKERS });
  assertEquals(name, "gumbelSoftThinking");
  assertEquals({ ...parameters }, { topN: 5, temperature: 0.5, phase: "thinking", ...MARKERS });
  assert(!needs?.length);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ topN: 0 }, RangeError, "'topN' must be an integer at least 1: current value is 0"],
  [{ temperature: -1 }, RangeError, "'temperature' must be a number at least 0"],
  [{ temperature: NaN }, RangeError, "'temperature' must be a number at least 0"],
  [{ temperature: "1" }, TypeError, "'temperature' must be a number at least 0"],
  [{ phase: "never" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ coldStop: false }, TypeError, "'coldStop' is not an option: known options are topN, temp"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`gumbelSoftThinking() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => gumbelSoftThinking(options), type, `Cannot mix as ${sentence}`);
  });
}
