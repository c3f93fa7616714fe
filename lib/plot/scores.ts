/** Numeric scores against β: the figure of {@linkcode plotGains} in the score's own unit. @module */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import type { ScoreRow } from "../stats/mod.ts";
import { partialText } from "../study/mod.ts";
import type { Figure } from "./figure.ts";
import { intervalText, milli, pText, scoreFormat } from "./_format.ts";
import { emptyFigure, gainFigure, type GainPoint } from "./_gain_figure.ts";
import { measureOf, SCORE_RULES, type ScoreTableOptions } from "./score_table.ts";

/** Options of {@linkcode plotScores}: how the scores are called and written, and titles. */
export interface PlotScoresOptions extends ScoreTableOptions {
  /** Title. Default: "<name>, difference to <baseline>". */
  readonly title?: string;
  /** Text before the N in the line below the title. */
  readonly subtitle?: string;
}

const RULES: Rules<PlotScoresOptions> = { ...SCORE_RULES, title: text, subtitle: text };

/**
 * Draws differences of mean scores to the baseline with their paired t intervals: MoI against β, other
 * methods beside it. Points are hollow where nothing was mixed.
 *
 * @param rows Rows of `scoreGains()`, the baseline's first.
 * @throws {RangeError} Where there are no rows.
 *
 * @example One β
 * ```ts
 * import { betaGrid, plotScores, scoreGains, loadModel, runStudy, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const methods = betaGrid({ betas: [1], controls: false });
 * const runs = await runStudy({ model, task: votes({ limit: 5 }), methods });
 * const rows = scoreGains(runs, { baseline: "standard", of: ({ tokens }) => tokens.length });
 * assertEquals((plotScores(rows, { name: "tokens" }).data[0] as { x: number[] }).x, [1]);
 * ```
 */
export function plotScores(rows: readonly ScoreRow[], options: PlotScoresOptions = {}): Figure {
  const verb = "plot scores";
  checkOptions(verb, options, RULES);
  const { title, subtitle, ...words } = options, [baseline] = rows;
  const { name, scale, digits } = { ...measureOf(rows), ...words };
  if (baseline === undefined) {
    const empty = emptyFigure(rows);
    if (empty) return empty;
    throw new RangeError(refusal(verb, "rows", "have at least one row", rows));
  }
  const { number, signed } = scoreFormat(scale, digits);
  const scaled = (value: number) => Number((scale * value).toPrecision(6));
  const pointOf = (row: ScoreRow): GainPoint => {
    const { method, parameters, problems, n, gain, gainInterval: { low, high }, mixing } = row;
    return {
      ...{ method, parameters, problems, repeats: n / problems },
      ...{ gain: scaled(gain), low: scaled(low), high: scaled(high) },
      own: { low: scaled(row.low - row.mean), high: scaled(row.high - row.mean) },
      offSampleMass: mixing.meanOffSampleMass,
      hover: [
        method,
        `${name}: ${number(row.mean)} ${intervalText(row.low, row.high, number)}`,
        `difference ${signed(gain)} ${intervalText(low, high, signed)}`,
        `p ${pText(row.p)}, adjusted p ${pText(row.adjustedP)}`,
        `higher ${row.higher}, lower ${row.lower}`,
        `mean H ${milli(mixing.meanEntropy)}, off-sample mass ${milli(mixing.meanOffSampleMass)}`,
      ],
    };
  };
  const drawn = rows.map(pointOf);
  return gainFigure(drawn, drawn[0]!, {
    title: title ?? `${name}, difference to ${baseline.method}`,
    caption: [
      subtitle,
      baseline.measure && `${baseline.measure.better} is better`,
      baseline.partial && partialText(baseline.partial),
    ],
    axis: `difference (${name})`,
    value: number(baseline.mean),
  });
}
