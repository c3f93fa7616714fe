/** The table of numeric scores: one row a method, as text and as HTML. @module */

import { checkOptions, number, type Rules, text } from "../_check.ts";
import type { ScoreRow } from "../stats/mod.ts";
import type { Measure } from "../tasks/mod.ts";
import { ADJUSTED_P, MIXING } from "./_columns.ts";
import { against, ends, estimate, pCell, scoreFormat } from "./_format.ts";
import { partialNote } from "./_notes.ts";
import { type Column, tableOf } from "./table.ts";
import { type Tables, tablesOfRows } from "./tables.ts";

/** Options of {@linkcode scoreTable}. */
export interface ScoreTableOptions {
  /** What the numbers are, such as "repeated 4-grams, %". Default: what the rows tell, else "score". */
  readonly name?: string;
  /** What they are multiplied with, such as 100 for percent. Default: what the rows tell, else 1. */
  readonly scale?: number;
  /** Decimals. Default: what the rows tell, else 2. */
  readonly digits?: number;
}

/** The rules of what says how scores are called and written. */
export const SCORE_RULES: Rules<ScoreTableOptions> = {
  name: text,
  scale: number(),
  digits: number({ min: 0, max: 100, integer: true }),
};

/**
 * The rows of `scoreGains()` as a table.
 *
 * @param rows Rows, the baseline's first.
 * @throws {RangeError} Where there are no rows.
 */
export function scoreTable(rows: readonly ScoreRow[], options: ScoreTableOptions = {}): Tables {
  checkOptions("make a table", options, SCORE_RULES);
  return tablesOfRows(rows, () => {
    const { problems, n, measure, partial } = rows[0]!;
    const words = { ...measureOf(rows), ...options };
    return [tableOf(shown(rows), scoreColumns(words, measure), {
      notes: [
        partialNote(partial),
        `N = ${problems} problems, ${n} runs a method; differences are paired by problem`,
        measure?.caution,
      ],
    })];
  });
}

/** Rows with what the table shows beside what they tell; the first, the baseline's, has no difference. */
function shown(rows: readonly ScoreRow[]) {
  return rows.map((row, i) => ({
    ...{ ...row, ...row.mixing },
    ...{ gainLow: row.gainInterval.low, gainHigh: row.gainInterval.high },
    ...{ bootstrapLow: row.bootstrap.low, bootstrapHigh: row.bootstrap.high },
    ...(i > 0 ? {} : {
      ...{ gain: undefined, bootstrapLow: undefined, p: undefined, adjustedP: undefined },
      higher: undefined,
    }),
  }));
}

function scoreColumns(
  { name, scale, digits }: Required<ScoreTableOptions>,
  measure: Measure | undefined,
): Column<ReturnType<typeof shown>[number]>[] {
  const { number, signed } = scoreFormat(scale, digits);
  return [
    { heading: "method", of: "method" },
    {
      heading: measure ? `${name} ${measure.better === "lower" ? "↓" : "↑"}` : name,
      ...{ of: ["mean", "low", "high"], as: estimate(number) },
      ...(measure ? { means: `${measure.better} is better` } : {}),
    },
    { heading: "difference [95 %, t]", of: ["gain", "gainLow", "gainHigh"], as: estimate(signed) },
    { heading: "[95 %, bootstrap]", of: ["bootstrapLow", "bootstrapHigh"], as: ends(signed) },
    { heading: "p", of: "p", as: pCell },
    ADJUSTED_P,
    { heading: "higher/lower", of: ["higher", "lower"], as: against },
    ...MIXING,
  ];
}

/** How scores are called and written, as the rows tell. */
export function measureOf([row]: readonly ScoreRow[]): Required<ScoreTableOptions> {
  const { name = "score", unit, scale = 1, digits = 2 } = row?.measure ?? {};
  return { name: unit === undefined ? name : `${name}, ${unit}`, scale, digits };
}
