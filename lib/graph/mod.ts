/**
 * ONNX graphs as values: a builder, the parts that decoders share, one file per architecture.
 *
 * A graph's input is a mixture of token embeddings; its cache is bound as input and output at once.
 * {@linkcode ARCHITECTURES} maps an architecture's name to the function that builds it.
 *
 * @module
 */

import type { Weights } from "./builder.ts";
import type { DecoderConfig } from "./decoder.ts";
import type { Graph } from "./onnx.ts";
import { qwen3 } from "./qwen3.ts";

export {
  type Builder,
  graphBuilder,
  type OpOptions,
  type Weight,
  type Weights,
} from "./builder.ts";
export { type DecoderConfig, type KvLayer, PORTS } from "./decoder.ts";
export {
  type Attribute,
  encodeGraph,
  type Graph,
  type Initializer,
  type Node,
  ONNX_TYPE,
  type OnnxType,
  type ValueInfo,
} from "./onnx.ts";
export { qwen3 } from "./qwen3.ts";
export { type RopeTables, ropeTables } from "./rope.ts";

/** Builds the graph of one architecture. */
export type Architecture = (config: DecoderConfig, weights: Weights, maxLength: number) => Graph;

/** Architectures by the name that a checkpoint's `model_type` gives. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = { qwen3 };
