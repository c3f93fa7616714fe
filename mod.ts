/**
 * Mixture of Inputs (MoI), tried and measured.
 *
 * After a language model samples a token y from its distribution p, standard decoding feeds back y
 * alone. MoI (arXiv 2505.14827) feeds back a mixture of token embeddings,
 * `w = (H·p + (β+1−H)·onehot(y)) / (β+1)`. Here a model takes mixtures at every position, so MoI,
 * its rivals and one's own ten-liner are the same kind of value:
 *
 * ```text
 * loadModel ─▶ generate(method) ─▶ runStudy(task, methods) ─▶ gains ─▶ plotGains ─▶ show
 * ```
 *
 * Three controls ship inside the package. The only error of `votes-tiny` is the noise of its own draws, part
 * of which mixing recovers; `countdown-tiny-baseline` has almost nothing to mix; `decisions-tiny-1`, `-2` and `-3`
 * are uncertain of what to do next. They show which effects the instrument sees, and nothing about language models.
 *
 * Here stands what a notebook needs. The rest is imported by folder, in a folder of one's own too:
 * `@moi/moi/model` (an engine or a file format of one's own), `/decode` (more transforms), `/tasks` (more
 * kinds of benchmarks), `/study`, `/stats`, `/plot`, `/play`, `/serve`, `/graph`, `/runtime`.
 *
 * @example A β curve
 * ```ts
 * import { betaGrid, gains, loadModel, plotGains, runStudy, votes } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 *
 * await using model = await loadModel("votes-tiny");
 * const runs = await runStudy({
 *   model,
 *   task: votes({ limit: 20 }),
 *   methods: betaGrid({ betas: [0.25, 1], controls: false }),
 * });
 * const rows = gains(runs, { baseline: "standard" });
 * const figure = plotGains(rows); // await show(figure) in a notebook
 * assertEquals(rows.map((row) => row.method), ["standard", "moi-0.25", "moi-1"]);
 * assertEquals(figure.data.length > 0, true);
 * ```
 *
 * @module
 */

// A model: from its id or path, to mixtures in and logits out
export {
  estimateMemory,
  forward,
  loadModel,
  logitLens,
  parseConfig,
  quality,
  withStandIns,
} from "./lib/model/mod.ts";

// Decoding, and what a text was made of
export {
  generate,
  generateBatch,
  greedySimilarity,
  inputLoss,
  type InputLossOptions,
  lens,
  patchEffects,
  predictEffect,
  probeStep,
  stream,
  superposition,
} from "./lib/decode/mod.ts";

// Methods: from a distribution and a token to the next input
export {
  directMixture,
  dirichletSoftThinking,
  fixedMass,
  gumbelSoftThinking,
  knowsMarkers,
  linearMixture,
  METHODS,
  moi,
  multiplex,
  oneToken,
  randomMixture,
  selar,
  softThinking,
  standard,
  swiReasoning,
  thinkRouter,
} from "./lib/decode/mod.ts";

// Samplers: settings, or a list of transforms
export {
  distributionOf,
  minP,
  repetitionPenalty,
  samplerOf,
  temperature,
  topK,
  topP,
} from "./lib/decode/mod.ts";

// Models behind servers
export { serverModel, type ServerModelOptions } from "./lib/serve/mod.ts";

// Tasks, and answers in texts
export {
  addition,
  aime,
  amc,
  countdown,
  gpqaDiamond,
  gsm8k,
  humanEval,
  lastAnswer,
  liveCodeBench,
  math500,
  mathEqual,
  mbpp,
  numberTask,
  pancakes,
  repetition,
  systemPrompt,
  TASKS,
  votes,
} from "./lib/tasks/mod.ts";

// Studies, and what is stored of them
export {
  betaGrid,
  completePairs,
  estimateStudy,
  importRuns,
  joinStudies,
  mergeRuns,
  paperGains,
  paperNotes,
  paperTable1,
  paperTableA4,
  parseShard,
  partialOf,
  partialText,
  readProblems,
  readRuns,
  runStudy,
} from "./lib/study/mod.ts";

// Statistics
export {
  accuracy,
  avgAtK,
  byEntropy,
  byStep,
  flips,
  gains,
  holm,
  interaction,
  lossGains,
  majAtK,
  mcnemarExact,
  minimumDetectableGain,
  passAtK,
  scoreGains,
  tuneThenTest,
} from "./lib/stats/mod.ts";

// Figures and tables
export {
  compareWithPaper,
  gainsTable,
  lossTable,
  plotEffect,
  plotFlips,
  plotGains,
  plotLens,
  plotLosses,
  plotMixing,
  plotMixture,
  plotPatching,
  plotScores,
  plotSuperposition,
  plotSurvival,
  plotTrace,
  type ReportedStudy,
  reportPage,
  scoreTable,
  studyReport,
  tableOf,
} from "./lib/plot/mod.ts";

// Where they go, and long work
export {
  initPlots,
  show,
  toCsv,
  toHtml,
  toLatex,
  toMarkdown,
  toPng,
  toSvg,
  toText,
} from "./lib/plot/mod.ts";
export { interruptSignal, progressBar } from "./lib/runtime/mod.ts";

// What all these are made of
export type {
  DecoderConfig,
  Dtype,
  Input,
  LoadOptions,
  Message,
  Mixture,
  Model,
  Progress,
  Tokenizer,
} from "./lib/model/mod.ts";
export type {
  BetaSchedule,
  Candidate,
  Distribution,
  GenerateOptions,
  Generation,
  Method,
  MethodContext,
  MethodStep,
  MoiOptions,
  Prompt,
  Request,
  Sampler,
  Settings,
  Step,
  Transform,
  TransformContext,
} from "./lib/decode/mod.ts";
export type { Grade, Problem, Task } from "./lib/tasks/mod.ts";
export type {
  Imported,
  PaperTask,
  Run,
  RunOptions,
  Shard,
  Study,
  StudyRuns,
  Verdict,
} from "./lib/study/mod.ts";
export type { Accuracy, GainRow, Outcome, ScoreRow } from "./lib/stats/mod.ts";
export type { Column, Figure, Html, Table, Tables } from "./lib/plot/mod.ts";
export type { ProgressBar } from "./lib/runtime/mod.ts";
