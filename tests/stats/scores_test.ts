import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Outcome, pairedBootstrap, scoreGains, signFlipTest } from "../../lib/stats/mod.ts";

/** Runs of methods: problems × repeats of scores. */
function runsOf(scores: Readonly<Record<string, readonly (readonly number[])[]>>): Outcome[] {
  return Object.entries(scores).flatMap(([method, problems]) =>
    problems.flatMap((own, p) =>
      own.map((score, repeat): Outcome => ({
        ...{ study: "s", model: "m", task: "t", method, parameters: { name: method } },
        ...{ problem: `p${p}`, repeat, tokens: [1], finishReason: "stop" },
        grade: { correct: true, extracted: null, score },
        mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
      }))
    )
  );
}

const A = [0.1, 0.4, 0.35, 0.8, 0.2, 0.55], B = [0.3, 0.5, 0.3, 0.9, 0.6, 0.5];
const single = (values: readonly number[]) => values.map((value) => [value]);

Deno.test("scoreGains() agrees with a paired t test", () => {
  const [base, row] = scoreGains(runsOf({ a: single(A), b: single(B) }), { baseline: "a" });
  // scipy 1.17: stats.ttest_rel(B, A).confidence_interval(0.95); stats.t.interval for the mean
  assertAlmostEquals(row!.gain, 0.11666666666666667, 1e-12);
  assertAlmostEquals(row!.gainInterval.low, REFERENCE.low, 1e-9);
  assertAlmostEquals(row!.gainInterval.high, REFERENCE.high, 1e-9);
  assertAlmostEquals(base!.low, REFERENCE.meanLow, 1e-9);
  assertEquals([row!.higher, row!.lower], [4, 2]);
  const differences = A.map((a, i) => B[i]! - a);
  assertEquals(row!.bootstrap, pairedBootstrap(differences));
  assertEquals(row!.p, signFlipTest(differences));
});

const REFERENCE = {
  low: -0.06101573159533985,
  high: 0.29434906492867313,
  meanLow: 0.13659374490364629,
};

Deno.test("repeats are averaged within their problem", () => {
  const twice = runsOf({ a: [[0, 2], [4, 4]], b: [[2, 2], [5, 7]] });
  const [base, row] = scoreGains(twice, { baseline: "a" });
  assertEquals([base!.mean, row!.mean, row!.gain, row!.n], [2.5, 4, 1.5, 4]);
});

Deno.test("another number of the runs can be compared", () => {
  const rows = scoreGains(runsOf({ a: single([1, 2]), b: single([1, 2]) }), {
    ...{ baseline: "a", of: ({ tokens }) => tokens?.length },
  });
  assertEquals(rows.map(({ mean }) => mean), [1, 1]);
});

Deno.test("scoreGains() refuses what cannot be compared", () => {
  const runs = runsOf({ a: single([1, 2]), b: single([1, 2]) });
  assertThrows(() => scoreGains(runs, { baseline: "c" }), RangeError, "'baseline'");
  assertThrows(() => scoreGains(runs), RangeError, `current value is "standard"`); // as for gains
  assertThrows(() => scoreGains(runs.slice(1), { baseline: "a" }), RangeError, "same problems");
  const none = runs.map((run) => ({ ...run, grade: { correct: true, extracted: null } }));
  assertThrows(() => scoreGains(none, { baseline: "a" }), TypeError, "finite score");
  assert(Number.isFinite(scoreGains(runs, { baseline: "a" })[1]!.p));
});
