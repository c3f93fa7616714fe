/** The tokens that weigh most in a mixture. @module */

import type { Mixture } from "../model/mod.ts";

/** The heaviest tokens of a mixture and their weights, heaviest first, the lower id first among equals. */
export function heaviest({ ids, weights, dense }: Mixture, count: number): [number, number][] {
  const all = new Map<number, number>();
  dense?.probabilities.forEach((p, id) => {
    if (p > 0) all.set(id, dense.weight * p);
  });
  for (let k = 0; k < ids.length; k++) all.set(ids[k]!, (all.get(ids[k]!) ?? 0) + weights[k]!);
  return [...all].filter(([, weight]) => weight !== 0)
    .sort(([a, u], [b, v]) => v - u || a - b).slice(0, count);
}
