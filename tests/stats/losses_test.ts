/** Differences of losses, clustered by document. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { TextLoss } from "@moi/moi/decode";
import { byEntropy, byStep, holm, lossGains, type LossGroup } from "../../lib/stats/mod.ts";
import { seeded } from "../_random.ts";

/** Texts whose inputs lose so much more than tokens, position by position. */
const lossesOf = (texts: readonly (readonly number[])[], more: object = {}): TextLoss[] =>
  texts.map((differences, text) => ({
    ...{ text, from: 1, entropy: differences.map((_, i) => i / 10) },
    base: differences.map(() => 1),
    losses: { moi: differences.map((own) => 1 + own), same: differences.map(() => 1) },
    offSampleMass: { moi: differences.map(() => 0.1), same: differences.map(() => 0) },
    ...more,
  }));

const TEXTS = [[0.5, -0.2, 0.1], [0.3, 0.4], [-0.1, 0, 0.2, 0.6], [0.05], [0.9, -0.3]];

Deno.test("lossGains() agrees with a regression with clustered errors", () => {
  const [row, same] = lossGains(lossesOf(TEXTS));
  // statsmodels 0.14: OLS(y, 1).fit(cov_type="cluster", cov_kwds={"groups": …}, use_t=True)
  assertAlmostEquals(row!.difference, 0.20416666666666675, 1e-12);
  assertAlmostEquals(row!.low, 0.08723292639445117, 1e-9);
  assertAlmostEquals(row!.high, 0.3211004069388823, 1e-9);
  assertAlmostEquals(row!.p, 0.008353436911885762, 1e-9);
  assertEquals([row!.documents, row!.tokens, row!.base], [5, 12, 1]);
  assertEquals([same!.difference, same!.low, same!.high, same!.p], [0, 0, 0, 1]);
  assertEquals([same!.meanOffSampleMass, row!.meanOffSampleMass.toFixed(3)], [0, "0.100"]);
});

Deno.test("methods are compared with one of them", () => {
  const [row, ...more] = lossGains(lossesOf(TEXTS), { baseline: "moi" });
  const [moi] = lossGains(lossesOf(TEXTS));
  assertEquals([row!.method, row!.baseline, more.length], ["same", "moi", 0]);
  assertAlmostEquals(row!.difference, -moi!.difference, 1e-12);
  assertAlmostEquals(row!.high, -moi!.low, 1e-12);
  assertAlmostEquals(row!.base, 1 + moi!.difference, 1e-12);
});

Deno.test("groups of positions hold the documents that have such a position", () => {
  const groups = [...byEntropy([0.1, 0.25]), ...byStep([1, 3])];
  const rows = lossGains(lossesOf(TEXTS), { groups }).filter(({ method }) => method === "moi");
  assertEquals(rows.map(({ group, documents, tokens }) => `${group}: ${tokens} of ${documents}`), [
    ...["H < 0.1: 5 of 5", "0.1 ≤ H < 0.25: 6 of 4", "0.25 ≤ H: 1 of 1"],
    ...["step < 1: 5 of 5", "1 ≤ step < 3: 6 of 4", "3 ≤ step: 1 of 1"],
  ]);
  assertAlmostEquals(rows[0]!.difference, (0.5 + 0.3 - 0.1 + 0.05 + 0.9) / 5, 1e-12);
  const alone = rows[2]!; // one document says nothing about others
  assertEquals([alone.low, alone.high, alone.p], [-Infinity, Infinity, 1]);
  assertEquals(lossGains(lossesOf(TEXTS), { groups: byEntropy([9]) }).length, 2); // none above
});

Deno.test("the comparison that was declared keeps its p, the others are adjusted together", () => {
  const groups = [{ name: "all", has: () => true }, ...byStep([2])];
  const rows = lossGains(lossesOf(TEXTS), { groups, primary: "moi" });
  const others = rows.filter(({ isPrimary }) => !isPrimary);
  assertEquals(rows.length - others.length, 1);
  assertEquals(rows[0]!.adjustedP, rows[0]!.p);
  assertEquals(others.map(({ adjustedP }) => adjustedP), holm(others.map(({ p }) => p)));
});

Deno.test("the intervals of lossGains() cover, and its test errs at its level", () => {
  const random = seeded(11), truth = 0.05, documents = 20, studies = 2000;
  let covered = 0, wrong = 0;
  for (let study = 0; study < studies; study++) {
    const texts = Array.from({ length: documents }, () => {
      const own = truth + 0.1 * random.normal(), length = 5 + random.below(25);
      return Array.from({ length }, () => own + 0.3 * random.normal());
    });
    const [row] = lossGains(lossesOf(texts));
    if (row!.low <= truth && truth <= row!.high) covered++;
    const [none] = lossGains(lossesOf(texts.map((text) => text.map((value) => value - truth))));
    if (none!.p <= 0.05) wrong++;
  }
  assert(Math.abs(covered / studies - 0.95) < 0.015, `covers ${covered / studies}`);
  assert(Math.abs(wrong / studies - 0.05) < 0.015, `errs ${wrong / studies}`);
});

Deno.test("lossGains() refuses what it cannot compare", () => {
  assertThrows(() => lossGains([]), RangeError, "a text and a method");
  assertThrows(() => lossGains(lossesOf(TEXTS, { losses: {} })), RangeError, "a text and a method");
  assertThrows(() => lossGains(lossesOf(TEXTS), { primary: "moi-1" }), RangeError, "'primary'");
  assertThrows(() => lossGains(lossesOf(TEXTS), { baseline: "none" }), RangeError, "'baseline'");
  assertThrows(() => lossGains(lossesOf(TEXTS), { level: 95 }), RangeError, "'level'");
  const groups = [{ name: "all" }] as unknown as LossGroup[];
  assertThrows(() => lossGains(lossesOf(TEXTS), { groups }), TypeError, "'groups.has'");
  const [first, ...others] = lossesOf(TEXTS);
  for (const base of [first!.base.slice(1), first!.base.with(0, NaN)]) {
    assertThrows(() => lossGains([{ ...first!, base }, ...others]), RangeError, "'losses[0]'");
  }
  const losses = { other: first!.base };
  assertThrows(() => lossGains([...others, { ...first!, losses }]), RangeError, "'losses[");
});

Deno.test("edges of groups ascend", () => {
  for (const edges of [[0.5, 0.1], [0.5, 0.5], [NaN]]) {
    assertThrows(() => byEntropy(edges), RangeError, "'edges[");
  }
  assertThrows(() => byStep(["3"] as unknown as number[]), TypeError, "'edges[0]'");
});
