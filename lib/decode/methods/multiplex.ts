/**
 * Multiplex Thinking without training: the mean of K sampled tokens.
 *
 * ```text
 * y_1 … y_K ~ p independently,   h = (1/K) · Σ_j e_{y_j}
 * ```
 *
 * or, with `weights: "probability"`, the draws in proportion to p, `h = Σ_j p(y_j) e_{y_j} / Σ_j p(y_j)`:
 * a token drawn twice counts twice in both, as in the released sampler. p is the distribution sampled
 * from. y_1 is the token that is recorded, and what standard decoding would draw,
 * so that K = 1 is standard decoding bit for bit; K → ∞ is the direct mixture.
 *
 * Source: Multiplex Thinking (arXiv 2601.08808), whose main subject is training with it; this is the
 * training-free variant. Defaults: K = 3, equal weights. It is evaluated there at temperature 1 and
 * top-p 0.95.
 *
 * "probability" is what the released code does without `enable_unweighting` (`sampler.py` of its SGLang,
 * commit 6e524ac: p of each of the K draws, divided by their sum); p before truncation there, of which
 * the shares are the same.
 *
 * Deviations: one of the K tokens is recorded, the first, where the paper keeps all of them.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, oneOf, type Rules } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";

/** Options of {@linkcode multiplex}. */
export interface MultiplexOptions extends PhaseOptions {
  /** Number of tokens drawn, K, from 1. Default: 3. */
  readonly draws?: number;
  /** "uniform": all draws alike; "probability": each in proportion to p of its token. Default: "uniform". */
  readonly weights?: "uniform" | "probability";
}

const RULES: Rules<MultiplexOptions> = {
  draws: number({ min: 1, integer: true }),
  weights: oneOf("uniform", "probability"),
  ...PHASE_RULES,
};

/**
 * Multiplex Thinking without training.
 *
 * @example Three draws of two tokens
 * ```ts
 * import { distributionOf, multiplex, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const distribution = distributionOf(new Float32Array(2), samplerOf());
 * const method = multiplex({ draws: 3 });
 * const uniform = (_step: number, index: number) => index / 4; // ¼ draws token 0, ½ token 1
 * const state = method.init({ vocabularySize: 2, prompt: [], uniform });
 * const { input } = method.step(distribution, 1, state);
 * [2 / 3, 1 / 3].forEach((w, i) => assertAlmostEquals(input.weights[i]!, w));
 * ```
 */
export function multiplex(options: MultiplexOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { draws = 3, weights = "uniform" } = options;
  return inPhase({
    name: "multiplex",
    parameters: { draws, weights },
    init: ({ uniform }: MethodContext) => uniform,
    step(distribution, token, uniform) {
      const counts = new Map([[token, 1]]); // how often each is drawn, the recorded one first
      for (let j = 1; j < draws; j++) {
        const other = distribution.draw(uniform(distribution.step, j));
        counts.set(other, (counts.get(other) ?? 0) + 1);
      }
      const ids = [...counts.keys()];
      if (ids.length === 1) return { input: oneToken(token) };
      const shares = Array.from(
        counts,
        ([id, count]) => weights === "uniform" ? count : count * distribution.probability(id),
      );
      const sum = shares.reduce((a, b) => a + b);
      return { input: { ids, weights: shares.map((share) => share / sum) } };
    },
  }, options);
}
