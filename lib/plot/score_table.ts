/**
 * The table of numeric scores: one row a method, as text and as HTML.
 *
 * @module
 */

import { checkOptions } from "../_check.ts";
import type { ScoreRow } from "../stats/mod.ts";
import { partialText } from "../study/mod.ts";
import { fixed, pText, scoreFormat } from "./_format.ts";
import type { Html } from "./figure.ts";
import { nothingFinished, tableOf } from "./_layout.ts";

/** Options of {@linkcode scoreTable}. */
export interface ScoreTableOptions {
  /** What the numbers are, such as "repeated 4-grams, %". Default: what the rows tell, else "score". */
  readonly name?: string;
  /** What they are multiplied with, such as 100 for percent. Default: what the rows tell, else 1. */
  readonly scale?: number;
  /** Decimals. Default: what the rows tell, else 2. */
  readonly digits?: number;
}

/**
 * The rows of `scoreGains()` as a table.
 *
 * @param rows Rows, the baseline's first.
 * @param options Name, scale and decimals.
 * @throws {RangeError} Where there are no rows.
 *
 * @example
 * ```ts
 * import { scoreTable } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const none = { low: 0, high: 0 };
 * const row = {
 *   ...{ method: "standard", parameters: {}, problems: 9, n: 9, mean: 0.05, low: 0.04, high: 0.06 },
 *   mixing: { meanEntropy: 0.2, meanOffSampleMass: 0 },
 *   ...{ gain: 0, gainInterval: none, bootstrap: none, p: 1, adjustedP: 1, higher: 0, lower: 0 },
 * };
 * assertStringIncludes(scoreTable([row], { scale: 100, name: "%" }).text, "5.00 [4.00, 6.00]");
 * ```
 */
export function scoreTable(rows: readonly ScoreRow[], options: ScoreTableOptions = {}): Html {
  checkOptions("make a table", options, ["name", "scale", "digits"]);
  const nothing = nothingFinished(rows);
  if (nothing) return nothing;
  if (rows.length === 0) throw new RangeError("Cannot make a table as 'rows' must hold a row");
  const { name, scale, digits } = { ...measureOf(rows), ...options };
  const { number, signed } = scoreFormat(scale, digits);
  const header = [
    "method",
    name,
    "difference [95 %, t]",
    "[95 %, bootstrap]",
    "p",
    "p (Holm)",
    "higher/lower",
    "mean H",
    "off-sample",
  ];
  const lines = rows.map((row, i) => [
    row.method,
    `${number(row.mean)} [${number(row.low)}, ${number(row.high)}]`,
    ...(i === 0 ? ["–", "–", "–", "–", "–"] : [
      `${signed(row.gain)} [${signed(row.gainInterval.low)}, ${signed(row.gainInterval.high)}]`,
      `[${signed(row.bootstrap.low)}, ${signed(row.bootstrap.high)}]`,
      pText(row.p).replace("= ", ""),
      pText(row.adjustedP).replace("= ", ""),
      `${row.higher}/${row.lower}`,
    ]),
    fixed(row.mixing.meanEntropy, 3),
    fixed(row.mixing.meanOffSampleMass, 3),
  ]);
  const note = `N = ${rows[0]!.problems} problems, ${
    rows[0]!.n
  } runs a method; differences are paired by problem`;
  const { measure, partial } = rows[0]!;
  return tableOf(header, lines, [
    ...(partial ? [`${partialText(partial)}; of the problems that all methods finished`] : []),
    note,
    ...(measure
      ? [`${measure.better} is better${measure.caution ? `; ${measure.caution}` : ""}`]
      : []),
  ]);
}

/** How scores are called and written, as the rows tell. */
export function measureOf(
  [row]: readonly ScoreRow[],
): { readonly name: string; readonly scale: number; readonly digits: number } {
  const { name = "score", unit, scale = 1, digits = 2 } = row?.measure ?? {};
  return { name: unit === undefined ? name : `${name}, ${unit}`, scale, digits };
}
