/** One step, opened: the distribution that a token was drawn from, and what was fed back. @module */

import { checkOptions, number, type Rules, text } from "../_check.ts";
import { plotlyText } from "../_escape.ts";
import type { Figure } from "./figure.ts";
import { quoted, rounded } from "./_format.ts";
import { alpha, axis, COLORS, framed, NAMES_DOWN, namesAxis } from "./_theme.ts";
import type { StepLike } from "./trace.ts";

/** Options of {@linkcode plotMixture}. */
export interface PlotMixtureOptions {
  /** Title. Default: "What the next step is fed". */
  readonly title?: string;
  /** Most tokens shown, most probable first; the sampled one is always among them. Default: 12. */
  readonly tokens?: number;
}

const RULES: Rules<PlotMixtureOptions> = {
  title: text,
  tokens: number({ min: 1, integer: true }),
};

/**
 * Draws one step: for each token its probability beside its weight in the mixture that is fed next.
 * A mixing method moves the weights from "all on the sampled token" towards the probabilities.
 *
 * @param step A step of a traced generation or of `stream`.
 * @returns A figure with two bars per token; tokens outside the candidates have no probability bar.
 *
 * @example What the second token is fed
 * ```ts
 * import { generate, loadModel, moi, plotMixture } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { trace } = await generate(model, [1], { method: moi(), trace: true, maxNewTokens: 2 });
 * assertEquals(plotMixture(trace![0]!).data.length, 2);
 * ```
 */
export function plotMixture(step: StepLike, options: PlotMixtureOptions = {}): Figure {
  checkOptions("plot a mixture", options, RULES);
  const { title = "What the next step is fed", tokens = 12 } = options;
  const all = tokensOf(step), shown = all.slice(0, tokens);
  const sampled = all.find((entry) => entry.token === step.token)!;
  if (!shown.includes(sampled)) shown.splice(-1, 1, sampled);

  const y = shown.map((entry) => `${entry.token}`);
  const hovertext = shown.map((entry) =>
    `${plotlyText(quoted(entry.text, entry.token))} (token ${entry.token})<br>probability ${
      entry.probability === null ? "not recorded" : entry.probability.toFixed(4)
    }<br>weight ${entry.weight.toFixed(4)}`
  );
  const bars = { type: "bar", orientation: "h", y, hoverinfo: "text", hovertext };
  const hidden = all.length - shown.length;
  const caption = [
    `sampled ${quoted(step.text, step.token)}`,
    `H = ${step.entropy.toFixed(3)}`,
    `off-sample mass ${step.offSampleMass.toFixed(3)}`,
    hidden > 0 ? `${hidden} more tokens not shown` : undefined,
  ];
  const labels = shown.map((entry) => {
    const label = plotlyText(quoted(entry.text, entry.token));
    return entry === sampled ? `<b>${label} ◂ sampled</b>` : label;
  });
  const data = [
    {
      ...{ ...bars, name: "probability" },
      x: shown.map((entry) => entry.probability === null ? null : rounded(entry.probability, 6)),
      marker: { color: alpha(COLORS.band, 0.75) },
    },
    {
      ...{ ...bars, name: "weight in the mixture" },
      x: shown.map((entry) => rounded(entry.weight, 6)),
      marker: { color: COLORS.blue },
    },
  ];
  return framed({ title, caption }, data, {
    height: 160 + 30 * Math.max(shown.length, 3),
    margin: { l: 20, r: 24, t: 96, b: 36 },
    ...{ barmode: "group", bargap: 0.28, bargroupgap: 0.05 },
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", traceorder: "normal" },
    xaxis: axis({ rangemode: "tozero" }),
    yaxis: namesAxis(y, labels, {
      ...NAMES_DOWN,
      tickfont: { family: "Menlo, Consolas, DejaVu Sans Mono, monospace", size: 12 },
    }),
  });
}

/** Candidates, sampled token and mixture as one list: by probability, then by weight. */
function tokensOf(step: StepLike) {
  const { mixture, candidates = [] } = step, weights = new Map<number, number>();
  for (const [i, id] of Array.from(mixture.ids).entries()) {
    weights.set(id, (weights.get(id) ?? 0) + mixture.weights[i]!);
  }
  const known = new Map([...candidates, step].map((one) => [one.token, one]));
  const ids = new Set([...known.keys(), ...weights.keys()]);
  return [...ids].map((token) => ({
    token,
    text: known.get(token)?.text,
    probability: known.get(token)?.probability ?? null,
    weight: weights.get(token) ?? 0,
  })).sort((a, b) => (b.probability ?? -1) - (a.probability ?? -1) || b.weight - a.weight);
}
