import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  accuracy,
  gains,
  holm,
  mcnemarExact,
  pairedBootstrap,
  pairedScore,
  signFlipTest,
} from "../../lib/stats/mod.ts";
import { uint32s } from "../../lib/stats/_random.ts";
import { outcome, runsOf } from "./_runs.ts";

const ONE = {
  moi: [..."1111101011110111"],
  standard: [..."0110001011010011"],
  direct: [..."0010001111010010"],
};
const FOUR = {
  standard: "0111 1111 0110 0000 0001 1010 1011 0000 0000 0111 0110 1110".split(" "),
  moi: "1111 1111 1110 0000 0101 1010 1111 0010 0000 0111 0111 1111".split(" "),
};

/** Shares of correct runs, one a problem. */
const shares = (problems: readonly string[]) =>
  problems.map((repeats) => [...repeats].filter((v) => v === "1").length / repeats.length);

Deno.test("gains() puts the baseline first and keeps the order of the others", () => {
  const rows = gains(runsOf(ONE), { baseline: "standard" });
  assertEquals(rows.map((row) => row.method), ["standard", "moi", "direct"]);
  const { gain, low, high, p, adjustedP, won, lost, tokensRatio } = rows[0]!;
  assertEquals([gain, low, high, p, adjustedP, won, lost, tokensRatio], [0, 0, 0, 1, 1, 0, 0, 1]);
});

Deno.test("gains() of one run a problem: McNemar, Holm, score interval", () => {
  const [standard, moi, direct] = gains(runsOf(ONE), { baseline: "standard" });
  assertEquals([moi!.won, moi!.lost, direct!.won, direct!.lost], [5, 0, 1, 2]);
  assertEquals(moi!.pValueOf, "mcnemar");
  assertEquals(moi!.p, mcnemarExact(5, 0));
  assertEquals([moi!.adjustedP, direct!.adjustedP], holm([moi!.p, direct!.p]));
  assertAlmostEquals(moi!.gain, 5 / 16, 1e-15);
  assertAlmostEquals(moi!.gain, moi!.accuracy - standard!.accuracy, 1e-15);
  const { low, high } = pairedScore(5, 0, 16);
  assertEquals([moi!.low, moi!.high], [low, high]);
});

Deno.test("gains() of one run a problem gives equal methods an interval of some width", () => {
  const [, same] = gains(runsOf({ standard: ONE.standard, moi: ONE.standard }), {
    baseline: "standard",
  });
  assertEquals([same!.gain, same!.p], [0, 1]);
  assertEquals(same!.low < 0 && same!.high > 0, true);
});

Deno.test("gains() of several repeats: sign flips and bootstrap over problems", () => {
  const options = { level: 0.9, resamples: 2000, seed: 4 };
  const [, moi] = gains(runsOf(FOUR), { baseline: "standard", ...options });
  const differences = shares(FOUR.moi).map((share, i) => share - shares(FOUR.standard)[i]!);
  assertEquals(moi!.pValueOf, "sign-flip");
  assertEquals(moi!.p, signFlipTest(differences, { resamples: 2000, seed: 4 }));
  assertEquals([moi!.won, moi!.lost], [7, 0]);
  assertAlmostEquals(moi!.gain, 7 / 48, 1e-15);
  const { low, high } = pairedBootstrap(differences, options);
  assertEquals([moi!.low, moi!.high], [low, high]);
});

Deno.test("gains() gives each method its own accuracy", () => {
  for (const row of gains(runsOf(FOUR), { baseline: "standard" })) {
    const alone = accuracy(runsOf(FOUR), { method: row.method });
    assertEquals(
      [row.accuracy, row.accuracyLow, row.accuracyHigh, row.n, row.problems, row.repeats],
      [alone.mean, alone.low, alone.high, alone.n, alone.problems, alone.repeats],
    );
  }
});

Deno.test("gains() pairs by problem and repeat, not by position", () => {
  const runs = runsOf(FOUR);
  const [, moi] = gains(runs, { baseline: "standard" });
  const [, reversed] = gains(runs.toReversed(), { baseline: "standard" });
  assertEquals([reversed!.won, reversed!.lost, reversed!.p], [moi!.won, moi!.lost, moi!.p]);
  assertAlmostEquals(reversed!.gain, moi!.gain, 1e-15);
});

Deno.test("gains() turns round with the baseline", () => {
  const [, moi] = gains(runsOf(FOUR), { baseline: "standard" });
  const [, standard] = gains(runsOf(FOUR), { baseline: "moi" });
  assertAlmostEquals(standard!.gain, -moi!.gain, 1e-15);
  assertEquals([standard!.won, standard!.lost, standard!.p], [moi!.lost, moi!.won, moi!.p]);
  assertAlmostEquals(standard!.low, -moi!.high, 0.01);
});

