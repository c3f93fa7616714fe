import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { directMixture, distributionOf, samplerOf, standard, thinkRouter } from "@moi/moi/decode";
import { dense, denseOf, likeliest, mixtureOf, samples } from "./_distributions.ts";
import { largeDistributions } from "./_soft.ts";

Deno.test("thinkRouter() feeds p where its largest probability reaches τ, else the token", () => {
  let soft = 0;
  for (const sample of samples(300, 81)) {
    const { distribution, token } = sample, p = denseOf(distribution), largest = Math.max(...p);
    for (const threshold of [0.1, 0.5, 0.9]) {
      const input = mixtureOf(thinkRouter({ threshold }), sample);
      const expected = largest >= threshold ? p : p.map((_, id) => id === token ? 1 : 0);
      dense(input, p.length).forEach((w, id) => assertAlmostEquals(w, expected[id]!, 1e-12));
      if (largest >= threshold && largest < 1) soft++;
    }
  }
  assert(soft > 100);
});

Deno.test("thinkRouter() takes gate and mixture from the same p", () => {
  const logits = Float32Array.from([0.5, 0.3, 0.2], Math.log);
  const distribution = distributionOf(logits, samplerOf({ topK: 1 }));
  const fed = (options: object) =>
    dense(mixtureOf(thinkRouter(options), { distribution, token: 0 }), 3);
  assertEquals(fed({ threshold: 0.9 }), [1, 0, 0]);
  assertEquals(fed({ threshold: 0.51, prior: "model" }), [1, 0, 0]);
  [0.5, 0.3, 0.2].forEach((p, id) =>
    assertAlmostEquals(fed({ threshold: 0.49, prior: "model" })[id]!, p, 1e-6)
  );
  [0.625, 0.375, 0].forEach((p, id) =>
    assertAlmostEquals(fed({ threshold: 0.6, prior: "model", topK: 2 })[id]!, p, 1e-6)
  );
});

Deno.test("thinkRouter() of a large vocabulary gates on the most probable token", async () => {
  for (const prior of ["sampler", "model"] as const) {
    const needs = thinkRouter({ prior }).needs!;
    for (const distribution of await largeDistributions(needs)) {
      const sample = { distribution, token: likeliest(distribution, 2)[1]! };
      const direct = mixtureOf(directMixture({ prior }), sample);
      const largest = direct.dense
        ? Math.max(...direct.dense.probabilities)
        : Math.max(...Array.from(direct.weights));
      for (const threshold of [0, largest, largest + 1e-9]) {
        const input = mixtureOf(thinkRouter({ threshold, prior }), sample);
        assertEquals(input, threshold > largest ? mixtureOf(standard(), sample) : direct);
      }
    }
  }
});

Deno.test("thinkRouter() above 1 is standard(), at 0 directMixture()", () => {
  for (const sample of samples(100, 82)) {
    assertEquals(
      mixtureOf(thinkRouter({ threshold: 1.01 }), sample),
      mixtureOf(standard(), sample),
    );
    for (const options of [{}, { prior: "model" }, { topK: 2 }] as const) {
      const input = mixtureOf(thinkRouter({ threshold: 0, ...options }), sample);
      assertEquals(input, mixtureOf(directMixture(options), sample));
    }
  }
});

Deno.test("thinkRouter() records its knobs", () => {
  assertEquals({ ...thinkRouter().parameters }, { threshold: 0.5, prior: "sampler", topK: 0 });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ threshold: -1 }, RangeError, "'threshold' must be a number at least 0: current value is -1"],
  [{ threshold: NaN }, RangeError, "'threshold' must be a number at least 0"],
  [{ threshold: "1" }, TypeError, "'threshold' must be a number at least 0"],
  [{ prior: "p" }, RangeError, "'prior' must be 'sampler' or 'model'"],
  [{ markers: { open: "", close: "x" } }, TypeError, "'markers.open' must be a text"],
  [{ tau: 1 }, TypeError, "'tau' is not an option: known options are threshold, prior, topK"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`thinkRouter() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => thinkRouter(options), type, `Cannot mix as ${sentence}`);
  });
}
