/** The table of a study: one row a method. @module */

import { minimumDetectableGain } from "../stats/mod.ts";
import { ADJUSTED_P, MIXING } from "./_columns.ts";
import { against, bare, estimate, fixed, percent, signed } from "./_format.ts";
import { partialNote, sizeNote } from "./_notes.ts";
import { baselineOf, type GainLike } from "./gains.ts";
import { type Column, tableOf } from "./table.ts";
import { type Tables, tablesOfRows } from "./tables.ts";

/** Below this mean off-sample mass, the inputs were the sampled tokens and hardly anything else. */
const LITTLE_MIXING = 0.01;

/** Share of runs cut from which it is told what that does to gains. */
const SOME_CUT = 0.01;

/** Outside of these accuracies of the baseline, hardly any problem can be won, or lost. */
const FLOOR = 0.05, CEILING = 0.95;

/** The smallest gain that a row like this one finds, at its own disagreement and design effect. */
function found(row: GainLike, comparisons: number): number {
  const { problems, repeats, won, lost, designEffect = repeats } = row;
  return minimumDetectableGain({
    ...{ problems, repeats, comparisons: row.isPrimary ? 1 : comparisons },
    designEffect: Math.min(repeats, Math.max(1, designEffect)),
    discordance: Math.min(1, (won + lost) / (row.pairs ?? problems * repeats)),
  });
}

/** Of the baseline's row, what no comparison has told. */
const NOT_COMPARED = {
  ...{ gain: undefined, adjustedP: undefined, won: undefined, finds: undefined },
  ...{ gainOfFinishing: undefined, gainOfRightness: undefined },
};

/** Rows with what the tables show beside what rows tell. */
function shown(rows: readonly GainLike[], baseline: GainLike, comparisons: number) {
  return rows.map((row) => {
    const cut = row.cut ?? row.truncated;
    return {
      ...{ ungradable: 0, ...row, ...row.mixing },
      finds: row === baseline ? undefined : found(row, comparisons),
      shareCut: cut === undefined || row.n === undefined ? undefined : cut / row.n,
      ...(row === baseline ? NOT_COMPARED : {}),
    };
  });
}

type Shown = ReturnType<typeof shown>[number];

/** The columns; what was found comes first, and fits a terminal. */
const columnsOf = (
  baseline: GainLike,
  comparisons: number,
  isCounted: boolean,
): readonly Column<Shown>[] => [
  {
    ...{ heading: "method", of: ["method", "isPrimary"] },
    as: (method: string, isPrimary?: boolean) => isPrimary ? `${method} *` : method,
  },
  { heading: "accuracy %", of: ["accuracy", "accuracyLow", "accuracyHigh"], as: estimate(bare) },
  { heading: "gain [95 %]", of: ["gain", "low", "high"], as: estimate(signed) },
  ADJUSTED_P,
  { heading: "won/lost", of: ["won", "lost"], as: against },
  {
    ...{ heading: "finds", of: "finds", as: bare },
    ...(comparisons === 0 ? {} : {
      means: "the smallest true gain in points that such a row finds with 80 % power" +
        (comparisons > 1 ? `, at p ≤ 0.05 over ${comparisons} comparisons` : ""),
    }),
  },
  {
    ...{ heading: "tok ×", of: "tokensRatio", as: (ratio: number) => fixed(ratio, 2) },
    means: `tokens of a run over those of ${baseline.method}`,
  },
  {
    ...{ heading: "cut %", of: "shareCut", as: bare },
    means: "runs that ended at the token limit without a right answer",
  },
  ...(isCounted
    ? [{
      ...{ heading: "ungradable", of: "ungradable" as const },
      means: "runs that nothing can judge; they are left out, with their partners",
    }]
    : []),
  ...MIXING,
];

