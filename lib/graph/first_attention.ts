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
export function nodesBefore(value: string, nodes: readonly Node[]): Node[] {
  const needed = new Set([value]), kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  return kept.reverse();
}

/**
 * The beginnings of a decoder that was built here: one for each kind of attention that its layers have, by
 * the number of last positions that a query sees. They differ in that and in the rotation; the projections are
 * those of the first layer with a cache. None where it has no attention.
 */
export function firstAttentions(
  { nodes, initializers, inputs, outputs }: Graph,
  kv: readonly KvLayer[],
  heads: number,
): FirstAttention[] {
  const [layer] = kv;
  if (!layer) return [];
  const isAlike = ({ kvHeads, headDim }: KvLayer) =>
    kvHeads === layer.kvHeads && headDim === layer.headDim;
  const attentions = kv.filter(isAlike).map((own) =>
    nodes.find((node) => node.inputs.includes(PORTS.past(own.layer, "key")))!
  );
  const [first] = attentions as [Node, ...Node[]], width = heads * layer.headDim;
  const windowOf = ({ attributes }: Node) => attributes.local_window_size?.int;
  const kinds = attentions.filter((node, i) =>
    attentions.findIndex((other) => windowOf(other) === windowOf(node)) === i
  );
  const shape = integerConstant([-1, width], undefined, "first_attention.");
  const presents = KV_PARTS.map((part) => PORTS.present(layer.layer, part));
  const [result] = first.outputs as [string], AFTER_CACHE = 5; // places among the operator's inputs
  return kinds.map(({ attributes, inputs: others }) => {
    const own = [...first.inputs.slice(0, AFTER_CACHE), ...others.slice(AFTER_CACHE)];
    const changed = nodes.map((node) =>
      node === first ? { ...node, attributes, inputs: own } : node
    );
    const all = [
      ...nodesBefore(result, changed),
      nodeOf("Cast", [result], `${result}#float32`, castTo("float32").attributes),
      nodeOf("Reshape", [`${result}#float32`, shape.name], `${result}#rows`),
      nodeOf("Gather", [`${result}#rows`, PORTS.rows], PORTS.logits, { axis: { int: 0 } }),
    ];
    const used = new Set(all.flatMap(({ inputs }) => inputs));
    const logits = { name: PORTS.logits, type: "float32", dims: ["R", width] } as const;
    return {
      graph: {
        nodes: all,
        initializers: [...initializers.filter(({ name }) => used.has(name)), shape],
        inputs: inputs.filter(({ name }) => used.has(name)),
        outputs: [logits, ...outputs.filter(({ name }) => presents.includes(name))],
      },
      width,
      kv: [layer],
    };
  });
}

function nodeOf(op: string, inputs: string[], out: string, attributes: Node["attributes"] = {}) {
  return { op, domain: "", inputs, outputs: [out], attributes };
}
