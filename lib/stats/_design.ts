/**
 * How much repeats of the same problems are worth.
 *
 * Runs of one problem are alike, so n problems with k runs each tell less than n·k problems would. The
 * design effect d is by how much:
 *
 *     d = (s² / n) / (v / (n·k)),   clipped to 1 … k,
 *
 * s² the variance of the problems' means, v that of a single run. Counts divided by d are counts of
 * as many independent runs (Kish 1965, Survey Sampling, §8.2; for score intervals Rao & Scott 1992,
 * Biometrics 48, 577–585). Where all problems have the same mean, s says nothing, and repeats are
 * taken to be worth nothing: d = k.
 *
 * @module
 */

/**
 * The design effect.
 *
 * @param means One mean a problem.
 * @param variance Variance of a single run.
 * @param repeats Runs a problem, k; their mean where problems differ.
 */
export function designEffect(
  means: ArrayLike<number>,
  variance: number,
  repeats: number,
): number {
  const n = means.length, all = Array.from(means);
  if (n < 2 || all.every((value) => value === all[0])) return repeats;
  const mean = all.reduce((a, b) => a + b, 0) / n;
  const square = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return Math.min(repeats, Math.max(1, square * repeats / variance));
}
