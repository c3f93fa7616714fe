/**
 * Memory that a model needs, from its `config.json` alone.
 *
 * The graph is built over tensors that are nowhere: each is as large as the graph asks for, and is
 * counted. So the estimate follows the graph, whatever the architecture.
 *
 * @module
 */

import {
  ARCHITECTURES,
  BLOCK_SIZE,
  type DecoderConfig,
  type QuantizedWeight,
  type Weights,
} from "../graph/mod.ts";
import { ELEMENT_TYPES } from "../runtime/mod.ts";
import { checkOptions, number, oneOf, refusal, type Rules } from "../_check.ts";
import { bitsOf, type Dtype, DTYPES, weightsOf } from "./dtype.ts";
import { KV_TYPES, type KvFormat } from "./engine.ts";

/** Options of {@linkcode estimateMemory}. */
export interface MemoryOptions {
  /** Number format of the weights, one of {@linkcode DTYPES}. Default: "fp32". */
  readonly dtype?: Dtype;
  /** Number format of keys and values. Default: "fp32". */
  readonly kv?: KvFormat;
  /** Sequences decoded at once. Default: 1. */
  readonly slots?: number;
  /** Tokens of each, prompt and answer. Default: what the model was made for. */
  readonly length?: number;
}

const RULES: Rules<MemoryOptions> = {
  dtype: oneOf(...DTYPES),
  kv: oneOf("fp32", "fp16", "int8"),
  slots: number({ min: 1, integer: true }),
  length: number({ min: 1, integer: true }),
};

/** Memory that a model needs, in bytes. */
export interface MemoryEstimate {
  /** Number of weights. */
  readonly parameters: number;
  /** Weights in the number format. */
  readonly weightsBytes: number;
  /** Keys and values of all slots. */
  readonly kvBytes: number;
  /** Keys and values of one token of one slot. */
  readonly kvBytesPerToken: number;
  /** Both together; activations and the program itself add to it. */
  readonly totalBytes: number;
}

/**
 * Bytes of keys and values of one token of one slot.
 *
 * @param format Number format of keys and values; default "fp32", whatever that of the weights.
 */
export function kvBytesPerToken({ kv }: DecoderConfig, format: KvFormat = "fp32"): number {
  const { bytes } = ELEMENT_TYPES[KV_TYPES[format]];
  return kv.reduce((sum, { kvHeads, headDim }) => sum + 2 * bytes * kvHeads * headDim, 0);
}

/**
 * Estimates the memory of a model.
 *
 * @param config The model's shape, from {@linkcode parseConfig}.
 * @returns Parameters and bytes; weights as a checkpoint in bfloat16 gives them.
 * @throws {RangeError} Where an option is outside its rule, or the architecture is not one of those whose graph is
 * built here.
 *
 * @example
 * ```ts
 * import { estimateMemory, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { parameters, kvBytesPerToken } = estimateMemory(model.config);
 * assertEquals(parameters, 335_520);
 * assertEquals(kvBytesPerToken, model.memory.kvBytesPerToken);
 * ```
 */
export function estimateMemory(
  config: DecoderConfig,
  options: MemoryOptions = {},
): MemoryEstimate {
  checkOptions("estimate memory", options, RULES);
  const { dtype = "fp32", kv = "fp32", slots = 1, length = config.maxPositions } = options;
  const { architecture } = config, known = Object.keys(ARCHITECTURES);
  if (!known.includes(architecture)) {
    const rule = `be one of ${known.join(", ")}`;
    throw new RangeError(refusal("estimate memory", "config.architecture", rule, architecture));
  }
  const nowhere = { location: "", offset: 0, length: 0 } as const;
  const quantized = ([out, input]: readonly [number, number]): QuantizedWeight | undefined => {
    if (dtype !== "int8" && dtype !== "int4") return undefined;
    const bits = bitsOf(dtype, [out], config.vocabularySize),
      blocks = Math.ceil(input / BLOCK_SIZE);
    return {
      ...{ bits, blockSize: BLOCK_SIZE, sourceOffset: 0 },
      data: { ...nowhere, type: "uint8", dims: [out, blocks, BLOCK_SIZE * bits / 8] },
      scales: { ...nowhere, type: "float32", dims: [out, blocks] },
    };
  };
  /** Weights of a graph over tensors that are whatever it asks for. */
  const weigh = (copyOf: typeof quantized) => {
    const find: Weights["find"] = (_name, dims, use) => {
      const copy = use === "product" ? copyOf(dims as [number, number]) : undefined;
      return { ...nowhere, type: "bfloat16", dims, ...(copy && { quantized: copy }) };
    };
    const { graph } = ARCHITECTURES[architecture]!;
    return weightsOf(graph(config, { names: new Set(), find }, 1));
  };
  const { parameters } = weigh(() => undefined), { bytes: weightsBytes } = weigh(quantized);
  const perToken = kvBytesPerToken(config, kv), kvBytes = perToken * slots * length;
  const totalBytes = weightsBytes + kvBytes;
  return { parameters, weightsBytes, kvBytes, kvBytesPerToken: perToken, totalBytes };
}
