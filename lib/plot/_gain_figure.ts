/**
 * The figure of gains over a baseline: MoI against β on a log axis, other methods beside it, in whatever
 * unit the gains are.
 *
 * @module
 */

import { displayable } from "./_bundle.ts";
import { plotlyText } from "./escape.ts";
import { type PartialStudy, partialText, plannedOf } from "../study/mod.ts";
import type { Figure } from "./figure.ts";
import { betaText } from "./_format.ts";
import { DEFAULT_SIZE } from "./_plotly.ts";
import { textWidth } from "./_textbox.ts";
import {
  alpha,
  axis,
  axisTitle,
  baseLayout,
  COLORS,
  FONT,
  rangeText,
  rounded,
  SERIES,
} from "./_theme.ts";

/** A mixture with less weight than this on other tokens is the sampled token: nothing was mixed. */
const NO_MIXING = 0.001;

/** A method's gain, in the unit of the axis. */
export interface GainPoint {
  readonly method: string;
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
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

/** Words of the figure. */
export interface GainWords {
  readonly title: string;
  /** Text before the N, if any. */
  readonly subtitle: string | undefined;
  /** Title of the axis of gains. */
  readonly axis: string;
  /** The baseline's own value. */
  readonly value: string;
}

/** A subtitle that says that a study was stopped. */
export function withPartial(
  subtitle: string | undefined,
  partial: PartialStudy | undefined,
): string | undefined {
  const parts = [subtitle, partial && partialText(partial)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(" · ");
}

/** What is drawn of a study that was stopped before a problem was finished by all methods. */
export function emptyFigure(rows: readonly unknown[]): Figure | undefined {
  const planned = rows.length === 0 ? plannedOf(rows) : undefined;
  if (planned === undefined) return undefined;
  const text = "no problem has been finished by all methods yet";
  return displayable({
    data: [],
    layout: baseLayout("Partial study", `${text} · ${planned.runs} runs planned`),
  });
}

/**
 * Draws gains.
 *
 * @param rows All methods, the baseline among them.
 * @param baseline The baseline's point.
 * @param words Title, axis, the baseline's value.
 */
export function gainFigure(
  rows: readonly GainPoint[],
  baseline: GainPoint,
  words: GainWords,
): Figure {
  const others = rows.filter((row) => row !== baseline);
  const curves = others.filter(isOnCurve);
  const controls = others.filter((row) => !isOnCurve(row));
  const n = `N = ${rangeText(rows.map((row) => row.problems))} problems × ` +
    plural(rangeText(rows.map((row) => row.repeats)), "repeat");
  const subtitle = [words.subtitle ?? [], n, "paired 95 % intervals"].flat();
  const right = Math.min(220, 40 + 7 * Math.max(8, baseline.method.length));
  const margin = { l: LEFT, r: right, t: TOP, b: BOTTOM };
  const layout = {
    ...baseLayout(plotlyText(words.title), plotlyText(subtitle.join(" · "))),
    // The baseline's name stands to the right of the plot.
    margin,
    legend: {
      orientation: "h",
      x: 0,
      xanchor: "left",
      y: 0.01,
      yref: "container",
      yanchor: "bottom",
      font: { size: 12 },
      itemclick: false,
      itemdoubleclick: false,
    },
  };
  const parts = { rows, baseline, words, curves, controls, series: seriesOf(curves), margin };
  const split = panelWidths(curves.length, controls.length);
  const room = (DEFAULT_SIZE.width - LEFT - right) *
    (1 - (curves.length > 0 ? split[1] + 0.035 : 0));
  const panels = isCrowded(controls, room) ? stacked(parts) : sideBySide(parts, split);
  return displayable({ data: panels.data, layout: { ...layout, ...panels.layout } });
}

/** What the panels show. */
interface Parts {
  readonly rows: readonly GainPoint[];
  readonly baseline: GainPoint;
  readonly words: GainWords;
  readonly curves: readonly GainPoint[];
  readonly controls: readonly GainPoint[];
  readonly series: readonly Series[];
  readonly margin: Readonly<Record<string, number>>;
}

/** Traces and axes. */
interface Panels {
  readonly data: readonly object[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** Whether names below an axis of so many pixels would run into each other. */
function isCrowded(controls: readonly GainPoint[], pixels: number): boolean {
  const widths = controls.map((row) =>
    Math.max(...controlName(row).split("\n").map((line) => textWidth(line, FONT.size)))
  );
  const step = pixels / controls.length;
  return widths.slice(1).some((width, i) => (widths[i]! + width) / 2 > step);
}

/** MoI against β on the left, the other methods on the right, on one scale of gains. */
function sideBySide(parts: Parts, split: [number, number]): Panels {
  const { rows, baseline, words, curves, controls, series } = parts;
  const others = [...curves, ...controls];
  return {
    data: [
      ...series.filter((s) => s.rows.length > 1).map(bandTrace),
      ...series.map(lineTrace),
      ...(controls.length > 0 ? [controlTrace(controls, curves.length > 0)] : []),
      ...(others.some(isUnmixed) ? [hollowKey(curves.length > 0)] : []),
    ],
    layout: {
      yaxis: gainAxis(rows, baseline, words),
      xaxis: curves.length > 0
        ? betaAxis(curves, split)
        : axis({ domain: split, showticklabels: false, ticks: "", showgrid: false, range: [0, 1] }),
      ...(controls.length > 0 ? { xaxis2: controlAxis(controls, curves.length > 0, split) } : {}),
      shapes: baselineBand(baseline, { xref: "paper", x0: 0, x1: 1 }),
      annotations: [baselineName(baseline, words)],
    },
  };
}

/** Pixels: height of the panel of β, of a method's line below it, of the space between the two. */
const CURVE = 250, LINE = 21, BETWEEN = 74;
/** Pixels above and below the panels. */
const TOP = 72, BOTTOM = 92, LEFT = 64;

/** MoI against β above; the other methods below it, one a line, so that their names can be read. */
function stacked({ rows, baseline, words, curves, controls, series, margin }: Parts): Panels {
  const below = LINE * controls.length + 12, above = curves.length > 0 ? CURVE : 0;
  const all = below + (above > 0 ? above + BETWEEN : 0);
  const gains = gainAxis(rows, baseline, words),
    { x, y, error_y, ...points } = controlTrace(
      controls,
      curves.length > 0,
    );
  const { low, high } = baseline.own;
  const band = {
    yref: "y2 domain",
    y0: 0,
    y1: 1,
    xref: "x2",
    x0: low,
    x1: high,
    showlegend: false,
  };
  const own = baselineName(baseline, words), line = `${own.text}`.replace("<br>", " ");
  const onTop = { yref: "y2 domain", y: 1, xref: "x2", x: 0, xanchor: "center", xshift: 0 };
  return {
    data: [
      ...series.filter((s) => s.rows.length > 1).map(bandTrace),
      ...series.map(lineTrace),
      { ...points, x: y, y: x, error_x: error_y, xaxis: "x2", yaxis: "y2" },
      ...([...curves, ...controls].some(isUnmixed)
        ? [{ ...hollowKey(true), xaxis: "x2", yaxis: "y2" }]
        : []),
    ],
    layout: {
      height: all + TOP + BOTTOM + (above > 0 ? 0 : LINE),
      ...(above > 0 ? {} : { margin: { ...margin, t: TOP + LINE } }),
      ...(above > 0
        ? {
          xaxis: betaAxis(curves, [0, 1]),
          yaxis: { ...gains, domain: [rounded(1 - above / all), 1] },
        }
        : {}),
      xaxis2: { ...gains, domain: [0, 1], anchor: "y2" },
      yaxis2: axis({
        type: "category",
        domain: [0, rounded(below / all)],
        range: [controls.length - 0.4, -0.6],
        tickmode: "array",
        tickvals: controls.map((row) => row.method),
        ticktext: controls.map((row) => plotlyText(row.method)),
        anchor: "x2",
      }),
      shapes: [
        ...(above > 0 ? baselineBand(baseline, { xref: "paper", x0: 0, x1: 1, yref: "y" }) : []),
        ...baselineBand(baseline, { ...band, showlegend: above === 0 }),
      ],
      annotations: [
        above > 0 ? own : { ...own, ...onTop, yanchor: "bottom", text: line },
      ],
    },
  };
}

/** The scale of gains. */
function gainAxis(
  rows: readonly GainPoint[],
  baseline: GainPoint,
  words: GainWords,
): Record<string, unknown> {
  return axis({
    title: axisTitle(plotlyText(words.axis)),
    range: gainRange(rows, baseline),
    zeroline: true,
    zerolinecolor: COLORS.text,
    zerolinewidth: 1.2,
    nticks: 8,
  });
}

/** The baseline's name and value, at the end of its line. */
function baselineName(baseline: GainPoint, words: GainWords): Record<string, unknown> {
  return {
    text: `${plotlyText(baseline.method)}<br>${plotlyText(words.value)}`,
    xref: "paper",
    x: 1,
    xanchor: "left",
    xshift: 8,
    y: 0,
    yanchor: "middle",
    align: "left",
    showarrow: false,
    font: { size: 12, color: COLORS.muted },
  };
}

function plural(count: string, noun: string): string {
  return `${count} ${noun}${count === "1" ? "" : "s"}`;
}

/** Whether a row has a place on the β axis, which is logarithmic. */
function isOnCurve(row: GainPoint): boolean {
  return row.parameters.name === "moi" && beta(row) > 0 && Number.isFinite(beta(row));
}

function beta(row: GainPoint): number {
  return typeof row.parameters.beta === "number" ? row.parameters.beta : NaN;
}

interface Series {
  readonly label: string;
  readonly color: string;
  readonly rows: readonly GainPoint[];
}

/** Rows that differ in β only, in order of β; named by the knobs in which the series differ. */
function seriesOf(rows: readonly GainPoint[]): Series[] {
  const groups = new Map<string, GainPoint[]>();
  for (const row of rows) {
    const knobs = Object.entries(row.parameters).filter(([k]) => k !== "name" && k !== "beta");
    const key = JSON.stringify(knobs.sort(([a], [b]) => a < b ? -1 : 1));
    groups.set(key, [...groups.get(key) ?? [], row]);
  }
  const first = [...groups.values()].map(([row]) => row!.parameters);
  const names = [...new Set(first.flatMap((p) => Object.keys(p)))].filter((k) =>
    k !== "beta" && new Set(first.map((p) => p[k])).size > 1
  );
  return [...groups.values()].map((group, i) => ({
    label: ["MoI", ...names.map((k) => knobText(k, group[0]!.parameters[k] ?? null))].join(", "),
    color: SERIES[i % SERIES.length]!,
    rows: group.sort((a, b) => beta(a) - beta(b)),
  }));
}

function knobText(name: string, value: string | number | boolean | null): string {
  return name === "preset" ? `${value}` : `${name} ${value}`;
}

/**
 * The points of a series, joined by a line; a point that the band passes over, as it stands alone,
 * has error bars.
 */
function lineTrace({ label, color, rows }: Series): object {
  const single = rows.length === 1;
  const alone = pieces(rows).filter((piece) => piece.length === 1).flat();
  const barred = rows.map((row) => alone.includes(row) ? row : undefined);
  return {
    type: "scatter",
    mode: single ? "markers" : "lines+markers",
    name: plotlyText(label),
    x: rows.map(beta),
    y: rows.map((row) => known(row.gain)),
    ...(single ? {} : { line: { color, width: 2.2 } }),
    ...(single || alone.length > 0 ? { error_y: errorBars(barred, color) } : {}),
    marker: marker(rows, color, "circle"),
    hoverinfo: "text",
    hovertext: rows.map(hoverText),
    showlegend: true,
  };
}

/** A number, or null, which plotly leaves out, where there is none. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
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

/**
 * The intervals of a series as polygons, one a piece: along the upper ends, and back along the lower
 * ones.
 */
function bandTrace({ label, color, rows }: Series): object {
  const corners = pieces(rows).filter((piece) => piece.length > 1).flatMap((piece, i) => [
    ...(i > 0 ? [[null, null] as const] : []),
    ...piece.map((row) => [beta(row), row.high] as const),
    ...piece.toReversed().map((row) => [beta(row), row.low] as const),
  ]);
  return {
    type: "scatter",
    mode: "lines",
    name: `${plotlyText(label)}: intervals`,
    x: corners.map(([x]) => x),
    y: corners.map(([, y]) => y),
    fill: "toself",
    fillcolor: alpha(color, 0.2),
    line: { width: 0 },
    hoverinfo: "skip",
    showlegend: false,
  };
}

function controlTrace(rows: readonly GainPoint[], beside: boolean) {
  return {
    type: "scatter",
    mode: "markers",
    name: beside ? "other methods" : "methods",
    x: rows.map((row) => row.method),
    y: rows.map((row) => known(row.gain)),
    error_y: errorBars(rows, COLORS.vermillion),
    marker: marker(rows, COLORS.vermillion, "diamond"),
    hoverinfo: "text",
    hovertext: rows.map(hoverText),
    showlegend: true,
    xaxis: "x2",
    yaxis: "y",
  };
}

function marker(rows: readonly GainPoint[], color: string, symbol: string): object {
  return {
    color,
    size: 8.5,
    line: { color, width: 1.5 },
    symbol: rows.map((row) => isUnmixed(row) ? `${symbol}-open` : symbol),
  };
}

/** Whether the inputs were, in the mean, nothing but the sampled tokens. */
function isUnmixed(row: GainPoint): boolean {
  return row.offSampleMass < NO_MIXING;
}

/** A line of the legend that explains hollow points. */
function hollowKey(onCurve: boolean): object {
  return {
    type: "scatter",
    mode: "markers",
    name: `hollow: off-sample mass < ${NO_MIXING}`.replace("<", "&lt;"),
    x: [null],
    y: [null],
    marker: { symbol: "circle-open", size: 8.5, color: COLORS.muted, line: { width: 1.5 } },
    hoverinfo: "skip",
    showlegend: true,
    ...(onCurve ? {} : { xaxis: "x2", yaxis: "y" }),
  };
}

/** Error bars; none where a row is undefined or has no interval. */
function errorBars(rows: readonly (GainPoint | undefined)[], color: string): object {
  const arm = (length: number) => Number.isFinite(length) ? rounded(length) : null;
  return {
    type: "data",
    symmetric: false,
    array: rows.map((row) => row ? arm(row.high - row.gain) : null),
    arrayminus: rows.map((row) => row ? arm(row.gain - row.low) : null),
    color,
    thickness: 1.6,
    width: 5,
  };
}

/** The baseline's own interval, moved so that its accuracy lies at zero; none where there is none. */
function baselineBand(baseline: GainPoint, place: Readonly<Record<string, unknown>>): object[] {
  const { low, high } = baseline.own;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  return [{
    type: "rect",
    layer: "below",
    y0: low,
    y1: high,
    fillcolor: alpha(COLORS.band, 0.18),
    line: { width: 0 },
    name: `${plotlyText(baseline.method)}: its own 95 % interval`,
    showlegend: true,
    ...place,
  }];
}

/** Domains of the two panels: the right one grows with the number of its methods. */
function panelWidths(curves: number, controls: number): [number, number] {
  if (controls === 0) return [0, 1];
  if (curves === 0) return [0, 0];
  return [0, rounded(1 - Math.min(0.5, 0.1 + 0.085 * controls))];
}

function betaAxis(rows: readonly GainPoint[], domain: readonly number[]): Record<string, unknown> {
  const betas = [...new Set(rows.map(beta))].sort((a, b) => a - b);
  const low = Math.log10(betas[0]!), high = Math.log10(betas.at(-1)!);
  const pad = high > low ? 0.06 * (high - low) : 0.5;
  return axis({
    type: "log",
    domain,
    range: [rounded(low - pad), rounded(high + pad)],
    tickmode: "array",
    tickvals: betas,
    ticktext: betas.map(betaText),
    showgrid: false,
    title: axisTitle("β of MoI (log scale)"),
  });
}

function controlAxis(
  rows: readonly GainPoint[],
  beside: boolean,
  left: readonly number[],
): Record<string, unknown> {
  return axis({
    type: "category",
    domain: beside ? [rounded(left[1]! + 0.035), 1] : [0, 1],
    range: [-0.6, rows.length - 0.4],
    tickmode: "array",
    tickvals: rows.map((row) => row.method),
    tickangle: 0,
    ticktext: rows.map((row) => plotlyText(controlName(row)).replaceAll("\n", "<br>")),
    showgrid: false,
    anchor: "y",
  });
}

/** Short label of a method that is not on the β axis; "\n" breaks the line. */
function controlName(row: GainPoint): string {
  const { name, weight } = row.parameters;
  if (name === "directMixture") return "direct";
  if (name === "linearMixture" && typeof weight === "number") return `linear\nλ = ${weight}`;
  if (name === "randomMixture") {
    return Number.isFinite(beta(row)) ? `random\nβ = ${betaText(beta(row))}` : "random";
  }
  return row.method;
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

function hoverText({ hover: [name, ...lines] }: GainPoint): string {
  return [`<b>${plotlyText(name ?? "")}</b>`, ...lines.map(plotlyText)].join("<br>");
}
