/**
 * Will mixing matter here? Asked before a sweep is paid for.
 *
 * A few prompts are continued for a few tokens by standard decoding, while the method says at every
 * position what it would feed. Two forward passes over the same text then tell what that changes:
 *
 * ```text
 * P_t = next distribution after   prompt, y_1 … y_t          tokens, as standard decoding feeds them
 * Q_t = next distribution after   prompt, h_1 … h_t          the method's mixtures in their places
 * ```
 *
 * Compared are P_t and Q_t: `changed` as the request's sampler makes them, `divergence` as the model does,
 * so that it can be compared between samplers. All earlier mixtures count, since their keys and values are
 * what later positions read. On `votes-tiny` a single mixture changes the very next distribution by next to
 * nothing (JS 10⁻⁶ nats), and all of them together decide the answer.
 *
 * What it cannot say: whether a change is for the better. The mixtures are those of the text as it
 * stands, so where the two distributions part widely, a real run would have parted from the text.
 *
 * @module
 */

import { anything, checkOptions, number, refusal, type Rules } from "../_check.ts";
import { counted } from "../_counted.ts";
import { given } from "../_given.ts";
import {
  checkMixture,
  kept,
  type Mixture,
  type Model,
  offSampleMass,
  oneToken,
} from "../model/mod.ts";
import { defaultSignal } from "../runtime/mod.ts";
import { generateBatch } from "./generate.ts";
import { type GenerateOptions, type Job, jobOf, type Prompt } from "./generation.ts";
import type { Method } from "./method.ts";
import { jsDivergence } from "./probe.ts";
import type { Distribution } from "./distribution.ts";
import { distributionOf } from "./sample.ts";
import { SAMPLER_RULES } from "./sampler.ts";

/** Options of {@linkcode predictEffect}: those of standard decoding, which draws what `generate` draws. */
export interface PredictEffectOptions
  extends Omit<GenerateOptions, "method" | "maxNewTokens" | "trace" | "stop" | "ignoreEos"> {
  /** Positions asked about per prompt, fewer where its text ends. Default: 32. */
  readonly tokens?: number;
}

const RULES: Rules<PredictEffectOptions> = {
  ...SAMPLER_RULES,
  ...{ sampler: anything, chat: anything, seed: anything, signal: anything }, // as `generate` does
  tokens: number({ min: 1, integer: true }),
};

/** Mean and quantiles over positions. */
export interface Quantiles {
  /** Mean. */
  readonly mean: number;
  /** Half of the positions lie below. */
  readonly median: number;
  /** Nine tenths of the positions lie below. */
  readonly q90: number;
  /** Largest. */
  readonly max: number;
}

/** One position. */
export interface PredictedStep {
  /** Index of the prompt. */
  readonly prompt: number;
  /** Index of the token in its text, from 0. */
  readonly index: number;
  /** Token with which the text goes on. */
  readonly token: number;
  /** Entropy of the distribution sampled from divided by ln V, 0 to 1. */
  readonly entropy: number;
  /** Weight of the mixture on other tokens than the one that the method records. */
  readonly offSampleMass: number;
  /**
   * JS(next | mixtures so far, next | tokens so far), nats, 0 to ln 2: of the model's distributions,
   * at temperature 1 and untruncated.
   */
  readonly divergence: number;
  /**
   * Total variation of the two as the request's sampler makes them: the least share of next tokens that
   * would be drawn differently. At temperature 0: 1 where another token would be taken, else 0.
   */
  readonly changed: number;
}

/** Result of {@linkcode predictEffect}: what {@linkcode PredictedStep} has, over all positions. */
export interface PredictedEffect
  extends Readonly<Record<"entropy" | "offSampleMass" | "divergence" | "changed", Quantiles>> {
  /** Name of the method. */
  readonly method: string;
  /** Number of prompts. */
  readonly prompts: number;
  /** Where it was stopped: how many prompts are in it, of how many. Without one, figures are NaN. */
  readonly partial?: { readonly finished: number; readonly planned: number };
  /** Number of positions, N. */
  readonly positions: number;
  /** All of it in a few sentences, with its numbers. */
  readonly verdict: string;
  /** All positions. */
  readonly steps: readonly PredictedStep[];
}

