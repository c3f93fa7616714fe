/**
 * The figure that answers the question of the paper: how much more is solved, at which β, and what
 * do the controls say.
 *
 * Every point is a difference of accuracies on the same problems and repeats, in percentage points,
 * with its paired interval. The interval of the baseline's own accuracy is drawn in grey around
 * zero. It is wider than the paired ones, because pairing cancels the difficulty of the problems;
 * a gain is judged by its own interval, not by whether it leaves the grey band.
 *
 * @module
 */

import { checkOptions, refusal } from "../_check.ts";
import type { GainRow } from "../stats/mod.ts";
import { plotlyText } from "./escape.ts";
import type { Figure } from "./figure.ts";
import { bare, betaText, percent, points, pText, signed } from "./_format.ts";
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

/** What {@linkcode plotGains} reads of a row of `gains()`. */
export type GainLike =
  & Omit<GainRow, "n" | "meanTokens" | "meanSeconds" | "truncated" | "pValueOf">
  & Partial<Pick<GainRow, "n" | "meanSeconds" | "truncated">>;

/** Options of {@linkcode plotGains}. */
export interface PlotGainsOptions {
  /**
   * Title.
   *
   * @default {"Gain over <baseline>"}
   */
  readonly title?: string;
  /** Text before the N in the line below the title, such as the model and the task. */
  readonly subtitle?: string;
  /**
   * Key of the method that the gains are measured against.
   *
   * @default {the only row whose parameters.name is "standard"}
   */
  readonly baseline?: string;
}

const VERB = "plot gains";
/** A mixture with less weight than this on other tokens is the sampled token: nothing was mixed. */
const NO_MIXING = 0.001;

/**
 * Draws gains over the baseline with their paired 95 % intervals: MoI against β on a log axis on
 * the left, all other methods on the right.
 *
 * Points are hollow where the mean off-sample mass is below 0.001, so that mixing cannot have acted.
 * Rows of MoI that differ in more than β (such as the preset) become one line each.
 *
 * @param rows Rows of `gains()`, the baseline's among them.
 * @param options Title, subtitle, and the baseline's key.
 * @returns A figure made for 900 × 420 pixels; the N stands below the title.
 * @throws {RangeError} If there are no rows, or no row (or no single row) is the baseline.
 * @throws {TypeError} If an option is not known.
 *
 * @example One β and the baseline
 * ```ts
 * import { plotGains } from "@moi/moi/plot";
 * import { assertEquals } from "@std/assert";
 *
 * const same = { problems: 50, repeats: 8, tokensRatio: 1, p: 1, adjustedP: 1, won: 0, lost: 0 };
 * const figure = plotGains([
 *   {
 *     ...same,
 *     method: "standard",
 *     parameters: { name: "standard" },
 *     ...{ accuracy: 0.5, accuracyLow: 0.42, accuracyHigh: 0.58, gain: 0, low: 0, high: 0 },
 *     mixing: { meanEntropy: 0.2, meanOffSampleMass: 0 },
 *   },
 *   {
 *     ...same,
 *     method: "moi-1",
 *     parameters: { name: "moi", beta: 1, preset: "paper" },
 *     ...{ accuracy: 0.53, accuracyLow: 0.45, accuracyHigh: 0.61, gain: 0.03, low: 0.01, high: 0.05 },
 *     mixing: { meanEntropy: 0.2, meanOffSampleMass: 0.12 },
 *   },
 * ]);
 * assertEquals((figure.data[0] as { y: number[] }).y, [3]);
 * ```
 */
