/** One generation, seen from inside: each token coloured by the entropy it was drawn at. @module */

import { checkOptions, number, refusal, type Rules } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import type { Generation, Step } from "../decode/mod.ts";
import { displayable } from "./display.ts";
import type { Html } from "./figure.ts";
import { counted } from "../_counted.ts";
import { quoted } from "./_format.ts";
import { heat, type Token, told, visible } from "./page/tokens.ts";

/** What {@linkcode plotTrace} and `plotMixture` read of a step: those of `generate` and `stream` are such. */
export type StepLike = Omit<Step, "index" | "candidates"> & Partial<Pick<Step, "candidates">>;

/** What {@linkcode plotTrace} reads of a generation: its text, and its steps if made with `trace: true`. */
export interface TracedLike
  extends Pick<Generation, "text">, Partial<Pick<Generation, "finishReason">> {
  /** The steps. */
  readonly trace?: readonly StepLike[] | undefined;
}

/** Options of {@linkcode plotTrace}. */
export interface PlotTraceOptions {
  /**
   * Entropy that gets the full colour, 0..1. Set it to compare generations with each other. Default: the
   * largest of this generation.
   */
  readonly maxEntropy?: number;
  /** Number of candidates, and of tokens of the mixture, named in a token's tooltip. Default: 5. */
  readonly candidates?: number;
}

const RULES: Rules<PlotTraceOptions> = {
  maxEntropy: number({ min: 0, max: 1, exclusiveMin: true }),
  candidates: number({ min: 0, integer: true }),
};

/**
 * Shows a generation as text, each token coloured by its entropy; resting the pointer on a token
 * names its probability, the most probable candidates, and the mixture that was fed next with its
 * off-sample mass and its length. What a method did, such as a switch between soft and plain input,
 * stands before the first token of its kind.
 *
 * @returns HTML with every text from the model escaped, and its plain-text twin.
 * @throws {TypeError} If the generation has no trace.
 *
 * @example
 * ```ts
 * import { generate, loadModel, moi, plotTrace } from "@moi/moi";
 * import { assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const generation = await generate(model, [1], { method: moi(), trace: true, maxNewTokens: 4 });
 * assertStringIncludes(plotTrace(generation).text, "tokens, mean H");
 * ```
 */
export function plotTrace(generation: TracedLike, options: PlotTraceOptions = {}): Html {
  const verb = "plot a trace";
  checkOptions(verb, options, RULES);
  const { trace, finishReason } = generation;
  if (!Array.isArray(trace)) {
    const refused = refusal(verb, "generation.trace", "be an array of steps", trace);
    throw new TypeError(`${refused} (pass trace: true to generate)`);
  }
  const steps: readonly StepLike[] = trace;
  const candidates = options.candidates ?? 5;
  const largest = steps.reduce((max, step) => Math.max(max, step.entropy), 0);
  const max = options.maxEntropy ?? (largest > 0 ? Math.min(1, largest) : 1);

  const entropy = mean(steps.map((step) => step.entropy));
  const mass = mean(steps.map((step) => step.offSampleMass));
  const summary = `${counted(steps.length, "token")}, ` +
    `mean H ${entropy.toFixed(3)}, mean off-sample mass ${mass.toFixed(3)}` +
    (finishReason === "aborted" ? ", partial: it was stopped" : "");
  const tokens = steps.map((step, i) => {
    const token = tokenOf(step, candidates);
    return badge(step.event, i === 0 ? undefined : steps[i - 1]!.event) +
      `<span title="${escapeHtml(told(token).join("\n"))}" style="background:${
        heat(step.entropy / max)
      };border-radius:2px">${escapeHtml(visible(token))}</span>`;
  }).join("");
  const ramp = [0, 0.25, 0.5, 0.75, 1].map(heat).join(",");
  return displayable({
    html: `<div style="background:#fff;color:#000;padding:10px 12px">` +
      `<div style="font:12px sans-serif;margin-bottom:8px">normalised entropy H &nbsp;0 ` +
      `<span style="display:inline-block;width:110px;height:10px;border:1px solid #bbb;` +
      `vertical-align:middle;background:linear-gradient(90deg,${ramp})"></span> ` +
      `${max.toFixed(3)} &nbsp;·&nbsp; ${summary}</div>` +
      `<div style="font:14px/1.75 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;` +
      `overflow-wrap:anywhere;color:#000">${tokens}</div></div>`,
    text: `${generation.text}\n[${summary}]`,
  });
}

/** What begins at a token. */
function badge(event: string | undefined, before: string | undefined): string {
  if (event === undefined || event === before) return "";
  return `<span style="font:10px sans-serif;color:#fff;background:#0072b2;border-radius:3px;` +
    `padding:0 3px;margin:0 2px;vertical-align:super">${escapeHtml(event)}</span>`;
}

/** Names of tokens: their texts, and the ids too of those that have one text, as parts of a character do. */
function namesOf(texts: ReadonlyMap<number, string>): (token: number) => string {
  const alike = Map.groupBy(texts, ([token, text]) => quoted(text, token));
  return (token) => {
    const name = quoted(texts.get(token), token);
    return (alike.get(name)?.length ?? 0) > 1 ? `${name} #${token}` : name;
  };
}

/** A step as pages show it: at most so many candidates, and tokens of its mixture. */
export function tokenOf(step: StepLike, most: number): Token {
  const { text, entropy, probability, offSampleMass, mixture, norm, drawn, event, end } = step;
  const texts = new Map((step.candidates ?? []).map((one) => [one.token, one.text]));
  if (!texts.has(step.token)) texts.set(step.token, text);
  const nameOf = namesOf(texts);
  const candidates = (step.candidates ?? []).slice(0, most)
    .map((one) => [nameOf(one.token), one.probability] as const);
  const weights = Array.from(mixture.ids, (id, k) => [id, mixture.weights[k]!] as const)
    .sort(([, a], [, b]) => b - a).slice(0, most)
    .map(([id, weight]) => [nameOf(id), weight] as const);
  return {
    ...{ text, name: nameOf(step.token), entropy, probability, offSampleMass, candidates },
    ...{ mixture: weights },
    ...(norm === undefined ? {} : { norm }),
    ...(event === undefined ? {} : { event }),
    ...(drawn === undefined ? {} : { drawn: nameOf(drawn) }),
    ...(end ? { end } : {}),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}
