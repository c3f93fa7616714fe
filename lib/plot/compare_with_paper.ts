/** One's own study beside the published numbers. @module */

import { checkOptions, oneOf, refusal, type Rules, text } from "../_check.ts";
import { PAPER_TASKS, type PaperMethod, paperTable1, type PaperTask } from "../study/mod.ts";
import { bare, estimate, signed } from "./_format.ts";
import type { GainLike } from "./gains.ts";
import { PAPER_COLUMNS } from "./_methods.ts";
import { sizeNote } from "./_notes.ts";
import { tableOf, type Value } from "./table.ts";
import { type Tables, tablesOf } from "./tables.ts";

/** Options of {@linkcode compareWithPaper}. */
export interface CompareWithPaperOptions {
  /** Benchmark of the paper. */
  readonly task: PaperTask;
  /** Model of the paper. Default: all four. */
  readonly model?: string;
}

const RULES: Rules<CompareWithPaperOptions> = {
  task: oneOf(...Object.keys(PAPER_TASKS)),
  model: text,
};

/**
 * The rows of `gains()` beside Table 1 of the paper: for each method the paper's accuracy and gain, and
 * one's own with their intervals.
 *
 * @param rows Rows of `gains()`, of standard decoding, the direct mixture or MoI; others stand alone.
 * @throws {RangeError} If the paper has no such benchmark or model, or there are no rows.
 */
export function compareWithPaper(
  rows: readonly GainLike[],
  options: CompareWithPaperOptions,
): Tables {
  const verb = "compare with the paper";
  checkOptions(verb, options, RULES);
  const { task, model } = options;
  RULES.task(verb, "task", task);
  if (rows.length === 0) throw new RangeError(refusal(verb, "rows", "hold a row", rows));
  const table = paperTable1().filter((entry) => entry.task === task);
  const models = [...new Set(table.map((entry) => entry.model))];
  if (model !== undefined && !models.includes(model)) {
    throw new RangeError(refusal(verb, "model", `be one of ${models.join(", ")}`, model));
  }
  const chosen = model === undefined ? models : [model];
  const published = (name: string, method: PaperMethod | undefined) =>
    table.find((entry) => entry.model === name && entry.method === method)?.accuracy;
  const lines = rows.map(({ method, parameters, mixing: _, ...row }) => {
    const own = PAPER_COLUMNS[String(parameters.name)], isBaseline = own === "standard";
    const line: Record<string, Value> = { method, ...row as object };
    if (isBaseline) line.gain = undefined;
    for (const name of chosen) {
      const accuracy = line[name] = published(name, own);
      if (accuracy === undefined || isBaseline) continue;
      line[`${name}, gain`] = (accuracy - published(name, "standard")!) / 100;
    }
    return line;
  });
  const { problems, name, note } = PAPER_TASKS[task];
  return tablesOf(tableOf(lines, [
    { heading: "method", of: "method" },
    { heading: "here %", of: ["accuracy", "accuracyLow", "accuracyHigh"], as: estimate(bare) },
    { heading: "gain here [95 %]", of: ["gain", "low", "high"], as: estimate(signed) },
    ...chosen.map((one) => ({
      heading: `${one} %`,
      of: [one, `${one}, gain`],
      as: (accuracy: number, gain?: number) =>
        accuracy.toFixed(2) + (gain === undefined ? "" : ` (${signed(gain)})`),
    })),
  ], {
    notes: [
      `here: ${
        sizeNote(rows[0]!.problems, rows[0]!.repeats)
      }, gains in points; paper: ${name}, ${problems} problems, ` +
      "stated to be means of five runs, printed without intervals",
      `${note}; MoI at the best β of a grid, which a row here of one β is not`,
    ],
  }));
}
