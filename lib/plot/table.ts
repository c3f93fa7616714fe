/**
 * The table of a study: one row a method, as text and as HTML.
 *
 * @module
 */

import { minimumDetectableGain } from "../stats/mod.ts";
import { displayable } from "./_bundle.ts";
import { escapeHtml } from "./escape.ts";
import { bare, pText, signed } from "./_format.ts";
import type { Html } from "./figure.ts";
import type { GainLike } from "./gains.ts";

/** Below this mean off-sample mass, the inputs were the sampled tokens and hardly anything else. */
const LITTLE_MIXING = 0.01;

const HEADER = [
  "method",
  "accuracy %",
  "gain, points [95 %]",
  "p",
  "p (Holm)",
  "won/lost",
  "tokens ×",
  "s/run",
  "cut %",
  "mean H",
  "off-sample",
];

function seconds(value = NaN): string {
  return Number.isNaN(value) ? "–" : value < 10 ? value.toFixed(2) : value.toFixed(0);
}

/** A number, or a dash where it is not known, as of imported runs. */
function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(digits);
}

function cells(row: GainLike): string[] {
  const isBaseline = row.gain === 0 && row.low === 0 && row.high === 0 &&
    row.won + row.lost === 0 &&
    row.parameters.name === "standard";
  const { meanEntropy, meanOffSampleMass } = row.mixing;
  const compared = isBaseline ? ["–", "–", "–", "–"] : [
    `${signed(row.gain)} [${signed(row.low)}, ${signed(row.high)}]`,
    pText(row.p).replace("= ", ""),
    pText(row.adjustedP).replace("= ", ""),
    `${row.won}/${row.lost}`,
  ];
  return [
    row.method,
    `${bare(row.accuracy)} [${bare(row.accuracyLow)}, ${bare(row.accuracyHigh)}]`,
    ...compared,
    fixed(row.tokensRatio, 2),
    seconds(row.meanSeconds),
    row.truncated === undefined || row.n === undefined
      ? "–"
      : (100 * row.truncated / row.n).toFixed(1),
    fixed(meanEntropy, 3),
    fixed(meanOffSampleMass, 3),
  ];
}

/** The smallest gain that a study of this size finds, at the disagreement that it found itself. */
function detectable(rows: readonly GainLike[], problems: number): string[] {
  const others = rows.filter((row) => row.parameters.name !== "standard");
  if (others.length === 0) return [];
  const shares = others.map(({ won, lost, problems, repeats }) =>
    (won + lost) / (problems * repeats)
  );
  const discordance = Math.min(1, shares.reduce((a, b) => a + b, 0) / shares.length);
  const gain = minimumDetectableGain({ problems, discordance, comparisons: others.length });
  const count = others.length === 1 ? "1 comparison" : `${others.length} comparisons`;
  return [
    `with ${problems} problems, ${count} and ${
      bare(discordance)
    } % of pairs disagreeing, gains from ` +
    `${bare(gain)} points are found with 80 % power`,
  ];
}

/** What a reader of the table must know: its N, and whether MoI had anything to mix. */
function notes(rows: readonly GainLike[]): string[] {
  const problems = Math.max(...rows.map((row) => row.problems));
  const repeats = Math.max(...rows.map((row) => row.repeats));
  const mixed = rows.filter((row) => row.parameters.name === "moi")
    .map((row) => row.mixing.meanOffSampleMass);
  const most = Math.max(0, ...mixed.filter((mass) => !Number.isNaN(mass)));
  const inactive = mixed.length > 0 && most < LITTLE_MIXING;
  return [
    `N = ${problems} problems × ${repeats} repeat${repeats === 1 ? "" : "s"}; ` +
    "gains are paired by problem; s/run: wall time, shared with its batch; cut: at the token limit; " +
    "H: entropy / ln V; off-sample: weight on other tokens than the sampled one",
    ...detectable(rows, problems),
    ...(inactive
      ? [
        `MoI had almost nothing to mix here: its mean off-sample mass is at most ${
          most.toFixed(4)
        }, so no effect can be expected`,
      ]
      : []),
  ];
}

/**
 * The rows of `gains()` as a table.
 *
 * @param rows Rows of `gains()`.
 * @returns The table, with N and a warning where mixing was inactive.
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
  if (rows.length === 0) throw new RangeError("Cannot make a table as 'rows' must hold a row");
  const lines = [HEADER, ...rows.map(cells)];
  const widths = HEADER.map((_, i) => Math.max(...lines.map((line) => [...line[i]!].length)));
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - [...text].length);
    return i === 0 ? text + space : space + text;
  };
  const footer = notes(rows);
  const html = lines.map((line, i) => {
    const tag = i === 0 ? "th" : "td";
    const items = line.map((text, column) => {
      const align = column === 0 ? "left" : "right";
      return `<${tag} style="text-align:${align};padding:2px 10px;white-space:nowrap">${
        escapeHtml(text)
      }</${tag}>`;
    });
    return `<tr>${items.join("")}</tr>`;
  });
  return displayable({
    html: `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:13px">${
      html.join("\n")
    }</table></div>${
      footer.map((line) => `<p style="font-size:13px">${escapeHtml(line)}.</p>`).join("")
    }`,
    text: [
      ...lines.map((line) => line.map(pad).join("  ").trimEnd()),
      ...footer,
    ].join("\n"),
  });
}
