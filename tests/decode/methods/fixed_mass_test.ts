import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { distributionOf, fixedMass, generate, samplerOf, standard } from "@moi/moi/decode";
import { openOf } from "../_open.ts";
import { mockModel } from "../../_mock_model.ts";
import { seeded } from "../../_random.ts";
import { dense, denseOf, likeliest, mixtureOf, samples } from "./_distributions.ts";

/** softmax(logits) in plain arithmetic. */
function softmax(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits), top = Math.max(...all);
  const weights = all.map((logit) => Math.exp(logit - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** (1 − m)·onehot(y) + m·p of the others; the token alone where they have nothing. */
function recomputed(p: readonly number[], token: number, mass: number): number[] {
  const others = p.map((q, id) => id === token ? 0 : q);
  const rest = others.reduce((a, b) => a + b, 0);
  if (rest === 0) return p.map((_, id) => id === token ? 1 : 0);
  return others.map((q, id) => id === token ? 1 - mass : mass * q / rest);
}

function assertClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-9) {
  expected.forEach((w, id) => assertAlmostEquals(actual[id]!, w, tolerance));
}

Deno.test("fixedMass() gives the other tokens of softmax(logits) the mass, whatever is sampled from", () => {
  let certain = 0;
  for (const sample of samples(300, 51)) {
    const { distribution, token } = sample, p = softmax(distribution.logits);
    for (const mass of [0.1, 0.5, 1]) {
      const actual = dense(mixtureOf(fixedMass({ mass }), sample), distribution.vocabularySize);
      assertClose(actual, recomputed(p, token, mass));
      if (distribution.entropy < 1e-3 && actual[token]! < 1 - mass / 2) certain++;
    }
  }
  assert(certain > 50, `${certain} mixtures of certain distributions`);
});

Deno.test("fixedMass() with prior 'sampler' mixes the distribution sampled from", () => {
  const method = fixedMass({ mass: 0.3, prior: "sampler" });
  for (const sample of samples(300, 52)) {
    const actual = dense(mixtureOf(method, sample), sample.distribution.vocabularySize);
    assertClose(actual, recomputed(denseOf(sample.distribution), sample.token, 0.3));
  }
});

Deno.test("fixedMass() with topK mixes the most probable tokens but the sampled one", () => {
  const distribution = distributionOf(
    Float32Array.from([0.4, 0.3, 0.2, 0.1], Math.log),
    samplerOf({ topK: 1 }),
  );
  const fed = (topK: number, token: number) =>
    dense(mixtureOf(fixedMass({ mass: 0.5, topK }), { distribution, token }), 4);
  assertClose(fed(3, 0), [0.5, 0.3, 0.2, 0], 1e-6);
  assertClose(fed(2, 3), [2 / 7, 1.5 / 7, 0, 0.5], 1e-6);
  assertEquals(fed(1, 0), [1, 0, 0, 0]);
});

Deno.test("fixedMass() feeds the token alone where no other has probability", () => {
  const distribution = distributionOf(new Float32Array([-Infinity, 2, -Infinity]), samplerOf());
  assertEquals(mixtureOf(fixedMass(), { distribution, token: 1 }), { ids: [1], weights: [1] });
});

Deno.test("fixedMass() mixes far below the precision of 1 − p", () => {
  const distribution = distributionOf(new Float32Array([0, -60, -61]), samplerOf());
  const [own, a, b] = dense(mixtureOf(fixedMass({ mass: 0.2 }), { distribution, token: 0 }), 3);
  assertEquals(own, 0.8);
  assertAlmostEquals(a!, 0.2 / (1 + Math.exp(-1)), 1e-12);
  assertAlmostEquals(b!, 0.2 / (1 + Math.E), 1e-12);
});

Deno.test("fixedMass() over a large vocabulary is the same, and lists the token alone", async () => {
  const size = 3000, random = seeded(53), method = fixedMass({ mass: 0.25 });
  await using distributions = openOf(size);
  for (const scale of [0, 1, 3, 10]) {
    for (
      const settings of [{}, { topK: 20 }, { temperature: 0.5, topP: 0.9 }, { temperature: 0 }]
    ) {
      const logits = Float32Array.from({ length: size }, () => scale * random.normal());
      const wanted = { sampler: samplerOf(settings), step: 0, needs: method.needs! };
      const [distribution] = await distributions.of(logits, [wanted]);
      for (const token of [likeliest(distribution!, 1)[0]!, random.below(size)]) {
        const input = mixtureOf(method, { distribution: distribution!, token });
        assertEquals(input.ids, [token]);
        assertClose(dense(input, size), recomputed(softmax(logits), token, 0.25), 1e-6);
      }
    }
  }
});

Deno.test("fixedMass() of mass 0 is standard(), tokens and inputs", async () => {
  for (const sample of samples(50, 54)) {
    assertEquals(mixtureOf(fixedMass({ mass: 0 }), sample), mixtureOf(standard(), sample));
  }
  for (const seed of [1, 2, 3]) {
    const run = async (method = standard()) => {
      const model = mockModel();
      const { tokens } = await generate(model, "ab", { method, seed, maxNewTokens: 20 });
      return { tokens, calls: model.caches[0]!.calls };
    };
    assertEquals(await run(fixedMass({ mass: 0 }) as ReturnType<typeof standard>), await run());
  }
});

Deno.test("fixedMass() holds its off-sample mass in a run, though the model is certain", async () => {
  const logits = () => Array.from({ length: 33 }, (_, id) => id === 5 ? 30 : -id / 10);
  const { mixing, tokens } = await generate(mockModel({ logits }), "a", {
    method: fixedMass({ mass: 0.15 }),
    maxNewTokens: 9,
  });
  assertEquals(new Set(tokens), new Set([5]));
  assertAlmostEquals(mixing.meanOffSampleMass, 0.15, 1e-12);
});

Deno.test("fixedMass() records its knobs", () => {
  assertEquals({ ...fixedMass().parameters }, { mass: 0.1, prior: "model", topK: 0 });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ mass: 1.5 }, RangeError, "'mass' must be a number at least 0 and at most 1"],
  [{ mass: -0.1 }, RangeError, "'mass' must be a number at least 0 and at most 1"],
  [{ mass: NaN }, RangeError, "'mass' must be a number at least 0 and at most 1"],
  [{ mass: "1" }, TypeError, "'mass' must be a number at least 0 and at most 1"],
  [{ prior: "p" }, RangeError, "'prior' must be 'sampler' or 'model'"],
  [{ topK: 0.5 }, RangeError, "'topK' must be an integer at least 0"],
  [{ phase: "never" }, RangeError, "'phase' must be 'all', 'thinking' or 'answer'"],
  [{ weight: 1 }, TypeError, "'weight' is not an option"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`fixedMass() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => fixedMass(options), type, `Cannot mix as ${sentence}`);
  });
}
