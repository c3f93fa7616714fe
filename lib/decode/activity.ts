/**
 * Will mixing matter here? Asked before a sweep is paid for.
 *
 * A few prompts are continued for a few tokens by standard decoding, while the method says at every
 * position what it would feed. Then the model is asked what follows that mixture, and what follows the
 * token alone:
 *
 * ```text
 * … tokens so far ─▶ p, y ─┬─ token alone ─▶ next distribution P ─▶ …
 *                          └─ mixture ─────▶ next distribution Q      JS(P, Q)
 * ```
 *
 * The text goes on with the token, so that all methods are asked about the same positions. It costs
 * three steps a position and no study: positions are asked from the last to the first, since a
 * position's keys and values are read by later ones only.
 *
 * What it cannot say: whether a change is for the better, and how small changes add up over a long
 * text. A divergence near 0 at every position does say that the method is standard decoding here.
 *
 * @module
 */

import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { type Mixture, type Model, oneToken } from "../model/mod.ts";
import { offSampleMassOf } from "./engine.ts";
import { generateBatch } from "./generate.ts";
import { type GenerateOptions, type Prompt, promptTokens } from "./generation.ts";
import type { Method } from "./method.ts";
import { jsDivergence } from "./probe.ts";
import { softmax } from "./sampler.ts";

/** Options of {@linkcode activity}: those of standard decoding, which draws what `generate` draws. */
export interface ActivityOptions
  extends Omit<GenerateOptions, "method" | "maxNewTokens" | "trace" | "stop" | "ignoreEos"> {
  /** Positions asked about per prompt, fewer where its text ends. Default: 32. */
  readonly tokens?: number;
}

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
export interface ActivityStep {
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
  /** JS(next | mixture, next | the token that the method records), nats, 0 to ln 2. */
  readonly divergence: number;
  /** Total variation of the two: the least share of next tokens that would be drawn differently. */
  readonly changed: number;
}

/** Result of {@linkcode activity}. */
export interface Activity {
  /** Name of the method. */
  readonly method: string;
  /** Number of prompts. */
  readonly prompts: number;
  /** Number of positions, N of all that follows. */
  readonly positions: number;
  /** Entropy, divided by ln V. */
  readonly entropy: Quantiles;
  /** Weight on other tokens. */
  readonly offSampleMass: Quantiles;
  /** Divergence of what follows, nats; ln 2 at most. */
  readonly divergence: Quantiles;
  /** Share of next tokens that would be drawn differently. */
  readonly changed: Quantiles;
  /** All of it in a few sentences, with its numbers. */
  readonly verdict: string;
  /** All positions. */
  readonly steps: readonly ActivityStep[];
}

/** Prompts at once. */
const SLOTS = 8;
/** Mean shares of changed draws that the verdict words differently: 1 in 1000, 1 in 100. */
const NOTHING = 0.001, LITTLE = 0.01;

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b), last = sorted.length - 1;
  const at = (share: number) => {
    const place = share * last, below = Math.floor(place), part = place - below;
    return sorted[below]! * (1 - part) + sorted[Math.min(last, below + 1)]! * part;
  };
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, median: at(0.5), q90: at(0.9), max: sorted[last]! };
}

/** Total variation of two next-token distributions, from 0 to 1. */
function totalVariation(a: Float32Array, b: Float32Array): number {
  const p = softmax(a), q = softmax(b);
  return Math.min(1, p.reduce((sum, own, i) => sum + Math.abs(own - q[i]!), 0) / 2);
}

function isToken({ ids, weights, spread }: Mixture, token: number): boolean {
  return !spread && ids.length === 1 && ids[0] === token && weights[0] === 1;
}

/** A mixture that outlives its step. */
function kept({ ids, weights, spread, ...rest }: Mixture): Mixture {
  return {
    ...rest,
    ids: Array.from(ids),
    weights: Array.from(weights),
    ...(spread && { spread: { ...spread, probabilities: spread.probabilities.slice() } }),
  };
}

/** A verdict: what the numbers are, and what they mean. */
function verdictOf(
  { method, prompts, positions, entropy, offSampleMass, divergence, changed }: Omit<
    Activity,
    "verdict" | "steps"
  >,
): string {
  const many = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
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
    `N = ${many(positions, "position")} of ${many(prompts, "prompt")}.`;
}

function short(value: number): string {
  return value === 0 ? "0" : Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3);
}

/**
 * Predicts whether a method's mixtures will matter, from forward passes over a few positions.
 *
 * @param model The model.
 * @param prompts Prompts like those of the study.
 * @param method The method.
 * @param options Number of positions, sampler settings and seed. Sampler settings that are left out
 * come from the model, as for `generate`: give those of the study.
 * @returns Numbers for every position, their means and quantiles, and a verdict in words.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where an option is outside its rule, a prompt does not fit the context, there is
 * no position, or the method cannot run with this model.
 *
 * What a method forces or stops is not followed, as the text is not its own. The position of an
 * end-of-text token is not counted: nothing follows it.
 *
 * @example Nothing to mix at temperature 0
 * ```ts
 * import { activity, moi } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { divergence, verdict } = await activity(model, [[1]], moi(), { tokens: 4, temperature: 0 });
 * assertEquals(divergence.max, 0);
 * assertStringIncludes(verdict, "nearly standard decoding");
 * ```
 */
