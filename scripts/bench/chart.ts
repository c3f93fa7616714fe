/** The cost of a step against batch and context, as a figure. */

import { COLORS } from "../../lib/plot/_theme.ts";
import type { Figure } from "../../lib/plot/mod.ts";
import type { Row } from "./rows.ts";

const { blue, vermillion, green, purple, orange, sky } = COLORS;
const COLOURS = [blue, vermillion, green, purple, orange, sky];

/**
 * Draws the rows of the suite `cost`: left against the batch, a line per model and context; right
 * against the context, a line per model and batch.
 */
export function costFigure(rows: readonly Row[]): Figure {
  const steps = rows.filter(({ suite }) => suite === "cost");
  const models = [...new Set(steps.map(({ model, dtype }) => `${model} ${dtype}`))];
  const DASHES = ["solid", "dash", "dot"];
  const ticks = (of: "batch" | "context") =>
    [...new Set(steps.map((row) => row[of]!))].sort((a, b) => a - b);
  const lines = (side: "batch" | "context", other: "batch" | "context", axis: string) => {
    const values = ticks(other);
    return [...Map.groupBy(steps, (row) => `${row.model} ${row.dtype}, ${other} ${row[other]}`)]
      .map(([name, own]) => {
        const { model, dtype, [other]: value } = own[0]!;
        const colour = COLOURS[models.indexOf(`${model} ${dtype}`) % COLOURS.length];
        return {
          type: "scatter",
          mode: "lines+markers",
          name,
          x: own.map((row) => row[side]),
          y: own.map(({ median }) => median),
          error_y: {
            ...{ type: "data", symmetric: false },
            array: own.map(({ high, median }) => high - median),
            arrayminus: own.map(({ low, median }) => median - low),
          },
          line: { color: colour, dash: DASHES[values.indexOf(value!) % DASHES.length] },
          xaxis: `x${axis}`,
          yaxis: `y${axis}`,
        };
      })
      .filter(({ x }) => x.length > 1);
  };
  const log = (title: string, ticks: readonly number[]) => ({
    type: "log",
    title: { text: title },
    tickvals: ticks,
    ticktext: ticks.map(String),
  });
  const ms = [0.1, 1, 10, 100, 1000];
  return {
    data: [...lines("batch", "context", ""), ...lines("context", "batch", "2")],
    layout: {
      title: { text: "A step of standard decoding: median and quartiles" },
      width: 1200,
      height: 520,
      xaxis: { ...log("sequences side by side", ticks("batch")), domain: [0, 0.32] },
      yaxis: log("ms", ms),
      xaxis2: { ...log("context, tokens", ticks("context")), domain: [0.38, 0.7], anchor: "y2" },
      yaxis2: { ...log("", ms), anchor: "x2", matches: "y" },
      legend: { x: 0.74 },
    },
  };
}
