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
  type StoredTensor,
  type Weight,
  type Weights,
} from "../graph/mod.ts";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import { ELEMENT_TYPES } from "../runtime/mod.ts";
import { bitsOf, type Dtype, DTYPES, weightsOf } from "./dtype.ts";
import { KV_TYPES, type KvFormat } from "./slabs.ts";

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

const NOWHERE = { location: "", offset: 0, length: 0 } as const;

/** Weights that are whatever is asked for. */
class Imagined extends Map<string, Weight> {
  constructor(readonly quantized: (dims: readonly number[]) => QuantizedWeight | undefined) {
    super();
  }

  override get(_name: string, dims?: readonly number[]): Weight | undefined {
    if (dims === undefined) return undefined;
    const weight: Weight = { ...NOWHERE, type: "bfloat16", dims };
    const quantized = dims.length === 2 ? this.quantized(dims) : undefined;
    return quantized ? { ...weight, quantized } : weight;
  }
}

/**
 * Bytes of keys and values of one token of one slot.
 *
 * @param config The model's shape.
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
 * @param options Number formats, slots, length.
 * @returns Parameters and bytes; weights as a checkpoint in bfloat16 gives them.
 * @throws {RangeError} Where an option is outside its rule.
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
  const verb = "estimate memory";
  checkOptions(verb, options, ["dtype", "kv", "slots", "length"]);
  const { dtype = "fp32", kv = "fp32", slots = 1, length = config.maxPositions } = options;
  if (!(DTYPES as readonly Dtype[]).includes(dtype)) {
    throw new RangeError(refusal(verb, "dtype", `be one of ${DTYPES.join(", ")}`, dtype));
  }
  if (!Object.hasOwn(KV_TYPES, kv)) {
    const rule = `be one of ${Object.keys(KV_TYPES).join(", ")}`;
    throw new RangeError(refusal(verb, "kv", rule, kv));
  }
  checkNumber(verb, "slots", slots, { min: 1, integer: true });
  checkNumber(verb, "length", length, { min: 1, integer: true });

  const tensor = (dims: number[], type: StoredTensor["type"]) => ({ ...NOWHERE, type, dims });
  const quantized = (dims: readonly number[]): QuantizedWeight | undefined => {
    if (dtype !== "int8" && dtype !== "int4") return undefined;
    const [out, input] = dims as [number, number];
    const bits = bitsOf(dtype, dims, config.vocabularySize), blocks = Math.ceil(input / BLOCK_SIZE);
    return {
      bits,
      blockSize: BLOCK_SIZE,
      sourceOffset: 0,
      data: tensor([out, blocks, BLOCK_SIZE * bits / 8], "uint8"),
      scales: tensor([out, blocks], "float32"),
    };
  };
  const plain = new Imagined(() => undefined) as unknown as Weights;
  const weights = new Imagined(quantized) as unknown as Weights;
  const build = ARCHITECTURES[config.architecture]!.graph;
  const { parameters } = weightsOf(build(config, plain, 1));
  const { bytes: weightsBytes } = weightsOf(build(config, weights, 1));
  const perToken = kvBytesPerToken(config, kv), kvBytes = perToken * slots * length;
  return {
    parameters,
    weightsBytes,
    kvBytes,
    kvBytesPerToken: perToken,
    totalBytes: weightsBytes + kvBytes,
  };
}
