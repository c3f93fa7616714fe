/** The figure of what `predictEffect` found. @module */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import type { PredictedEffect } from "../decode/mod.ts";
import type { Figure } from "./figure.ts";
import { counted } from "../_counted.ts";
import { rounded } from "./_format.ts";
import { alpha, axis, axisTitle, COLORS, framed, upperEnd } from "./_theme.ts";

/** Options of {@linkcode plotEffect}. */
export interface PlotEffectOptions {
  /** Title. Default: "Will mixing matter here?". */
  readonly title?: string;
}

const RULES: Rules<PlotEffectOptions> = { title: text };

/** Number of bars of a histogram. */
const BARS = 40;

const PANELS = [
  { field: "entropy", title: "normalised entropy", color: COLORS.blue },
  { field: "offSampleMass", title: "off-sample mass", color: COLORS.vermillion },
  { field: "changed", title: "share of next tokens that change", color: COLORS.band },
] as const;

/**
 * Draws three histograms over the positions: normalised entropy, off-sample mass, and the share of
 * next tokens that the mixture changes. Counts are on a logarithmic scale, since most positions of
 * most models are certain.
 *
 * @returns A figure; method and N stand below the title.
 * @throws {RangeError} If there are no positions, other than of a prediction that was stopped.
 *
 * @example
 * ```ts
 * import { loadModel, moi, plotEffect, predictEffect } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const found = await predictEffect(model, [[1]], moi({ beta: 0.25 }), { tokens: 4 });
 * assertEquals(plotEffect(found).data.length, 3);
 * ```
 */
export function plotEffect(
  effect: Pick<PredictedEffect, "method" | "prompts" | "partial" | "positions" | "steps">,
  options: PlotEffectOptions = {},
): Figure {
  checkOptions("plot the effect", options, RULES);
  const { method, prompts, partial, positions, steps } = effect;
  if (steps.length === 0 && !partial) {
    throw new RangeError(refusal("plot the effect", "steps", "have at least one position", steps));
  }
  const width = 1 / PANELS.length, data: object[] = [], axes: Record<string, object> = {};
  for (const [i, { field, title, color }] of PANELS.entries()) {
    const values = steps.map((step) => Math.max(0, step[field])), panel = i === 0 ? "" : i + 1;
    const end = upperEnd(values, 1.02), size = end / BARS;
    const counts = new Array<number>(BARS).fill(0);
    for (const value of values) counts[Math.min(BARS - 1, Math.floor(value / size))]! += 1;
    data.push({
      type: "bar",
      x: counts.map((_, k) => rounded((k + 0.5) * size, 6)),
      y: counts,
      width: size,
      xaxis: `x${panel}`,
      yaxis: `y${panel}`,
      marker: { color: alpha(color, 0.7) },
      hovertemplate: "%{y} positions near %{x}<extra></extra>",
    });
    axes[`xaxis${panel}`] = axis({
      domain: [i * width + (i > 0 ? 0.03 : 0), (i + 1) * width],
      range: [0, end],
      title: axisTitle(title),
      anchor: `y${panel}`,
    });
    axes[`yaxis${panel}`] = axis({
      type: "log",
      range: [Math.log10(0.7), Math.log10(1.5 * Math.max(1, steps.length))],
      anchor: `x${panel}`,
      ...(i === 0 ? { title: axisTitle("positions") } : { showticklabels: false }),
    });
  }
  const n = `N = ${positions} positions of ${counted(prompts, "prompt")}`;
  const part = partial && `partial: ${partial.finished} of ${counted(partial.planned, "prompt")}`;
  const title = options.title ?? "Will mixing matter here?";
  return framed({ title, caption: [method, n, part] }, data, {
    ...{ height: 340, margin: { l: 60, r: 24, t: 70, b: 58 }, showlegend: false },
    ...axes,
  });
}
