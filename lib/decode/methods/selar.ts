/**
 * SeLaR: where the model is uncertain, a mixture that is pushed away from its most probable token.
 *
 * ```text
 * e = Σ_i p̂_i · e_i,   h = e + λ · Ĥ · (e − e_top)   where Ĥ ≥ τ,   else h = e_y
 * p̂ = p over its k most probable tokens, renormalised;   Ĥ = −Σ p̂ ln p̂ / ln k ∈ [0, 1]
 * ```
 *
 * As weights of tokens `w = p̂ + λ·Ĥ·(p̂ − onehot(top))`: they sum to 1, and that of the most probable
 * token can be **negative** (the mixture is `signed`), so that h leaves the convex hull of the tokens'
 * embeddings. The weight on other tokens than y, as traces record it, can then be above 1 or below 0.
 * p is the distribution sampled from; y is only recorded at soft steps, and has no weight where it is
 * not among the k. Where y is a mathematical symbol by its text (digits, one letter, operators and
 * brackets, LaTeX commands), it is fed alone.
 *
 * Source: SeLaR (arXiv 2604.08299), from the paper's equations: the repository has no licence file,
 * and its code was not read. Defaults: k = 3, τ = 0.5 (the paper's for GSM8K and MATH; 0.7 with k = 5
 * for GPQA, 0.4 for AIME 2024), λ = 1.
 *
 * Deviations:
 *
 * - The gate belongs to one row; in the released code one row above τ is said to send mixtures to every
 *   row of its batch.
 * - Symbols are told by a rule of ours, and not at all where there is no tokenizer.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { checkOptions, number, type Rules } from "../../_check.ts";
import type { Method } from "../method.ts";
import { inPhase, PHASE_RULES, type PhaseOptions } from "../phase.ts";
import { argmax } from "../softmax.ts";
import { mathSymbols } from "./math_symbol.ts";

/** Options of {@linkcode selar}. */
export interface SelarOptions extends PhaseOptions {
  /** Number of most probable tokens mixed, k, from 2. Default: 3. */
  readonly topK?: number;
  /** Ĥ from which the mixture is fed, τ, from 0; above 1 it never is. Default: 0.5. */
  readonly threshold?: number;
  /** How far it is pushed away from the most probable token, λ, from 0. Default: 1. */
  readonly strength?: number;
}

const RULES: Rules<SelarOptions> = {
  topK: number({ min: 2, integer: true }),
  threshold: number({ min: 0 }),
  strength: number({ min: 0 }),
  ...PHASE_RULES,
};

/**
 * SeLaR.
 *
 * @example A flat distribution is pushed away from its first token
 * ```ts
 * import { distributionOf, samplerOf, selar } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const distribution = distributionOf(new Float32Array(3), samplerOf());
 * const method = selar();
 * const state = method.init({ vocabularySize: 3, prompt: [], uniform: () => 0 });
 * const { input } = method.step(distribution, 1, state);
 * [-1 / 3, 2 / 3, 2 / 3].forEach((w, i) => assertAlmostEquals(input.weights[i]!, w));
 * ```
 */
export function selar(options: SelarOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { topK = 3, threshold = 0.5, strength = 1 } = options;
  return inPhase({
    name: "selar",
    parameters: { topK, threshold, strength },
    init: mathSymbols,
    step(distribution, token, isSymbol) {
      if (isSymbol(token)) return { input: oneToken(token) };
      const { ids, probabilities, entropy } = distribution.top(topK);
      const H = Math.min(1, entropy / Math.log(Math.min(topK, distribution.vocabularySize)) || 0);
      if (H < threshold) return { input: oneToken(token) };
      const top = argmax(probabilities), push = strength * H;
      const weights = probabilities.map((p, i) => p + push * (i === top ? p - 1 : p));
      const input = ids.length === 1 ? oneToken(ids[0]!) : { ids, weights, signed: true } as const;
      return { input, event: "soft" };
    },
  }, options);
}
