/**
 * Heat maps of layers, layer 0 at the bottom: each cell a bar, so that they need no canvas to be painted.
 *
 * @module
 */

import { plotlyText } from "../_escape.ts";
import { cutTo, quoted, rounded } from "./_format.ts";
import { axis, axisTitle, COLORS } from "./_theme.ts";

/** One cell. */
export interface Cell {
  /** What its colour says, from 0 (white) to 1 (blue); NaN: no colour. */
  readonly value: number;
  /** What stands in it. Default: nothing. */
  readonly text?: string;
  /** Lines that it tells under the pointer, after its place. */
  readonly told: readonly string[];
}

/** A heat map: rows are layers, from the bottom. */
export interface Heat {
  readonly layers: readonly number[];
  readonly columns: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

/** Pixels of a row, of what stands around the rows, and of names that stand upright. */
const ROW = 17, AROUND = 150, UPRIGHT = 70;
/** Most columns whose names lie flat. */
const FLAT = 8;

/** Height of a figure with so many layers and columns. */
export const heatHeight = (layers: number, columns: number): number =>
  AROUND + ROW * Math.max(9, layers) + (columns > FLAT ? UPRIGHT : 0);

const SCALE = [[0, "#ffffff"], [0.5, "#7fb8d8"], [1, COLORS.blue]] as const;

/** The trace of a heat map. */
export function heatTrace({ layers, columns, cells }: Heat): object {
  const all = cells.flatMap((row, y) => row.map((cell, x) => ({ ...cell, x, y })));
  return {
    type: "bar",
    x: all.map(({ x }) => x),
    y: all.map(() => 1),
    base: all.map(({ y }) => y - 0.5),
    width: 1,
    marker: {
      color: all.map(({ value }) => Number.isFinite(value) ? rounded(value) : null),
      ...{ colorscale: SCALE, cmin: 0, cmax: 1, line: { width: 0.5, color: "#ffffff" } },
    },
    ...(all.some(({ text }) => text) && {
      text: all.map(({ text = "" }) => plotlyText(text)),
      ...{ textposition: "inside", insidetextanchor: "middle", textangle: 0, cliponaxis: true },
      textfont: {
        size: 10,
        color: all.map(({ value }) => value > 0.6 ? "#fff" : COLORS.text),
      },
    }),
    hovertext: all.map(({ x, y, told }) =>
      [`layer ${layers[y]}, ${columns[x]}`, ...told].map(plotlyText).join("<br>")
    ),
    hovertemplate: "%{hovertext}<extra></extra>",
    showlegend: false,
  };
}

/** What the colours say, for the line below the title. */
export const colorText = (words: string): string => `colour: ${words}, 0 (white) to 1 (blue)`;

/** The layout of a figure that is a heat map and nothing else. */
export function heatLayout(
  { layers, columns }: Pick<Heat, "layers" | "columns">,
  title: string,
): Record<string, unknown> {
  return {
    ...{ height: heatHeight(layers.length, columns.length), bargap: 0, barmode: "overlay" },
    margin: { l: 60, r: 24, t: 70, b: 90 },
    xaxis: columnsAxis(columns, title),
    yaxis: layersAxis(layers),
  };
}

/** The axis of layers. */
export function layersAxis(layers: readonly number[]): Record<string, unknown> {
  const every = Math.ceil(layers.length / 16);
  const shown = [...layers.keys()].filter((i) => i % every === 0 || i === layers.length - 1);
  return axis({
    ...{ tickmode: "array", tickvals: shown, ticktext: shown.map((i) => `${layers[i]}`) },
    ...{ range: [-0.5, layers.length - 0.5], showgrid: false, title: axisTitle("layer") },
  });
}

/** The axis of columns, with their names. */
export function columnsAxis(columns: readonly string[], title: string): Record<string, unknown> {
  return axis({
    ...{ tickmode: "array", tickvals: [...columns.keys()], ticktext: columns.map(plotlyText) },
    ...{ range: [-0.5, columns.length - 0.5], showgrid: false },
    ...{ tickangle: columns.length > FLAT ? -60 : 0, tickfont: { size: 11 } },
    title: axisTitle(title),
  });
}

/** Name of an input: its token, or the tokens of a mixture. */
export function inputName(
  tokens: readonly { readonly token: number; readonly text: string; readonly weight: number }[],
): string {
  const names = tokens.map(({ token, text }) => quoted(cutTo(10, text), token));
  return names.join(" + ");
}
