/**
 * Soft Thinking with Dirichlet noise: the weights are drawn around the distribution.
 *
 * ```text
 * x ~ Dirichlet(γ · p),   w = x over its n heaviest tokens, renormalised,   h = Σ_i w_i · e_i
 * ```
 *
 * p is the distribution sampled from; x has the mean p and the variance p (1 − p) / (γ + 1). The
 * heaviest token is recorded. A large γ gives Soft Thinking, a small one nearly single tokens.
 *
 * Source: "Stochastic Soft Thinking" (arXiv 2508.03440), whose code is part of
 * eric-ai-lab/Soft-Thinking. Defaults: γ = 4, the paper's best of 1 to 10 (the code's flag is 1 unless
 * set); n = 10 is Soft Thinking's, as the paper names none for this variant. It goes with temperature
 * 0.6, top-p 0.95 and top-k 30, without Cold Stop, which is left out here.
 *
 * Deviations: none in the distribution. x is drawn from Gamma variates, by Marsaglia and Tsang's
 * method ("A simple method for generating gamma variables", 2000) with its boost for shapes below 1,
 * in logarithms, so that shapes near 0 lose nothing. Every token of p takes a draw: with a large
 * vocabulary and no truncation that is slow.
 *
 * @module
 */

import { checkOptions, number, type Rules } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { ANSWER_RULES, type AnswerOptions, inPhase } from "../phase.ts";
import { topOf } from "../distribution.ts";
import { softmax } from "../softmax.ts";
import { concept } from "./concept.ts";

/** Options of {@linkcode dirichletSoftThinking}. */
export interface DirichletSoftThinkingOptions extends AnswerOptions {
  /** Number of tokens mixed, n, from 1. Default: 10. */
  readonly topN?: number;
  /** Concentration γ, from 10⁻⁶. Default: 4. */
  readonly concentration?: number;
}

const RULES: Rules<DirichletSoftThinkingOptions> = {
  topN: number({ min: 1, integer: true }),
  concentration: number({ min: 1e-6 }),
  ...ANSWER_RULES,
};

/** One in twenty tries is refused at most: that all are is as likely as 10⁻²⁷. */
const TRIES = 21;
/** Uniform numbers that a token can use: three a try and one for the boost. */
const DRAWS = 1 + 3 * TRIES;

/** The logarithm of a Gamma(shape, 1) variate from the uniform numbers 0 … DRAWS − 1. */
function logGamma(shape: number, uniform: (index: number) => number): number {
  const boosted = shape < 1, d = (boosted ? shape + 1 : shape) - 1 / 3, c = 1 / Math.sqrt(9 * d);
  const boost = boosted ? Math.log(1 - uniform(0)) / shape : 0;
  for (let at = 1; at < DRAWS; at += 3) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(at)));
    const x = radius * Math.cos(2 * Math.PI * uniform(at + 1));
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const accepted = x * x / 2 + d * (1 - v + Math.log(v));
    if (Math.log(1 - uniform(at + 2)) <= accepted) return Math.log(d * v) + boost;
  }
  return Math.log(d) + boost;
}

/**
 * Soft Thinking with Dirichlet noise.
 *
 * @example A large γ leaves the distribution nearly as it is
 * ```ts
 * import { dirichletSoftThinking, distributionOf, samplerOf, uniform } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const logits = Float32Array.from([0.75, 0.25], Math.log);
 * const method = dirichletSoftThinking({ concentration: 1e8, phase: "all" });
 * const state = method.init({
 *   vocabularySize: 2, prompt: [], uniform: (step, index) => uniform(7, 1, step, index),
 * });
 * const { input } = method.step(distributionOf(logits, samplerOf()), 1, state);
 * assertAlmostEquals(input.weights[0]!, 0.75, 1e-3);
 * ```
 */
export function dirichletSoftThinking(options: DirichletSoftThinkingOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { topN = 10, concentration = 4, phase = "thinking" } = options;
  return inPhase({
    name: "dirichletSoftThinking",
    parameters: { topN, concentration },
    init: ({ uniform }: MethodContext) => uniform,
    step({ step, ids, probabilities }, _token, uniform) {
      const drawn = softmax(ids.map((id, i) => {
        const shape = concentration * probabilities[i]!;
        return shape > 0 ? logGamma(shape, (k) => uniform(step, DRAWS * id + k)) : -Infinity;
      }));
      const all = { ids, probabilities: drawn }, kept = topN < ids.length ? topOf(all, topN) : all;
      return concept(kept.ids, kept.probabilities);
    },
  }, { ...options, phase });
}
