/**
 * How long a mixture's embedding is. Averages are shorter than what they average: in high dimensions
 * embeddings are nearly orthogonal, so that an even mixture of n of them has about 1/√n of their
 * length. A model has seen no such inputs.
 *
 * @module
 */

import type { Mixture, Model } from "../model/mod.ts";

/** Most entries of a mixture whose embeddings are read. */
const MOST_ENTRIES = 1024;

/** Length of a sum of rows. */
function lengthOf(rows: readonly Float32Array[], weights: ArrayLike<number>): number {
  const sum = new Float64Array(rows[0]!.length);
  for (const [k, row] of rows.entries()) {
    const weight = weights[k]!;
    for (let d = 0; d < sum.length; d++) sum[d]! += weight * row[d]!;
  }
  let square = 0;
  for (const value of sum) square += value * value;
  return Math.sqrt(square);
}

/**
 * `‖Σ w_i e_i‖ / ‖e_y‖`; undefined where the model does not tell embeddings, that of y is 0, or the mixture
 * lies on more than 1024 tokens: a dense one would take a pass over the table, as long as a step of a
 * small model.
 */
export function relativeNorm(
  model: Pick<Model, "embeddings">,
  { ids, weights, dense }: Mixture,
  token: number,
): number | undefined {
  if (!model.embeddings || dense || ids.length === 0 || ids.length > MOST_ENTRIES) {
    return undefined;
  }
  if (ids.length === 1 && ids[0] === token) return Math.abs(weights[0]!);
  const own = lengthOf(model.embeddings([token]), [1]);
  return own > 0 ? lengthOf(model.embeddings(ids), weights) / own : undefined;
}
