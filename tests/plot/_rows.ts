/** Rows and runs that look like those of a study; made up. */

import type { GainLike, StepLike } from "../../lib/plot/mod.ts";
import type { ScoreRow } from "../../lib/stats/mod.ts";
import type { Run } from "../../lib/study/mod.ts";

/** A row with a gain and the half width of its interval, in percentage points. */
export function row(
  method: string,
  parameters: GainLike["parameters"],
  gain: number,
  half: number,
  more: Partial<GainLike> = {},
): GainLike {
  const accuracy = 0.41 + gain / 100;
  return {
    method,
    parameters,
    problems: 60,
    repeats: 8,
    accuracy,
    accuracyLow: accuracy - 0.044,
    accuracyHigh: accuracy + 0.045,
    gain: gain / 100,
    low: (gain - half) / 100,
    high: (gain + half) / 100,
    p: 0.0123,
    adjustedP: 0.049,
    won: 61,
    lost: 38,
    tokensRatio: 1.02,
    mixing: { meanEntropy: 0.114, meanOffSampleMass: 0.208 },
    ...more,
  };
}

export const standard = row("standard", { name: "standard" }, 0, 0, {
  p: 1,
  adjustedP: 1,
  won: 0,
  lost: 0,
  mixing: { meanEntropy: 0.112, meanOffSampleMass: 0 },
});

const gains = { 0.25: 0.4, 0.5: 1.6, 1: 3.2, 2: 2.7, 4: 1.2, 8: 0.3 };
const released = { 0.25: -0.6, 0.5: 0.9, 1: 2.1, 2: 2.2, 4: 0.8, 8: 0.1 };

/** MoI at six β. */
export function curve(preset: string, values: Record<string, number> = gains): GainLike[] {
  return Object.entries(values).map(([beta, gain]) =>
    row(`moi-${preset}-${beta}`, { name: "moi", beta: Number(beta), preset }, gain, 1.6)
  );
}

export const controls = [
  row("direct", { name: "directMixture" }, -7.4, 2.3),
  row("linear-0.5", { name: "linearMixture", weight: 0.5 }, -1.2, 1.7),
  row("random-1", { name: "randomMixture", beta: 1 }, -3.1, 1.9, {
    mixing: { meanEntropy: 0.112, meanOffSampleMass: 0.0002 },
  }),
];

export const study = [standard, ...curve("paper"), ...controls];
export const presets = [...study, ...curve("mixinputs-0.1.1", released)];

const scoreRow = (method: string, gain: number, mass: number, parameters = {}): ScoreRow => ({
  ...{ method, parameters, problems: 40, n: 160, mean: 0.05 + gain, low: 0.04 + gain },
  ...{ high: 0.06 + gain, gain, gainInterval: { low: gain - 0.01, high: gain + 0.02 } },
  ...{ bootstrap: { low: gain - 0.011, high: gain + 0.019 }, p: 0.2, adjustedP: 0.4 },
  ...{ higher: 21, lower: 12, mixing: { meanEntropy: 0.2, meanOffSampleMass: mass } },
});
/** Numeric scores: β on a curve, one of which mixed nothing, and a method with a hostile name. */
export const scores = [
  scoreRow("standard", 0, 0, { name: "standard" }),
  scoreRow("moi-4", 0.01, 0.0001, { name: "moi", beta: 4, preset: "paper" }),
  scoreRow("moi-1", -0.02, 0.1, { name: "moi", beta: 1, preset: "paper" }),
  scoreRow("<b>", 0.1, 0.3, { name: "other" }),
];

/** Runs of three methods with deterministic noise. */
export const runs = ["standard", "moi-1", "direct"].flatMap((method, m) =>
  Array.from({ length: 60 }, (_, i) => ({
    method,
    problem: `${i % 20}`,
    mixing: {
      meanEntropy: 0.1 + 0.05 * Math.sin(7.3 * i + m) + (i === 13 ? 0.15 : 0),
      meanOffSampleMass: [0, 0.2, 0.35][m]! * (1 + 0.5 * Math.sin(3.1 * i + m)),
    },
  }))
);

/** A step whose mixture lies between the distribution and the sampled token. */
export function step(text: string, token: number, entropy: number): StepLike {
  const candidates = [
    { token, text, probability: 0.55 },
    { token: 901, text: " dog", probability: 0.25 },
    { token: 902, text: "</script><script>alert(1)</script>", probability: 0.12 },
    { token: 903, text: "$x$ %{y}", probability: 0.05 },
  ];
  return {
    token,
    text,
    entropy,
    probability: 0.55,
    mixture: { ids: Uint32Array.of(token, 901, 902, 77), weights: [0.7, 0.17, 0.1, 0.03] },
    offSampleMass: 0.3,
    candidates,
  };
}

/** Whole runs of "standard" and "moi": every third problem won, every fifth lost, all hostile text. */
export function hostileRuns(problems: number): Run[] {
  return Array.from({ length: problems }, (_, i) =>
    ["standard", "moi"].map((method): Run => ({
      ...{ study: "s", model: "m@0", device: "cpu", dtype: "fp32", task: "t" },
      problem: `<b>p${i}</b>`,
      method,
      parameters: { name: method },
      ...{ repeat: 0, studySeed: 0, seed: i },
      sampler: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 8 },
      ...{ prompt: "00", promptTokens: 1, tokens: [1, 2] },
      text: `</pre><script>alert(${i})</script>`,
      finishReason: "stop",
      grade: {
        correct: method === "moi" ? i % 5 !== 0 : i % 3 !== 0,
        extracted: '"><img src=x onerror=alert(1)>',
        reason: "<i>because</i>",
      },
      mixing: { meanEntropy: 0.1, meanOffSampleMass: method === "moi" ? 0.2 : 0 },
      timing: { prefillMs: 1, decodeMs: 2 },
      versions: {},
    }))).flat();
}

/** A generation whose text tries to be markup. */
export const generation = {
  text: "The cat\nsat & <script>alert(1)</script>",
  trace: [
    step("The", 1, 0.31),
    step(" cat", 2, 0.12),
    step("\n", 3, 0.02),
    step("sat &", 4, 0.22),
    step(" <script>alert(1)</script>", 5, 0.4),
  ],
};
