import { assertEquals, assertThrows } from "@std/assert";
import { flips, gains, type Outcome } from "../../lib/stats/mod.ts";

/** Runs of methods on problems × repeats; a method's text of 0 and 1 says what it solves. */
function runsOf(verdicts: Readonly<Record<string, string>>, repeats = 1): Outcome[] {
  return Object.entries(verdicts).flatMap(([method, text]) =>
    Array.from(text, (verdict, i): Outcome => ({
      ...{ study: "s", model: "m", task: "t", method, parameters: { name: method } },
      problem: `p${Math.floor(i / repeats)}`,
      repeat: i % repeats,
      ...{ tokens: [1], finishReason: "stop" },
      grade: { correct: verdict === "1", extracted: null },
      mixing: { meanEntropy: 0, meanOffSampleMass: 0 },
    }))
  );
}

Deno.test("flips() sorts pairs by who solves them, and counts as gains() does", () => {
  const runs = runsOf({ a: "110010", b: "101011", c: "000000" }, 2);
  const { won, lost, both, neither } = flips(runs, { baseline: "a", method: "b" });
  const names = (pairs: typeof won) => pairs.map(({ problem, repeat }) => `${problem}/${repeat}`);
  assertEquals([names(won), names(lost)], [["p1/0", "p2/1"], ["p0/1"]]);
  assertEquals([both, neither], [2, 1]);
  assertEquals([won[0]!.method.method, won[0]!.baseline.method], ["b", "a"]);
  const row = gains(runs, { baseline: "a" }).find(({ method }) => method === "b")!;
  assertEquals([won.length, lost.length], [row.won, row.lost]);
});

Deno.test("flips() pairs by problem and repeat, not by order", () => {
  const runs = runsOf({ a: "1010", b: "0110" });
  const { won, lost } = flips(runs.toReversed(), { baseline: "a", method: "b" });
  assertEquals([won[0]!.problem, lost[0]!.problem], ["p1", "p0"]);
});

Deno.test("flips() refuses a method without runs, and runs without a partner", () => {
  const runs = runsOf({ a: "11", b: "10" });
  const of = (own: Outcome[], method: string) => () => flips(own, { baseline: "a", method });
  assertThrows(of(runs, "c"), RangeError, "'method' must be one of");
  assertThrows(of(runs.slice(0, -1), "b"), RangeError, "must hold the same problems and repeats");
  assertThrows(of(runs.slice(1), "b"), RangeError, "must hold the same problems and repeats");
  assertThrows(of([...runs, runs[0]!], "b"), RangeError, "each run once");
});
