/**
 * What a study of a given size can see, asked before it runs.
 *
 * @module
 */

import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { checkInside } from "./_check.ts";
import { normalUpperQuantile } from "./_special.ts";

/** Options of {@linkcode minimumDetectableGain}. */
export interface MinimumDetectableGainOptions {
  /** Number of problems. */
  readonly problems: number;
  /**
   * Runs a problem, taken as independent pairs.
   *
   * @default {1}
   */
  readonly repeats?: number;
  /**
   * Share of pairs on which method and baseline disagree, from 0 to 1; at least the gain itself.
   * The default is a guess of ours; better measured, as (won + lost) / n of a pilot's
   * row of `gains`.
   *
   * @default {0.2}
   */
  readonly discordance?: number;
  /**
   * Two-sided significance level.
   *
   * @default {0.05}
   */
  readonly alpha?: number;
  /**
   * Chance of finding the gain if it is there; more than `alpha`.
   *
   * @default {0.8}
   */
  readonly power?: number;
  /**
   * Number of methods compared with the baseline; alpha is divided by it (Bonferroni, the first
   * and hardest step of Holm).
   *
   * @default {1}
   */
  readonly comparisons?: number;
}

/**
 * The smallest true paired gain δ that a two-sided test finds with the wanted power: the solution
 * of
 *
 *     δ = k √((D − δ²) / N),   k = z(1 − alpha / 2·comparisons) + z(power),   N = problems · repeats,
 *
 * which is δ = k √(D / (N + k²)), where D is the discordance and D − δ² the variance of one paired
 * difference. Source: Connor (1987), Biometrics 43, 207–211, with the variance under the
 * alternative on both sides.
 *
 * A gain cannot exceed the share of pairs that disagree. Where the solution would, in small
 * studies, the discordance is taken to be the gain itself (every disagreement won), which gives
 * δ = k² / (N + k²). So the answer is always below 1 and falls steadily with N.
 *
 * An approximation on the bright side: normal instead of exact (McNemar's test is somewhat
 * conservative and wants more), and repeats as good as new problems. Real repeats of a problem
 * share its difficulty; the truth lies between this and the answer for `repeats: 1`.
 *
 * @example A single run of 198 problems sees nothing below nine points
 * ```ts
 * import { minimumDetectableGain } from "@moi/moi/stats";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(minimumDetectableGain({ problems: 198 }), 0.0873, 1e-4);
 * assertAlmostEquals(minimumDetectableGain({ problems: 198, repeats: 5 }), 0.0397, 1e-4);
 * ```
 *
 * @param options Size of the study, and what is asked of it
 * @returns The gain, as a fraction
 * @throws {TypeError} If a value is no number, or an option is unknown
 * @throws {RangeError} If an option is out of bounds
 */
export function minimumDetectableGain(options: MinimumDetectableGainOptions): number {
  const verb = "compute the minimum detectable gain";
  const known = ["problems", "repeats", "discordance", "alpha", "power", "comparisons"];
  checkOptions(verb, options, known);
  const { problems, repeats = 1, discordance = 0.2, alpha = 0.05, power = 0.8, comparisons = 1 } =
    options;
  checkNumber(verb, "problems", problems, { min: 1, integer: true });
  checkNumber(verb, "repeats", repeats, { min: 1, integer: true });
  checkNumber(verb, "discordance", discordance, { min: 0, max: 1 });
  checkInside(verb, "alpha", alpha);
  checkInside(verb, "power", power);
  if (power <= alpha) {
    throw new RangeError(refusal(verb, "power", `be greater than 'alpha' (${alpha})`, power));
  }
  checkNumber(verb, "comparisons", comparisons, { min: 1, integer: true });

  const k = normalUpperQuantile(alpha / (2 * comparisons)) + normalUpperQuantile(1 - power);
  const n = problems * repeats;
  return Math.max(k * Math.sqrt(discordance / (n + k * k)), k * k / (n + k * k));
}
