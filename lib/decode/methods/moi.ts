/**
 * Mixture of Inputs.
 *
 * The sampled token y is one pseudo-observation of a Dirichlet–multinomial model whose prior is the
 * distribution p it came from; the posterior mean is fed back:
 *
 * ```text
 * w = (H · p + (β + 1 − H) · onehot(y)) / (β + 1),   h = Σ_i w_i · e_i
 * H = −Σ p ln p / ln N ∈ [0, 1]
 * ```
 *
 * β = 0 mixes most, β = ∞ is standard decoding. H → 0 feeds back the token alone; at H = 1 the
 * distribution has weight 1 / (1 + β).
 *
 * Source: Zhuang et al., "Mixture of Inputs" (arXiv 2505.14827), Eq. 5 and Algorithm 1; released code
 * `mixinputs` 0.1.1, which departs from the paper. Both are presets:
 *
 * | | `paper` | `mixinputs-0.1.1` |
 * |---|---|---|
 * | p | the distribution sampled from | the 20 most probable of `softmax(logits)` at temperature 1 |
 * | N | vocabulary | 20 |
 *
 * Where y is not among the 20, the released code drops β of its weight, so that the weights sum to
 * less than 1; here y joins the support, unless `shrink` asks for the historical behaviour.
 *
 * @module
 */

import { oneToken } from "../../model/mod.ts";
import { boolean, checkNumber, checkOptions, oneOf, type Rules } from "../../_check.ts";
import type { Method, MethodContext } from "../method.ts";
import { inPhase, knowsMarkers, PHASE_RULES, type PhaseOptions, trackThinking } from "../phase.ts";
import type { Distribution } from "../distribution.ts";
import { PRIOR_RULES, priorOf, type PriorOptions } from "./prior.ts";

/** What a {@linkcode BetaSchedule} knows of a step. */
export interface BetaContext {
  /** Index of the token, from 0. */
  readonly step: number;
  /** H as the rule takes it, 0 to 1. */
  readonly normalizedEntropy: number;
  /** The token y. */
  readonly token: number;
  /** Its probability under the distribution sampled from; absent where that does not have it. */
  readonly probability?: number;
  /**
   * Whether the token is a thought, between the markers; undefined where the tokenizer does not know
   * the markers.
   */
  readonly thinking: boolean | undefined;
}

/** β as a function of the step: a pure one, else a seed no longer gives one text. */
export type BetaSchedule = (context: BetaContext) => number;

/** Options of {@linkcode moi}. */
export interface MoiOptions extends PriorOptions, PhaseOptions {
  /**
   * Concentration on the sampled token, from 0 to ∞, or a function that gives it at each step (ours). Of a
   * function runs record the name alone ("schedule" where it has none), so a study cannot tell two
   * functions of the same name apart: name yours, and name them anew when they change. Default: 1,
   * the paper's.
   */
  readonly beta?: number | BetaSchedule;
  /** The paper's rule or the released code's. Default: "paper". */
  readonly preset?: "paper" | "mixinputs-0.1.1";
  /**
   * What the entropy is divided by: ln V, or ln of `topK` (where that is 0, of the number of tokens
   * that can be sampled). Default: preset.
   */
  readonly normalizer?: "vocabulary" | "support";
  /** Whether weight is lost where y is outside the support, as in the released code. Default: false. */
  readonly shrink?: boolean;
}

/** Bounds of β. */
const BETA = { min: 0, infinite: true };

const RULES: Rules<MoiOptions> = {
  beta(verb, name, value) {
    if (typeof value !== "function") checkNumber(verb, name, value, BETA);
  },
  preset: oneOf("paper", "mixinputs-0.1.1"),
  ...PRIOR_RULES,
  normalizer: oneOf("vocabulary", "support"),
  shrink: boolean,
  ...PHASE_RULES,
};

const PRESETS = {
  "paper": { prior: "sampler", topK: 0, normalizer: "vocabulary" },
  "mixinputs-0.1.1": { prior: "model", topK: 20, normalizer: "support" },
} as const;

/** β as runs record it; a function that is written in place is named after the option. */
function recordedBeta(beta: number | BetaSchedule): number | string {
  if (typeof beta === "function") {
    return beta.name === "" || beta.name === "beta" ? "schedule" : beta.name;
  }
  return beta === Infinity ? "Infinity" : beta;
}