export function plotGains(rows: readonly GainLike[], options: PlotGainsOptions = {}): Figure {
  checkOptions(VERB, options, ["title", "subtitle", "baseline"]);
  const baseline = baselineOf(rows, options.baseline);
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
  const subtitle = [options.subtitle ?? [], n, "paired 95 % intervals"].flat();

  const layout: Record<string, unknown> = {
    ...baseLayout(
      plotlyText(options.title ?? `Gain over ${baseline.method}`),
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
      title: axisTitle("gain (percentage points)"),
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
      text: `${name}<br>${percent(baseline.accuracy)}`,
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

function baselineOf(rows: readonly GainLike[], key: string | undefined): GainLike {
  if (rows.length === 0) throw new RangeError(refusal(VERB, "rows", "have at least one row", rows));
  const found = rows.filter((row) =>
    key === undefined ? row.parameters.name === "standard" : row.method === key
  );
  const [first, second] = found;
  const methods = rows.map((row) => row.method);
  if (first === undefined) {
    const rule = key === undefined ? "have a row of the standard method" : `have a row of "${key}"`;
    throw new RangeError(refusal(VERB, "rows", rule, methods));
  }
  if (second !== undefined) {
    const rule = "name one of the rows, as several could be the baseline";
    throw new RangeError(refusal(VERB, "options.baseline", rule, found.map((row) => row.method)));
  }
  return first;
}

/** Whether a row has a place on the β axis, which is logarithmic. */
function isOnCurve(row: GainLike): boolean {
  return row.parameters.name === "moi" && beta(row) > 0 && Number.isFinite(beta(row));
}

function beta(row: GainLike): number {
  return typeof row.parameters.beta === "number" ? row.parameters.beta : NaN;
}

interface Series {
  readonly label: string;
  readonly color: string;
  readonly rows: readonly GainLike[];
}

/** Rows that differ in β only, in order of β; named by the knobs in which the series differ. */
function seriesOf(rows: readonly GainLike[]): Series[] {
  const groups = new Map<string, GainLike[]>();
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
    y: rows.map((row) => points(row.gain)),
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
    y: [...rows.map((row) => points(row.high)), ...back.map((row) => points(row.low))],
    fill: "toself",
    fillcolor: alpha(color, 0.2),
    line: { width: 0 },
    hoverinfo: "skip",
    showlegend: false,
  };
}

function controlTrace(rows: readonly GainLike[], beside: boolean): object {
  return {
    type: "scatter",
    mode: "markers",
    name: beside ? "other methods" : "methods",
    x: rows.map((row) => row.method),
    y: rows.map((row) => points(row.gain)),
    error_y: errorBars(rows, COLORS.vermillion),
    marker: marker(rows, COLORS.vermillion, "diamond"),
    hoverinfo: "text",
    hovertext: rows.map(hoverText),
    showlegend: true,
    xaxis: "x2",
    yaxis: "y",
  };
}

function marker(rows: readonly GainLike[], color: string, symbol: string): object {
  return {
    color,
    size: 8.5,
    line: { color, width: 1.5 },
    symbol: rows.map((row) => isUnmixed(row) ? `${symbol}-open` : symbol),
  };
}

/** Whether the inputs were, in the mean, nothing but the sampled tokens. */
function isUnmixed(row: GainLike): boolean {
  return row.mixing.meanOffSampleMass < NO_MIXING;
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

function errorBars(rows: readonly GainLike[], color: string): object {
  return {
    type: "data",
    symmetric: false,
    array: rows.map((row) => points(row.high - row.gain)),
    arrayminus: rows.map((row) => points(row.gain - row.low)),
    color,
    thickness: 1.6,
    width: 5,
  };
}

/** The baseline's own interval, moved so that its accuracy lies at zero. */
function baselineBand(baseline: GainLike): object {
  return {
    type: "rect",
    layer: "below",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: points(baseline.accuracyLow - baseline.accuracy),
    y1: points(baseline.accuracyHigh - baseline.accuracy),
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

function betaAxis(rows: readonly GainLike[], domain: readonly number[]): Record<string, unknown> {
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
  rows: readonly GainLike[],
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
function controlName(row: GainLike): string {
  const { name, weight } = row.parameters;
  if (name === "directMixture") return "direct";
  if (name === "linearMixture" && typeof weight === "number") return `linear\nλ = ${weight}`;
  if (name === "randomMixture") {
    return Number.isFinite(beta(row)) ? `random\nβ = ${betaText(beta(row))}` : "random";
  }
  return row.method;
}

/** Range over every interval, zero and the grey band, with air at both ends. */
function gainRange(rows: readonly GainLike[], baseline: GainLike): [number, number] {
  const values = rows.flatMap((row) => [row.gain, row.low, row.high])
    .concat(baseline.accuracyLow - baseline.accuracy, baseline.accuracyHigh - baseline.accuracy, 0)
    .filter(Number.isFinite);
  const low = points(Math.min(...values)), high = points(Math.max(...values));
  const pad = high > low ? 0.08 * (high - low) : 1;
  return [rounded(low - pad), rounded(high + pad)];
}

function hoverText(row: GainLike): string {
  return [
    `<b>${plotlyText(row.method)}</b>`,
    `accuracy ${percent(row.accuracy)} [${bare(row.accuracyLow)}, ${bare(row.accuracyHigh)}]`,
    `gain ${signed(row.gain)} points [${signed(row.low)}, ${signed(row.high)}]`,
    `p ${pText(row.p)}, adjusted p ${pText(row.adjustedP)}`,
    `won ${row.won}, lost ${row.lost}`,
    `tokens × ${row.tokensRatio.toFixed(2)}`,
    `mean H ${row.mixing.meanEntropy.toFixed(3)}, ` +
    `off-sample mass ${row.mixing.meanOffSampleMass.toFixed(3)}`,
  ].join("<br>");
}
