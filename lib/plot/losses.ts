/** What inputs are worth, in nats a token: the table and the figure of `lossGains()`. @module */

import { plotlyText } from "../_escape.ts";
import { counted } from "../_counted.ts";
import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import type { LossRow } from "../stats/mod.ts";
import { ADJUSTED_P, MIXING } from "./_columns.ts";
import type { Figure } from "./figure.ts";
import { estimate, fixed, intervalText, milli, pCell, pText, scoreFormat } from "./_format.ts";
import { axis, axisTitle, COLORS, framed } from "./_theme.ts";
import { type Tables, tablesOf } from "./tables.ts";
import { tableOf } from "./table.ts";

const { signed } = scoreFormat(1, 3);

/** Rows of each group, in their order. */
function groupsOf(verb: string, rows: readonly LossRow[]): (readonly [string, LossRow[]])[] {
  if (rows.length === 0) {
    throw new RangeError(refusal(verb, "rows", "have at least one row", rows));
  }
  return [...Map.groupBy(rows, ({ group }) => group)];
}

/**
 * The rows of `lossGains()` as tables, one a group of positions.
 *
 * @throws {RangeError} Where there are no rows.
 */
export function lossTable(rows: readonly LossRow[]): Tables {
  const groups = groupsOf("make a table", rows), isAlone = groups.length === 1;
  return tablesOf(...groups.map(([group, own], i) => {
    const { documents, tokens, base, baseline = "tokens alone" } = own[0]!,
      primary = own.find((row) => row.isPrimary);
    return tableOf(own, [
      { heading: "input", of: "method" },
      {
        ...{ heading: "ΔNLL [95 %]", of: ["difference", "low", "high"], as: estimate(signed) },
        means: `loss of the next token less that of ${baseline}, nats; above 0 is worse`,
      },
      { heading: "p", of: "p", as: pCell },
      ADJUSTED_P,
      ...MIXING,
    ], {
      ...(isAlone ? {} : { title: `positions: ${group}` }),
      notes: [
        `N = ${tokens} tokens of ${counted(documents, "document")}; ${baseline}: ${
          fixed(base, 3)
        } nats`,
        i === groups.length - 1 && "t intervals clustered by document, pointwise",
        primary && `${primary.method} was declared beforehand: its p is not adjusted`,
      ],
    });
  }));
}

/** Options of {@linkcode plotLosses}. */
export interface PlotLossesOptions {
  /** Title. Default: "Is a mixture a better input than the token?". */
  readonly title?: string;
}

const RULES: Rules<PlotLossesOptions> = { title: text };

const PALETTE = [COLORS.text, COLORS.sky, COLORS.orange, COLORS.vermillion, COLORS.purple];

/** Space between two groups at one method, of that between two methods. */
const BESIDE = 0.14;

/**
 * Draws differences of losses with their intervals: methods side by side in their order, a series for each group of
 * positions. Above the line at 0 an input is worse than the token alone.
 *
 * @param rows Rows of `lossGains()`.
 * @throws {RangeError} Where there are no rows.
 *
 * @example
 * ```ts
 * import { byStep, inputLoss, loadModel, lossGains, moi, plotLosses } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const texts = [[1, 26, 23, 3, 4, 3, 5], [1, 26, 24, 4, 5, 4, 3]];
 * const losses = await inputLoss(model, texts, { methods: { moi: moi() }, context: 2 });
 * assertEquals(plotLosses(lossGains(losses, { groups: byStep([2]) })).data.length, 2);
 * ```
 */
export function plotLosses(rows: readonly LossRow[], options: PlotLossesOptions = {}): Figure {
  const verb = "plot losses";
  checkOptions(verb, options, RULES);
  const { title = "Is a mixture a better input than the token?" } = options;
  const groups = groupsOf(verb, rows), methods = [...new Set(rows.map(({ method }) => method))];
  const data = groups.map(([group, own], g) => ({
    ...{ type: "scatter", mode: "markers" },
    name: plotlyText(`${group}, N = ${own[0]!.tokens}`),
    x: own.map(({ method }) => methods.indexOf(method) + (g - (groups.length - 1) / 2) * BESIDE),
    y: own.map(({ difference }) => Number(difference.toPrecision(6))),
    error_y: {
      ...{ type: "data", symmetric: false, thickness: 1.4, width: 3 },
      array: own.map(({ high, difference }) => finite(high - difference)),
      arrayminus: own.map(({ low, difference }) => finite(difference - low)),
    },
    marker: { size: 8, color: PALETTE[g % PALETTE.length] },
    hovertext: own.map((row) =>
      [
        `${row.method}, ${row.group}`,
        `ΔNLL ${signed(row.difference)} ${intervalText(row.low, row.high, signed)}`,
        `p ${pText(row.p)}, adjusted p ${pText(row.adjustedP)}`,
        `N = ${row.tokens} tokens of ${counted(row.documents, "document")}, base ${
          milli(row.base)
        } nats`,
      ].map(plotlyText).join("<br>")
    ),
    hoverinfo: "text",
  }));
  const { tokens, documents, baseline } = rows[0]!;
  const n = groups.length > 1
    ? counted(documents, "document")
    : `N = ${tokens} tokens of ${counted(documents, "document")}`;
  const other = baseline && `against ${baseline}`;
  return framed({ title, caption: [other, n, "95 % intervals by document"] }, data, {
    ...{ height: 420, margin: { l: 64, r: 24, t: 76, b: 80 }, showlegend: groups.length > 1 },
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top", font: { size: 12 } },
    xaxis: axis({
      ...{ tickmode: "array", tickvals: [...methods.keys()], showgrid: false },
      ...{ ticktext: methods.map(plotlyText), range: [-0.5, methods.length - 0.5] },
    }),
    yaxis: axis({
      title: axisTitle("ΔNLL, nats a token (above 0: worse)"),
      ...{ zeroline: true, zerolinecolor: COLORS.text, zerolinewidth: 1.2 },
    }),
  });
}

/** Half an interval; none is drawn where it has no end. */
function finite(half: number): number | null {
  return Number.isFinite(half) ? Number(half.toPrecision(6)) : null;
}
