import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  directMixture,
  type Distribution,
  distributionOf,
  generate,
  type Method,
  multiplex,
  samplerOf,
  standard,
  uniform,
} from "@moi/moi/decode";
import { mockModel } from "../../_mock_model.ts";
import { SHORTLIST } from "@moi/moi/model";
import {
  contextOf,
  dense,
  denseOf,
  floatsOf,
  likeliest,
  mixtureOf,
  samples,
} from "./_distributions.ts";
import { largeDistributions } from "./_soft.ts";

/** The token whose share of the cumulative distribution holds u. */
function inverse(p: readonly number[], order: readonly number[], u: number): number {
  let sum = 0, last = order[0]!;
  for (const id of order) {
    if (p[id]! > 0) last = id;
    sum += p[id]!;
    if (u < sum) return id;
  }
  return last;
}

/** All K tokens, by their draws. */
function tokensOf(distribution: Distribution, token: number, draws: number, seed: number) {
  const p = denseOf(distribution);
  const others = Array.from(
    { length: draws - 1 },
    (_, j) => inverse(p, [...p.keys()], uniform(seed, 1, distribution.step, j + 1)),
  );
  return { p, tokens: [token, ...others] };
}

Deno.test("multiplex() is the mean of the token and K − 1 more draws", () => {
  for (const sample of samples(300, 71)) {
    for (const draws of [2, 3, 8]) {
      const { p, tokens } = tokensOf(sample.distribution, sample.token, draws, 5);
      const actual = dense(mixtureOf(multiplex({ draws }), sample, 5), p.length);
      const expected = new Array<number>(p.length).fill(0);
      for (const id of tokens) expected[id]! += 1 / draws;
      expected.forEach((w, id) => assertAlmostEquals(actual[id]!, w, 1e-12));
    }
  }
});

Deno.test("multiplex() with weights 'probability' gives every draw the share that p gives its token", () => {
  const method = multiplex({ draws: 5, weights: "probability" });
  for (const sample of samples(300, 72)) {
    const { p, tokens } = tokensOf(sample.distribution, sample.token, 5, 6);
    const mass = tokens.reduce((sum, id) => sum + p[id]!, 0);
    const actual = dense(mixtureOf(method, sample, 6), p.length);
    p.forEach((q, id) => {
      const times = tokens.filter((token) => token === id).length;
      assertAlmostEquals(actual[id]!, times * q / mass, 1e-12);
    });
  }
});

Deno.test("multiplex() with weights 'probability': draws 0, 0, 1 of p = (¾, ¼) are 6 to 1", () => {
  const distribution = distributionOf(new Float32Array([Math.log(3), 0]), samplerOf());
  const method = multiplex({ draws: 3, weights: "probability" });
  const uniform = (_step: number, index: number) => index === 1 ? 0.1 : 0.9; // tokens 0 and 1
  const state = method.init({ vocabularySize: 2, prompt: [], uniform });
  const { input } = method.step(distribution, 0, state); // as the recorded token 0 is
  assertEquals(Array.from(input.ids), [0, 1]);
  [6 / 7, 1 / 7].forEach((w, i) => assertAlmostEquals(input.weights[i]!, w, 1e-7));
});

Deno.test("multiplex() draws by the distribution: with many draws it is directMixture()", () => {
  const distribution = distributionOf(new Float32Array([1, 0, 2, -1, -9]), samplerOf(), 3);
  const draws = 20_000, sample = { distribution, token: 2 };
  const actual = dense(mixtureOf(multiplex({ draws }), sample), 5);
  dense(mixtureOf(directMixture(), sample), 5).forEach((p, id) =>
    assertAlmostEquals(actual[id]!, p, 4 * Math.sqrt(p * (1 - p) / draws) + 1 / draws)
  );
});

Deno.test("multiplex() draws from a whole large vocabulary what standard decoding could draw", async () => {
  const method = multiplex({ draws: 4 });
  for (const distribution of await largeDistributions()) {
    const token = likeliest(distribution, 1)[0]!, size = distribution.vocabularySize;
    const { input } = method.step(distribution, token, method.init(contextOf(size)));
    const all = dense(input, size), floats = floatsOf(distribution);
    const p = floats ? Array.from(floats) : denseOf(distribution);
    assert(input.ids.length <= 4 && all[token]! >= 0.25);
    for (const id of Array.from(input.ids)) assert(p[id]! > 0, `token ${id}`);
    if (!floats) continue;
    const first = distribution.top(SHORTLIST).ids, seen = new Set(first);
    const order = [...first, ...[...p.keys()].filter((id) => !seen.has(id))];
    const expected = new Array<number>(size).fill(0);
    expected[token]! += 0.25;
    for (const j of [1, 2, 3]) {
      expected[inverse(p, order, uniform(0, 1, distribution.step, j))]! += 0.25;
    }
    assertEquals(all, expected);
  }
});

Deno.test("multiplex() of one draw is standard(), tokens, inputs and logits", async () => {
  for (const weights of ["uniform", "probability"] as const) {
    const one = multiplex({ draws: 1, weights });
    for (const sample of samples(50, 73)) {
      assertEquals(mixtureOf(one, sample), mixtureOf(standard(), sample));
    }
    for (const seed of [1, 2, 3]) {
      const run = async (method: Method) => {
        const model = mockModel();
        const { tokens } = await generate(model, "ab", { method, seed, maxNewTokens: 20 });
        return { tokens, calls: model.caches[0]!.calls };
      };
      assertEquals(await run(one), await run(standard() as Method));
    }
  }
});

Deno.test("multiplex() draws anew at every step and for every seed", () => {
  const flat = distributionOf(new Float32Array(50), samplerOf());
  const drawn = (step: number, seed: number) =>
    mixtureOf(multiplex(), { distribution: { ...flat, step }, token: 0 }, seed).ids;
  assertEquals(drawn(1, 1), drawn(1, 1));
  const all = [[0, 0], [0, 1], [1, 0], [2, 0]].map(([step, seed]) => drawn(step!, seed!));
  assertEquals(new Set(all.map((ids) => Array.from(ids).join())).size, 4);
});

Deno.test("multiplex() records its knobs", () => {
  assertEquals({ ...multiplex().parameters }, { draws: 3, weights: "uniform" });
});

const REFUSED: [object, typeof RangeError | typeof TypeError, string][] = [
  [{ draws: 0 }, RangeError, "'draws' must be an integer at least 1: current value is 0"],
  [{ draws: 1.5 }, RangeError, "'draws' must be an integer at least 1"],
  [{ draws: "3" }, TypeError, "'draws' must be an integer at least 1"],
  [{ weights: "mean" }, RangeError, "'weights' must be 'uniform' or 'probability'"],
  [{ phase: 1 }, RangeError, "'phase' must be"],
  [{ K: 3 }, TypeError, "'K' is not an option: known options are draws, weights"],
];
for (const [options, type, sentence] of REFUSED) {
  Deno.test(`multiplex() refuses ${Deno.inspect(options)}`, () => {
    assertThrows(() => multiplex(options), type, `Cannot mix as ${sentence}`);
  });
}
