import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  accuracy,
  gains,
  holm,
  mcnemarMidP,
  pairedScore,
  signFlipTest,
} from "../../lib/stats/mod.ts";
import { type Run, withPlanned } from "../../lib/study/mod.ts";
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

/** Repeats that are alike: a design effect between 1 and 4. */
const APART = {
  standard: "0000 1111 0110 0000 0000 1010 1111 0000 0000 1111 0110 0000 1111 0011 0000 1111".split(
    " ",
  ),
  moi: "1111 1111 1110 0000 1111 0010 1111 1110 0000 0000 0111 0000 1111 0111 0001 1111".split(" "),
};

/** Shares of correct runs, one a problem. */
const shares = (problems: readonly string[]) =>
  problems.map((repeats) => [...repeats].filter((v) => v === "1").length / repeats.length);

Deno.test("gains() puts the baseline first and keeps the order of the others", () => {
  const rows = gains(runsOf(ONE), { baseline: "standard" });
  assertEquals(rows.map((row) => row.method), ["standard", "moi", "direct"]);
  assertEquals(rows.map((row) => row.isBaseline), [true, false, false]);
  const { gain, low, high, p, adjustedP, won, lost, tokensRatio } = rows[0]!;
  assertEquals([gain, low, high, p, adjustedP, won, lost, tokensRatio], [0, 0, 0, 1, 1, 0, 0, 1]);
});

