/**
 * The beginning of a decoder as a small graph of its own: mixtures to the first attention, by which a device is
 * compared with the CPU before it is trusted.
 *
 * @module
 */

import { integerConstant } from "./builder.ts";
import type { KvLayer } from "./config.ts";
import { castTo, type Graph, type Node } from "./onnx.ts";
import { KV_PARTS, PORTS } from "./ports.ts";

/** A decoder's beginning. */
export interface FirstAttention {
  /**
   * The graph, with the decoder's ports; in place of logits it gives what the first attention does,
   * float32 `[R, width]`.
   */
  readonly graph: Graph;
  /** Numbers of a row. */
  readonly width: number;
  /** The only layer that has a cache in it. */
  readonly kv: readonly [KvLayer];
}

/** Nodes that a value depends on, in their order. */
function nodesBefore(value: string, nodes: readonly Node[]): Node[] {
  const needed = new Set([value]), kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  return kept.reverse();
}

/** The beginning of a decoder that was built here; undefined where it has no attention. */
export function firstAttention(
  { nodes, initializers, inputs, outputs }: Graph,
  layer: KvLayer | undefined,
  heads: number,
): FirstAttention | undefined {
  const past = layer && PORTS.past(layer.layer, "key");
  const attention = nodes.find((node) => past !== undefined && node.inputs.includes(past));
  if (!attention || !layer) return undefined;
  const width = heads * layer.headDim, [result] = attention.outputs as [string];
  const shape = integerConstant([-1, width], undefined, "first_attention.");
  const node = (op: string, ins: string[], out: string, attributes: Node["attributes"] = {}) => (
    { op, domain: "", inputs: ins, outputs: [out], attributes }
  );
  const own = [
    ...nodesBefore(result, nodes),
    node("Cast", [result], `${result}#float32`, castTo("float32").attributes),
    node("Reshape", [`${result}#float32`, shape.name], `${result}#rows`),
    node("Gather", [`${result}#rows`, PORTS.rows], PORTS.logits, { axis: { int: 0 } }),
  ];
  const used = new Set(own.flatMap(({ inputs }) => inputs));
  const presents = KV_PARTS.map((part) => PORTS.present(layer.layer, part));
  const logits = { name: PORTS.logits, type: "float32", dims: ["R", width] } as const;
  return {
    graph: {
      nodes: own,
      initializers: [...initializers.filter(({ name }) => used.has(name)), shape],
      inputs: inputs.filter(({ name }) => used.has(name)),
      outputs: [logits, ...outputs.filter(({ name }) => presents.includes(name))],
    },
    width,
    kv: [layer],
  };
}
