/**
 * The table of a study: one row a method, as text and as HTML.
 *
 * @module
 */

import { minimumDetectableGain } from "../stats/mod.ts";
import { partialText } from "../study/mod.ts";
import { bare, fixed, percent, pText, signed } from "./_format.ts";
import type { Html } from "./figure.ts";
import { baselineOf, type GainLike } from "./gains.ts";
import { below, nothingFinished, tableOf } from "./_layout.ts";

/** Below this mean off-sample mass, the inputs were the sampled tokens and hardly anything else. */
const LITTLE_MIXING = 0.01;

/** Share of runs cut from which it is told what that does to gains. */
const SOME_CUT = 0.01;

/** Outside of these accuracies of the baseline, hardly any problem can be won, or lost. */
const FLOOR = 0.05, CEILING = 0.95;

const HEADER = [
  "method",
  "accuracy %",
  "gain [95 %]",
  "p (Holm)",
  "won/lost",
  "finds",
  "tok ×",
  "cut %",
];

/** The smallest gain that a row like this one finds, at its own disagreement and design effect. */
function found(row: GainLike, comparisons: number): string {
  const { problems, repeats, won, lost, designEffect = repeats } = row;
  const gain = minimumDetectableGain({
    problems,
    repeats,
    designEffect: Math.min(repeats, Math.max(1, designEffect)),
    discordance: Math.min(1, (won + lost) / (row.pairs ?? problems * repeats)),
    comparisons,
  });
  return Number.isFinite(gain) ? bare(gain) : "–";
}

function cells(row: GainLike, baseline: GainLike, comparisons: number): string[] {
  const compared = row === baseline ? ["–", "–", "–", "–"] : [
    `${signed(row.gain)} [${signed(row.low)}, ${signed(row.high)}]`,
    pText(row.adjustedP).replace("= ", ""),
    `${row.won}/${row.lost}`,
    found(row, row.isPrimary ? 1 : comparisons),
  ];
  const cut = row.cut ?? row.truncated;
  return [
    row.isPrimary ? `${row.method} *` : row.method,
    `${bare(row.accuracy)} [${bare(row.accuracyLow)}, ${bare(row.accuracyHigh)}]`,
    ...compared,
    fixed(row.tokensRatio, 2),
    fixed(cut === undefined || row.n === undefined ? undefined : 100 * cut / row.n, 1),
  ];
}

/** What a reader of the table must know: its N, its terms, and whether it can tell anything. */
function notes(rows: readonly GainLike[], baseline: GainLike, comparisons: number): string[] {
  const problems = Math.max(...rows.map((row) => row.problems));
  const repeats = Math.max(...rows.map((row) => row.repeats));
  const mixed = rows.filter((row) => row.parameters.name === "moi")
    .map((row) => row.mixing.meanOffSampleMass).filter(Number.isFinite);
  const most = Math.max(0, ...mixed), seconds = baseline.meanSeconds;
  const others = rows.filter((row) => row !== baseline);
  const primary = others.find((row) => row.isPrimary);
  const ungradable = rows.reduce((sum, row) => sum + (row.ungradable ?? 0), 0);
  const { accuracy } = baseline;
  return [
    ...(baseline.partial
      ? [`${partialText(baseline.partial)}; of the problems that all methods finished`]
      : []),
    `N = ${problems} problems × ${repeats} repeat${
      repeats === 1 ? "" : "s"
    }; gains in points over ` +
    `${baseline.method}, paired by problem; intervals are pointwise`,
    ...(others.length === 0 ? [] : [
      `finds: the smallest true gain in points that such a row finds with 80 % power` +
      (comparisons > 1 ? `, at p ≤ 0.05 over ${comparisons} comparisons` : ""),
    ]),
    ...(primary
      ? [
        `* ${primary.method} was declared as the primary comparison before the study ran: its p is not adjusted`,
      ]
      : []),
    `cut: at the token limit without a right answer; H: entropy / ln V; mass: mean weight on other tokens ` +
    `than the sampled one` +
    (seconds === undefined || !Number.isFinite(seconds)
      ? ""
      : `; a run of ${baseline.method} took ${seconds.toPrecision(2)} s, shared with its batch`),
    ...(ungradable > 0
      ? [`ungradable: ${ungradable} runs that nothing can judge are left out, with their partners`]
      : []),
    ...(accuracy < FLOOR
      ? [
        `floor: ${baseline.method} is right in ${
          percent(accuracy)
        }, too seldom for this study to see a gain`,
      ]
      : []),
    ...(accuracy > CEILING
      ? [
        `ceiling: ${baseline.method} is right in ${
          percent(accuracy)
        }, too often for this study to see a gain`,
      ]
      : []),
    ...(mixed.length > 0 && most < LITTLE_MIXING
      ? [
        `MoI had almost nothing to mix here: its mean off-sample mass is at most ${
          most.toFixed(4)
        }, so no effect can be expected`,
      ]
      : []),
  ];
}

