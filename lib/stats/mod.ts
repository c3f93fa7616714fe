/**
 * Statistics of studies: pure functions from runs to numbers.
 *
 * The unit is the problem. Two methods that answer the same problems are compared in pairs, since
 * most of what varies between runs is how hard the problem is, and that part cancels. Repeats of a
 * problem sharpen its own difference but are not further problems: they stay together in the
 * intervals (design effect), in the bootstrap (resampled as one) and in the test (signs flip for
 * all repeats at once). Trying several methods or settings is several chances to be lucky, so p
 * values come adjusted too, all but that of one comparison declared beforehand. Runs that nothing can
 * judge are left out and counted.
 *
 * - {@linkcode gains}: the table of a study, one row a method (a model, a setting), with interval and p value
 * - {@linkcode scoreGains}: the same for grades that are numbers
 * - {@linkcode lossGains}: the same for losses of teacher-forced inputs, by document
 * - {@linkcode interaction}: does an effect grow with something measured beside it?
 * - {@linkcode accuracy}: one method alone
 * - {@linkcode mcnemarMidP}, {@linkcode mcnemarExact}, {@linkcode signFlipTest}: is there a difference?
 * - {@linkcode pairedScore}, {@linkcode pairedBootstrap}, {@linkcode wilson}: how large may it be?
 * - {@linkcode avgAtK}, {@linkcode passAtK}, {@linkcode majAtK}: repeats, as the field reports them
 * - {@linkcode holm}: several comparisons at once
 * - {@linkcode flips}: which problems changed hands
 * - {@linkcode tuneThenTest}: settings chosen on some problems and judged on others
 * - {@linkcode minimumDetectableGain}: is the study large enough? (ask first)
 *
 * Intervals of gains are Tango's score interval, with counts divided by a design effect where there are
 * repeats; p is mid-p McNemar's, with repeats that of exact sign flips over problems. One comparison can be
 * declared before a study runs (`primary`); the others are adjusted by Holm's rule. Intervals are pointwise.
 * In simulated studies (20 to 500 problems, 1 and 4 repeats, 1 to 30 % of pairs disagreeing) a 95 % interval
 * covers in 93.8 % or more, and p ≤ 0.05 comes up in at most 5.4 % where methods are alike (`deno task
 * coverage`; its table is `scripts/coverage.md`).
 *
 * All figures are fractions, not percent; all randomness takes a seed; runs that would have to be
 * ignored are refused. So are options that are unknown or of the wrong kind (TypeError), or outside
 * their rule (RangeError).
 *
 * @example Is a gain of three points on 198 problems news?
 * ```ts
 * import { mcnemarExact, minimumDetectableGain } from "@moi/moi/stats";
 * import { assert } from "@std/assert";
 * assert(mcnemarExact(22, 16) > 0.4); // 22 won, 16 lost: no
 * assert(minimumDetectableGain({ problems: 198 }) > 0.08); // nor could it have been
 * ```
 *
 * @module
 */

export { type Gain, type GainRow, gains, type GainsOptions } from "./gains.ts";
export { type Accuracy, accuracy, type AccuracyOptions } from "./accuracy.ts";
export { mcnemarExact, mcnemarMidP } from "./mcnemar.ts";
export { scoreGains, type ScoreGainsOptions, type ScoreRow } from "./scores.ts";
export {
  byEntropy,
  byStep,
  lossGains,
  type LossGainsOptions,
  type LossGroup,
  type LossRow,
  type MixedPosition,
} from "./losses.ts";
export { signFlipTest, type SignFlipTestOptions } from "./sign_flip.ts";
export { pairedBootstrap, type PairedBootstrapOptions } from "./bootstrap.ts";
export { pairedScore } from "./paired_score.ts";
export { type Interval, wilson } from "./wilson.ts";
export * from "./repeats.ts";
export { holm } from "./holm.ts";
export { type Interaction, interaction, type InteractionOptions } from "./interaction.ts";
export type { InteractionPoint } from "./interaction.ts";
export { type Flips, flips, type FlipsOptions, type Pair } from "./flips.ts";
export { type FoldChoice, type Tuned, type TuneOptions, tuneThenTest } from "./tune.ts";
export { minimumDetectableGain, type MinimumDetectableGainOptions } from "./power.ts";
export type { DrawOptions } from "./_check.ts";
export type { By, Outcome } from "./_groups.ts";
