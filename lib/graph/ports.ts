/**
 * The inputs and outputs of a decoder: names, types, shapes.
 *
 * @module
 */

import type { KvLayer } from "./config.ts";
import type { Graph, ValueInfo } from "./onnx.ts";

/** The two parts of a layer's cache. */
export const KV_PARTS = ["key", "value"] as const;

/** One of them. */
export type KvPart = (typeof KV_PARTS)[number];

/** Names of a decoder's inputs and outputs. */
export const PORTS = {
  /** Token ids of each mixture, int32 [B, S, K]; absent where the weights are those of all tokens. */
  ids: "mixture_ids",
  /** Their weights, float32 [B, S, K]; or [B, S, V] without ids. */
  weights: "mixture_weights",
  /**
   * Added to the embedding of each mixture, float32 [B, S, D]: the part of a mixture that lies on the
   * whole of a large vocabulary, else 0; absent where the weights are those of all tokens.
   */
  dense: "dense_embedding",
  /** Index of each slot's last valid position after this run, int32 [B]. */
  lastPosition: "last_position",
  /** Largest number of valid positions of any slot, int32 [1]. */
  length: "length",
  /** Which rows of [B·S] get logits, int64 [R]. */
  rows: "rows",
  /** Next-token logits, float32 [R, V]. */
  logits: "logits",
  /** Cache of layer i before the run, float32, float16 or int8 [B, kvHeads, L, headDim]. */
  past: (layer: number, part: KvPart) => `past.${layer}.${part}`,
  /** The same cache after the run: bind the same tensor. */
  present: (layer: number, part: KvPart) => `present.${layer}.${part}`,
} as const;

/** Inputs and outputs of a graph that was cut; `isDense`: a mixture is a row of all weights. */
export function portsOf(
  kv: readonly KvLayer[],
  vocabularySize: number,
  isDense: boolean,
): Pick<Graph, "inputs" | "outputs"> {
  const cache = (port: "past" | "present") =>
    kv.flatMap(({ layer, kvHeads, headDim }) =>
      KV_PARTS.map((part) => value(PORTS[port](layer, part), "float32", "B", kvHeads, "L", headDim))
    );
  const value = (name: string, type: ValueInfo["type"], ...dims: (number | string)[]) => (
    { name, type, dims }
  );
  return {
    inputs: [
      ...isDense ? [] : [value(PORTS.ids, "int32", "B", "S", "K")],
      value(PORTS.weights, "float32", "B", "S", isDense ? vocabularySize : "K"),
      value(PORTS.lastPosition, "int32", "B"),
      value(PORTS.length, "int32", 1),
      value(PORTS.rows, "int64", "R"),
      ...cache("past"),
    ],
    outputs: [value(PORTS.logits, "float32", "R", vocabularySize), ...cache("present")],
  };
}
