/** Gains over a baseline, in whatever unit: MoI against β on a log axis, others beside it. @module */

import { isDeepStrictEqual } from "node:util";
import { plotlyText } from "../_escape.ts";
import type { Figure } from "./figure.ts";
import { betaText, rangeText, rounded } from "./_format.ts";
import {
  betaOf,
  type Curve,
  curvesOf,
  isOnCurve,
  type Named,
  OTHER_COLOR,
  shortName,
} from "./_methods.ts";
import { nothingFinished, sizeNote } from "./_notes.ts";
import { DEFAULT_SIZE } from "./_plotly.ts";
import { textWidth } from "./_textbox.ts";
import { alpha, axis, axisTitle, type Caption, COLORS, FONT, framed, namesAxis } from "./_theme.ts";

/** A mixture with less weight than this on other tokens is the sampled token: nothing was mixed. */
const NO_MIXING = 0.001;

/** A method's gain, in the unit of the axis. */
export interface GainPoint extends Named {
  readonly problems: number;
  readonly repeats: number;
  /** The gain and its paired interval. */
  readonly gain: number;
  readonly low: number;
  readonly high: number;
  /** The method's own interval around its own value, as two differences. */
  readonly own: { readonly low: number; readonly high: number };
  readonly offSampleMass: number;
  /** Lines of what is shown when the pointer is over it, the method's name first. */
  readonly hover: readonly string[];
}

/** Words of the figure; its N follows the caption. */
export interface GainWords extends Caption {
  /** Title of the axis of gains. */
  readonly axis: string;
  /** The baseline's own value. */
  readonly value: string;
}

/** What is drawn of a study that was stopped before a problem was finished by all methods. */
export function emptyFigure(rows: readonly unknown[]): Figure | undefined {
  const nothing = nothingFinished(rows);
  return nothing && framed({ title: "Partial study", caption: [nothing.what, nothing.runs] }, []);
}

/** Pixels: height of the panel of β, of a method's line below it, of the space between the two. */
const CURVE = 250, LINE = 21, BETWEEN = 74;
/** Pixels around the panels; the baseline's name stands to the right of them. */
const TOP = 72, BOTTOM = 92, LEFT = 64;
/** Space between two panels side by side, of the width of both. */
const GAP = 0.035;

type Layout = Readonly<Record<string, unknown>>;

/** What the panels show. */
interface Parts {
  readonly curves: readonly Curve<GainPoint>[];
  readonly controls: readonly GainPoint[];
  readonly baseline: GainPoint;
  /** The scale of gains, with its title. */
  readonly gains: Record<string, unknown>;
  /** Name and value of the baseline, at the end of its line. */
  readonly name: Record<string, unknown>;
  readonly right: number;
}

