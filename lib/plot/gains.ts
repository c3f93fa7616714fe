/**
 * The figure that answers the question of the paper: how much more is solved, at which β, and what do the
 * controls say. The interval of the baseline's own accuracy is drawn in grey around zero. It is wider than the
 * paired ones, because pairing cancels the difficulty of the problems; a gain is judged by its own interval.
 *
 * @module
 */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import type { Gain, GainRow } from "../stats/mod.ts";
import { partialText } from "../study/mod.ts";
import type { Figure } from "./figure.ts";
import { bare, fixed, intervalText, milli, percent, points, pText, signed } from "./_format.ts";
import { emptyFigure, gainFigure, type GainPoint } from "./_gain_figure.ts";

/** What {@linkcode plotGains} reads of a row of `gains()`. */
export type GainLike = Gain & Partial<GainRow>;

/** Options of {@linkcode plotGains}. */
export interface PlotGainsOptions {
  /** Title. Default: "Gain over <baseline>". */
  readonly title?: string;
  /** Text before the N in the line below the title, such as the model and the task. */
  readonly subtitle?: string;
  /**
   * Key of the row that the gains are measured against. Default: the one marked as baseline, else the only
   * one whose `parameters.name` is "standard".
   */
  readonly baseline?: string;
}

const VERB = "plot gains";
const RULES: Rules<PlotGainsOptions> = { title: text, subtitle: text, baseline: text };

/**
 * Draws gains over the baseline with their paired 95 % intervals: MoI against β on a log axis on
 * the left, all other methods on the right.
 *
 * Points are hollow where the mean off-sample mass is below 0.001, so that mixing cannot have acted.
 * Rows of MoI that differ in more than β (such as the preset) become one line each.
 *
 * @param rows Rows of `gains()`, the baseline's among them.
 * @returns A figure made for 900 × 420 pixels; the N stands below the title.
 * @throws {RangeError} If there are no rows, or no row (or no single row) is the baseline.
 *
 * @example One β and the baseline
 * ```ts
 * import { betaGrid, gains, plotGains, loadModel, runStudy, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = betaGrid({ betas: [1], controls: false });
 * const runs = await runStudy({ model, task: votes({ limit: 5 }), methods });
 * const figure = plotGains(gains(runs)); // await show(figure) in a notebook
 * assertEquals((figure.data[0] as { x: number[] }).x, [1]);
 * ```
 */
export function plotGains(rows: readonly GainLike[], options: PlotGainsOptions = {}): Figure {
  checkOptions(VERB, options, RULES);
  const empty = emptyFigure(rows);
  if (empty) return empty;
  const baseline = theBaseline(rows, options.baseline), drawn = rows.map(pointOf);
  return gainFigure(drawn, drawn[rows.indexOf(baseline)]!, {
    title: options.title ?? `Gain over ${baseline.method}`,
    caption: [options.subtitle, baseline.partial && partialText(baseline.partial)],
    axis: "gain (percentage points)",
    value: percent(baseline.accuracy),
  });
}

/** The rows that can be the baseline: the one of a key, that marked so, else those of the standard method. */
function candidates(rows: readonly GainLike[], key: string | undefined): readonly GainLike[] {
  if (key !== undefined) return rows.filter((row) => row.method === key);
  const marked = rows.filter((row) => row.isBaseline);
  return marked.length > 0 ? marked : rows.filter((row) => row.parameters.name === "standard");
}

/** The baseline's row, where there is one that can be no other. */
export function baselineOf(rows: readonly GainLike[], key?: string): GainLike | undefined {
  const found = candidates(rows, key);
  return found.length === 1 ? found[0] : undefined;
}

function theBaseline(rows: readonly GainLike[], key: string | undefined): GainLike {
  if (rows.length === 0) throw new RangeError(refusal(VERB, "rows", "have at least one row", rows));
  const [first, ...more] = candidates(rows, key);
  if (first === undefined) {
    const rule = `have a row of ${key === undefined ? "the standard method" : `"${key}"`}`;
    throw new RangeError(refusal(VERB, "rows", rule, rows.map((row) => row.method)));
  }
  if (more.length === 0) return first;
  const rule = "name one of the rows, as several could be the baseline";
  throw new RangeError(refusal(VERB, "baseline", rule, [first, ...more].map((row) => row.method)));
}

/** A row in percentage points. */
function pointOf(row: GainLike): GainPoint {
  const { method, parameters, problems, repeats, accuracy, mixing } = row;
  return {
    ...{ method, parameters, problems, repeats },
    ...{ gain: points(row.gain), low: points(row.low), high: points(row.high) },
    own: { low: points(row.accuracyLow - accuracy), high: points(row.accuracyHigh - accuracy) },
    offSampleMass: mixing.meanOffSampleMass,
    hover: [
      method,
      `accuracy ${percent(accuracy)} ${intervalText(row.accuracyLow, row.accuracyHigh, bare)}`,
      `gain ${signed(row.gain)} points ${intervalText(row.low, row.high)}`,
      `p ${pText(row.p)}, adjusted p ${pText(row.adjustedP)}`,
      `won ${row.won}, lost ${row.lost}`,
      `tokens × ${fixed(row.tokensRatio, 2)}`,
      `mean H ${milli(mixing.meanEntropy)}, off-sample mass ${milli(mixing.meanOffSampleMass)}`,
    ],
  };
}
