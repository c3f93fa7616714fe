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
 * Two controls ship inside the package. The only error of `votes-tiny` is the noise of its own draws, part
 * of which mixing recovers; `countdown-tiny-baseline` has almost nothing to mix. They show which effects
 * the instrument sees, and nothing about language models.
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

export {
  interruptSignal,
  type ProgressBar,
  progressBar,
  type ProgressBarOptions,
  type ProgressLike,
  type ProgressMode,
} from "./lib/runtime/mod.ts";
export * from "./lib/model/mod.ts";
export * from "./lib/decode/mod.ts";
export * from "./lib/tasks/mod.ts";
export * from "./lib/study/mod.ts";
export * from "./lib/stats/mod.ts";
export * from "./lib/plot/mod.ts";
