/**
 * ONNX graphs as values: a builder, the parts that decoders share, one file per architecture.
 *
 * A graph's input is a mixture of token embeddings; its cache is bound as input and output at once.
 * {@linkcode ARCHITECTURES} maps an architecture's name to what reads its config and builds its graph.
 *
 * @module
 */

import type { Architecture } from "./config.ts";
import { gemma3, gemma3Text } from "./gemma3.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { nemotronNas } from "./nemotron_nas.ts";
import { olmo2 } from "./olmo2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen3Moe } from "./qwen3_moe.ts";

export { int8Kv, type KvScales } from "./attention.ts";
export {
  type Builder,
  graphBuilder,
  namesIn,
  type OpOptions,
  type QuantizedColumns,
  type QuantizedInputs,
  type QuantizedWeight,
  type Range,
  type StoredTensor,
  type Weight,
  type Weights,
  weightsIn,
  type WeightUse,
  wholeName,
} from "./builder.ts";
export type { Architecture, DecoderConfig, KvLayer, RopedConfig } from "./config.ts";
export { type Json, refuseField } from "./fields.ts";
export { denseMixtureOnDevice } from "./dense_device.ts";
export { type FirstAttention, firstAttentions } from "./first_attention.ts";
export type { GraftFacts } from "./graft/facts.ts";
export { joinEmbedding } from "./graft/join.ts";
export { graft } from "./graft/mod.ts";
export { reference, type ReferenceInput } from "./graft/reference.ts";
export { halfKv, type HalfOptions, halfPrecision, scalesFitHalf } from "./half.ts";
export { columnParts, DENSE, denseMixtureGraph, SMALL_VOCABULARY } from "./mixture.ts";
export { NEXT_TOKEN, softmaxGraph, topTokensGraph } from "./next_token.ts";
export { ON_DEVICE, softmaxOnDevice, topTokensOnDevice } from "./next_token_device.ts";
export {
  type Attribute,
  type FileRange,
  type Graph,
  type Initializer,
  type Node,
  type OnnxModel,
  type OnnxType,
  tensorBytes,
  type TensorType,
  typeNamed,
  type UnreadField,
  type ValueInfo,
} from "./onnx.ts";
export { encodeGraph, encodeModel, parseModel } from "./onnx_file.ts";
export type { DataType } from "./onnx_pb.ts";
export { KV_PARTS, type KvPart, PORTS } from "./ports.ts";
export {
  BLOCK_SIZE,
  quantizeColumns,
  type QuantizedRows,
  QUANTIZER_VERSION,
  quantizeRows,
} from "./quantize.ts";
export { headGraph, PATCH_PORTS, STREAM_ROWS, withStreams } from "./streams.ts";
export { CPU_TARGET, type Target } from "./target.ts";
export { type Rope, type RopeScaling, ropeTables } from "./rope.ts";
export type { Windows } from "./windows.ts";

/** Architectures by the name that a checkpoint's `model_type` gives. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  gemma3,
  gemma3_text: gemma3Text,
  llama,
  mistral,
  "nemotron-nas": nemotronNas,
  olmo2,
  phi3,
  qwen2,
  qwen3,
  qwen3_moe: qwen3Moe,
};
