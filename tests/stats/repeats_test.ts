import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { avgAtK, majAtK, type Outcome, passAtK } from "../../lib/stats/mod.ts";
import { seeded } from "../_random.ts";

/** Runs from answers: problems × repeats; "1" is right. */
function runsOf(answers: readonly (readonly (string | null)[])[]): Outcome[] {
  return answers.flatMap((own, p) =>
    own.map((extracted, repeat): Outcome => ({
      ...{ study: "s", model: "m", task: "t", method: "a", parameters: { name: "a" } },
      ...{ problem: `p${p}`, repeat, tokens: [1], finishReason: "stop" },
      grade: { correct: extracted === "1", extracted },
      mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
    }))
  );
}

/** All subsets of size k. */
const choices = (n: number, k: number): number[][] =>
  Array.from(
    { length: 2 ** n },
    (_, mask) => Array.from({ length: n }, (_, i) => i).filter((i) => mask >> i & 1),
  )
    .filter((own) => own.length === k);

Deno.test("pass@k is the share of k runs that hold a right one", () => {
  const random = seeded(3);
  for (let round = 0; round < 30; round++) {
    const n = 2 + random.below(6), k = 1 + random.below(n);
    const answers = Array.from(
      { length: 3 },
      () => Array.from({ length: n }, () => random.pick(["1", "2", null])),
    );
    const shares = answers.map((own) => {
      const all = choices(n, k);
      return all.filter((chosen) => chosen.some((i) => own[i] === "1")).length / all.length;
    });
    const expected = shares.reduce((a, b) => a + b) / 3;
    assertAlmostEquals(passAtK(runsOf(answers), { k }), expected, 1e-12);
  }
});

Deno.test("maj@k is the expected share of majorities that are right", () => {
  assertEquals(majAtK(runsOf([["1", "1", "2"], ["2", "2", "1"]])), 0.5);
  assertEquals(majAtK(runsOf([["1", "2"]])), 0.5); // a tie
  assertEquals(majAtK(runsOf([[null, null, "1"]])), 1); // no answer, no vote
  assertEquals(majAtK(runsOf([[null, null]])), 0);
  assertAlmostEquals(majAtK(runsOf([["1", "1", "2"]]), { k: 1 }), 2 / 3, 1e-12);
  assertAlmostEquals(majAtK(runsOf([["1", "1", "2"]]), { k: 2 }), (1 + 0.5 + 0.5) / 3, 1e-12);
});

Deno.test("avg@k is the mean of repeats and their deviation", () => {
  const runs = runsOf([["1", "2", "1"], ["1", "1", "2"]]);
  const { mean, sd, accuracies, k, problems } = avgAtK(runs);
  assertEquals([accuracies, k, problems], [[1, 0.5, 0.5], 3, 2]);
  assertAlmostEquals(mean, 2 / 3, 1e-12);
  assertAlmostEquals(sd, Math.sqrt((1 / 9 + 1 / 36 + 1 / 36) / 2), 1e-12);
  assertEquals(avgAtK(runs, { k: 1 }).accuracies, [1]);
  assertEquals(avgAtK(runs, { k: 1 }).sd, NaN);
});

Deno.test("repeats are refused where they cannot be counted", () => {
  const runs = runsOf([["1", "2"], ["1", "1"]]);
  assertThrows(() => passAtK(runs.slice(1)), RangeError, "as many runs");
  assertThrows(() => passAtK(runs, { k: 3 }), RangeError, "'k'");
  assertThrows(() => majAtK(runs, { method: "b" }), RangeError, "'method'");
  assertThrows(
    () => majAtK(runsOf([Array(40).fill("1")]), { k: 20 }),
    RangeError,
    "at most 20000 ways",
  );
});
