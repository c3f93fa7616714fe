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

/** Runs of one problem from repeat number → answer; "1" is right. */
const problem = (
  name: string,
  answers: Readonly<Record<number, string | null>>,
  right = "1",
): Outcome[] =>
  Object.entries(answers).map(([repeat, extracted]): Outcome => ({
    ...{ study: "s", model: "m", task: "t", method: "a", parameters: { name: "a" } },
    ...{ problem: name, repeat: Number(repeat), finishReason: "stop" },
    grade: { correct: extracted === right, extracted },
  }));
const ungradable = (run: Outcome): Outcome => ({
  ...run,
  grade: { correct: false, ungradable: true, extracted: run.grade.extracted },
});

Deno.test("avg@k counts the runs of each problem, whatever their numbers", () => {
  const all = [...problem("a", { 0: "1", 1: "1" }), ...problem("b", { 1: "1", 2: "1" })];
  assertEquals(avgAtK(all), { mean: 1, sd: 0, accuracies: [1, 1], k: 2, problems: 2 });
  const half = [...problem("a", { 3: "2", 7: "1" }), ...problem("b", { 0: "2", 9: "1" })];
  assertEquals(avgAtK(half).accuracies, [0, 1]);
  assertEquals(avgAtK([...problem("a", { 10: "1", 9: "2" })]).accuracies, [0, 1]); // as numbers
});

Deno.test("problems with unequal numbers of runs need k, and as many runs as that", () => {
  const runs = [...problem("a", { 0: "1", 1: "2", 2: "1" }), ...problem("b", { 0: "2", 1: "1" })];
  for (const f of [avgAtK, passAtK, majAtK]) {
    assertThrows(
      () => f(runs),
      RangeError,
      "as many runs, or 'k' be given: current value is [ 2, 3 ]",
    );
    assertThrows(
      () => f(runs, { k: 3 }),
      RangeError,
      "'k' must be an integer at least 1 and at most 2",
    );
  }
  assertEquals(avgAtK(runs, { k: 2 }).accuracies, [0.5, 0.5]); // of a, the first two
  assertAlmostEquals(passAtK(runs, { k: 1 }), (2 / 3 + 1 / 2) / 2, 1e-12); // all runs of each
  assertAlmostEquals(passAtK(runs, { k: 2 }), 1, 1e-12);
  assertAlmostEquals(majAtK(runs, { k: 1 }), (2 / 3 + 1 / 2) / 2, 1e-12);
  assertAlmostEquals(majAtK(runs, { k: 2 }), ((1 + 2 / 2) / 3 + 1 / 2) / 2, 1e-12);
});

Deno.test("runs that cannot be graded are left out, and problems of such alone", () => {
  const a = problem("a", { 0: "1", 1: "2" }), b = problem("b", { 0: "1", 1: "1" }).map(ungradable);
  assertEquals([avgAtK([...a, ...b]).mean, avgAtK([...a, ...b]).problems], [0.5, 1]);
  assertEquals([passAtK([...a, ...b]), majAtK([...a, ...b])], [1, 0.5]);
  const c = problem("c", { 0: "1", 1: "1", 2: "2" });
  c[0] = ungradable(c[0]!);
  assertEquals(avgAtK([...a, ...c]).accuracies, [1, 0]); // c has "1" and "2" left
  for (const f of [avgAtK, passAtK, majAtK]) {
    assertThrows(() => f(b), RangeError, "must hold one that can be judged");
    assertThrows(() => f([...a, ...c, ...problem("d", { 0: "1" })]), RangeError, "as many runs");
  }
});