/**
 * Mixture of Inputs.
 *
 * @returns The method. Where β is a function, its step throws what that throws, and a RangeError or
 * TypeError where it gives what is no β.
 *
 * @example Eq. 5 by hand: p = (¾, ¼) over two tokens, β = 1
 * ```ts
 * import { distributionOf, moi, samplerOf } from "@moi/moi/decode";
 * import { assertAlmostEquals } from "@std/assert";
 * const p = [0.75, 0.25];
 * const distribution = distributionOf(Float32Array.from(p, Math.log), samplerOf());
 * const { input } = moi({ beta: 1 }).step(distribution, 1, undefined);
 * const H = -(p[0]! * Math.log(p[0]!) + p[1]! * Math.log(p[1]!)) / Math.log(2);
 * assertAlmostEquals(input.weights[0]!, H * 0.75 / 2, 1e-7);
 * assertAlmostEquals(input.weights[1]!, (H * 0.25 + 2 - H) / 2, 1e-7);
 * ```
 *
 * @example A schedule: mix more at first
 * ```ts
 * import { distributionOf, moi, samplerOf } from "@moi/moi/decode";
 * import { assert, assertEquals } from "@std/assert";
 * const method = moi({ beta: function warmUp({ step }) { return step / 100; } });
 * assertEquals(method.parameters?.beta, "warmUp");
 * const state = method.init({ vocabularySize: 2, prompt: [], uniform: () => 0 });
 * const weightOfToken = (step: number) =>
 *   method.step(distributionOf(new Float32Array(2), samplerOf(), step), 0, state).input.weights[0]!;
 * assert(weightOfToken(50) > weightOfToken(0));
 * ```
 */
export function moi(options: MoiOptions = {}): Method {
  checkOptions("mix", options, RULES);
  const { beta = 1, preset = "paper", shrink = false, phase = "all", markers } = options;
  const preferred = PRESETS[preset], { normalizer = preferred.normalizer } = options;
  const { prior = preferred.prior, topK = preferred.topK } = options;
  const { of, needs } = priorOf({ prior, topK });

  const betaOf = (
    distribution: Distribution,
    token: number,
    normalizedEntropy: number,
    thinking: boolean | undefined,
  ) => {
    if (typeof beta === "number") return beta;
    const { step } = distribution, probability = distribution.probability(token);
    const known = probability === 0 ? {} : { probability };
    const value = beta({ step, normalizedEntropy, token, ...known, thinking });
    return checkNumber("mix", `beta at step ${step}`, value, BETA);
  };
  const mix = (distribution: Distribution, token: number, thinking: boolean | undefined) => {
    if (beta === Infinity) return oneToken(token);
    const p = of(distribution);
    const size = normalizer === "vocabulary" || topK > distribution.vocabularySize
      ? distribution.vocabularySize
      : topK || p.ids.length;
    const H = size > 1 ? Math.min(1, p.entropy / Math.log(size)) : 0;
    const own = betaOf(distribution, token, H, thinking);
    if (own === Infinity) return oneToken(token);
    const lost = shrink && !p.ids.includes(token);
    if (lost) return { ...p.mixture(H / (own + 1), token, 1 - H), scaled: true } as const;
    return p.mixture(H / (own + 1), token, (own + 1 - H) / (own + 1));
  };
  const replaced = (["prior", "topK", "normalizer", "shrink"] as const)
    .flatMap((name) => options[name] === undefined ? [] : [[name, options[name]]]);
  return inPhase({
    name: "moi",
    parameters: { beta: recordedBeta(beta), preset, ...Object.fromEntries(replaced) },
    needs,
    init(context: MethodContext) {
      const asks = typeof beta === "function" && phase === "all"; // else a phase tells
      if (!asks || !knowsMarkers(context.tokenizer, markers)) return undefined;
      const tracker = trackThinking(context, markers);
      return { tracker, at: tracker.start };
    },
    step(distribution, token, state) {
      const after = state?.tracker.next(state.at, token);
      const thought = state && state.at.inside && after!.inside;
      return {
        input: mix(distribution, token, phase === "all" ? thought : phase === "thinking"),
        state: state && { ...state, at: after! },
      };
    },
  }, options);
}
