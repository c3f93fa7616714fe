/**
 * Small graphs over rows of logits: what decoding needs to know of a large vocabulary, so that
 * nothing of its size has to pass through a slow language.
 *
 * Dimensions: R rows, V vocabulary, K most probable tokens.
 *
 * @module
 */

import { graphBuilder } from "./builder.ts";
import type { Graph } from "./onnx.ts";

/** Names of the inputs and outputs of these graphs. */
export const NEXT_TOKEN = {
  /** Raw logits, float32 [R, V]. */
  logits: "logits",
  /** Number of tokens wanted, int64 [1]. */
  count: "count",
  /** Ids by descending logit, the lower id first among equals, int32 [R, K]. */
  topIds: "top_ids",
  /** Their logits, float32 [R, K]; NaN where any logit of the row is. */
  topLogits: "top_logits",
  /** 1 / temperature of each row, float32 [R, 1]. */
  inverseTemperature: "inverse_temperature",
  /** softmax(logits / temperature), float32 [R, V]. */
  probabilities: "probabilities",
  /** Its entropy in nats, float32 [R, 1]. */
  entropy: "entropy",
} as const;

/** Floats of a cache line, the widest vector that a sum is made with. */
const LINE = 16;

/** The most probable tokens of each row. */
export function topTokensGraph(vocabularySize: number): Graph {
  const b = graphBuilder(), N = NEXT_TOKEN;
  const logits = b.input(N.logits, "float32", ["R", vocabularySize]);
  const count = b.input(N.count, "int64", [1]);
  const attributes = { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } };
  b.op("TopK", [logits, count], { attributes, outputs: ["logits of ids", "ids"] });
  const sum = b.op("ReduceSum", [logits, b.integers([1])]); // TopK passes over NaN, a sum does not
  b.op("Where", [b.op("IsNaN", [sum]), sum, "logits of ids"], { outputs: [N.topLogits] });
  b.cast("ids", "int32", [N.topIds]);
  b.output(N.topIds, "int32", ["R", "K"]);
  b.output(N.topLogits, "float32", ["R", "K"]);
  return b.graph();
}

/**
 * The distribution of each row and its entropy, `−Σ p ln p` with `ln p` from a log-softmax: a dot
 * product of the probabilities with the logits would lose it to cancellation. With 151 936 tokens a
 * probability is off by up to 2e-5 of itself, at temperature 0.01 by up to 1e-4, the entropy by up to
 * 1e-4 nats, of equal logits 1e-3 (measured).
 */
export function softmaxGraph(vocabularySize: number): Graph {
  const b = graphBuilder(), N = NEXT_TOKEN;
  const logits = b.input(N.logits, "float32", ["R", vocabularySize]);
  const inverse = b.input(N.inverseTemperature, "float32", ["R", 1]);
  const scaled = b.op("Mul", [logits, inverse]);
  const logs = b.op("LogSoftmax", [scaled], { attributes: { axis: { int: -1 } } });
  const p = b.op("Exp", [logs], { outputs: [N.probabilities] });
  const terms = b.op("Mul", [p, logs]), rest = vocabularySize % LINE;
  // the order of a sum depends on where in a cache line the row begins: all rows begin at 0
  const rows = rest === 0 ? terms : b.op("Pad", [terms, b.integers([0, 0, 0, LINE - rest])]);
  const sum = b.op("ReduceSum", [rows, b.integers([1])]);
  b.op("Neg", [sum], { outputs: [N.entropy] });
  b.output(N.probabilities, "float32", ["R", vocabularySize]);
  b.output(N.entropy, "float32", ["R", 1]);
  return b.graph();
}
