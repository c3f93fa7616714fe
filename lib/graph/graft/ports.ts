/**
 * The inputs and outputs that a cut graph has: those of a decoder that is built here.
 *
 * @module
 */

import { KV_PARTS, type KvLayer, PORTS } from "../decoder.ts";
import type { Graph, ValueInfo } from "../onnx.ts";

/** Inputs and outputs by the shape of the model; `isDense`: a mixture is a row of all weights. */
export function portsOf(
  kv: readonly KvLayer[],
  vocabularySize: number,
  isDense: boolean,
): Pick<Graph, "inputs" | "outputs"> {
  const cache = (port: "past" | "present") =>
    kv.flatMap(({ layer, kvHeads, headDim }) =>
      KV_PARTS.map((part): ValueInfo => (
        { name: PORTS[port](layer, part), type: "float32", dims: ["B", kvHeads, "L", headDim] }
      ))
    );
  const value = (
    name: string,
    type: ValueInfo["type"],
    ...dims: (number | string)[]
  ): ValueInfo => (
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
