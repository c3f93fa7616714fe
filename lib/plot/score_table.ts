/**
 * The table of numeric scores: one row a method, as text and as HTML.
 *
 * @module
 */

import { checkOptions } from "../_check.ts";
import type { ScoreRow } from "../stats/mod.ts";
import { displayable } from "./_bundle.ts";
import { escapeHtml } from "./escape.ts";
import { pText, scoreFormat } from "./_format.ts";
import type { Html } from "./figure.ts";

/** Options of {@linkcode scoreTable}. */
export interface ScoreTableOptions {
  /** What the numbers are, such as "repeated 4-grams, %". Default: "score". */
  readonly name?: string;
  /** What they are multiplied with, such as 100 for percent. Default: 1. */
  readonly scale?: number;
  /** Decimals. Default: 2. */
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
  const { name = "score", scale = 1, digits = 2 } = options;
  if (rows.length === 0) throw new RangeError("Cannot make a table as 'rows' must hold a row");
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
    row.mixing.meanEntropy.toFixed(3),
    row.mixing.meanOffSampleMass.toFixed(3),
  ]);
  const all = [header, ...lines];
  const widths = header.map((_, i) => Math.max(...all.map((line) => [...line[i]!].length)));
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - [...text].length);
    return i === 0 ? text + space : space + text;
  };
  const note = `N = ${rows[0]!.problems} problems, ${
    rows[0]!.n
  } runs a method; differences are paired by problem`;
  const cell = (tag: string, text: string, i: number) =>
    `<${tag} style="text-align:${i === 0 ? "left" : "right"};padding:2px 10px;white-space:nowrap">${
      escapeHtml(text)
    }</${tag}>`;
  return displayable({
    html: `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:13px">${
      all.map((line, row) =>
        `<tr>${line.map((text, i) => cell(row === 0 ? "th" : "td", text, i)).join("")}</tr>`
      ).join("\n")
    }</table></div><p style="font-size:13px">${escapeHtml(note)}.</p>`,
    text: [...all.map((line) => line.map(pad).join("  ").trimEnd()), note].join("\n"),
  });
}