export async function activity(
  model: Model,
  prompts: readonly Prompt[],
  method: Method,
  options: ActivityOptions = {},
): Promise<Activity> {
  const verb = "measure activity", { tokens = 32, ...settings } = options;
  checkNumber(verb, "tokens", tokens, { min: 1, integer: true });
  if (!Array.isArray(prompts) || prompts.length === 0) {
    throw new RangeError(refusal(verb, "prompts", "be a list of at least one", prompts));
  }
  for (const name of ["method", "maxNewTokens", "trace", "stop", "ignoreEos"]) {
    if (name in settings) throw new TypeError(`Cannot ${verb} as '${name}' is not an option of it`);
  }
  const steps: ActivityStep[] = [];
  for (let from = 0; from < prompts.length; from += SLOTS) {
    const group = prompts.slice(from, from + SLOTS).map((prompt) => promptTokens(model, prompt));
    const texts = await shadowed(model, group, method, { ...settings, maxNewTokens: tokens });
    for (const step of await compared(model, group, texts, options.signal)) {
      steps.push({ ...step, prompt: from + step.prompt });
    }
  }
  if (steps.length === 0) throw new RangeError(`Cannot ${verb} as all texts are empty`);
  steps.sort((a, b) => a.prompt - b.prompt || a.index - b.index);
  const of = (pick: (step: ActivityStep) => number) => quantilesOf(steps.map(pick));
  const found = {
    method: method.name,
    prompts: prompts.length,
    positions: steps.length,
    entropy: of((step) => step.entropy),
    offSampleMass: of((step) => step.offSampleMass),
    divergence: of((step) => step.divergence),
    changed: of((step) => step.changed),
  };
  return { ...found, verdict: verdictOf(found), steps };
}

/** What the method would have fed at a position of a text that goes on without it. */
interface Shadow extends Pick<ActivityStep, "token" | "entropy" | "offSampleMass"> {
  /** The token that the method records. */
  readonly recorded: number;
  /** Its input. */
  readonly mixture: Mixture;
}

/** Standard decoding of prompts, and what the method would have fed on the way. */
async function shadowed(
  model: Model,
  prompts: readonly (readonly number[])[],
  method: Method,
  settings: GenerateOptions,
): Promise<Shadow[][]> {
  const texts = prompts.map((): Shadow[] => []);
  const requests = prompts.map((prompt, i) => {
    const watched: Method = {
      ...method,
      init: (context) => method.init(context),
      step(distribution, token, state) {
        const made = method.step(distribution, token, state), recorded = made.token ?? token;
        texts[i]!.push({
          token,
          recorded,
          mixture: kept(made.input),
          entropy: distribution.normalizedEntropy,
          offSampleMass: offSampleMassOf(made, recorded),
        });
        return { input: oneToken(token), state: made.state };
      },
    };
    return { ...settings, prompt, method: watched };
  });
  for await (const { index, generation } of generateBatch(model, requests)) {
    settings.signal?.throwIfAborted();
    if (generation.finishReason === "stop") texts[index]!.pop(); // nothing follows the end of text
  }
  return texts;
}

/** Compares at every position what follows the mixture with what follows the recorded token. */
async function compared(
  model: Model,
  prompts: readonly (readonly number[])[],
  texts: readonly Shadow[][],
  signal: AbortSignal | undefined,
): Promise<ActivityStep[]> {
  const rows = prompts.map((prompt, index) => ({ index, prompt, text: texts[index]! }))
    .filter(({ text }) => text.length > 0);
  if (rows.length === 0) return [];
  const longest = Math.max(...rows.map(({ text }) => text.length));
  const length = Math.max(...rows.map(({ prompt, text }) => prompt.length + text.length));
  const width = model.config.vocabularySize, steps: ActivityStep[] = [];
  using cache = model.openCache({ slots: rows.length, length: Math.min(length, model.maxLength) });
  for (const [slot, { prompt, text }] of rows.entries()) {
    signal?.throwIfAborted();
    await cache.prefill(
      slot,
      0,
      [...prompt, ...text.slice(0, -1).map(({ token }) => token)],
      "last",
    );
  }
  for (let last = longest - 1; last >= 0; last--) {
    signal?.throwIfAborted();
    // a text that is shorter is asked about its own end meanwhile, and not listened to
    const at = rows.map(({ text }) => Math.min(last, text.length - 1));
    const places = rows.map(({ prompt }, slot) => prompt.length + at[slot]!);
    const shadows = rows.map(({ text }, slot) => text[at[slot]!]!);
    const mixes = ({ mixture, recorded }: Shadow) => !isToken(mixture, recorded);
    const feed = async (pick: (shadow: Shadow) => Mixture) =>
      (await cache.step(shadows.map(pick), places)).slice();
    const some = shadows.some(mixes);
    const alone = some ? await feed(({ recorded }) => oneToken(recorded)) : undefined;
    const mixed = some ? await feed(({ mixture }) => mixture) : undefined;
    for (const [slot, { index, text }] of rows.entries()) {
      if (last >= text.length) continue;
      const shadow = shadows[slot]!, { token, entropy, offSampleMass } = shadow;
      const row = (all: Float32Array) => all.subarray(slot * width, (slot + 1) * width);
      const differs = alone && mixed && mixes(shadow);
      steps.push({
        prompt: index,
        index: last,
        token,
        entropy,
        offSampleMass,
        divergence: differs ? jsDivergence(row(mixed), row(alone)) : 0,
        changed: differs ? totalVariation(row(mixed), row(alone)) : 0,
      });
    }
  }
  return steps;
}
