/**
 * A step of a model's shape, timed on a device before its weights are there: the first layers and the head, over
 * weights that are 0, which cost no memory of their own and as much time as others.
 *
 * @module
 */

import {
  ARCHITECTURES,
  BLOCK_SIZE,
  type DecoderConfig,
  type QuantizedWeight,
  type StoredTensor,
  type Weights,
} from "../graph/mod.ts";
import { allocate, type Device, ELEMENT_TYPES, elements } from "../runtime/mod.ts";
import { bitsOf, type Dtype, roundedToHalf } from "./dtype.ts";
import type { KvFormat } from "./engine.ts";
import { startEngine } from "./onnx_engine.ts";
import { targetOf } from "./target.ts";

/** Layers, rows, positions before the first step. */
const LAYERS = 2, ROWS = 8, CONTEXT = 64;
/** Longest context of it; steps that are timed at least, and how long it may take. */
const LENGTH = 1024, LEAST_STEPS = 5, MOST_MS = 1000;
/** Steps before: kernels are compiled, and runs recorded. */
const WARM_UP = 5;

const LOCATION = ":zeros";

/** Weights that are whatever a graph asks for, and 0; and how many bytes the largest has. */
function zeros(dtype: Dtype, vocabularySize: number) {
  let most = 0;
  const stored = (type: StoredTensor["type"], dims: readonly number[]): StoredTensor => {
    const length = elements(dims) * ELEMENT_TYPES[type].bytes;
    most = Math.max(most, length);
    return { type, dims, location: LOCATION, offset: 0, length };
  };
  const find: Weights["find"] = (_name, dims, use) => {
    const whole = stored("bfloat16", dims), [out, input] = dims as [number, number];
    if (use === "numbers" || dtype === "fp32" || dtype === "fp16") return whole;
    const bits = bitsOf(dtype === "int8" ? "int8" : "int4", dims, vocabularySize);
    const blocks = Math.ceil(input / BLOCK_SIZE);
    const quantized: QuantizedWeight = {
      ...{ bits, blockSize: BLOCK_SIZE, sourceOffset: 0 },
      data: stored("uint8", [out, blocks, BLOCK_SIZE * bits / 8]),
      scales: stored("float32", [out, blocks]),
    };
    return { ...whole, quantized };
  };
  const weights: Weights = { names: new Set(), find };
  return { weights: dtype === "fp16" ? roundedToHalf(weights) : weights, bytes: () => most };
}

/**
 * Milliseconds of a step of 8 rows on a device, of a decoder with the config's shape and so few layers: the median
 * of those that fit in a second.
 */
export async function trialStep(
  config: DecoderConfig,
  device: Device,
  dtype: Dtype,
  kv: KvFormat,
): Promise<number> {
  const layers = Math.min(LAYERS, config.layers);
  const small = { ...config, layers, kv: config.kv.filter(({ layer }) => layer < layers) };
  const { weights, bytes } = zeros(dtype, config.vocabularySize);
  const graph = ARCHITECTURES[config.architecture]!
    .graph(small, weights, LENGTH, targetOf(device, kv));
  using memory = allocate(Math.max(4, bytes()));
  const zeroFile = { ...memory, path: "", modified: 0, forget() {} };
  const prepared = {
    ...{ config: small, dtype, graph, bytes: bytes(), fingerprint: "" },
    data: { externalData: { [LOCATION]: zeroFile } },
    [Symbol.dispose]() {},
  };
  const options = { device, kv, maxLength: LENGTH, spinning: false };
  await using engine = await startEngine(prepared, options);
  using cache = engine.openCache({ slots: ROWS, length: LENGTH });
  const inputs = Array<number>(ROWS).fill(0), times: number[] = [], started = performance.now();
  const step = (at: number) => cache.step(inputs, Array<number>(ROWS).fill(CONTEXT + at));
  for (let at = 0; at < WARM_UP; at++) await step(at);
  for (let at = WARM_UP; CONTEXT + at < LENGTH; at++) {
    const start = performance.now();
    await step(at);
    times.push(performance.now() - start);
    if (times.length >= LEAST_STEPS && performance.now() - started > MOST_MS) break;
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
