/**
 * Random mixture: as much weight on other tokens as MoI gives them, on tokens that have nothing to do with
 * the distribution.
 *
 * ```text
 * w = m · q + (1 − m) · onehot(y)
 * m = H · (1 − p_y) / (β + 1), or its mean over the tokens that could have been drawn, H · (1 − Σ p²) / (β + 1)
 * q = uniform over the tokens but y, or p's other tokens permuted at random among them
 * ```
 *
 * The control that tells the information in p from the mere effect of a blurred input. With `mass: "drawn"` m
 * is MoI's own weight on other tokens than the sampled one, step by step. That weight is itself information:
 * it is large where a surprising token was drawn, so that an improbable draw counts for less, whatever the
 * other tokens are (on `votes-tiny` this alone gains 15 points at β = ¼). With `mass: "expected"` the same is
 * spent on average, but independent of what was drawn. (With H / (β + 1) in place of m, a random q would spend
 * hardly anything on y itself, and so more on others than MoI: 0.245 against 0.201 there.)
 *
 * Source: ours.
 *
 * @module
 */

import { SMALL_VOCABULARY } from "../../graph/mod.ts";
import { checkNumber, checkOptions, refusal } from "../../_check.ts";
import { type Mixture, oneToken } from "../../model/mod.ts";
import type { Method, MethodContext } from "../method.ts";
import { checkPhase, inPhase, PHASE_OPTIONS, type PhaseOptions } from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import type { AboutMethod } from "./about.ts";
import { type Prior, probabilityOf, withToken } from "./prior.ts";

/** Options of {@linkcode randomMixture}. */
export interface RandomMixtureOptions extends PhaseOptions {
  /** β of the MoI whose off-sample mass is imitated, from 0. Default: 1. */
  readonly beta?: number;
  /**
   * "uniform": all other tokens alike. "permuted": p's own weights on tokens that are drawn anew at every
   * step. Default: "uniform".
   */
  readonly tokens?: "uniform" | "permuted";
  /**
   * "drawn": MoI's off-sample mass for the token that was drawn. "expected": its mean over the tokens that
   * could have been drawn. Default: "drawn".
   */
  readonly mass?: "drawn" | "expected";
}

/** All tokens alike; with a large vocabulary without lists of its size. */
function uniformPrior(size: number): Prior {
  if (size > SMALL_VOCABULARY) {
    const probabilities = new Float32Array(size).fill(1 / size);
    return { ids: [], probabilities: [], dense: { probabilities } };
  }
  const ids = Array.from({ length: size }, (_, id) => id);
  return { ids, probabilities: new Array<number>(size).fill(1 / size) };
}

/** Uniform over the tokens but y: uniform over all, whose share of y is part of y's own weight. */
function uniformly(all: Prior, size: number, mass: number, token: number): Mixture {
  const scale = Math.min(1, mass * size / (size - 1));
  return withToken(all, scale, token, 1 - scale);
}

/** Chance that two draws are the same token: Σ p². */
function collision({ dense, probabilities }: Distribution): number {
  const all = dense ? dense.probabilities : probabilities;
  let sum = 0;
  for (let i = 0; i < all.length; i++) sum += all[i]! * all[i]!;
  return sum;
}

/** p's other tokens elsewhere: the beginning of a Fisher–Yates shuffle of all tokens but y. */
function permuted(
  { step, ids, probabilities, vocabularySize }: Distribution,
  context: MethodContext,
  mass: number,
  token: number,
): Mixture {
  const others = probabilities.filter((_, i) => ids[i] !== token);
  const rest = others.reduce((a, b) => a + b, 0);
  if (rest === 0) return oneToken(token);
  const moved = new Map<number, number>(), at = (i: number) => moved.get(i) ?? i;
  const drawn = others.map((_, i) => {
    const j = i + Math.floor(context.uniform(step, i) * (vocabularySize - 1 - i)), id = at(j);
    moved.set(j, at(i));
    return id < token ? id : id + 1;
  });
  return {
    ids: [token, ...drawn],
    weights: [1 - mass, ...others.map((probability) => mass * probability / rest)],
  };
}

/**
 * Random mixture.
 *
 * @param options β, which tokens take how much weight, and when.
 * @returns The method.
 * @throws {RangeError} Where β is negative, NaN or infinite, or `tokens` or `mass` is unknown.
 *
 * @example The weights sum to 1
 * ```ts
 * import { distributionOf, randomMixture, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const method = randomMixture({ beta: 1 });
 * const state = method.init({ vocabularySize: 2, prompt: [], uniform: () => 0.5 });
 * const distribution = distributionOf(new Float32Array([0, 0]), samplerOf());
 * const { input } = method.step(distribution, 1, state);
 * assertAlmostEquals(Array.from(input.weights).reduce((a, b) => a + b), 1);
 * ```
 */
export function randomMixture(options: RandomMixtureOptions = {}): Method {
  checkOptions("mix", options, ["beta", "tokens", "mass", ...PHASE_OPTIONS]);
  checkPhase("mix", options);
  const { beta = 1, tokens = "uniform", mass = "drawn" } = options;
  checkNumber("mix", "beta", beta, { min: 0 });
  if (tokens !== "uniform" && tokens !== "permuted") {
    throw new RangeError(refusal("mix", "tokens", "be 'uniform' or 'permuted'", tokens));
  }
  if (mass !== "drawn" && mass !== "expected") {
    throw new RangeError(refusal("mix", "mass", "be 'drawn' or 'expected'", mass));
  }
  const shareOf = (distribution: Distribution, token: number) =>
    mass === "drawn" ? probabilityOf(distribution, token) ?? 0 : collision(distribution);
  return inPhase<{ context: MethodContext; uniform: Prior }>({
    name: "randomMixture",
    parameters: { beta, tokens, mass },
    init: (context) => ({ context, uniform: uniformPrior(context.vocabularySize) }),
    step(distribution, token, state) {
      const { normalizedEntropy, vocabularySize } = distribution;
      const H = Math.min(1, normalizedEntropy);
      const weight = H * (1 - shareOf(distribution, token)) / (beta + 1);
      const input = weight === 0
        ? oneToken(token)
        : tokens === "uniform"
        ? uniformly(state.uniform, vocabularySize, weight, token)
        : permuted(distribution, state.context, weight, token);
      return { input, state };
    },
  }, options);
}

/** For the table of methods. */
export const aboutRandomMixture: AboutMethod = {
  make: randomMixture,
  input: "MoI's off-sample mass, on random tokens",
  randomness: "y, and the tokens",
  gate: "none: H fades it",
  source: "ours: the control",
  licence: "–",
};
