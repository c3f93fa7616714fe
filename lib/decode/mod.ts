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
 * {@linkcode generateBatch} runs any number side by side, {@linkcode openBatch} takes more while it runs, as a
 * server does. A model that decodes elsewhere ({@linkcode Model.remote}) is asked for whole texts by the same
 * functions, without traces.
 *
 * All methods run side by side in one batch, on the same sampler, seeds and problems. p is the
 * distribution sampled from, y the token drawn from it, H the entropy divided by its largest value.
 *
 * [//]: # (methods)
 *
 * | method | next input | random | acts | defaults | source | reference code |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | `standard` | the token: onehot(y) | y | – | – | – | – |
 * | `moi` | (H·p + (β+1−H)·onehot(y)) / (β+1) | y | none: H fades it; β may be a function of the step | `beta` 1, `preset` paper | arXiv 2505.14827, mixinputs 0.1.1 | Apache-2.0 (mixinputs) |
 * | `fixedMass` | (1−m)·onehot(y) + m·p of the other tokens | y | none, also where H is near 0 | `mass` 0.1, `prior` model, `topK` 0 | ours | – |
 * | `directMixture` | p | none: y is only recorded | none | `prior` sampler, `topK` 0 | baseline of arXiv 2505.14827 | Apache-2.0 (mixinputs) |
 * | `linearMixture` | λ·p + (1−λ)·onehot(y) | y | none | `weight` 0.5, `prior` sampler, `topK` 0 | ours: the ablation of MoI's entropy weighting | – |
 * | `randomMixture` | MoI's off-sample mass, on random tokens | y, and the tokens | none: H fades it | `beta` 1, `tokens` uniform, `mass` drawn | ours: the control | – |
 * | `softThinking` | p over the n most probable tokens | none | thoughts, ended by Cold Stop | `topN` 10, `coldThreshold` 0.01, `coldLength` 256, `phase` thinking | arXiv 2505.15778 | MIT |
 * | `gumbelSoftThinking` | softmax((ln p + g) / τ) over the n most probable tokens | Gumbel noise g | thoughts | `topN` 5, `temperature` 0.5, `phase` thinking | arXiv 2508.03440 | MIT |
 * | `dirichletSoftThinking` | x over its n heaviest tokens, x ~ Dirichlet(γ·p) | x | thoughts | `topN` 10, `concentration` 4, `phase` thinking | arXiv 2508.03440 | MIT |
 * | `swiReasoning` | softmax(logits), or the token | y | entropy against that of the last switch | `window` 512, `alpha` 1, `beta` 0.7, `start` soft, `maxSwitches` none, `phase` thinking | arXiv 2510.05069 | BSD-3-Clause |
 * | `selar` | p̂ + λ·Ĥ·(p̂ − onehot(top)), p̂ = p over its k most probable tokens | y | Ĥ ≥ τ, and y is no mathematical symbol | `topK` 3, `threshold` 0.5, `strength` 1 | arXiv 2604.08299 | no licence file: from the equations |
 * | `multiplex` | the mean of K tokens drawn from p | y and K − 1 more draws | none | `draws` 3, `weights` uniform | arXiv 2601.08808, its training-free variant | own code; see its repository |
 * | `thinkRouter` | p, or the token | y | max p ≥ τ | `threshold` 0.5, `prior` sampler, `topK` 0 | arXiv 2602.11683, from second-hand notes | paper only |
 *
 * [//]: # (/methods)
 *
 * - **Which distribution.** `moi()` (preset `paper`) mixes the distribution _sampled from_, after
 *   temperature and truncation, over the whole vocabulary, with H divided by ln V (Eq. 5).
 *   `moi({ preset: "mixinputs-0.1.1" })` is the rule of the released code: the 20 most probable tokens
 *   at temperature 1, H divided by ln 20. They differ; say which one you ran.
 * - **Phases.** Every method but `standard` takes `phase: "all" | "thinking" | "answer"` and the model's `markers`
 *   (default: `<think>` and `</think>`). Outside of its phase it is standard decoding, and a marker is
 *   fed alone. A run is refused (RangeError) where the tokenizer does not know markers that it needs.
 * - **Refusals.** An option that is unknown or of the wrong kind is a TypeError, one outside its rule a
 *   RangeError, of every function here.
 * - **β as a function.** `moi({ beta: function late({ step }) { return step < 64 ? 8 : 1; } })`: of
 *   position, entropy, token, probability or phase. Runs record the function's name only, so that a
 *   stored study cannot tell two functions of one name apart: name them anew when they change.
 * - **Where H is near 0**, `fixedMass` still mixes: the weight on other tokens is always m.
 * - **Negative weights.** `selar` leaves the convex hull of the embeddings; such mixtures are marked
 *   `signed`, and a negative weight without the mark is refused.
 * - **Symbols.** `selar` and `swiReasoning` feed digits, single letters and operators alone; the
 *   ballots of `votes-tiny` are single letters, so that they hardly act there.
 * - **One seed, one text**: alone, in any batch, in any order (on one machine and build). All methods
 *   draw the same random numbers, so that pairs are comparable. `moi({ beta: Infinity })` and
 *   `linearMixture({ weight: 0 })` are standard decoding bit for bit.
 * - **Fidelity.** Each file in `lib/decode/methods/` names its source, where its defaults come from
 *   and what differs from the released code.
 *
 * What a text was made of, seen from inside: {@linkcode jsProbe} and {@linkcode probeStep} (which token
 * of a mixture does the model follow?), {@linkcode greedySimilarity} (is this more than greedy
 * decoding?), {@linkcode predictEffect} (will mixing matter on these prompts at all?), {@linkcode inputLoss} (is a
 * mixture a better input than the token that it replaces?). Inside the layers: {@linkcode lens} (what would each layer
 * say?), {@linkcode superposition} (does a mixture stay one, or collapse to a token?), {@linkcode patchEffects} (where
 * does a difference between two runs live?).
 *
 * @module
 */

export { philox, STREAM, uniform } from "../_random.ts";
export { type Input, type Mixture, oneToken } from "../model/mod.ts";
export type { Distribution } from "./distribution.ts";
export * from "./effect.ts";
export { type OpenBatch, openBatch, type OpenBatchOptions, type ToldToken } from "./batch.ts";
export { type CompactTrace, type Note, type NotedToken, notesOf } from "./compact_trace.ts";
export { commonPrefix } from "./engine.ts";
export * from "./generate.ts";
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
export * from "./method.ts";
export * from "./input_loss.ts";
export * from "./methods/direct_mixture.ts";
export * from "./methods/dirichlet_soft_thinking.ts";
export * from "./methods/fixed_mass.ts";
export * from "./methods/gumbel_soft_thinking.ts";
export * from "./methods/linear_mixture.ts";
export * from "./methods/moi.ts";
export * from "./methods/multiplex.ts";
export type { PriorOptions } from "./methods/prior.ts";
export * from "./methods/random_mixture.ts";
export * from "./methods/registry.ts";
export * from "./methods/selar.ts";
export * from "./methods/soft_thinking.ts";
export * from "./methods/standard.ts";
export * from "./methods/swi_reasoning.ts";
export * from "./methods/think_router.ts";
export {
  type AnswerOptions,
  knowsMarkers,
  type PhaseOptions,
  THINK,
  type ThinkingMarkers,
  type ThinkingOptions,
} from "./phase.ts";
export * from "./probe.ts";
export * from "./superposition.ts";
export * from "./patching.ts";
export * from "./lens.ts";
export { distributionOf } from "./sample.ts";
export {
  mergedSampler,
  type Sampler,
  SAMPLER_FIELDS,
  samplerOf,
  type Sampling,
  transformsOf,
} from "./sampler.ts";
export * from "./similarity.ts";
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
