import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  directMixture,
  distributionOf,
  linearMixture,
  moi,
  samplerOf,
  softmax,
  standard,
} from "@moi/moi/decode";
import { dense, denseOf, mixtureOf, samples } from "./_distributions.ts";

Deno.test("linearMixture() is λ·p + (1 − λ)·onehot(y)", () => {
  for (const sample of samples(100, 31)) {
    const { distribution, token } = sample;
    for (const weight of [0.25, 0.5, 0.9]) {
      const input = mixtureOf(linearMixture({ weight }), sample);
      const expected = denseOf(distribution).map((p, id) =>
        weight * p + (id === token ? 1 - weight : 0)
      );
      dense(input, distribution.vocabularySize)
        .forEach((w, id) => assertAlmostEquals(w, expected[id]!, 1e-15));
    }
  }
});

Deno.test("linearMixture() has the weight 0.5 unless told otherwise", () => {
  for (const sample of samples(20, 32)) {
    const half = mixtureOf(linearMixture({ weight: 0.5 }), sample);
    assertEquals(mixtureOf(linearMixture(), sample), half);
  }
});

Deno.test("linearMixture() of weight 0 is standard()", () => {
  for (const sample of samples(50, 33)) {
    assertEquals(mixtureOf(linearMixture({ weight: 0 }), sample), mixtureOf(standard(), sample));
  }
});

Deno.test("linearMixture() of weight 1 is directMixture(), bit for bit", () => {
  for (const sample of samples(50, 34)) {
    const { vocabularySize } = sample.distribution;
    for (const prior of [{}, { prior: "model", topK: 5 }] as const) {
      const linear = mixtureOf(linearMixture({ weight: 1, ...prior }), sample);
      const direct = mixtureOf(directMixture(prior), sample);
      assertEquals(dense(linear, vocabularySize), dense(direct, vocabularySize));
    }
  }
});

Deno.test("linearMixture() with prior 'model' and topK mixes those, and keeps the token", () => {
  const logits = new Float32Array([1, 0, 2, -1]);
  const distribution = distributionOf(logits, samplerOf({ temperature: 4 }));
  const method = linearMixture({ weight: 0.5, prior: "model", topK: 2 });
  const weights = dense(mixtureOf(method, { distribution, token: 3 }), 4);
  const [a, , b] = softmax(logits);
  [0.5 * a! / (a! + b!), 0, 0.5 * b! / (a! + b!), 0.5]
    .forEach((w, id) => assertAlmostEquals(weights[id]!, w, 1e-15));
});

Deno.test("linearMixture() records its knobs", () => {
  const { name, parameters } = linearMixture({ weight: 0.25 });
  assertEquals([name, { ...parameters }], [
    "linearMixture",
    { weight: 0.25, prior: "sampler", topK: 0 },
  ]);
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [
    { weight: 2 },
    RangeError,
    "'weight' must be a number at least 0 and at most 1: current value is 2",
  ],
  [{ weight: -0.1 }, RangeError, "'weight' must be a number at least 0 and at most 1"],
  [{ weight: NaN }, RangeError, "'weight' must be a number at least 0 and at most 1"],
  [{ weight: "1" }, TypeError, "'weight' must be a number at least 0 and at most 1"],
  [{ prior: "sample" }, RangeError, "'prior' must be 'sampler' or 'model'"],
  [{ topK: 0.5 }, RangeError, "'topK' must be an integer at least 0: current value is 0.5"],
  [
    { lambda: 1 },
    TypeError,
    "'lambda' is not an option: known options are weight, matchBeta, prior, topK",
  ],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`linearMixture() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => linearMixture(options), type, `Cannot mix as ${sentence}`);
  });
}

Deno.test("linearMixture({ matchBeta }) has MoI's weight in the mean of the steps so far", () => {
  const all = samples(60, 35), method = linearMixture({ matchBeta: 1 });
  let state: unknown = method.init({ vocabularySize: 0, prompt: [], uniform: () => 0 });
  let weighted = 0, rest = 0;
  for (const [i, { distribution, token }] of all.entries()) {
    const { vocabularySize } = distribution, p = denseOf(distribution);
    weighted += distribution.normalizedEntropy * (1 - p[token]!);
    rest += 1 - p[token]!;
    const step = method.step(distribution, token, state);
    state = step.state;
    const weight = rest === 0 ? 0 : weighted / rest / 2;
    dense(step.input, vocabularySize).forEach((w, id) =>
      assertAlmostEquals(w, weight * p[id]! + (id === token ? 1 - weight : 0), 1e-12)
    );
    if (i > 0) continue; // one step is MoI's own
    const mixed = dense(mixtureOf(moi({ beta: 1 }), { distribution, token }), vocabularySize);
    dense(step.input, vocabularySize).forEach((w, id) => assertAlmostEquals(w, mixed[id]!, 1e-12));
  }
});

Deno.test("linearMixture({ matchBeta }) is standard() where the model is certain", () => {
  const certain = distributionOf(new Float32Array([0, -Infinity, -Infinity]), samplerOf());
  const input = mixtureOf(linearMixture({ matchBeta: 0 }), { distribution: certain, token: 0 });
  assertEquals(dense(input, 3), [1, 0, 0]);
});

Deno.test("linearMixture({ matchBeta }) decides the rest itself", () => {
  assertEquals({ ...linearMixture({ matchBeta: 2 }).parameters }, { matchBeta: 2 });
  assertThrows(
    () => linearMixture({ matchBeta: 1, weight: 0.5 }),
    TypeError,
    "'weight' must be left",
  );
  assertThrows(() => linearMixture({ matchBeta: 1, topK: 5 }), TypeError, "'topK' must be left");
  assertThrows(() => linearMixture({ matchBeta: -1 }), RangeError, "'matchBeta'");
});
