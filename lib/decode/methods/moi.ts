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
import { checkNumber, checkOptions, refusal } from "../../_check.ts";
import type { Method, MethodParameters } from "../method.ts";
import { type Distribution, entropyOf } from "../sampler.ts";
import { checkPrior, priorOf, type PriorOptions, withToken } from "./prior.ts";

/** Options of {@linkcode moi}. */
export interface MoiOptions extends PriorOptions {
  /** Concentration on the sampled token, from 0 to ∞. Default: 1, the paper's. */
  readonly beta?: number;
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

const PRESETS = {
  "paper": { prior: "sampler", topK: 0, normalizer: "vocabulary" },
  "mixinputs-0.1.1": { prior: "model", topK: 20, normalizer: "support" },
} as const;

/** The options that replace parts of a preset, in a fixed order. */
function replacedParts(options: MoiOptions): MethodParameters {
  const names = ["prior", "topK", "normalizer", "shrink"] as const;
  return Object.fromEntries(
    names.flatMap((name) => options[name] === undefined ? [] : [[name, options[name]]]),
  );
}

/**
 * Mixture of Inputs.
 *
 * @param options β and preset; the preset's parts can be replaced one by one.
 * @returns The method.
 * @throws {RangeError} Where β is negative or NaN, or a name is unknown.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
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
 */
export function moi(options: MoiOptions = {}): Method<undefined> {
  const verb = "mix";
  checkOptions(verb, options, ["beta", "preset", "prior", "topK", "normalizer", "shrink"]);
  const { beta = 1, preset = "paper", shrink = false } = options;
  checkNumber(verb, "beta", beta, { min: 0, infinite: true });
  if (!Object.hasOwn(PRESETS, preset)) {
    throw new RangeError(refusal(verb, "preset", "be 'paper' or 'mixinputs-0.1.1'", preset));
  }
  checkPrior(verb, options);
  if (typeof shrink !== "boolean") {
    throw new TypeError(refusal(verb, "shrink", "be true or false", shrink));
  }
  const preferred = PRESETS[preset];
  const { prior = preferred.prior, topK = preferred.topK, normalizer = preferred.normalizer } =
    options;
  if (normalizer !== "vocabulary" && normalizer !== "support") {
    throw new RangeError(refusal(verb, "normalizer", "be 'vocabulary' or 'support'", normalizer));
  }

  const mix = (distribution: Distribution, token: number) => {
    if (beta === Infinity) return oneToken(token);
    const p = priorOf(distribution, prior, topK);
    const size = normalizer === "vocabulary" || topK > distribution.vocabularySize
      ? distribution.vocabularySize
      : topK || p.ids.length;
    const nats = p === distribution ? distribution.entropy : entropyOf(p.probabilities);
    const H = size > 1 ? Math.min(1, nats / Math.log(size)) : 0;
    const lost = shrink && !p.ids.includes(token);
    return withToken(p, H / (beta + 1), token, lost ? 1 - H : (beta + 1 - H) / (beta + 1));
  };
  return {
    name: "moi",
    parameters: { beta: beta === Infinity ? "Infinity" : beta, preset, ...replacedParts(options) },
    init: () => undefined,
    step: (distribution, token) => ({ input: mix(distribution, token), state: undefined }),
  };
}
