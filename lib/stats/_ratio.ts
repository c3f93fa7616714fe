/** A ratio of two sums whose parts come in clusters. @module */

import { studentTest } from "./_special.ts";

/** A sum. */
export const sumOf = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/**
 * Σ y / Σ x over clusters, such as a mean over positions clustered by document. Its interval and two-sided p of "the
 * ratio is 0" are Student's with G − 1 degrees of freedom and se² = G / (G − 1) · Σ (y_g − r x_g)² / (Σ x)².
 *
 * @param y Sum of each of G clusters.
 * @param x The same of the denominator; of sum above 0.
 */
export function clusteredRatio(
  y: readonly number[],
  x: readonly number[],
  level: number,
): { readonly ratio: number; readonly low: number; readonly high: number; readonly p: number } {
  const clusters = y.length, total = sumOf(x), ratio = sumOf(y) / total;
  if (clusters < 2) return { ratio, low: -Infinity, high: Infinity, p: 1 };
  const squares = sumOf(y.map((own, i) => (own - ratio * x[i]!) ** 2));
  const error = Math.sqrt(clusters / (clusters - 1) * squares) / total;
  return { ratio, ...studentTest(ratio, error, clusters - 1, level) };
}