/** Prompts at once. */
const SLOTS = 8;
/** Mean shares of changed draws that the verdict words differently: 1 in 1000, 1 in 100. */
const NOTHING = 0.001, LITTLE = 0.01;

function quantilesOf(values: readonly number[]): Quantiles {
  if (values.length === 0) return { mean: NaN, median: NaN, q90: NaN, max: NaN };
  const sorted = values.toSorted((a, b) => a - b), last = sorted.length - 1;
  const at = (share: number) => {
    const place = share * last, below = Math.floor(place), part = place - below;
    return sorted[below]! * (1 - part) + sorted[Math.min(last, below + 1)]! * part;
  };
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, median: at(0.5), q90: at(0.9), max: sorted[last]! };
}

/** Total variation of two distributions over the same vocabulary, from 0 to 1. */
function totalVariation(P: Distribution, Q: Distribution): number {
  const difference = new Float64Array(P.vocabularySize);
  P.ids.forEach((id, k) => difference[id]! += P.probabilities[k]!);
  Q.ids.forEach((id, k) => difference[id]! -= Q.probabilities[k]!);
  return Math.min(1, difference.reduce((sum, own) => sum + Math.abs(own), 0) / 2);
}

/** A verdict: what the numbers are, and what they mean. */
function verdictOf(
  { method, prompts, partial, positions, entropy, offSampleMass, divergence, changed }: Omit<
    PredictedEffect,
    "verdict" | "steps"
  >,
): string {
  const described = ({ mean, median, q90, max }: Quantiles) =>
    `${short(mean)} (median ${short(median)}, 90 % below ${short(q90)}, largest ${short(max)})`;
  const per = short(100 * changed.mean);
  const meaning = changed.mean < NOTHING
    ? `${method} is nearly standard decoding here: at least ${per} of 100 next tokens would be drawn ` +
      "differently, so hardly any effect is to be expected"
    : changed.mean < LITTLE
    ? `${method} changes little here: at least ${per} of 100 next tokens would be drawn differently, ` +
      "so a small effect or none is to be expected, and a sweep must be large to see it"
    : `${method} acts here: at least ${per} of 100 next tokens would be drawn differently; whether for ` +
      "the better, a sweep must tell";
  return `${meaning}. Means: H ${described(entropy)}, off-sample mass ${
    described(offSampleMass)
  }, ` +
    `JS divergence of what follows ${described(divergence)} nats of at most 0.693. ` +
    `N = ${counted(positions, "position")} of ${counted(prompts, "prompt")}` +
    `${partial ? ` (partial: ${partial.planned} were asked for)` : ""}.`;
}

function short(value: number): string {
  return value === 0 ? "0" : Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3);
}

/**
 * Predicts whether a method's mixtures will matter, from forward passes over a few positions.
 *
 * @param prompts Prompts like those of the study.
 * @param options Number of positions, sampler settings and seed. Sampler settings that are left out
 * come from the model, as for `generate`: give those of the study.
 * @throws {RangeError} Where a prompt leaves no room in the context for a token and what follows it,
 * there is no position, or the method cannot run with this model.
 *
 * A stop ends it with the prompts that are finished, and says so in `partial`.
 *
 * What a method forces or stops is not followed, as the text is not its own. The position of an
 * end-of-text token is not counted: nothing follows it.
 *
 * @example Nothing to mix at temperature 0
 * ```ts
 * import { moi, predictEffect } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { divergence, verdict } = await predictEffect(model, [[1]], moi(), { tokens: 4, temperature: 0 });
 * assertEquals(divergence.max, 0);
 * assertStringIncludes(verdict, "nearly standard decoding");
 * ```
 */