/** Where at least one in a hundred runs of a method was cut: what of a gain comes from finishing, and what from being right. */
function finishing(rows: readonly GainLike[], baseline: GainLike): Html[] {
  if (!rows.some((row) => (row.cut ?? 0) >= SOME_CUT * (row.n ?? Infinity))) return [];
  const share = (value: number | undefined) => value === undefined ? "–" : bare(value);
  const part = (row: GainLike, value: number | undefined) =>
    row === baseline || value === undefined ? "–" : signed(value);
  const lines = rows.map((row) => [
    row.method,
    share(row.finished),
    share(row.rightOfFinished),
    part(row, row.gainOfFinishing),
    part(row, row.gainOfRightness),
  ]);
  const header = ["method", "finished %", "right of these %", "gain: finishing", "gain: right"];
  return [tableOf(header, lines, [
    "runs were cut at the token limit: a gain is one of finishing more often plus one of being right " +
    "more often once finished",
  ])];
}

/**
 * The rows of `gains()` as a table: accuracy and gain with their intervals, p, problems won and lost, the
 * smallest gain that could have been found, tokens over the baseline's, runs cut, mean H and off-sample mass.
 *
 * Where a method had 1 % of its runs or more cut at the token limit, a second table says what of a gain comes from finishing more often
 * and what from being right more often once finished.
 *
 * @param rows Rows of `gains()`; the baseline is the one marked `isBaseline`.
 * @returns The table, with N, and a warning where it cannot show a gain: on a floor or at a ceiling, or with
 * nothing to mix.
 * @throws {RangeError} Where there are no rows.
 *
 * @example
 * ```ts
 * import { gainsTable } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const row = {
 *   method: "standard",
 *   parameters: { name: "standard" },
 *   ...{ problems: 10, repeats: 1, accuracy: 0.5, accuracyLow: 0.24, accuracyHigh: 0.76 },
 *   ...{ gain: 0, low: 0, high: 0, p: 1, adjustedP: 1, won: 0, lost: 0, tokensRatio: 1 },
 *   mixing: { meanEntropy: 0.3, meanOffSampleMass: 0 },
 * };
 * assertStringIncludes(gainsTable([row]).text, "50.0 [24.0, 76.0]");
 * ```
 */
export function gainsTable(rows: readonly GainLike[]): Html {
  const nothing = nothingFinished(rows);
  if (nothing) return nothing;
  if (rows.length === 0) throw new RangeError("Cannot make a table as 'rows' must hold a row");
  const baseline = baselineOf(rows, undefined) ?? rows[0]!;
  const comparisons = Math.max(1, rows.filter((row) => row !== baseline && !row.isPrimary).length);
  const counted = rows.some((row) => (row.ungradable ?? 0) > 0);
  const header = [...HEADER, ...(counted ? ["ungradable"] : []), "H", "mass"];
  const lines = rows.map((row) => [
    ...cells(row, baseline, comparisons),
    ...(counted ? [`${row.ungradable ?? 0}`] : []),
    fixed(row.mixing.meanEntropy, 3),
    fixed(row.mixing.meanOffSampleMass, 3),
  ]);
  return below(
    tableOf(header, lines, notes(rows, baseline, comparisons)),
    ...finishing(rows, baseline),
  );
}
