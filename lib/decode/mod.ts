/**
 * Decoding: one loop, in which a mixture of embeddings takes the place of the token.
 *
 * ```text
 * logits ──sampler──▶ p, y ──method.step──▶ mixture ──model──▶ logits …
 * ```
 *
 * A sampler turns logits into the distribution that is sampled from; a {@linkcode Method} turns that
 * distribution and the sampled token into the next input. {@linkcode generate} runs one text,
 * {@linkcode stream} yields its tokens, {@linkcode generateBatch} runs any number side by side.
 *
 * | method | next input | source |
 * |---|---|---|
 * | {@linkcode standard} | the token | – |
 * | {@linkcode moi} | `(H·p + (β+1−H)·onehot(y)) / (β+1)` | arXiv 2505.14827 |
 * | {@linkcode directMixture} | `p` | its baseline |
 * | {@linkcode linearMixture} | `λ·p + (1−λ)·onehot(y)` | ours: the missing ablation |
 * | {@linkcode randomMixture} | MoI's weights on random tokens | ours: the control |
 *
 * @module
 */

export { type BatchOptions, generate, generateBatch, stream } from "./generate.ts";
export {
  type Candidate,
  type FinishReason,
  type GenerateOptions,
  type Generation,
  type Prompt,
  promptTokens,
  type Request,
  type Step,
  type TraceOptions,
} from "./generation.ts";
export type { Method, MethodContext, MethodParameters, MethodStep, Need } from "./method.ts";
export { directMixture } from "./methods/direct_mixture.ts";
export { linearMixture, type LinearMixtureOptions } from "./methods/linear_mixture.ts";
export { moi, type MoiOptions } from "./methods/moi.ts";
export type { Prior, PriorOptions } from "./methods/prior.ts";
export { randomMixture, type RandomMixtureOptions } from "./methods/random_mixture.ts";
export { standard } from "./methods/standard.ts";
export { philox, STREAM, uniform } from "./random.ts";
export {
  type Distribution,
  distributionOf,
  draw,
  entropyOf,
  modelDistribution,
  type Sampler,
  samplerOf,
  type Shortlist,
  softmax,
  type Spread,
  topTokens,
  untruncated,
} from "./sampler.ts";
export { type Input, type Mixture, oneToken } from "../model/mod.ts";
