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
import { checkOptions, number, oneOf, type Rules } from "../../_check.ts";
import { mixed, type Mixture, oneToken, trusted, type Weighted } from "../../model/mod.ts";
import type { Method, MethodContext } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import { identity } from "../softmax.ts";

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

const RULES: Rules<RandomMixtureOptions> = {
  beta: number({ min: 0 }),
  tokens: oneOf("uniform", "permuted"),
  mass: oneOf("drawn", "expected"),
  ...PHASE_RULES,
};

/** All tokens alike; with a large vocabulary without lists of its size. */
function uniformOver(size: number): Weighted {
  if (size > SMALL_VOCABULARY) return trusted(new Float32Array(size).fill(1 / size));
  return { ids: identity(size), probabilities: new Array<number>(size).fill(1 / size) };
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
  checkOptions("mix", options, RULES);
  const { beta = 1, tokens = "uniform", mass = "drawn" } = options;
  return inPhase({
    name: "randomMixture",
    parameters: { beta, tokens, mass },
    init: (context: MethodContext) => ({ context, all: uniformOver(context.vocabularySize) }),
    step(distribution, token, { context, all }) {
      const { normalizedEntropy, vocabularySize } = distribution;
      const H = Math.min(1, normalizedEntropy);
      const own = mass === "drawn" ? distribution.probability(token) : distribution.collision();
      const weight = H * (1 - own) / (beta + 1);
      if (weight === 0) return { input: oneToken(token) };
      if (tokens === "permuted") {
        return { input: permuted(distribution, context, weight, token) };
      }
      // over the tokens but y: over all, whose share of y is part of y's own weight
      const scale = Math.min(1, weight * vocabularySize / (vocabularySize - 1));
      return { input: mixed(all, scale, token, 1 - scale) };
    },
  }, options);
}
