import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  directMixture,
  distributionOf,
  type PriorOptions,
  samplerOf,
  softmax,
} from "@moi/moi/decode";
import { dense, denseOf, mixtureOf, samples } from "./_distributions.ts";

const LOGITS = new Float32Array([1, 0, 2, -1]);
const hot = distributionOf(LOGITS, samplerOf({ temperature: 4, topK: 3 }));

Deno.test("directMixture() feeds back the distribution sampled from, whatever the token", () => {
  for (const sample of samples(100, 21)) {
    const weights = dense(mixtureOf(directMixture(), sample), sample.distribution.vocabularySize);
    assertEquals(weights, denseOf(sample.distribution));
  }
});

Deno.test("directMixture() with prior 'model' feeds back the softmax at temperature 1", () => {
  const input = mixtureOf(directMixture({ prior: "model" }), { distribution: hot, token: 0 });
  assertEquals(dense(input, 4), [...softmax(LOGITS)]);
});

Deno.test("directMixture() with topK feeds back the most probable, renormalised", () => {
  const { topK, ...sample } = { topK: 2, distribution: hot, token: 1 };
  const [a, , b] = [1, 0, 2].map((logit) => Math.exp(logit / 4));
  const input = mixtureOf(directMixture({ topK }), sample);
  assertEquals(Array.from(input.ids), [0, 2]);
  assertAlmostEquals(input.weights[0]!, a! / (a! + b!), 1e-15);
  assertAlmostEquals(input.weights[1]!, b! / (a! + b!), 1e-15);
});

Deno.test("directMixture() of the paper's baseline leaves a token outside the 20 out", () => {
  const distribution = distributionOf(
    Float32Array.from({ length: 40 }, (_, id) => -id / 10),
    samplerOf(),
  );
  const baseline = directMixture({ prior: "model", topK: 20 });
  const { ids } = mixtureOf(baseline, { distribution, token: 33 });
  assertEquals(Array.from(ids), [...Array(20).keys()]);
});

Deno.test("directMixture() records its knobs", () => {
  assertEquals(directMixture().name, "directMixture");
  assertEquals({ ...directMixture().parameters }, { prior: "sampler", topK: 0 });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ prior: "p" }, RangeError, `'prior' must be 'sampler' or 'model': current value is "p"`],
  [{ topK: -1 }, RangeError, "'topK' must be an integer at least 0: current value is -1"],
  [{ topK: NaN }, RangeError, "'topK' must be an integer at least 0: current value is NaN"],
  [{ topk: 20 }, TypeError, "'topk' is not an option: known options are prior, topK"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`directMixture() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => directMixture(options as PriorOptions), type, `Cannot mix as ${sentence}`);
  });
}
