/**
 * Soft Thinking with Gumbel noise: the weights of the n most probable tokens are drawn.
 *
 * ```text
 * w = softmax((ln p + g) / τ) over the n most probable tokens,   g_i = −ln(−ln u_i),   h = Σ_i w_i · e_i
 * ```
 *
 * p is the distribution sampled from. The heaviest token is recorded; it is distributed as a token
 * drawn from p over the n would be (the Gumbel-max trick), whatever τ. τ → 0 feeds it alone; τ → ∞
 * feeds all n alike.
 *
 * Source: "Stochastic Soft Thinking" (arXiv 2508.03440), whose code is part of
 * eric-ai-lab/Soft-Thinking. Defaults: n = 5, τ = 0.5 (0.3 to 0.9 were tried); it goes with
 * temperature 0.6, top-p 0.95 and top-k 30, without Cold Stop, which is left out here.
 *
 * Deviations: none but that a token's noise is a pure function of seed, step and id, so that runs of
 * different n and τ draw the same noise.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, type Rules } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { ANSWER_RULES, type AnswerOptions, inPhase } from "../phase.ts";
import { softmax } from "../softmax.ts";
import { concept } from "./concept.ts";

/** Options of {@linkcode gumbelSoftThinking}. */
export interface GumbelSoftThinkingOptions extends AnswerOptions {
  /** Number of tokens mixed, n, from 1. Default: 5. */
  readonly topN?: number;
  /** Temperature τ of the weights; 0 feeds the heaviest token alone. Default: 0.5. */
  readonly temperature?: number;
}

const RULES: Rules<GumbelSoftThinkingOptions> = {
  topN: number({ min: 1, integer: true }),
  temperature: number({ min: 0 }),
  ...ANSWER_RULES,
};

/** Keeps ln u finite. */
const LEAST = 2 ** -54;

/**
 * Soft Thinking with Gumbel noise.
 *
 * @example Without differences in noise the weights are p's, sharpened
 * ```ts
 * import { distributionOf, gumbelSoftThinking, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const logits = Float32Array.from([0.6, 0.3, 0.1], Math.log);
 * const method = gumbelSoftThinking({ topN: 2, temperature: 0.5, phase: "all" });
 * const state = method.init({ vocabularySize: 3, prompt: [], uniform: () => 0.5 });
 * const { input } = method.step(distributionOf(logits, samplerOf()), 1, state);
 * assertAlmostEquals(input.weights[0]!, 4 / 5, 1e-6); // 0.6² : 0.3²
 * ```
 */
export function gumbelSoftThinking(options: GumbelSoftThinkingOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { topN = 5, temperature = 0.5, phase = "thinking" } = options;
  return inPhase({
    name: "gumbelSoftThinking",
    parameters: { topN, temperature },
    init: ({ uniform }: MethodContext) => uniform,
    step(distribution, _token, uniform) {
      const { ids, probabilities } = distribution.top(topN);
      const perturbed = ids.map((id, i) => {
        const u = Math.max(LEAST, uniform(distribution.step, id));
        return Math.log(probabilities[i]!) - Math.log(-Math.log(u));
      });
      const { token } = concept(ids, perturbed);
      if (temperature === 0) return { input: oneToken(token), token };
      return { ...concept(ids, softmax(perturbed, temperature)), token };
    },
  }, { ...options, phase });
}