export async function predictEffect(
  model: Model,
  prompts: readonly Prompt[],
  method: Method,
  options: PredictEffectOptions = {},
): Promise<PredictedEffect> {
  const verb = "predict the effect", { tokens = 32, signal = defaultSignal(), ...more } = options;
  const settings = { ...more, ...given({ signal }) };
  checkOptions(verb, given(options), RULES);
  if (!Array.isArray(prompts) || prompts.length === 0) {
    throw new RangeError(refusal(verb, "prompts", "be a list of at least one", prompts));
  }
  const steps: PredictedStep[] = [], most = model.maxLength - 1, planned = prompts.length;
  let finished = 0;
  for (let from = 0; from < prompts.length; from += SLOTS) {
    const group = prompts.slice(from, from + SLOTS).map((prompt, i) =>
      jobOf(model, { ...settings, maxNewTokens: tokens, prompt }, from + i)
    );
    for (const { prompt: { length }, index } of group) {
      if (length <= most) continue;
      throw new RangeError(
        `Cannot ${verb} as prompt ${index} must have at most ${most} tokens, one less than the model's context ('maxLength' of loadModel): current value is ${length}`,
      );
    }
    const texts = await shadowed(model, group, method, { ...settings, maxNewTokens: tokens });
    for (const [i, text] of texts.entries()) {
      if (signal?.aborted) break;
      if (text.length > 0) steps.push(...await compared(model, group[i]!, text));
      finished++;
    }
    if (signal?.aborted) break;
  }
  const partial = finished < planned ? { finished, planned } : undefined;
  if (steps.length === 0 && !partial) throw new RangeError(`Cannot ${verb} as all texts are empty`);
  const of = (pick: (step: PredictedStep) => number) => quantilesOf(steps.map(pick));
  const found = {
    method: method.name,
    prompts: finished,
    ...given({ partial }),
    positions: steps.length,
    entropy: of((step) => step.entropy),
    offSampleMass: of((step) => step.offSampleMass),
    divergence: of((step) => step.divergence),
    changed: of((step) => step.changed),
  };
  const verdict = steps.length === 0 ? "Stopped before the first position." : verdictOf(found);
  return { ...found, verdict, steps };
}

/** What the method would have fed at a position of a text that goes on without it. */
interface Shadow extends Pick<PredictedStep, "token" | "entropy" | "offSampleMass"> {
  /** What it would have fed. */
  readonly mixture: Mixture;
}

/** Standard decoding of prompts, and what the method would have fed on the way. */
async function shadowed(
  model: Model,
  jobs: readonly Job[],
  method: Method,
  settings: GenerateOptions,
): Promise<Shadow[][]> {
  const texts = jobs.map((): Shadow[] => []);
  const requests = jobs.map(({ prompt }, i) => {
    const watched: Method = {
      ...method,
      init: (context) => method.init(context),
      step(distribution, token, state) {
        const made = method.step(distribution, token, state);
        checkMixture(made.input, model.config.vocabularySize, `the method '${method.name}'`);
        texts[i]!.push({
          token,
          mixture: kept(made.input),
          entropy: distribution.normalizedEntropy,
          offSampleMass: offSampleMass(made.input, made.token ?? token),
        });
        return { input: oneToken(token), state: made.state };
      },
    };
    return { ...settings, prompt, method: watched };
  });
  for await (const { index, generation } of generateBatch(model, requests)) {
    if (generation.finishReason === "stop") texts[index]!.pop(); // nothing follows the end of text
  }
  return texts;
}

/** Compares at every position what follows the mixtures with what follows the tokens. */
async function compared(
  model: Model,
  { index, prompt, sampler }: Job,
  text: readonly Shadow[],
): Promise<PredictedStep[]> {
  const { config: { vocabularySize }, maxLength, tokenizer } = model, from = prompt.length;
  const fed = text.slice(0, maxLength - from), generated = fed.map(({ token }) => token);
  using cache = model.openCache({ slots: 1, length: from + fed.length });
  await cache.prefill(0, 0, prompt, "last");
  const tokens = await cache.prefill(0, from, generated, "all");
  const mixtures = await cache.prefill(0, from, fed.map(({ mixture }) => mixture), "all");
  return fed.map(({ token, entropy, offSampleMass }, t) => {
    const history = { prompt, generated: generated.slice(0, t + 1) };
    const row = (all: Float32Array) =>
      all.subarray(t * vocabularySize, (t + 1) * vocabularySize)
        .fill(-Infinity, tokenizer.size ?? vocabularySize); // rows that stand for no token
    const P = row(tokens), Q = row(mixtures);
    const drawn = (logits: Float32Array) => distributionOf(logits, sampler, t + 1, history);
    return {
      ...{ prompt: index, index: t, token, entropy, offSampleMass },
      divergence: jsDivergence(P, Q),
      changed: totalVariation(drawn(P), drawn(Q)),
    };
  });
}
