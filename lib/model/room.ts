/**
 * Whether a model has room on a GPU.
 *
 * @module
 */

import type { DecoderConfig, Target } from "../graph/mod.ts";
import { type Adapter, noRoom } from "../runtime/mod.ts";
import { type CommonDtype, DTYPES } from "./dtype.ts";
import { estimateMemory, kvBytesPerToken } from "./memory.ts";

/** Positions whose keys and values a GPU must have room for. */
const POSITIONS = 4096;

/** Why a GPU has no room for a model in a number format; undefined where it has. */
export function noRoomOn(
  adapter: Adapter,
  config: DecoderConfig,
  { activations }: Target,
  maxLength: number,
): (dtype: CommonDtype) => string | undefined {
  const isHalf = activations === "float16", { vocabularySize, hiddenSize } = config;
  const footprint = (dtype: CommonDtype) => {
    const { parameters, weightsBytes } = estimateMemory(config, { dtype, length: 1 });
    const bytes = kvBytesPerToken(config, isHalf ? "fp16" : "fp32");
    return {
      name: dtype,
      weights: dtype === "fp16" && isHalf ? 2 * parameters : weightsBytes,
      cache: bytes * Math.min(POSITIONS, maxLength),
      largest: vocabularySize * hiddenSize * (isHalf ? 2 : 4),
    };
  };
  const footprints = DTYPES.map(footprint); // graphs are built to weigh them
  return (dtype) => noRoom(footprints.find(({ name }) => name === dtype)!, adapter, footprints);
}

/** Part of the free memory of a GPU that keys and values may take. */
const CACHE_SHARE = 0.8;

/** Bytes of a GPU for keys and values, once the weights are there; undefined where it does not say what is free. */
export function cacheRoom(free: number | undefined): number | undefined {
  return free === undefined ? undefined : Math.floor(CACHE_SHARE * free);
}