/** What of a gain comes from finishing, and what from being right. */
const FINISHING: readonly Column<Shown>[] = [
  { heading: "method", of: "method" },
  { heading: "finished %", of: "finished", as: bare },
  { heading: "right of them %", of: "rightOfFinished", as: bare },
  { heading: "gain: finishing", of: "gainOfFinishing", as: signed },
  { heading: "gain: right", of: "gainOfRightness", as: signed },
];

/** What a reader of the table must know: its N, its terms, and whether it can tell anything. */
function notes(rows: readonly GainLike[], baseline: GainLike) {
  const problems = Math.max(...rows.map((row) => row.problems));
  const repeats = Math.max(...rows.map((row) => row.repeats));
  const mixed = rows.filter((row) => row.parameters.name === "moi")
    .map((row) => row.mixing.meanOffSampleMass).filter(Number.isFinite);
  const most = Math.max(0, ...mixed), seconds = baseline.meanSeconds ?? NaN;
  const primary = rows.find((row) => row !== baseline && row.isPrimary);
  const { accuracy, method } = baseline, right = `${method} is right in ${percent(accuracy)}`;
  return [
    partialNote(baseline.partial),
    `${sizeNote(problems, repeats)}; gains in points over ${method}, paired by problem; ` +
    "intervals are pointwise",
    primary &&
    `* ${primary.method} was declared as the primary comparison before the study ran: its p is not adjusted`,
    Number.isFinite(seconds) &&
    `a run of ${method} took ${seconds.toPrecision(2)} s, shared with its batch`,
    accuracy < FLOOR && `floor: ${right}, too seldom for this study to see a gain`,
    accuracy > CEILING && `ceiling: ${right}, too often for this study to see a gain`,
    mixed.length > 0 && most < LITTLE_MIXING &&
    `MoI had almost nothing to mix here: its mean off-sample mass is at most ${
      most.toFixed(4)
    }, so only few tokens could carry an effect`,
  ];
}

/**
 * The rows of `gains()` as a table: accuracy and gain with their intervals, p, problems won and lost, the
 * smallest gain that could have been found, tokens over the baseline's, runs cut, mean H and off-sample mass.
 *
 * Where a method had 1 % of its runs or more cut at the token limit, a second table says what of a gain comes
 * from finishing more often and what from being right more often once finished.
 *
 * @param rows Rows of `gains()`; the baseline is the one marked `isBaseline`.
 * @returns The table, with N, and a warning where it cannot show a gain: on a floor or at a ceiling, or with
 * nothing to mix.
 * @throws {RangeError} Where there are no rows.
 *
 * @example As text, and as CSV
 * ```ts
 * import { betaGrid, gains, gainsTable, loadModel, runStudy, toCsv, votes } from "@moi/moi";
 * import { assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = betaGrid({ betas: [1], controls: false });
 * const runs = await runStudy({ model, task: votes({ limit: 5 }), methods });
 * const { text, tables } = gainsTable(gains(runs));
 * assertStringIncludes(text, "N = 5 problems × 1 repeat");
 * assertStringIncludes(toCsv(tables[0]!), "method,isPrimary,accuracy,accuracyLow");
 * ```
 */
export function gainsTable(rows: readonly GainLike[]): Tables {
  return tablesOfRows(rows, () => {
    const baseline = baselineOf(rows) ?? rows[0]!;
    const others = rows.filter((row) => row !== baseline && !row.isPrimary).length;
    const comparisons = Math.max(1, others), lines = shown(rows, baseline, comparisons);
    const isCounted = lines.some(({ ungradable }) => ungradable > 0);
    const columns = columnsOf(baseline, rows.length > 1 ? comparisons : 0, isCounted);
    const table = tableOf(lines, columns, { notes: notes(rows, baseline) });
    if (!rows.some((row) => (row.cut ?? 0) >= SOME_CUT * (row.n ?? Infinity))) return [table];
    return [
      table,
      tableOf(lines, FINISHING, {
        notes: [
          "runs were cut at the token limit: a gain is one of finishing more often plus one of being " +
          "right more often once finished",
        ],
      }),
    ];
  });
}
