/**
 * A decoder that tells its residual stream, and the head that reads it: what a look inside the layers needs.
 *
 * Dimensions: R rows, V vocabulary, D hidden size, L layers.
 *
 * @module
 */

import { integerConstant } from "./builder.ts";
import type { DecoderConfig } from "./config.ts";
import { castTo, type Graph, type Node } from "./onnx.ts";
import { nodesBefore } from "./first_attention.ts";
import { PORTS } from "./ports.ts";

const NORM = "SimplifiedLayerNormalization";

function node(
  op: string,
  inputs: string[],
  out: string,
  attributes: Node["attributes"] = {},
): Node {
  return { op, domain: "", inputs, outputs: [out], attributes };
}

/** The graph with the logits under another name. */
function renamedLogits({ nodes }: Graph, name: string): Node[] {
  return nodes.map((one) => ({
    ...one,
    outputs: one.outputs.map((output) => output === PORTS.logits ? name : output),
  }));
}

/**
 * The decoder with longer rows: after its logits stand the stream before the first layer and after each,
 * `[R, V + (L + 1) · D]` in float32, on the port of the logits.
 *
 * @param graph A decoder that was built here; undefined is returned of others, which do not say where their stream is.
 */
export function withStreams(
  graph: Graph,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): { readonly graph: Graph; readonly width: number } | undefined {
  const { streams } = graph;
  if (!streams) return undefined;
  const shape = integerConstant([-1, hiddenSize], undefined, "streams."), own = "streams.logits";
  const width = vocabularySize + streams.length * hiddenSize;
  const rows = streams.map((_, i) => `streams.${i}`);
  const picked = streams.flatMap((stream, i) => [
    node("Reshape", [stream, shape.name], `streams.${i}.flat`),
    node("Gather", [`streams.${i}.flat`, PORTS.rows], `streams.${i}.rows`, { axis: { int: 0 } }),
    node("Cast", [`streams.${i}.rows`], rows[i]!, castTo("float32").attributes),
  ]);
  const all = node("Concat", [own, ...rows], PORTS.logits, { axis: { int: -1 } });
  return {
    graph: {
      ...graph,
      nodes: [...renamedLogits(graph, own), ...picked, all],
      initializers: [...graph.initializers, shape],
      outputs: graph.outputs.map((port) =>
        port.name === PORTS.logits ? { ...port, dims: ["R", width] } : port
      ),
    },
    width,
  };
}

/** Name of the rows of a stream that {@linkcode headGraph} reads, float32 `[R, D]`. */
export const STREAM_ROWS = "stream";

/**
 * The end of a decoder as a graph of its own: rows of a stream to logits, by the last norm and the head.
 *
 * @param graph A decoder that was built here; undefined is returned of others.
 */
export function headGraph(
  graph: Graph,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): Graph | undefined {
  const last = graph.streams?.at(-1);
  if (last === undefined) return undefined;
  const norm = graph.nodes.findLast(({ op, inputs, outputs }) =>
    op === NORM && inputs[0] === last || op === `Skip${NORM}` && outputs[3] === last
  )!;
  const isFused = norm.op !== NORM, [weight] = norm.inputs.slice(isFused ? 2 : 1) as [string];
  const { epsilon } = norm.attributes, attributes = { axis: { int: -1 }, stash_type: { int: 1 } };
  const own = node(NORM, [STREAM_ROWS, weight], norm.outputs[0]!, {
    ...attributes,
    epsilon: epsilon!,
  });
  const before = graph.nodes.filter((one) => one !== norm);
  const at = before.findIndex(({ inputs }) => inputs.includes(norm.outputs[0]!));
  const nodes = nodesBefore(PORTS.logits, [...before.slice(0, at), own, ...before.slice(at)]);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    nodes,
    initializers: graph.initializers.filter(({ name }) => used.has(name)),
    inputs: [
      { name: STREAM_ROWS, type: "float32", dims: ["R", hiddenSize] },
      ...graph.inputs.filter(({ name }) => used.has(name)),
    ],
    outputs: [{ name: PORTS.logits, type: "float32", dims: ["R", vocabularySize] }],
  };
}
