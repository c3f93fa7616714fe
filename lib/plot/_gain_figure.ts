/**
 * The figure of gains over a baseline: MoI against β on a log axis, other methods beside it, in whatever
 * unit the gains are.
 *
 * @module
 */

import { plotlyText } from "./escape.ts";
import type { Figure } from "./figure.ts";
import { betaText } from "./_format.ts";
import {
  alpha,
  axis,
  axisTitle,
  baseLayout,
  COLORS,
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
  const name = plotlyText(baseline.method);
  const split = panelWidths(curves.length, controls.length);

  const series = seriesOf(curves);
  const data = [
    ...series.filter((s) => s.rows.length > 1).map(bandTrace),
    ...series.map(lineTrace),
    ...(controls.length > 0 ? [controlTrace(controls, curves.length > 0)] : []),
    ...(others.some(isUnmixed) ? [hollowKey(curves.length > 0)] : []),
  ];
  const n = `N = ${rangeText(rows.map((row) => row.problems))} problems × ` +
    plural(rangeText(rows.map((row) => row.repeats)), "repeat");
  const subtitle = [words.subtitle ?? [], n, "paired 95 % intervals"].flat();

  const layout: Record<string, unknown> = {
    ...baseLayout(
      plotlyText(words.title),
      plotlyText(subtitle.join(" · ")),
    ),
    // The baseline's name stands to the right of the plot.
    margin: { l: 64, r: Math.min(220, 40 + 7 * Math.max(8, baseline.method.length)), t: 72, b: 92 },
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
    yaxis: axis({
      title: axisTitle(plotlyText(words.axis)),
      range: gainRange(rows, baseline),
      zeroline: true,
      zerolinecolor: COLORS.text,
      zerolinewidth: 1.2,
      nticks: 8,
    }),
    xaxis: curves.length > 0
      ? betaAxis(curves, split)
      : axis({ domain: split, showticklabels: false, ticks: "", showgrid: false, range: [0, 1] }),
    ...(controls.length > 0 ? { xaxis2: controlAxis(controls, curves.length > 0, split) } : {}),
    shapes: [baselineBand(baseline)],
    annotations: [{
      text: `${name}<br>${plotlyText(words.value)}`,
      xref: "paper",
      x: 1,
      xanchor: "left",
      xshift: 8,
      y: 0,
      yanchor: "middle",
      align: "left",
      showarrow: false,
      font: { size: 12, color: COLORS.muted },
    }],
  };
  return { data, layout };
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

/** The points of a series, joined by a line; a single point has error bars in place of a band. */
function lineTrace({ label, color, rows }: Series): object {
  const single = rows.length === 1;
  return {
    type: "scatter",
    mode: single ? "markers" : "lines+markers",
    name: plotlyText(label),
    x: rows.map(beta),
    y: rows.map((row) => row.gain),
    ...(single ? { error_y: errorBars(rows, color) } : { line: { color, width: 2.2 } }),
    marker: marker(rows, color, "circle"),
    hoverinfo: "text",
    hovertext: rows.map(hoverText),
    showlegend: true,
  };
}

/** The intervals of a series as one polygon: along the upper ends, and back along the lower ones. */
function bandTrace({ label, color, rows }: Series): object {
  const back = rows.toReversed();
  return {
    type: "scatter",
    mode: "lines",
    name: `${plotlyText(label)}: intervals`,
    x: [...rows.map(beta), ...back.map(beta)],
    y: [...rows.map((row) => row.high), ...back.map((row) => row.low)],
    fill: "toself",
    fillcolor: alpha(color, 0.2),
    line: { width: 0 },
    hoverinfo: "skip",
    showlegend: false,
  };
}

function controlTrace(rows: readonly GainPoint[], beside: boolean): object {
  return {
    type: "scatter",
    mode: "markers",
    name: beside ? "other methods" : "methods",
    x: rows.map((row) => row.method),
    y: rows.map((row) => row.gain),
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

function errorBars(rows: readonly GainPoint[], color: string): object {
  return {
    type: "data",
    symmetric: false,
    array: rows.map((row) => rounded(row.high - row.gain)),
    arrayminus: rows.map((row) => rounded(row.gain - row.low)),
    color,
    thickness: 1.6,
    width: 5,
  };
}

/** The baseline's own interval, moved so that its accuracy lies at zero. */
function baselineBand(baseline: GainPoint): object {
  return {
    type: "rect",
    layer: "below",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: baseline.own.low,
    y1: baseline.own.high,
    fillcolor: alpha(COLORS.band, 0.18),
    line: { width: 0 },
    name: `${plotlyText(baseline.method)}: its own 95 % interval`,
    showlegend: true,
  };
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
