/**
 * Which token of a mixture does the next distribution follow?
 *
 * A model that were able to think along several paths would answer a mixture of two tokens with
 * something between the answers to each. The probe compares them:
 *
 * ```text
 * JS(next | mixture, next | token alone) = ½ KL(P ‖ M) + ½ KL(Q ‖ M),   M = ½ (P + Q)
 * ```
 *
 * in nats: 0 where they are the same, ln 2 where they share no token. Distributions are those of the
 * model, at temperature 1 and untruncated. Where the divergence from the heaviest token is near 0 and
 * that from the second near ln 2, the model goes on as if only the heaviest had been fed: the "greedy
 * pitfall" that the paper finds.
 *
 * Source: the analysis of soft thinking in the Stochastic Soft Thinking paper (arXiv
 * 2508.03440). It compares with the two heaviest tokens; here their number is free.
 *
 * @module
 */

import { checkNumber, checkOptions, number, type Rules } from "../_check.ts";
import { type Input, type Mixture, type Model, oneToken } from "../model/mod.ts";
import { type Generation, type Prompt, promptTokens } from "./generation.ts";
import { heaviest } from "./heaviest.ts";
import { jsOf, softmax } from "./softmax.ts";

/**
 * Jensen–Shannon divergence of two next-token distributions in nats, from 0 to ln 2.
 *
 * @param a Raw logits of the one.
 * @param b Raw logits of the other.
 * @throws {RangeError} Where they differ in number or are not finite.
 *
 * @example Alike, and with nothing in common
 * ```ts
 * import { jsDivergence } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(jsDivergence([3, 1], [5, 3]), 0);
 * assertAlmostEquals(jsDivergence([0, -1000], [-1000, 0]), Math.LN2);
 * ```
 */
export function jsDivergence(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(
      `Cannot compare distributions as both must have ${a.length} logits: current value is ${b.length}`,
    );
  }
  return jsOf(softmax(a), softmax(b));
}

/** A token of a mixture, and how far the model's answer to it is from that to the mixture. */
export interface ProbedToken {
  /** Token id. */
  readonly token: number;
  /** Its text. */
  readonly text: string;
  /** Its weight in the mixture. */
  readonly weight: number;
  /** JS(next | mixture, next | this token alone), nats, 0 to ln 2. */
  readonly divergence: number;
}

/** What {@linkcode jsProbe} finds. */
export interface Probe {
  /** The heaviest tokens, heaviest first. */
  readonly tokens: readonly ProbedToken[];
  /** The one of them whose answer is nearest. */
  readonly follows: ProbedToken;
  /** Weight of these tokens together. */
  readonly weight: number;
}

/** Options of {@linkcode jsProbe}. */
export interface ProbeOptions {
  /** Number of heaviest tokens that are fed alone. Default: 2. */
  readonly top?: number;
}

const RULES: Rules<ProbeOptions> = { top: number({ min: 1, integer: true }) };

/**
 * Feeds a mixture, and each of its heaviest tokens alone, after the same inputs. These are prefilled
 * once; mixture and tokens then take one step side by side.
 *
 * @param inputs Tokens and mixtures before it; may be none.
 * @throws {RangeError} Where the mixture is empty, an input is not valid, or the context too short.
 *
 * @example A mixture that is a token follows that token
 * ```ts
 * import { jsProbe } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { follows } = await jsProbe(model, [1, 26], { ids: [3, 4], weights: [0.999, 0.001] });
 * assertEquals(follows.token, 3);
 * ```
 */
export async function jsProbe(
  model: Model,
  inputs: readonly Input[],
  mixture: Mixture,
  options: ProbeOptions = {},
): Promise<Probe> {
  const verb = "probe a mixture", { top = 2 } = options;
  checkOptions(verb, options, RULES);
  const entries = heaviest(mixture, top);
  if (entries.length === 0) {
    throw new RangeError(`Cannot ${verb} as it must have at least one token: it has none`);
  }
  const rows = [mixture, ...entries.map(([token]) => oneToken(token))];
  const length = inputs.length + 1, { vocabularySize } = model.config;
  checkNumber(verb, "inputs.length", inputs.length, { max: model.maxLength - 1 });
  using cache = model.openCache({ slots: rows.length, length });
  if (inputs.length > 0) {
    await cache.prefill(0, 0, inputs, "last");
    for (let slot = 1; slot < rows.length; slot++) await cache.copy(0, slot, inputs.length);
  }
  const logits = await cache.step(rows, rows.map(() => inputs.length));
  const row = (i: number) => logits.subarray(i * vocabularySize, (i + 1) * vocabularySize);
  const tokens = entries.map(([token, weight], i): ProbedToken => ({
    token,
    text: model.tokenizer.decode([token]),
    weight,
    divergence: jsDivergence(row(0), row(i + 1)),
  }));
  return {
    tokens,
    follows: tokens.reduce((best, one) => one.divergence < best.divergence ? one : best),
    weight: tokens.reduce((sum, { weight }) => sum + weight, 0),
  };
}

/**
 * The same for a step of a traced generation: the mixtures before it are fed again, then the step's
 * own is probed.
 *
 * A trace keeps all of a mixture, unless that lies on a whole large vocabulary: then its heaviest
 * entries, and what is fed here is only nearly what was fed.
 *
 * @param generation Result of `generate` with `trace: true`.
 * @param index Which step, from 0.
 * @throws {TypeError} Where the generation has no trace.
 * @throws {RangeError} Where there is no such step, or the prompt is not the generation's.
 *
 * @example The first step
 * ```ts
 * import { generate, moi, probeStep } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assert } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const options = { method: moi({ beta: 0 }), maxNewTokens: 3, trace: true, ignoreEos: true };
 * const generation = await generate(model, [1, 26], options);
 * const { tokens } = await probeStep(model, [1, 26], generation, 0);
 * assert(tokens.every(({ divergence }) => divergence >= 0 && divergence <= Math.LN2));
 * ```
 */
export async function probeStep(
  model: Model,
  prompt: Prompt,
  generation: Generation,
  index: number,
  options: ProbeOptions = {},
): Promise<Probe> {
  const verb = "probe a step", { trace } = generation;
  if (!trace) {
    throw new TypeError(`Cannot ${verb} as there is no trace: pass trace: true to generate`);
  }
  checkNumber(verb, "index", index, { min: 0, max: trace.length - 1, integer: true });
  const before = promptTokens(model, prompt);
  if (before.length !== generation.promptTokens) {
    throw new RangeError(
      `Cannot ${verb} as 'prompt' must be the generation's, of ${generation.promptTokens} tokens: current value has ${before.length}`,
    );
  }
  const inputs = [...before, ...trace.slice(0, index).map(({ mixture }) => mixture)];
  return await jsProbe(model, inputs, trace[index]!.mixture, options);
}