Deno.test("gains() of one run a problem: McNemar, Holm, score interval", () => {
  const [standard, moi, direct] = gains(runsOf(ONE), { baseline: "standard" });
  assertEquals([moi!.won, moi!.lost, direct!.won, direct!.lost], [5, 0, 1, 2]);
  assertEquals(moi!.pValueOf, "mcnemar");
  assertEquals(moi!.p, mcnemarMidP(5, 0));
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

Deno.test("gains() of several repeats: sign flips, score interval with the design effect", () => {
  // Python: counts divided by d in Tango's statistic, solved by scipy's brentq; all patterns tried.
  const [, moi] = gains(runsOf(APART), { baseline: "standard" });
  assertEquals([moi!.pValueOf, moi!.won, moi!.lost, moi!.pairs], ["sign-flip", 15, 5, 64]);
  assertAlmostEquals(moi!.gain, 10 / 64, 1e-15);
  assertAlmostEquals(moi!.designEffect, 3.2253107344632768, 1e-12);
  assertAlmostEquals(moi!.low, -0.10445229502660076, 1e-9);
  assertAlmostEquals(moi!.high, 0.40320884369451604, 1e-9);
  assertAlmostEquals(moi!.p, 0.20703125, 1e-12);
  const differences = shares(APART.moi).map((share, i) => share - shares(APART.standard)[i]!);
  assertEquals(moi!.p, signFlipTest(differences, { midP: true }));
  const narrower = gains(runsOf(APART), { baseline: "standard", level: 0.9 })[1]!;
  assertAlmostEquals(narrower.low, -0.056965262388530565, 1e-9);
});

Deno.test("gains() takes repeats for as good as new problems where they are", () => {
  const [, moi] = gains(runsOf(FOUR), { baseline: "standard" });
  assertEquals(moi!.designEffect, 1);
  const { low, high } = pairedScore(7, 0, 48);
  assertEquals([moi!.low, moi!.high], [low, high]);
  assertEquals(moi!.p, 0.0078125);
});

Deno.test("gains() says the same of runs that are there twice", () => {
  const twice = Object.fromEntries(
    Object.entries(APART).map(([key, own]) => [key, own.map((repeats) => repeats + repeats)]),
  );
  const once = gains(runsOf(APART), { baseline: "standard" })[1]!;
  const again = gains(runsOf(twice), { baseline: "standard" })[1]!;
  assertAlmostEquals(again.low, once.low, 1e-9);
  assertAlmostEquals(again.p, once.p, 1e-12);
});

Deno.test("gains() claims no certainty from few problems", () => {
  const rowOf = (standard: string[], moi: string[]) =>
    gains(runsOf({ standard, moi }), { baseline: "standard" })[1]!;
  const ten = (repeats: string) => new Array<string>(10).fill(repeats);
  for (
    const own of [rowOf(ten("10"), ten("10")), rowOf(ten("00"), ten("11")), rowOf(["10"], ["11"])]
  ) {
    assert(own.high - own.low > 0.2, `${[own.gain, own.low, own.high]}`);
    assert(own.low <= own.gain && own.gain <= own.high);
  }
});

Deno.test("gains() leaves out pairs that nothing can judge, and counts them", () => {
  const runs = runsOf(ONE),
    ungradable = { correct: false, extracted: null, ungradable: true } as const;
  const doubted = runs.map((run) =>
    run.problem === "p0" && run.method === "moi" ? { ...run, grade: ungradable } : run
  );
  const [standard, moi, direct] = gains(doubted, { baseline: "standard" });
  assertEquals([standard, moi, direct].map((row) => row!.ungradable), [0, 1, 0]);
  assertEquals([moi!.n, moi!.pairs, moi!.won, moi!.lost], [15, 15, 4, 0]);
  assertAlmostEquals(moi!.gain, 4 / 15, 1e-15);
  assertEquals([direct!.pairs, direct!.won, direct!.lost], [16, 1, 2]);
  const all = runs.map((run) => run.method === "moi" ? { ...run, grade: ungradable } : run);
  assertThrows(() => gains(all, { baseline: "standard" }), RangeError, `"moi" has none`);
});

Deno.test("gains() splits a gain into finishing and being right", () => {
  const cut = { finishReason: "length", correct: false } as const;
  const runs = [
    ...[{}, cut, cut, { correct: false }].map((one, i) => outcome({ ...one, problem: `p${i}` })),
    ...[{}, {}, cut, { correct: false }].map((one, i) =>
      outcome({ ...one, problem: `p${i}`, method: "moi" })
    ),
  ];
  const [standard, moi] = gains(runs);
  assertEquals([standard!.cut, moi!.cut], [2, 1]);
  assertEquals([standard!.finished, standard!.rightOfFinished], [0.5, 0.5]);
  assertEquals([moi!.finished, moi!.rightOfFinished], [0.75, 2 / 3]);
  assertAlmostEquals(moi!.gainOfFinishing + moi!.gainOfRightness, moi!.gain, 1e-15);
  assertAlmostEquals(moi!.gainOfFinishing, 0.25 * (2 / 3 + 0.5) / 2, 1e-15);
  // A right answer that was given before the limit is right, not cut.
  const late = gains(runs.map((run) => ({ ...run, finishReason: "length" as const })))[1]!;
  assertEquals([late.cut, late.truncated], [2, 4]);
});

Deno.test("gains() takes the primary comparison by itself, and Holm over the others", () => {
  const [, moi, direct] = gains(runsOf(ONE), { baseline: "standard", primary: "moi" });
  assertEquals([moi!.isPrimary, moi!.adjustedP, direct!.adjustedP], [true, moi!.p, direct!.p]);
  const told = runsOf(ONE).map((run) => ({ ...run, primary: "moi" }));
  assertEquals(gains(told)[1]!.isPrimary, true);
  const changed = told.map((run, i) => i === 0 ? { ...run, primary: "direct" } : run);
  assertEquals(gains(changed).some((row) => row.isPrimary), false);
  assertThrows(() => gains(told, { primary: "mio" }), RangeError, "'primary' must be one of");
});

Deno.test("gains() compares models, on the same problems", () => {
  const of = (model: string, own: readonly string[]) =>
    runsOf({ standard: own }).map((run) => ({ ...run, model, study: `study of ${model}` }));
  const runs = [...of("large", ONE.moi), ...of("small", ONE.standard)];
  const [small, large] = gains(runs, { by: "model", baseline: "small" });
  assertEquals([small!.method, large!.method, large!.won, large!.lost], ["small", "large", 5, 0]);
  assertThrows(() => gains(runs), RangeError, "one model");
  const told = runs.map((run, i) => ({ ...run, problemFields: { answer: i === 0 ? "a" : "b" } }));
  assertThrows(
    () => gains(told, { by: "model", baseline: "small" }),
    RangeError,
    `the same problems: those of "p0" differ`,
  );
  const two = [...runs, ...of("large", ONE.direct).map((run) => ({ ...run, method: "direct" }))];
  assertThrows(() => gains(two, { by: "model", baseline: "small" }), RangeError, "one method");
  assertThrows(() => gains(runs, { by: "seed" as never }), RangeError, "'by'");
  const by = ({ model }: { model: string }) => ({ model }); // an object stands for what is in it
  assertEquals(gains(runs, { by, baseline: '{"model":"small"}' })[1]!.method, '{"model":"large"}');
});

Deno.test("gains() compares runs by any setting, and by a function of a run", () => {
  const of = (study: string, own: readonly string[], more: object) =>
    runsOf({ standard: own }).map((run) => ({ ...run, study, ...more }));
  const warm = { sampler: { temperature: 1, topK: 0 }, kv: "fp32", device: "cpu" };
  const cold = { sampler: { temperature: 0.6, topK: 0 }, kv: "int8", device: "cpu" };
  const runs = [...of("a", ONE.standard, warm), ...of("b", ONE.moi, cold)];
  const rowsOf = (by: unknown, baseline: string) =>
    gains(runs, { by: by as "model", baseline }).map(({ method, baseline, isBaseline, won }) => [
      ...[method, baseline, isBaseline, won],
    ]);
  for (
    const [by, base, other] of [
      ["sampler", "temperature 1", "temperature 0.6"],
      ["kv", "fp32", "int8"],
      [({ study }: { study: string }) => `study ${study}`, "study a", "study b"],
    ] as const
  ) assertEquals(rowsOf(by, base), [[base, base, true, 0], [other, base, false, 5]]);
  const temperature = { name: "temperature", parameters: { temperature: 0.8 } };
  const list = (...transforms: object[]) => ({ sampler: { transforms } });
  const lists = [
    ...of("a", ONE.standard, list(temperature)),
    ...of("b", ONE.moi, list({ name: "noEcho" }, temperature)),
  ];
  const [plain, own] = ["transforms temperature(0.8)", "transforms noEcho temperature(0.8)"];
  assertEquals(gains(lists, { by: "sampler" as never, baseline: plain }).map((r) => r.method), [
    ...[plain, own],
  ]);
  assertThrows(() => gains(lists, { by: "sampler" as never }), RangeError, own);
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`method-${i}`, ["1"]]));
  assertThrows(() => gains(runsOf(many)), RangeError, '"method-19"'); // all that there are
  assertThrows(() => rowsOf("dtype", "x"), RangeError, "'by' must be a field that runs have");
  assertThrows(() => rowsOf("device", "cpu"), RangeError, 'come from one study for "cpu"');
  assertThrows(() => rowsOf(3, "x"), TypeError, "'by' must be a function of a run");
});

Deno.test("gains() keeps the order in which the study planned its methods", () => {
  const planned = { problems: 16, methods: ["direct", "standard", "moi"], repeats: 1, runs: 48 };
  const finished = withPlanned(runsOf(ONE) as Run[], planned); // "moi" was finished first
  const keys = gains(finished).map(({ method }) => method);
  assertEquals(keys, ["standard", "direct", "moi"]);
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

Deno.test("gains() pairs by problem and repeat: the order of runs changes nothing", () => {
  const runs = runsOf(APART), [, moi] = gains(runs, { baseline: "standard" });
  const random = uint32s(5), order = new Map(runs.map((run) => [run, random()]));
  const shuffled = runs.toSorted((a, b) => order.get(a)! - order.get(b)!);
  for (const other of [runs.toReversed(), shuffled]) {
    assertEquals(gains(other, { baseline: "standard" })[1], moi);
  }
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

Deno.test("gains() of a method that never differs has width", () => {
  const [, twin] = gains(runsOf({ standard: ["10", "01"], twin: ["10", "01"] }), {
    baseline: "standard",
  });
  const { low, high } = pairedScore(0, 0, 2);
  assertEquals([twin!.gain, twin!.low, twin!.high, twin!.p], [0, low, high, 1]);
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