Deno.test("gains() reports tokens, truncation, parameters and mixing", () => {
  const moi = { method: "moi", parameters: { name: "moi", beta: 1 } };
  const rows = gains([
    outcome({ tokens: [1, 2, 3, 4] }),
    outcome({ problem: "p1", tokens: [], finishReason: "length" }),
    outcome({ ...moi, tokens: [1], mixing: { meanEntropy: 0.5, meanOffSampleMass: 0.25 } }),
    outcome({ ...moi, problem: "p1", tokens: [1, 2], finishReason: "length" }),
  ], { baseline: "standard" });
  assertEquals(rows.map((row) => row.meanTokens), [2, 1.5]);
  assertEquals(rows.map((row) => row.tokensRatio), [1, 0.75]);
  assertEquals(rows.map((row) => row.truncated), [1, 1]);
  assertEquals(rows[1]!.parameters, { name: "moi", beta: 1 });
  assertEquals(rows[1]!.mixing, { meanEntropy: 0.25, meanOffSampleMass: 0.125 });
});

Deno.test("gains() of a method that never differs is 0 for sure", () => {
  const [, twin] = gains(runsOf({ standard: ["10", "01"], twin: ["10", "01"] }), {
    baseline: "standard",
  });
  assertEquals([twin!.gain, twin!.low, twin!.high, twin!.p], [0, 0, 0, 1]);
});

Deno.test("gains() of the baseline alone is one row", () => {
  assertEquals(gains(runsOf({ standard: ["1", "0"] }), { baseline: "standard" }).length, 1);
});

Deno.test("gains() repeats itself for a seed", () => {
  const options = { baseline: "standard", seed: 3, resamples: 500 };
  assertEquals(gains(runsOf(FOUR), options), gains(runsOf(FOUR), options));
});

Deno.test("gains() keeps the false alarms of a null study near alpha", () => {
  const next = uint32s(17);
  let alarms = 0;
  for (let study = 0; study < 200; study++) {
    const draw = (p: number) => [0, 1].map(() => next() * 2 ** -32 < p ? "1" : "0").join("");
    const difficulty = Array.from({ length: 40 }, () => next() * 2 ** -32);
    const verdicts = { standard: difficulty.map(draw), moi: difficulty.map(draw) };
    const [, moi] = gains(runsOf(verdicts), { baseline: "standard", resamples: 400 });
    alarms += Number(moi!.p <= 0.05);
  }
  assert(alarms <= 20, `${alarms} of 200`); // 10 expected, standard deviation 3.1
});

Deno.test("gains() refuses an unknown baseline and lists the methods", () => {
  assertThrows(
    () => gains(runsOf(FOUR), { baseline: "greedy" }),
    RangeError,
    `'baseline' must be one of [ "standard", "moi" ]: current value is "greedy"`,
  );
});

Deno.test("gains() refuses methods with other problems or repeats", () => {
  const part = (runs: ReturnType<typeof runsOf>, text: string) =>
    assertThrows(() => gains(runs, { baseline: "standard" }), RangeError, text);
  const short = runsOf({ standard: ["11", "10", "01"], moi: ["11"] });
  part(short, `"moi" without 2 problems and 4 runs that the baseline "standard" has`);
  part(short, "Finish the study first, or filter the runs to the problems both have");
  part(
    runsOf({ standard: ["11", "10"], moi: ["11", "1"] }),
    "without 0 problems and 1 run that",
  );
  part(
    runsOf({ standard: ["1"], moi: ["1", "0"] }),
    "with 1 problem and 1 run that it has not",
  );
});

Deno.test("gains() refuses runs of several studies, aborted runs and duplicates", () => {
  const refused = (changes: object, part: string) =>
    assertThrows(
      () => gains([outcome(), outcome({ method: "moi", ...changes })], { baseline: "standard" }),
      RangeError,
      part,
    );
  refused({ task: "other" }, `from one task: current value is [ "sums", "other" ]`);
  refused({ model: "other" }, "from one model");
  refused({ study: "other" }, "from one study");
  refused({ finishReason: "aborted" }, "an aborted run");
  refused({ method: "standard" }, "a duplicate");
  assertThrows(() => gains([], { baseline: "standard" }), RangeError, "at least one run");
});

Deno.test("gains() refuses bad options", () => {
  const runs = runsOf(FOUR);
  assertThrows(() => gains(runs, { baseline: "moi", seed: 0.5 }), RangeError, "'seed'");
  assertThrows(() => gains(runs, { baseline: "moi", level: 95 }), RangeError, "'level'");
  assertThrows(() => gains(runs, { baseline: "moi", resamples: 0 }), RangeError, "'resamples'");
  assertThrows(() => gains(runs, { base: "moi" } as never), TypeError, "'base' is not an option");
});