/** Draws gains. */
export function gainFigure(
  rows: readonly GainPoint[],
  baseline: GainPoint,
  words: GainWords,
): Figure {
  // Where rows are no methods but models, say, all have one method, and their keys are their names.
  const others = rows.filter((row) => row !== baseline).map((row) =>
    isDeepStrictEqual(row.parameters, baseline.parameters) ? { ...row, parameters: {} } : row
  );
  const curves = curvesOf(others.filter(isOnCurve));
  const controls = others.filter((row) => !isOnCurve(row));
  const size = sizeNote(rangeText(rows.map((row) => row.problems)), rangeText(rows.map(repeatsOf)));
  const right = Math.min(220, 40 + 7 * Math.max(8, baseline.method.length));
  const name = {
    ...{ text: `${plotlyText(baseline.method)}<br>${plotlyText(words.value)}`, showarrow: false },
    ...{ xref: "paper", x: 1, xanchor: "left", xshift: 8, y: 0, yanchor: "middle", align: "left" },
    font: { size: 12, color: COLORS.muted },
  };
  const gains = axis({
    title: axisTitle(plotlyText(words.axis)),
    range: gainRange(rows, baseline),
    ...{ zeroline: true, zerolinecolor: COLORS.text, zerolinewidth: 1.2, nticks: 8 },
  });
  const parts = { curves, controls, baseline, gains, name, right };
  const split = panelWidths(parts);
  const width = (DEFAULT_SIZE.width - LEFT - right) * (split[1] - split[0]);
  const crowded = isCrowded(controls, width), alone = controls.length > 0 && curves.length === 0;
  const { data, layout } = crowded ? stacked(parts) : sideBySide(parts, split);
  const own = crowded ? { xaxis: "x2", yaxis: "y2" } : alone ? { xaxis: "x2", yaxis: "y" } : {};
  const hollow = others.some(isUnmixed) ? [{ ...HOLLOW_KEY, ...own }] : [];
  const caption = [...words.caption, size, "paired 95 % intervals"];
  return framed({ title: words.title, caption }, [...data, ...hollow], {
    margin: { l: LEFT, r: right, t: TOP, b: BOTTOM },
    legend: {
      ...{ orientation: "h", x: 0, xanchor: "left", y: 0.01, yref: "container" },
      ...{ yanchor: "bottom", font: { size: 12 }, itemclick: false, itemdoubleclick: false },
    },
    ...layout,
  });
}

const repeatsOf = ({ repeats }: GainPoint) => repeats;

/** Domain of the right panel, which grows with the number of its methods. */
function panelWidths({ curves, controls }: Parts): [number, number] {
  if (curves.length === 0) return [0, 1];
  const left = 1 - Math.min(0.5, 0.1 + 0.085 * controls.length);
  return [controls.length === 0 ? 1 + GAP : rounded(rounded(left) + GAP), 1];
}

/** Whether names below an axis of so many pixels would run into each other. */
function isCrowded(controls: readonly GainPoint[], pixels: number): boolean {
  const widths = controls.map((row) =>
    Math.max(...shortName(row).split("\n").map((line) => textWidth(line, FONT.size)))
  );
  const step = pixels / controls.length;
  return widths.slice(1).some((width, i) => (widths[i]! + width) / 2 > step);
}

/** MoI against β on the left, the other methods on the right, on one scale of gains. */
function sideBySide({ curves, controls, baseline, gains, name }: Parts, split: number[]) {
  const hasCurves = curves.length > 0, end = hasCurves ? rounded(split[0]! - GAP) : 0;
  const hidden = { showticklabels: false, ticks: "", showgrid: false, range: [0, 1] };
  return {
    data: [...curveTraces(curves), ...controlTraces(controls, hasCurves)],
    layout: {
      yaxis: gains,
      xaxis: hasCurves
        ? betaAxis(curves, [0, end])
        : axis({ ...hidden, domain: [0, controls.length > 0 ? 0 : 1] }),
      ...(controls.length > 0
        ? {
          xaxis2: namesAxis(
            controls.map((row) => row.method),
            controls.map((row) => plotlyText(shortName(row)).replaceAll("\n", "<br>")),
            {
              ...{ domain: split, range: [-0.6, controls.length - 0.4], tickangle: 0 },
              ...{ showgrid: false, anchor: "y" },
            },
          ),
        }
        : {}),
      shapes: baselineBand(baseline, { xref: "paper", x0: 0, x1: 1 }),
      annotations: [name],
    },
  };
}

