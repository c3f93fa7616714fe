/**
 * Can mixing act here at all? With entropy near zero the mixture is the sampled token, and any gain is chance:
 * this figure shows it before any gain is believed.
 *
 * @module
 */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import { plotlyText } from "../_escape.ts";
import { partialOf, partialText, type Run } from "../study/mod.ts";
import type { Figure } from "./figure.ts";
import { counted } from "../_counted.ts";
import { rounded } from "./_format.ts";
import {
  alpha,
  axis,
  axisTitle,
  COLORS,
  framed,
  NAMES_DOWN,
  namesAxis,
  upperEnd,
} from "./_theme.ts";

/** What {@linkcode plotMixing} reads of a run. */
export type MixingRunLike = Pick<Run, "method" | "problem" | "mixing">;

/** Options of {@linkcode plotMixing}. */
export interface PlotMixingOptions {
  /** Title. Default: "Can mixing act here?". */
  readonly title?: string;
  /** Text before the N in the line below the title, such as the model and the task. */
  readonly subtitle?: string;
}

const PANELS = [
  { field: "meanEntropy", words: "mean normalised entropy", color: COLORS.blue, domain: [0, 0.48] },
  {
    field: "meanOffSampleMass",
    words: "mean off-sample mass",
    color: COLORS.vermillion,
    domain: [0.52, 1],
  },
] as const;

const RULES: Rules<PlotMixingOptions> = { title: text, subtitle: text };

/**
 * Draws two box plots per method over its runs: the mean normalised entropy of the distribution
 * sampled from, and the mean off-sample mass Σ wᵢ (i ≠ y) of the mixture.
 *
 * A box spans the quartiles, with the median as a line and the mean dashed; whiskers reach the last
 * run within 1.5 boxes. Both scales begin at 0 and end at the largest value.
 *
 * @param runs Runs of a study; those that do not tell their mixing, as of other tools, are left out.
 * @returns A figure; the N stands below the title, and how much of a stopped study is there; its
 * height grows with the number of methods.
 * @throws {RangeError} If there are no runs, other than of a study that was stopped, or none tells
 * its mixing.
 */
export function plotMixing(
  runs: readonly (Omit<MixingRunLike, "mixing"> & Partial<MixingRunLike>)[],
  options: PlotMixingOptions = {},
): Figure {
  checkOptions("plot mixing", options, RULES);
  const partial = partialOf(runs), told = runs.filter(isTold);
  if (told.length === 0 && !partial) {
    const rule = runs.length === 0 ? "have at least one run" : "tell how much was mixed";
    throw new RangeError(refusal("plot mixing", "runs", rule, runs));
  }
  const groups = Map.groupBy(told, ({ method }) => method), methods = [...groups.keys()];
  const panelAxis = ({ field, words, domain }: (typeof PANELS)[number]) => ({
    ...{ domain, title: axisTitle(`${words} of a run`) },
    range: [0, upperEnd(told.map(({ mixing }) => mixing[field]), 1.06)],
  });
  const data = [...groups].flatMap(([method, own]) =>
    PANELS.map(({ field, color }, i) =>
      box(method, own.map(({ mixing }) => mixing[field]), color, i === 0 ? "" : "2")
    )
  );
  const problems = new Set(told.map((run) => run.problem)).size;
  const n = `N = ${counted(told.length, "run")} of ${counted(problems, "problem")}`;
  const caption = [options.subtitle, n, partial && partialText(partial)];
  return framed({ title: options.title ?? "Can mixing act here?", caption }, data, {
    height: 150 + 38 * Math.max(methods.length, 2),
    ...{ margin: { l: 20, r: 24, t: 70, b: 58 }, showlegend: false },
    xaxis: axis(panelAxis(PANELS[0])),
    xaxis2: axis({ ...panelAxis(PANELS[1]), anchor: "y" }),
    yaxis: namesAxis(methods, methods.map(plotlyText), {
      ...{ ...NAMES_DOWN, categoryorder: "array", categoryarray: methods },
    }),
  });
}

/** Whether a run tells how much was mixed; those of other tools do not. */
function isTold(run: Partial<MixingRunLike>): run is MixingRunLike {
  const { meanEntropy = NaN, meanOffSampleMass = NaN } = run.mixing ?? {};
  return Number.isFinite(meanEntropy) && Number.isFinite(meanOffSampleMass);
}

/** A box as its numbers and the runs beyond its whiskers: as plotly would make it of all runs. */
function box(method: string, values: readonly number[], color: string, panel: string): object {
  const { q1, median, q3, low, high, outside } = spread(values);
  const [one, mean] = [(value: number) => [rounded(value, 6)], values.reduce((a, b) => a + b, 0)];
  return {
    type: "box",
    orientation: "h",
    name: method,
    y: [method],
    ...{ q1: one(q1), median: one(median), q3: one(q3), mean: one(mean / values.length) },
    ...{ lowerfence: one(low), upperfence: one(high) },
    // an empty list would be taken for positions
    ...(outside.length > 0 ? { x: [outside.map((value) => rounded(value, 6))] } : {}),
    xaxis: `x${panel}`,
    yaxis: "y",
    boxmean: true,
    boxpoints: "outliers",
    whiskerwidth: 0.5,
    width: 0.55,
    fillcolor: alpha(color, 0.2),
    line: { color, width: 1.5 },
    marker: { color: alpha(color, 0.5), size: 4 },
    hoverinfo: "x",
  };
}

/** Quartiles, each run in the middle of its 1/N; the last runs within 1.5 boxes, and those beyond. */
function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b), last = sorted.length - 1;
  const at = (share: number) => {
    const place = Math.max(0, Math.min(last, share * sorted.length - 0.5)),
      below = Math.floor(place);
    return sorted[below]! + (place - below) * (sorted[Math.min(last, below + 1)]! - sorted[below]!);
  };
  const [q1, median, q3] = [at(0.25), at(0.5), at(0.75)], reach = 1.5 * (q3 - q1);
  const low = Math.min(q1, sorted.find((value) => value >= q1 - reach)!);
  const high = Math.max(q3, sorted.findLast((value) => value <= q3 + reach)!);
  return { q1, median, q3, low, high, outside: sorted.filter((own) => own < low || own > high) };
}
