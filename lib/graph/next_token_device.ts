/**
 * The graphs of `next_token.ts` for devices whose results are dear to bring back: what is found of a row stands in
 * one tensor, and of the softmax over all tokens only two numbers leave the device.
 *
 * Dimensions: R rows, V vocabulary, K most probable tokens.
 *
 * @module
 */

import { type Builder, graphBuilder } from "./builder.ts";
import type { Graph } from "./onnx.ts";
import { NEXT_TOKEN } from "./next_token.ts";

/** Names that {@linkcode NEXT_TOKEN} has not. */
export const ON_DEVICE = {
  /** Ids by descending logit, the lower id first among equals, their logits, the sum of all; float32 [R, 2K + 1]. */
  found: "found",
  /** The largest logit, `ln Σ exp((logit − largest) / temperature)`, entropy in nats; float32 [R, 3]. */
  numbers: "numbers",
} as const;

/** Tokens that are sorted at once. */
const BLOCK = 1024;
/** Below it `exp` is 0 in float32; a product with it is a number. */
const LOWEST = -1e4;

/** The first `tokens` of rows of logits `[R, V]`, which are all that stand for something. */
function logitsOfTokens(b: Builder, vocabularySize: number, tokens: number): string {
  const logits = b.input(NEXT_TOKEN.logits, "float32", ["R", vocabularySize]);
  if (tokens === vocabularySize) return logits;
  return b.op("Slice", [logits, b.integers([0]), b.integers([tokens]), b.integers([1])]);
}

/**
 * The K most probable tokens of each row. Those of blocks are found first: sorting a whole vocabulary is what takes
 * long there.
 */
export function topTokensOnDevice(vocabularySize: number, tokens: number, K: number): Graph {
  const b = graphBuilder(), axis = { attributes: { axis: { int: 1 } } };
  const logits = logitsOfTokens(b, vocabularySize, tokens);
  const blocks = Math.ceil(tokens / BLOCK), none = b.floats("none", Float32Array.of(-Infinity), []);
  const padding = b.integers([0, 0, 0, blocks * BLOCK - tokens]);
  const padded = blocks * BLOCK > tokens ? b.op("Pad", [logits, padding, none]) : logits;
  const split = b.op("Reshape", [padded, b.integers([0, blocks, BLOCK])]);
  const k = b.integers([K]), flat = b.integers([0, blocks * K]), last = { axis: { int: -1 } };
  b.op("TopK", [split, k], { attributes: last, outputs: ["of blocks", "places in blocks"] });
  const firsts = Float32Array.from({ length: blocks }, (_, block) => block * BLOCK);
  const places = b.cast("places in blocks", "float32"); // exact: a vocabulary is below 2²⁴
  const ids = b.op("Add", [places, b.floats("firsts", firsts, [1, blocks, 1])]);
  const [all, allIds] = ["of blocks", ids].map((value) => b.op("Reshape", [value, flat]));
  b.op("TopK", [all!, k], { attributes: last, outputs: ["logits of ids", "places"] });
  const best = b.op("GatherElements", [allIds!, "places"], axis);
  const sum = b.op("ReduceSum", [logits, b.integers([1])]); // not a number where any logit is none
  b.op("Concat", [best, "logits of ids", sum], { ...axis, outputs: [ON_DEVICE.found] });
  b.output(ON_DEVICE.found, "float32", ["R", 2 * K + 1]);
  return b.graph();
}

/**
 * The distribution of each row, 0 beyond its tokens, and its entropy, `ln s − Σ p z` of `z = (logit − largest) /
 * temperature ≤ 0` and `s = Σ exp z`: both terms are positive, and nothing cancels. The largest logit is
 * the first of what {@linkcode topTokensOnDevice} found: on CUDA ReduceMax needs cuDNN.
 */
export function softmaxOnDevice(vocabularySize: number, tokens: number, K: number): Graph {
  const b = graphBuilder(), N = NEXT_TOKEN, axis = b.integers([1]);
  const logits = logitsOfTokens(b, vocabularySize, tokens);
  const inverse = b.input(N.inverseTemperature, "float32", ["R", 1]);
  const found = b.input(ON_DEVICE.found, "float32", ["R", 2 * K + 1]);
  const largest = b.op("Slice", [found, b.integers([K]), b.integers([K + 1]), axis]);
  const scaled = b.op("Mul", [b.op("Sub", [logits, largest]), inverse]);
  const z = b.op("Max", [scaled, b.floats("lowest", Float32Array.of(LOWEST), [1])]);
  const e = b.op("Exp", [z]), sum = b.op("ReduceSum", [e, axis]);
  const all = tokens === vocabularySize ? { outputs: [N.probabilities] } : {};
  const p = b.op("Div", [e, sum], all);
  const missing = b.integers([0, 0, 0, vocabularySize - tokens]);
  if (tokens < vocabularySize) b.op("Pad", [p, missing], { outputs: [N.probabilities] });
  const log = b.op("Log", [sum]), mean = b.op("ReduceSum", [b.op("Mul", [p, z]), axis]);
  const numbers = [largest, log, b.op("Sub", [log, mean])];
  b.op("Concat", numbers, { attributes: { axis: { int: 1 } }, outputs: [ON_DEVICE.numbers] });
  b.output(N.probabilities, "float32", ["R", vocabularySize]);
  b.output(ON_DEVICE.numbers, "float32", ["R", 3]);
  return b.graph();
}