/** MoI against β above; the other methods below it, one a line, so that their names can be read. */
function stacked({ curves, controls, baseline, gains, name, right }: Parts) {
  const above = curves.length > 0 ? CURVE : 0, below = LINE * controls.length + 12;
  const all = below + (above > 0 ? above + BETWEEN : 0);
  const turned = controlTraces(controls, above > 0).map(({ x, y, error_y, ...points }) => ({
    ...{ ...points, x: y, y: x, error_x: error_y, xaxis: "x2", yaxis: "y2" },
  }));
  const onTop = { yref: "y2 domain", y: 1, xref: "x2", x: 0, xanchor: "center", xshift: 0 };
  const { low, high } = baseline.own;
  return {
    data: [...curveTraces(curves), ...turned],
    layout: {
      height: all + TOP + BOTTOM + (above > 0 ? 0 : LINE),
      ...(above > 0
        ? {
          xaxis: betaAxis(curves, [0, 1]),
          yaxis: { ...gains, domain: [rounded(1 - above / all), 1] },
        }
        : { margin: { l: LEFT, r: right, t: TOP + LINE, b: BOTTOM } }),
      xaxis2: { ...gains, domain: [0, 1], anchor: "y2" },
      yaxis2: namesAxis(
        controls.map((row) => row.method),
        controls.map((row) => plotlyText(row.method)),
        {
          domain: [0, rounded(below / all)],
          ...{ range: [controls.length - 0.4, -0.6], anchor: "x2" },
        },
      ),
      shapes: [
        ...(above > 0 ? baselineBand(baseline, { xref: "paper", x0: 0, x1: 1, yref: "y" }) : []),
        ...baselineBand(baseline, {
          ...{ yref: "y2 domain", y0: 0, y1: 1, xref: "x2", x0: low, x1: high },
          showlegend: above === 0,
        }),
      ],
      annotations: [
        above > 0 ? name : {
          ...{ ...name, ...onTop, yanchor: "bottom" },
          text: `${name.text}`.replace("<br>", " "),
        },
      ],
    },
  };
}

/** A number, or null, which plotly leaves out, where there is none. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** What every trace of points has. */
function pointsOf(rows: readonly GainPoint[], color: string, symbol: string) {
  return {
    marker: {
      ...{ color, size: 8.5, line: { color, width: 1.5 } },
      symbol: rows.map((row) => isUnmixed(row) ? `${symbol}-open` : symbol),
    },
    hoverinfo: "text",
    hovertext: rows.map(({ hover: [name, ...lines] }) =>
      [`<b>${plotlyText(name ?? "")}</b>`, ...lines.map(plotlyText)].join("<br>")
    ),
    showlegend: true,
  };
}

/** Bands of intervals, and above them the lines of their gains. */
function curveTraces(curves: readonly Curve<GainPoint>[]): object[] {
  return [...curves.filter(({ rows }) => rows.length > 1).map(bandTrace), ...curves.map(lineTrace)];
}

/** The points of a curve, joined by a line; those that the band passes over have error bars. */
function lineTrace({ label, color, rows }: Curve<GainPoint>): object {
  const single = rows.length === 1;
  const alone = pieces(rows).filter((piece) => piece.length === 1).flat();
  const barred = rows.map((row) => alone.includes(row) ? row : undefined);
  return {
    type: "scatter",
    mode: single ? "markers" : "lines+markers",
    name: plotlyText(label),
    x: rows.map(betaOf),
    y: rows.map((row) => known(row.gain)),
    ...(single ? {} : { line: { color, width: 2.2 } }),
    ...(single || alone.length > 0 ? { error_y: errorBars(barred, color) } : {}),
    ...pointsOf(rows, color, "circle"),
  };
}

/** Runs of neighbours that have an interval: what lacks one interrupts the band, and no more. */
function pieces(rows: readonly GainPoint[]): GainPoint[][] {
  const found: GainPoint[][] = [[]];
  for (const row of rows) {
    if ([row.gain, row.low, row.high].every(Number.isFinite)) found.at(-1)!.push(row);
    else found.push([]);
  }
  return found.filter((piece) => piece.length > 0);
}

