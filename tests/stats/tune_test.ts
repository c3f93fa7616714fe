import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { tuneThenTest } from "../../lib/stats/mod.ts";
import type { Run } from "../../lib/study/mod.ts";
import { seeded } from "../_random.ts";

/** Runs of settings on problems; `right` says which are solved. */
function runsOf(
  keys: readonly string[],
  problems: number,
  right: (key: string, i: number) => boolean,
): Run[] {
  return keys.flatMap((method) =>
    Array.from({ length: problems }, (_, i): Run => ({
      ...{ study: method, model: "m", device: "cpu", dtype: "fp32", task: "t", problem: `p${i}` },
      ...{ method, parameters: { name: method }, repeat: 0, studySeed: 0, seed: 0 },
      sampler: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 1 },
      ...{ prompt: `q${i}`, promptTokens: 1, tokens: [1], text: "", finishReason: "stop" },
      grade: { correct: right(method, i), extracted: null },
      mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
      timing: { prefillMs: 0, decodeMs: 0 },
      versions: {},
    }))
  );
}

const FAMILIES = { standard: ["s1", "s2"], moi: ["m1", "m2"] };
const KEYS = Object.values(FAMILIES).flat();

Deno.test("tuneThenTest() chooses what is better and judges it on every problem once", () => {
  const right = (key: string, i: number) => ({ s1: 3, s2: 5, m1: 8, m2: 2 })[key]! > i % 10;
  const { rows, choices, naive, runs, warnings } = tuneThenTest(runsOf(KEYS, 100, right), {
    ...{ families: FAMILIES, folds: 5 },
  });
  assertEquals(rows.map(({ method, problems }) => [method, problems]), [["standard", 100], [
    "moi",
    100,
  ]]);
  assertAlmostEquals(rows[1]!.gain, 0.3, 1e-12);
  assertEquals(choices.length, 5);
  for (const { chosen } of choices) assertEquals(chosen, { standard: "s2", moi: "m1" });
  assertEquals(choices.reduce((sum, { problems }) => sum + problems, 0), 100);
  assertEquals(naive.moi, { key: "m1", accuracy: 0.8 });
  assertEquals(new Set(runs.map((run) => `${run.method} ${run.problem}`)).size, 200);
  assertEquals(warnings, []);
});

Deno.test("of settings that differ by luck alone, the naive best is flattered and the judged one is not", () => {
  const random = seeded(4), keys = Array.from({ length: 20 }, (_, i) => `m${i}`);
  let naive = 0, honest = 0;
  const rounds = 40;
  for (let round = 0; round < rounds; round++) {
    const verdicts = new Map<string, boolean>();
    const runs = runsOf(["s", ...keys], 60, (key, i) => {
      const verdict = random.next() < 0.5;
      verdicts.set(`${key} ${i}`, verdict);
      return verdict;
    });
    const found = tuneThenTest(runs, {
      families: { standard: ["s"], moi: keys },
      folds: 5,
      seed: round,
    });
    naive += (found.naive.moi!.accuracy - 0.5) / rounds;
    honest += (found.rows[1]!.accuracy - 0.5) / rounds;
    assert(found.warnings[0]!.includes("standard 1, moi 20"));
  }
  assert(naive > 0.08, `${naive}`);
  assert(Math.abs(honest) < 0.03, `${honest}`); // 40 × 60 fair coins: a standard error of 0.01
});

Deno.test("folds share their choice: counts are divided by 1 + k/(k − 1), and p is the score test's", () => {
  const right = (key: string, i: number) => ({ s1: 3, s2: 5, m1: 8, m2: 2 })[key]! > i % 10;
  const runs = runsOf(KEYS, 100, right),
    of = (folds: number) => tuneThenTest(runs, { families: FAMILIES, folds }).rows[1]!;
  const five = of(5), { won, lost } = five;
  assertEquals([won, lost, five.pValueOf], [30, 0, "score"]);
  // Tango's interval by scipy's brentq: won, lost and n over 2.25, over 2.111…
  assertAlmostEquals(five.low, FOLDS.five.low, 1e-9);
  assertAlmostEquals(five.high, FOLDS.five.high, 1e-9);
  assertAlmostEquals(five.p, FOLDS.five.p, 1e-12);
  assertAlmostEquals(of(10).low, FOLDS.ten.low, 1e-9);
});

const FOLDS = {
  five: { low: 0.18568058516558816, high: 0.4461420260806023, p: 0.0002607296328553162 },
  ten: { low: 0.1885985797810929 },
};

Deno.test("by default one half chooses and the other is judged, and the split is the seed's", () => {
  const right = (key: string, i: number) => key === "m1" || i % 2 === 0;
  const runs = runsOf(KEYS, 50, right),
    options = { families: FAMILIES };
  const { rows, choices } = tuneThenTest(runs, options);
  assertEquals(choices.length, 1);
  assert(rows[0]!.problems > 10 && rows[0]!.problems < 40);
  assertEquals(tuneThenTest(runs, options).rows, rows);
  assertEquals(tuneThenTest(runs, { ...options, folds: { judge: 1, of: 2 } }).rows, rows);
  assertEquals(rows[1]!.pValueOf, "mcnemar");
  assert(tuneThenTest(runs, { ...options, seed: 1 }).rows[0]!.problems > 0);
  assertEquals(tuneThenTest(runs.toReversed(), options).rows[1]!.gain, rows[1]!.gain);
});

Deno.test("tuneThenTest() refuses what must not be compared", () => {
  const runs = runsOf(KEYS, 20, () => true);
  const tune = (own: Run[], more = {}) => () =>
    tuneThenTest(own, { families: FAMILIES, folds: 2, ...more });
  assertThrows(tune(runs, { baseline: "x" }), RangeError, "'baseline'");
  assertThrows(
    tune(runs, { families: { standard: ["s1"], moi: ["s1"] } }),
    RangeError,
    "one family only",
  );
  assertThrows(
    tune(runs, { families: { standard: ["s1"], moi: ["x"] } }),
    RangeError,
    "no runs of x",
  );
  assertThrows(tune(runs, { folds: 1 }), RangeError, "'folds'");
  assertThrows(tune(runs, { fold: 2 }), TypeError, "'fold'");
  assertThrows(tune(runs.slice(1)), RangeError, "s1 has 19");
  const other = runs.map((run, i) => i === 0 ? { ...run, prompt: "other" } : run);
  assertThrows(tune(other), RangeError, "the prompt of 'p0' differs");
  const model = runs.map((run, i) => i === 0 ? { ...run, model: "n" } : run);
  assertThrows(tune(model), RangeError, "one model");
  assertThrows(tune(runsOf(KEYS, 1, () => true)), RangeError, "too few");
});
