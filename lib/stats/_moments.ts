/**
 * Means, variances, and how much repeats of the same problems are worth.
 *
 * Runs of one problem are alike, so n problems with k runs each tell less than n·k problems would. The design
 * effect is by how much: counts divided by it are counts of as many independent runs (Kish 1965, Survey
 * Sampling, §8.2; for score intervals Rao & Scott 1992, Biometrics 48, 577–585).
 *
 * @module
 */

/** The mean of numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Their variance, n − 1 in the denominator; NaN of one number. */
export function variance(values: readonly number[], middle: number = mean(values)): number {
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/**
 * Variance of the problems' means over that of a single run divided by k, clipped to 1 … k, the mean number of
 * runs a problem. Where all problems have the same mean, repeats are taken to be worth nothing: k.
 */
export function designEffect(means: readonly number[], single: number, repeats: number): number {
  if (means.length < 2 || means.every((value) => value === means[0])) return repeats;
  return Math.min(repeats, Math.max(1, variance(means) * repeats / single));
}
