import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { accuracy, wilson } from "../../lib/stats/mod.ts";
import { outcome, runsOf } from "./_runs.ts";

// Four repeats of twelve problems.
const CLUSTERED = "1111 1111 1110 0000 0001 1010 1111 0000 0000 0111 0110 1111".split(" ");

Deno.test("accuracy() gives Wilson's interval for one run a problem", () => {
  const result = accuracy(runsOf({ standard: [..."1101011"] }));
  assertEquals(result, {
    mean: 5 / 7,
    ...wilson(5, 7),
    se: result.se,
    n: 7,
    problems: 7,
    repeats: 1,
    truncated: 0,
    ungradable: 0,
  });
  assertAlmostEquals(result.se, Math.sqrt(5 / 7 * 2 / 7 / 6), 1e-15);
});

Deno.test("accuracy() clusters repeats by problem", () => {
  // statsmodels 0.14: OLS on a constant, cov_type="cluster", use_t=True; the same from
  // scipy.stats.t.ppf(0.975, 11) and the standard deviation of the problems' means.
  const result = accuracy(runsOf({ standard: CLUSTERED }));
  assertEquals([result.mean, result.n, result.problems, result.repeats], [0.5625, 48, 12, 4]);
  assertAlmostEquals(result.se, 0.11967838846954226, 1e-12);
  // d = 0.01432… / (0.5625 · 0.4375 / 48) = 2.7936…, Wilson of 48 / d runs (statsmodels' proportion_confint
  // takes counts that are not whole).
  assertAlmostEquals(result.low, REFERENCE.low, 1e-9);
  assertAlmostEquals(result.high, REFERENCE.high, 1e-9);
  const narrower = accuracy(runsOf({ standard: CLUSTERED }), { level: 0.9 });
  assertAlmostEquals(narrower.low, REFERENCE.low90, 1e-9);
  assertAlmostEquals(narrower.high, REFERENCE.high90, 1e-9);
});

const REFERENCE = {
  ...{ low: 0.3387176141578199, high: 0.7634418766042823 },
  ...{ low90: 0.3708260146875884, high90: 0.7371685655914164 },
};

Deno.test("accuracy() gives no narrower interval for the same runs said twice", () => {
  const once = accuracy(runsOf({ standard: CLUSTERED }));
  const twice = accuracy(runsOf({ standard: CLUSTERED.map((repeats) => repeats + repeats) }));
  assertAlmostEquals(twice.low, once.low, 1e-12);
  assertEquals(twice.n, 96);
});

Deno.test("accuracy() stays inside 0 and 1, and has width near them", () => {
  const { low, high } = accuracy(runsOf({ standard: ["11", "11", "11", "10"] }));
  assert(low > 0.3 && low < 0.6 && high > 0.97 && high < 1);
});

Deno.test("accuracy() does not claim certainty when all problems agree", () => {
  const { mean, se, low, high } = accuracy(runsOf({ standard: ["111", "111", "111", "111"] }));
  assertEquals([mean, se], [1, 0]);
  assertEquals({ low, high }, wilson(4, 4));
  const half = accuracy(runsOf({ standard: ["10", "01"] }));
  assertEquals({ low: half.low, high: half.high }, wilson(1, 2));
});

Deno.test("accuracy() of one problem with repeats says nothing about others", () => {
  const { mean, se, low, high } = accuracy(runsOf({ standard: ["1101"] }));
  assertEquals([mean, se], [0.75, NaN]);
  assert(low < 0.15 && high > 0.98, `${[low, high]}`); // as if it were one run
});

Deno.test("accuracy() weighs problems the same in an unfinished study", () => {
  const { mean, n, problems, repeats } = accuracy(runsOf({ standard: ["1111", "0", "10"] }));
  assertAlmostEquals(mean, 0.5, 1e-15);
  assertEquals([n, problems, repeats], [7, 3, 4]);
});

Deno.test("accuracy() does not depend on the order of runs", () => {
  const runs = runsOf({ standard: CLUSTERED });
  assertEquals(accuracy(runs.toReversed()), accuracy(runs));
});

Deno.test("accuracy() leaves out what nothing can judge, and counts it", () => {
  const judged = runsOf({ standard: [..."1101"] });
  const grade = { correct: false, extracted: null, ungradable: true } as const;
  const found = accuracy([
    ...judged,
    outcome({ problem: "p8", grade }),
    outcome({ problem: "p9", grade }),
  ]);
  assertEquals(found, { ...accuracy(judged), ungradable: 2 });
  assertThrows(() => accuracy([outcome({ grade })]), RangeError, "can be judged");
});

Deno.test("accuracy() counts runs that hit the token limit", () => {
  const runs = [outcome({ finishReason: "length", correct: false }), outcome({ problem: "p1" })];
  assertEquals(accuracy(runs).truncated, 1);
  assertEquals(accuracy(runs).mean, 0.5);
});

Deno.test("accuracy() looks at the named method only", () => {
  const runs = runsOf({ standard: ["1", "0"], moi: ["1", "1"] });
  assertEquals(accuracy(runs, { method: "moi" }).mean, 1);
  assertEquals(accuracy(runs, { method: "standard" }).mean, 0.5);
});

Deno.test("accuracy() refuses to choose a method, and says which there are", () => {
  const runs = runsOf({ standard: ["1"], moi: ["1"] });
  assertThrows(() => accuracy(runs), RangeError, `must hold one method, or 'method' name one`);
  assertThrows(() => accuracy(runs), RangeError, `[ "standard", "moi" ]`);
  assertThrows(
    () => accuracy(runs, { method: "mio" }),
    RangeError,
    `'method' must be one of [ "standard", "moi" ]: current value is "mio"`,
  );
});

Deno.test("accuracy() refuses runs that it would have to ignore", () => {
  assertThrows(() => accuracy([]), RangeError, "'runs' must hold at least one run");
  assertThrows(
    () => accuracy([outcome(), outcome({ problem: "p1", finishReason: "aborted" })]),
    RangeError,
    `'runs' must be finished: current value is an aborted run (problem "p1"`,
  );
  assertThrows(
    () => accuracy([outcome(), outcome()]),
    RangeError,
    `a duplicate (problem "p0", method "standard", repeat 0)`,
  );
  for (const field of ["task", "model", "study"] as const) {
    assertThrows(
      () => accuracy([outcome(), outcome({ problem: "p1", [field]: "other" })]),
      RangeError,
      `'runs' must come from one ${field}`,
    );
  }
  assertThrows(
    () => accuracy([outcome(), outcome({ problem: "p1", parameters: { beta: 2 } })]),
    RangeError,
    "one set of parameters to a method",
  );
  const ungraded = outcome({ grade: { correct: null as never, extracted: null } });
  assertThrows(() => accuracy([ungraded]), TypeError, "graded true or false");
});

Deno.test("accuracy() refuses bad options", () => {
  assertThrows(() => accuracy([outcome()], { level: 1 }), RangeError, "'level'");
  assertThrows(() => accuracy([outcome()], { lvl: 1 } as never), TypeError, "'lvl'");
  assertThrows(() => accuracy("runs" as never), TypeError, "must be an array of runs");
});
