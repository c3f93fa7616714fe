/**
 * Decoding: one loop, in which a mixture of embeddings takes the place of the token.
 *
 * ```text
 * logits ──sampler──▶ p, y ──method.step──▶ mixture ──model──▶ logits …
 * ```
 *
 * A sampler, a list of {@linkcode Transform}s or the settings that stand for it, turns logits into the
 * {@linkcode Distribution} that is sampled from; a {@linkcode Method} asks that and makes the next input of it
 * and the sampled token. {@linkcode generate} runs one text, {@linkcode stream} yields its tokens,
 * {@linkcode generateBatch} runs any number side by side.
 *
 * | method | next input | source |
 * |---|---|---|
 * | {@linkcode standard} | the token | – |
 * | {@linkcode moi} | `(H·p + (β+1−H)·onehot(y)) / (β+1)` | arXiv 2505.14827 |
 * | {@linkcode directMixture} | `p` | its baseline |
 * | {@linkcode linearMixture} | `λ·p + (1−λ)·onehot(y)` | ours: the missing ablation |
 * | {@linkcode randomMixture} | MoI's weights on random tokens | ours: the control |
 * | {@linkcode fixedMass} | `(1−m)·onehot(y) + m·p` of the other tokens | ours: mixes where H ≈ 0 |
 * | {@linkcode selar} | `p̂` pushed away from its top token where uncertain | arXiv 2604.08299 |
 * | {@linkcode multiplex} | the mean of K tokens drawn from p | arXiv 2601.08808 |
 * | {@linkcode thinkRouter} | `p` where the model is confident | arXiv 2602.11683 |
 * | {@linkcode softThinking} | `p` over its n most probable tokens | arXiv 2505.15778 |
 * | {@linkcode gumbelSoftThinking} | the same with Gumbel noise | arXiv 2508.03440 |
 * | {@linkcode dirichletSoftThinking} | the same with Dirichlet noise | arXiv 2508.03440 |
 * | {@linkcode swiReasoning} | `softmax(logits)`, or the token | arXiv 2510.05069 |
 *
 * What a text was made of, seen from inside: {@linkcode jsProbe} and {@linkcode probeStep} (which token
 * of a mixture does the model follow?), {@linkcode greedySimilarity} (is this more than greedy
 * decoding?), {@linkcode activity} (will mixing matter on these prompts at all?).
 *
 * @module
 */

export {
  type Activity,
  activity,
  type ActivityOptions,
  type ActivityStep,
  type Quantiles,
} from "./activity.ts";
export { type BatchOptions, generate, generateBatch, stream } from "./generate.ts";
export {
  type Candidate,
  type FinishReason,
  type GenerateOptions,
  type Generation,
  type Prompt,
  promptTokens,
  recordOf,
  type Request,
  resolvedSettings,
  type Settings,
  type Step,
  type TraceOptions,
} from "./generation.ts";
export type { Method, MethodContext, MethodParameters, MethodStep, Need } from "./method.ts";
export { directMixture, type DirectMixtureOptions } from "./methods/direct_mixture.ts";
export {
  dirichletSoftThinking,
  type DirichletSoftThinkingOptions,
} from "./methods/dirichlet_soft_thinking.ts";
export { fixedMass, type FixedMassOptions } from "./methods/fixed_mass.ts";
export {
  gumbelSoftThinking,
  type GumbelSoftThinkingOptions,
} from "./methods/gumbel_soft_thinking.ts";
export { linearMixture, type LinearMixtureOptions } from "./methods/linear_mixture.ts";
export { type BetaContext, type BetaSchedule, moi, type MoiOptions } from "./methods/moi.ts";
export { multiplex, type MultiplexOptions } from "./methods/multiplex.ts";
export type { PriorOptions } from "./methods/prior.ts";
export { randomMixture, type RandomMixtureOptions } from "./methods/random_mixture.ts";
export { type AboutMethod, METHODS } from "./methods/registry.ts";
export { selar, type SelarOptions } from "./methods/selar.ts";
export { type ColdStop, softThinking, type SoftThinkingOptions } from "./methods/soft_thinking.ts";
export { standard } from "./methods/standard.ts";
export { swiReasoning, type SwiReasoningOptions } from "./methods/swi_reasoning.ts";
export { thinkRouter, type ThinkRouterOptions } from "./methods/think_router.ts";
export {
  type AnswerOptions,
  knowsMarkers,
  type PhaseOptions,
  THINK,
  type ThinkingMarkers,
} from "./phase.ts";
export {
  jsDivergence,
  jsProbe,
  type Probe,
  type ProbedToken,
  type ProbeOptions,
  probeStep,
} from "./probe.ts";
export { philox, STREAM, uniform } from "./random.ts";
export type { Distribution } from "./distribution.ts";
export { distributionOf } from "./sample.ts";
export {
  mergedSampler,
  type Sampler,
  SAMPLER_FIELDS,
  samplerOf,
  type Sampling,
  transformsOf,
} from "./sampler.ts";
export { commonPrefix } from "./engine.ts";
export {
  type GreedySimilarity,
  greedySimilarity,
  type GreedySimilarityOptions,
  type RougeL,
  rougeL,
} from "./similarity.ts";
export { entropyOf, softmax } from "./softmax.ts";
export {
  allowedTokens,
  countPenalty,
  type CutTransform,
  entropyTemperature,
  epsilonCutoff,
  etaCutoff,
  type HeatTransform,
  type History,
  type Knobs,
  logitBias,
  type MapTransform,
  minP,
  type RankTransform,
  repetitionPenalty,
  temperature,
  topK,
  topNSigma,
  topP,
  type Transform,
  type TransformContext,
  type TransformRecord,
  typicalP,
} from "./transforms.ts";
export { type Input, type Mixture, oneToken } from "../model/mod.ts";
