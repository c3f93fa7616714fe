/**
 * Sums over a whole vocabulary on a GPU: one product with the table, in the number format of the activations.
 *
 * Dimensions: R rows, V vocabulary, D hidden size.
 *
 * @module
 */

import { castTo, type Graph, type Initializer, type Node } from "./onnx.ts";
import { DENSE, embeddingTable } from "./mixture.ts";

/** What weights are multiplied with before they become float16, which ends at 6e-8: few are lost of those beyond. */
const LIFT = 1024;

/**
 * `h = Σ_i w_i · E[i]` over all tokens, with the names of {@linkcode DENSE}.
 *
 * @param decoder A graph with the port `PORTS.ids`.
 * @param type Number format in which the table is held and multiplied.
 */
export function denseMixtureOnDevice(decoder: Graph, type: "float32" | "float16"): Graph {
  const { table } = embeddingTable(decoder), [V, D] = table.dims as [number, number];
  const scalar = (name: string, value: number): Initializer => (
    { name, type: "float32", dims: [], data: new Uint8Array(Float32Array.of(value).buffer) }
  );
  const node = (op: string, inputs: string[], out: string, attributes: Node["attributes"] = {}) => (
    { op, domain: "", inputs, outputs: [out], attributes }
  );
  const isConverted = table.type !== type, rows = isConverted ? "table" : table.name;
  const converted = isConverted ? [node("Cast", [table.name], rows, castTo(type).attributes)] : [];
  const product = type === "float32" ? [node("MatMul", [DENSE.weights, rows], DENSE.embeddings)] : [
    node("Mul", [DENSE.weights, "lift"], "lifted"),
    node("Cast", ["lifted"], "half", castTo("float16").attributes),
    node("MatMul", ["half", rows], "sum"),
    node("Cast", ["sum"], "wide", castTo("float32").attributes),
    node("Mul", ["wide", "lower"], DENSE.embeddings),
  ];
  const scales = type === "float32" ? [] : [scalar("lift", LIFT), scalar("lower", 1 / LIFT)];
  return {
    nodes: [...converted, ...product],
    initializers: [table, ...scales],
    inputs: [{ name: DENSE.weights, type: "float32", dims: ["R", V] }],
    outputs: [{ name: DENSE.embeddings, type: "float32", dims: ["R", D] }],
  };
}