/** The intervals of a curve as polygons, one a piece: along the upper ends, back along the lower ones. */
function bandTrace({ label, color, rows }: Curve<GainPoint>): object {
  const corners = pieces(rows).filter((piece) => piece.length > 1).flatMap((piece, i) => [
    ...(i > 0 ? [[null, null] as const] : []),
    ...piece.map((row) => [betaOf(row), row.high] as const),
    ...piece.toReversed().map((row) => [betaOf(row), row.low] as const),
  ]);
  return {
    type: "scatter",
    mode: "lines",
    name: `${plotlyText(label)}: intervals`,
    x: corners.map(([x]) => x),
    y: corners.map(([, y]) => y),
    fill: "toself",
    fillcolor: alpha(color, 0.2),
    ...{ line: { width: 0 }, hoverinfo: "skip", showlegend: false },
  };
}

/** The points of methods that are not on a curve; no trace where there are none. */
function controlTraces(rows: readonly GainPoint[], beside: boolean) {
  if (rows.length === 0) return [];
  return [{
    type: "scatter",
    mode: "markers",
    name: beside ? "other methods" : "methods",
    x: rows.map((row) => row.method),
    y: rows.map((row) => known(row.gain)),
    error_y: errorBars(rows, OTHER_COLOR),
    ...pointsOf(rows, OTHER_COLOR, "diamond"),
    ...{ xaxis: "x2", yaxis: "y" },
  }];
}

/** Whether the inputs were, in the mean, nothing but the sampled tokens. */
function isUnmixed(row: GainPoint): boolean {
  return row.offSampleMass < NO_MIXING;
}

/** A line of the legend that explains hollow points. */
const HOLLOW_KEY = {
  type: "scatter",
  mode: "markers",
  name: `hollow: off-sample mass &lt; ${NO_MIXING}`,
  x: [null],
  y: [null],
  marker: { symbol: "circle-open", size: 8.5, color: COLORS.muted, line: { width: 1.5 } },
  ...{ hoverinfo: "skip", showlegend: true },
} as const;

/** Error bars; none where a row is undefined or has no interval. */
function errorBars(rows: readonly (GainPoint | undefined)[], color: string): object {
  const arm = (length: number) => Number.isFinite(length) ? rounded(length) : null;
  return {
    ...{ type: "data", symmetric: false, color, thickness: 1.6, width: 5 },
    array: rows.map((row) => row ? arm(row.high - row.gain) : null),
    arrayminus: rows.map((row) => row ? arm(row.gain - row.low) : null),
  };
}

/** The baseline's own interval, moved so that its accuracy lies at zero; none where there is none. */
function baselineBand(baseline: GainPoint, place: Layout): object[] {
  const { low, high } = baseline.own;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  return [{
    ...{ type: "rect", layer: "below", y0: low, y1: high, line: { width: 0 } },
    fillcolor: alpha(COLORS.band, 0.18),
    name: `${plotlyText(baseline.method)}: its own 95 % interval`,
    showlegend: true,
    ...place,
  }];
}

function betaAxis(curves: readonly Curve<GainPoint>[], domain: readonly number[]): Layout {
  const betas = [...new Set(curves.flatMap(({ rows }) => rows.map(betaOf)))].sort((a, b) => a - b);
  const low = Math.log10(betas[0]!), high = Math.log10(betas.at(-1)!);
  const pad = high > low ? 0.06 * (high - low) : 0.5;
  return axis({
    type: "log",
    domain,
    range: [rounded(low - pad), rounded(high + pad)],
    ...{ tickmode: "array", tickvals: betas, ticktext: betas.map(betaText), showgrid: false },
    title: axisTitle("β of MoI (log scale)"),
  });
}

/** Range over every interval, zero and the grey band, with air at both ends. */
function gainRange(rows: readonly GainPoint[], baseline: GainPoint): [number, number] {
  const values = rows.flatMap((row) => [row.gain, row.low, row.high])
    .concat(baseline.own.low, baseline.own.high, 0)
    .filter(Number.isFinite);
  const low = Math.min(...values), high = Math.max(...values);
  const pad = high > low ? 0.08 * (high - low) : 1;
  return [rounded(low - pad), rounded(high + pad)];
}