Deno.test("maj@k takes answers that mean the same for one", () => {
  const right = new Set(["1/2", "0.5", "\\frac12", "\\frac{1}{2}", "\\dfrac{2}{4}", " 0.5 "]);
  const of = (...answers: (string | null)[]) =>
    answers.map((extracted, repeat): Outcome => ({
      ...problem("a", { [repeat]: extracted })[0]!,
      grade: { correct: extracted !== null && right.has(extracted), extracted },
    }));
  const cases: [(string | null)[], number][] = [
    [["1/2", "0.5", "\\frac12", "7", "7"], 1],
    [["\\frac{1}{2}", "\\dfrac{2}{4}", "7"], 1],
    [["7", "7.0", "1/2"], 0],
    [["7", "8", "1/2"], 1 / 3],
    [["7", "\\dfrac{14}{2}", "1/2", "0.5"], 1 / 2],
    [["(1,2)", "(1, 2)", "1/2"], 0],
    [["B", "A", "B", "1/2"], 0],
    [["", "  ", null, "1/2"], 1], // no answer, no vote
    [[" 0.5 ", "0.5", "7"], 1],
  ];
  for (const [answers, share] of cases) {
    assertAlmostEquals(majAtK(of(...answers)), share, 1e-12, String(answers));
  }
  const words = of("def f():\n  return 1", "def g():\n  return 1", "1/2", "0.5");
  assertEquals(majAtK(words), 1); // programs that end alike are two
  const exact = { equal: (a: string, b: string) => a === b };
  assertAlmostEquals(majAtK(of("1/2", "0.5", "7", "7"), exact), 0, 1e-12);
  const letters = { equal: (a: string, b: string) => a.toLowerCase() === b.toLowerCase() };
  assertAlmostEquals(majAtK(of("x", "X", "1/2"), letters), 0, 1e-12);
  assertThrows(
    () => majAtK(of("1"), { equal: "exact" as never }),
    TypeError,
    "'equal' must be a function",
  );
});

Deno.test("maj@k refuses right runs that tell no answer", () => {
  const runs = problem("a", { 0: "1", 1: "2" });
  const bare = [{ ...runs[0]!, grade: { correct: true, extracted: null } }, runs[1]!];
  assertThrows(() => majAtK(bare), RangeError, 'problem "a", repeat 0 has none');
  assertEquals(passAtK(bare), 1);
});

Deno.test("the order of runs is of no effect, not in the last digit", () => {
  const random = seeded(11);
  for (let round = 0; round < 20; round++) {
    const runs = Array.from({ length: 7 }, (_, p) => {
      const n = 3 + random.below(3), from = random.below(4);
      const answers = Array.from({ length: n }, (_, i): [number, string | null] => [
        from + 2 * i,
        random.pick(["1", "1.0", "0.33", "1/3", "0.333", "2", null]),
      ]);
      return problem(`p${p}`, Object.fromEntries(answers));
    }).flat();
    const shuffled = runs.map((run) => ({ run, at: random.below(1e9) })).sort((a, b) => a.at - b.at)
      .map(({ run }) => run);
    const near = (a: string, b: string) => Math.abs(valueOf(a) - valueOf(b)) < 0.002; // no equivalence
    for (const k of [1, 2, 3]) {
      assertEquals(avgAtK(shuffled, { k }), avgAtK(runs, { k }));
      assertEquals(passAtK(shuffled, { k }), passAtK(runs, { k }));
      assertEquals(majAtK(shuffled, { k, equal: near }), majAtK(runs, { k, equal: near }));
    }
    assertEquals(majAtK(shuffled, { k: 2 }), majAtK(runs, { k: 2 }));
  }
});

/** Value of "1/3" or "0.33". */
const valueOf = (text: string) => text.split("/").map(Number).reduce((a, b) => a / b);

Deno.test("pass@k is 1 − C(n−c, k) / C(n, k) exactly", () => {
  const choose = (n: number, k: number): bigint => {
    let value = 1n;
    for (let i = 0; i < k; i++) value = value * BigInt(n - i) / BigInt(i + 1);
    return k > n ? 0n : value;
  };
  const random = seeded(17), SCALE = 10n ** 18n;
  for (let round = 0; round < 200; round++) {
    const n = 1 + random.below(200), c = random.below(n + 1), k = 1 + random.below(n);
    const runs = problem(
      "a",
      Object.fromEntries(Array.from({ length: n }, (_, i) => [i, i < c ? "1" : "2"])),
    );
    const none = Number(choose(n - c, k) * SCALE / choose(n, k)) / Number(SCALE);
    assertAlmostEquals(passAtK(runs, { k }), 1 - none, 1e-12, `${n} ${c} ${k}`);
  }
});
