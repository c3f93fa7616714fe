/**
 * A decoder that tells its residual stream and lets it be replaced, and the head that reads it: what a look inside
 * the layers needs.
 *
 * Dimensions: S positions fed at once, R rows, V vocabulary, D hidden size, L layers.
 *
 * @module
 */

import { integerConstant, MICROSOFT } from "./builder.ts";
import type { DecoderConfig } from "./config.ts";
import { castTo, type Graph, type Initializer, type Node, type ValueInfo } from "./onnx.ts";
import { nodesBefore } from "./first_attention.ts";
import { PORTS } from "./ports.ts";

const NORM = "SimplifiedLayerNormalization", FUSED = `Skip${NORM}`;
/** Places of a norm that adds first: the weight among its inputs, the sum among its outputs. */
const WEIGHT = 2, SUM = 3;

/** Names of the inputs that replace parts of the stream. */
export const PATCH_PORTS = {
  /** 1 where a position's stream is replaced, else 0, by layer from 0 to L: int32 [L + 1, S, 1]. */
  places: "patch.places",
  /** What it is replaced by, float32 [L + 1, S, D]; or [L + 1, 1, D] where nothing is. */
  streams: "patch.streams",
} as const;

function node(
  op: string,
  inputs: readonly string[],
  out: string,
  attributes: Node["attributes"] = {},
): Node {
  return { op, domain: "", inputs, outputs: [out], attributes };
}

const AXIS_0 = { axis: { int: 0 } };

/** A sum with nothing and its norm: what the norm that adds makes of a sum, to the bit. */
function normOf({ inputs, outputs, attributes }: Node, sum: string): Node[] {
  const nothing = `${sum}.nothing`;
  return [
    node("Sub", [sum, sum], nothing),
    {
      ...{ op: FUSED, ...MICROSOFT, attributes },
      inputs: [sum, nothing, inputs[WEIGHT]!],
      outputs: [outputs[0]!],
    },
  ];
}

/** The nodes that replace a layer's stream where they are told to, and the constants of it. */
function patchOf(stream: string, layer: number, patched: string) {
  const index = integerConstant([layer], [], "streams."), name = `streams.${layer}`;
  const { places, streams } = PATCH_PORTS;
  const nodes = [
    node("Gather", [places, index.name], `${name}.places`, AXIS_0),
    node("Cast", [`${name}.places`], `${name}.isPatched`, castTo("bool").attributes),
    node("Gather", [streams, index.name], `${name}.patch`, AXIS_0),
    node("CastLike", [`${name}.patch`, stream], `${name}.typed`),
    node("Where", [`${name}.isPatched`, `${name}.typed`, stream], patched),
  ];
  return { nodes, index };
}

/** The decoder whose stream can be replaced, and the names of the stream as it then is. */
function patchable(graph: Graph, streams: readonly string[]) {
  const patched = streams.map((_, layer) => `streams.${layer}.patched`);
  /** A layer that adds nothing has the stream of the one before: what is read is that of the last of them. */
  const nameOf = new Map(streams.map((stream, layer) => [stream, patched[layer]!]));
  const constants: Initializer[] = [];
  const patches = (made: Node) =>
    streams.flatMap((stream, layer) => {
      if (!made.outputs.includes(stream)) return [];
      const before = streams[layer - 1] === stream ? patched[layer - 1]! : stream;
      const { nodes, index } = patchOf(before, layer, patched[layer]!);
      constants.push(index);
      return nodes;
    });
  const nodes = graph.nodes.flatMap((one): Node[] => {
    const own = { ...one, inputs: one.inputs.map((name) => nameOf.get(name) ?? name) };
    const sum = one.op === FUSED ? one.outputs[SUM] : undefined, name = nameOf.get(sum!);
    if (name === undefined) return [own, ...patches(one)];
    return [node("Add", own.inputs.slice(0, WEIGHT), sum!), ...patches(one), ...normOf(one, name)];
  });
  return { nodes, constants, patched };
}

/**
 * The decoder with longer rows, and a stream that can be replaced: after its logits stand the stream before the first
 * layer and after each, `[R, V + (L + 1) · D]` in float32, on the port of the logits. Where {@linkcode PATCH_PORTS}
 * replace nothing, logits are the decoder's, to the bit.
 *
 * @param graph A decoder that was built here; undefined is returned of others, which do not say where their stream is.
 */
export function withStreams(
  graph: Graph,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): { readonly graph: Graph; readonly width: number } | undefined {
  if (!graph.streams) return undefined;
  const { nodes, constants, patched } = patchable(graph, graph.streams), own = "streams.logits";
  const shape = integerConstant([-1, hiddenSize], undefined, "streams.");
  const layers = patched.length, width = vocabularySize + layers * hiddenSize;
  const rows = patched.map((_, i) => `streams.${i}.row`);
  const picked = patched.flatMap((stream, i) => [
    node("Reshape", [stream, shape.name], `streams.${i}.flat`),
    node("Gather", [`streams.${i}.flat`, PORTS.rows], `streams.${i}.rows`, AXIS_0),
    node("Cast", [`streams.${i}.rows`], rows[i]!, castTo("float32").attributes),
  ]);
  const renamed = nodes.map((one) => ({
    ...one,
    outputs: one.outputs.map((name) => name === PORTS.logits ? own : name),
  }));
  const all = node("Concat", [own, ...rows], PORTS.logits, { axis: { int: -1 } });
  const inputs: ValueInfo[] = [
    { name: PATCH_PORTS.places, type: "int32", dims: [layers, "S", 1] },
    { name: PATCH_PORTS.streams, type: "float32", dims: [layers, "P", hiddenSize] },
  ];
  return {
    graph: {
      nodes: [...renamed, ...picked, all],
      initializers: [...graph.initializers, ...constants, shape],
      inputs: [...graph.inputs, ...inputs],
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
    op === NORM && inputs[0] === last || op === FUSED && outputs[SUM] === last
  )!;
  const own = norm.op === FUSED
    ? normOf(norm, STREAM_ROWS)
    : [{ ...norm, inputs: [STREAM_ROWS, ...norm.inputs.slice(1)] }];
  const nodes = nodesBefore(
    PORTS.logits,
    graph.nodes.flatMap((one): readonly Node[] => one === norm ? own : [one]),
  );
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
