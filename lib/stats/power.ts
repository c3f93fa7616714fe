/** What a study of a given size can see, asked before it runs. @module */

import { checkOptions, number, refusal, type Rules } from "../_check.ts";
import { inside } from "./_check.ts";
import { binomial, fairBinomial, incompleteBeta, normalUpperQuantile } from "./_special.ts";

/** Options of {@linkcode minimumDetectableGain}. */
export interface MinimumDetectableGainOptions {
  /** Number of problems. */
  readonly problems: number;
  /** Runs a problem. Default: 1. */
  readonly repeats?: number;
  /**
   * How many runs of a problem tell as much as one independent run, from 1 to `repeats`: 1 takes repeats
   * as good as new problems. Better measured, as `designEffect` of a pilot's row of `gains`. Default: 1.
   */
  readonly designEffect?: number;
  /**
   * Share of pairs on which method and baseline disagree, from 0 to 1; at least the gain itself. The
   * default is a guess of ours; better measured, as (won + lost) / n of a pilot's row of `gains`. Default:
   * 0.2.
   */
  readonly discordance?: number;
  /** Two-sided significance level. Default: 0.05. */
  readonly alpha?: number;
  /** Chance of finding the gain if it is there; more than `alpha`. Default: 0.8. */
  readonly power?: number;
  /**
   * Number of methods compared with the baseline; alpha is divided by it (Bonferroni, the first and
   * hardest step of Holm). Default: 1.
   */
  readonly comparisons?: number;
}

const count = number({ min: 1, integer: true });

/** Up to as many disagreeing pairs, power is counted. */
const COUNTED = 2000;

const RULES: Rules<MinimumDetectableGainOptions> = {
  problems: count,
  repeats: count,
  designEffect: number({ min: 1 }),
  discordance: number({ min: 0, max: 1 }),
  alpha: inside,
  power: inside,
  comparisons: count,
};

/**
 * The smallest true paired gain δ that {@linkcode mcnemarMidP} finds with the wanted power at the level
 * `alpha / comparisons`. Of n = problems · repeats / designEffect pairs, M ~ Binomial(n, D) disagree (D the
 * discordance), and X ~ Binomial(M, (D + δ) / 2D) of these are won; the power is the chance that X is
 * significant. It is counted, not approximated, up to 2000 disagreeing pairs expected, so that it holds in
 * small studies too; beyond, it is the normal approximation of Connor (1987), Biometrics 43, 207–211,
 *
 *     δ = k √(D / (n + k²)),   k = z(1 − alpha / 2·comparisons) + z(power).
 *
 * A gain cannot exceed the share of pairs that disagree. Where the solution would, in small studies, the
 * discordance is taken to be the gain itself (every disagreement won).
 *
 * @example A single run of 198 problems sees nothing below nine points
 * ```ts
 * import { minimumDetectableGain } from "@moi/moi/stats";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * assertAlmostEquals(minimumDetectableGain({ problems: 198 }), 0.09, 5e-3);
 * assertEquals(minimumDetectableGain({ problems: 3 }), Infinity);
 * ```
 *
 * @returns The gain, as a fraction; Infinity where a study of this size can find none
 */
export function minimumDetectableGain(options: MinimumDetectableGainOptions): number {
  const verb = "compute the minimum detectable gain";
  checkOptions(verb, options, RULES);
  const { problems, repeats = 1, designEffect = 1, discordance = 0.2 } = options;
  const { alpha = 0.05, power = 0.8, comparisons = 1 } = options;
  RULES.problems(verb, "problems", problems);
  number({ min: 1, max: repeats })(verb, "designEffect", designEffect);
  if (power <= alpha) {
    throw new RangeError(refusal(verb, "power", `be greater than 'alpha' (${alpha})`, power));
  }
  const pairs = Math.max(1, Math.round(problems * repeats / designEffect));
  const level = alpha / comparisons;
  const k = normalUpperQuantile(level / 2) + normalUpperQuantile(1 - power), k2 = k * k;
  const rough = Math.max(k * Math.sqrt(discordance / (pairs + k2)), k2 / (pairs + k2));
  if (pairs * Math.max(discordance, rough) > COUNTED) return rough;
  const found = powerOf(pairs, level);
  if (found(1, 1) < power) return Infinity;
  let low = 0, high = 1;
  while (high - low > 1e-5) {
    const gain = (low + high) / 2;
    if (found(gain, Math.max(discordance, gain)) < power) low = gain;
    else high = gain;
  }
  return high;
}

/** The chance that a gain is significant, at a discordance. */
function powerOf(pairs: number, alpha: number): (gain: number, discordance: number) => number {
  const critical = new Map<number, number>();
  /** The largest smaller count of m disagreements that is significant; −1 where none is. */
  const criticalOf = (m: number): number => {
    let known = critical.get(m);
    if (known !== undefined) return known;
    known = -1;
    for (let below = 0, x = 0; 2 * x < m; x++) {
      const here = fairBinomial(x, m);
      if (2 * below + here > alpha) break;
      below += here;
      known = x;
    }
    critical.set(m, known);
    return known;
  };
  return (gain, discordance) => {
    const share = (discordance + gain) / (2 * discordance);
    const middle = pairs * discordance;
    const reach = 8 * Math.sqrt(middle * (1 - discordance)) + 8;
    let power = 0;
    const last = Math.min(pairs, Math.ceil(middle + reach));
    for (let m = Math.max(1, Math.floor(middle - reach)); m <= last; m++) {
      const c = criticalOf(m);
      if (c < 0) continue;
      const either = incompleteBeta(m - c, c + 1, share, 1 - share) +
        incompleteBeta(m - c, c + 1, 1 - share, share);
      power += binomial(m, pairs, discordance) * either;
    }
    return power;
  };
}
