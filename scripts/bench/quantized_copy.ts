/**
 * The quantised copy of a checkpoint that a load makes, opened to be written in another format.
 */

import { join } from "node:path";
import {
  ARCHITECTURES,
  type DecoderConfig,
  denseMixtureGraph,
  type Weights,
} from "../../lib/graph/mod.ts";
import { bitsOf } from "../../lib/model/dtype.ts";
import { parseConfig } from "../../lib/model/mod.ts";
import { convertWeights } from "../../lib/model/converted.ts";
import { type Checkpoint, fingerprint } from "../../lib/model/checkpoint.ts";
import { openWeights } from "../../lib/model/weights.ts";
import { elements } from "../../lib/runtime/mod.ts";

/** A checkpoint whose linear layers have quantised copies. */
export interface QuantizedCopy extends Checkpoint {
  /** Shape of the model. */
  readonly config: DecoderConfig;
}

/** Opens the int4 copy of a checkpoint; it is made where it is missing. */
export async function openQuantized(folder: string, cacheDir: string): Promise<QuantizedCopy> {
  const text = await Deno.readTextFile(join(folder, "config.json")), config = parseConfig(text);
  const checkpoint = await openWeights(folder);
  const { graph } = ARCHITECTURES[config.architecture]!;
  const build = (weights: Weights) =>
    void denseMixtureGraph(graph(config, weights, config.maxPositions), weights);
  try {
    const copy = await convertWeights(checkpoint, build, {
      form: ({ dims }) => bitsOf("int4", dims, config.vocabularySize),
      fingerprint: fingerprint(text, checkpoint),
      cacheDir,
      label: "quantize",
    });
    const dispose = () => {
      copy[Symbol.dispose]();
      checkpoint[Symbol.dispose]();
    };
    return { ...copy, config, [Symbol.dispose]: dispose };
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}

/** Bytes that the linear layers of a dense model read in a step: all of their weights, once. */
export function linearBytes({ tensors }: QuantizedCopy, dtype: "fp32" | "int4"): number {
  let bytes = 0;
  for (const { dims, quantized } of tensors.values()) {
    if (!quantized) continue;
    bytes += dtype === "fp32"
      ? 4 * elements(dims)
      : quantized.data.length + quantized.scales.length;
  }
  return bytes;
}

/** The bytes of a stored tensor, in place. */
export function bytesOf(
  files: Checkpoint["files"],
  { location, offset, length }: { location: string; offset: number; length: number },
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(files[location]!.buffer, offset, length);
}
