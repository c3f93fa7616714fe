/**
 * One's own study beside the published numbers.
 *
 * @module
 */

import { checkOptions, refusal } from "../_check.ts";
import { PAPER_TASKS, type PaperMethod, paperTable1, type PaperTask } from "../study/mod.ts";
import { displayable } from "./_bundle.ts";
import { escapeHtml } from "./escape.ts";
import { bare, signed } from "./_format.ts";
import type { Html } from "./figure.ts";
import type { GainLike } from "./gains.ts";

/** Options of {@linkcode besidePaper}. */
export interface BesidePaperOptions {
  /** Benchmark of the paper. */
  readonly task: PaperTask;
  /** Model of the paper. Default: all four. */
  readonly model?: string;
}

/** Which column of the paper a method of one's own belongs to. */
const NAMES: Readonly<Record<string, PaperMethod>> = {
  standard: "standard",
  directMixture: "direct",
  moi: "moi",
};

/**
 * The rows of `gains()` beside Table 1 of the paper: for each method the paper's accuracy and gain, and
 * one's own with their intervals.
 *
 * @param rows Rows of `gains()`, of standard decoding, the direct mixture or MoI; others stand alone.
 * @param options Benchmark and model of the paper.
 * @returns A table, with what must be known of the published entries.
 * @throws {RangeError} If the paper has no such benchmark or model, or there are no rows.
 *
 * @example
 * ```ts
 * import { besidePaper } from "@moi/moi/plot";
 * import { assertStringIncludes } from "@std/assert";
 * const row = {
 *   method: "standard",
 *   parameters: { name: "standard" },
 *   ...{ problems: 10, repeats: 1, accuracy: 0.5, accuracyLow: 0.24, accuracyHigh: 0.76 },
 *   ...{ gain: 0, low: 0, high: 0, p: 1, adjustedP: 1, won: 0, lost: 0, tokensRatio: 1 },
 *   mixing: { meanEntropy: 0.3, meanOffSampleMass: 0 },
 * };
 * assertStringIncludes(besidePaper([row], { task: "aime", model: "QwQ-32B" }).text, "77.78");
 * ```
 */
export function besidePaper(rows: readonly GainLike[], options: BesidePaperOptions): Html {
  const verb = "lay runs beside the paper";
  checkOptions(verb, options, ["task", "model"]);
  const { task, model } = options;
  if (rows.length === 0) throw new RangeError(refusal(verb, "rows", "hold a row", rows));
  if (!Object.hasOwn(PAPER_TASKS, task)) {
    throw new RangeError(
      refusal(verb, "task", `be one of ${Object.keys(PAPER_TASKS).join(", ")}`, task),
    );
  }
  const table = paperTable1().filter((entry) => entry.task === task);
  const models = [...new Set(table.map((entry) => entry.model))];
  if (model !== undefined && !models.includes(model)) {
    throw new RangeError(refusal(verb, "model", `be one of ${models.join(", ")}`, model));
  }
  const chosen = model === undefined ? models : [model];
  const entryOf = (name: string, method: PaperMethod | undefined) =>
    table.find((entry) => entry.model === name && entry.method === method);
  const { problems, name } = PAPER_TASKS[task];

  const header = [
    "method",
    "here %",
    "gain here, points [95 %]",
    ...chosen.map((one) => `${one} %`),
  ];
  const lines = rows.map((row) => {
    const method = NAMES[String(row.parameters.name)], isBaseline = method === "standard";
    return [
      row.method,
      `${bare(row.accuracy)} [${bare(row.accuracyLow)}, ${bare(row.accuracyHigh)}]`,
      isBaseline ? "–" : `${signed(row.gain)} [${signed(row.low)}, ${signed(row.high)}]`,
      ...chosen.map((one) => {
        const entry = entryOf(one, method), base = entryOf(one, "standard")!;
        if (!entry) return "–";
        const gain = isBaseline ? "" : ` (${signed((entry.accuracy - base.accuracy) / 100)})`;
        return `${entry.accuracy.toFixed(2)}${gain}`;
      }),
    ];
  });
  const all = [header, ...lines];
  const widths = header.map((_, i) => Math.max(...all.map((line) => [...line[i]!].length)));
  const notes = [
    `here: N = ${rows[0]!.problems} problems × ${
      rows[0]!.repeats
    } repeats; paper: ${name}, ${problems} problems, ` +
    "stated to be means of five runs, printed without intervals",
    `${PAPER_TASKS[task].note}; MoI at the best β of a grid, which a row here of one β is not`,
  ];
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i]! - [...text].length);
    return i === 0 ? text + space : space + text;
  };
  const cell = (tag: string, text: string, i: number) =>
    `<${tag} style="text-align:${i === 0 ? "left" : "right"};padding:2px 10px;white-space:nowrap">${
      escapeHtml(text)
    }</${tag}>`;
  return displayable({
    html: `<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:13px">${
      all.map((line, row) =>
        `<tr>${line.map((text, i) => cell(row === 0 ? "th" : "td", text, i)).join("")}</tr>`
      ).join("\n")
    }</table></div>${
      notes.map((note) => `<p style="font-size:13px">${escapeHtml(note)}.</p>`).join("")
    }`,
    text: [...all.map((line) => line.map(pad).join("  ").trimEnd()), ...notes].join("\n"),
  });
}
