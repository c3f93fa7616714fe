/**
 * The longest context of a load.
 *
 * @module
 */

import type { DecoderConfig, RopedConfig } from "../graph/mod.ts";
import { refusal } from "../_check.ts";

/** Longest context unless asked for: rotary tables of a million positions take seconds and 512 MiB. */
const USUAL_LENGTH = 2 ** 17;

/** Largest number of cosines and sines: 512 MiB, a million positions of a head of 128. */
const MAX_ROTARY = 2 ** 27;

const fail = (name: string, rule: string, value: unknown): never => {
  throw new RangeError(refusal("load the model", name, rule, value));
};

/**
 * Longest context. Default: what the model was made for, within reason; with longrope what its list
 * for short contexts serves, since a longer context changes the numbers of short ones.
 */
export function lengthOf(config: DecoderConfig, asked: number | undefined): number {
  const { maxPositions, longestPositions = maxPositions, headDim } = config;
  const { scaling } = (config as Partial<RopedConfig>).rope ?? {};
  const short = scaling?.type === "longrope" ? scaling.originalPositions : Infinity;
  const length = asked ?? Math.min(maxPositions, short, USUAL_LENGTH);
  if (length > longestPositions) {
    const why = longestPositions > maxPositions
      ? " times its linear scaling"
      : scaling?.type === "dynamic"
      ? ": beyond it, its dynamic scaling changes with every token"
      : "";
    const rule = `be at most ${longestPositions}, the context the model was made for${why}`;
    fail("maxLength", rule, length);
  }
  if (length * headDim > MAX_ROTARY) {
    fail("maxLength", `be at most ${MAX_ROTARY / headDim}, so that the rotary tables fit`, length);
  }
  return length;
}
