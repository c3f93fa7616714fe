/**
 * Causal grouped-query attention on a cache that is updated in place, rotary embedding included.
 *
 * The operator, `com.microsoft.GroupQueryAttention`, rotates by itself where the head is a multiple of
 * 16 and so is the number of rotated dimensions; for other widths `com.microsoft.RotaryEmbedding`
 * rotates queries and keys before it.
 *
 * Dimensions: B slots, S positions fed at once, L capacity of a cache slot.
 *
 * @module
 */

import { type Builder, MICROSOFT } from "./builder.ts";
import type { DecoderConfig, KvLayer, RopedConfig } from "./config.ts";
import { rmsNorm } from "./decoder.ts";
import { projections } from "./linear.ts";
import type { Graph, Initializer, Node, ValueInfo } from "./onnx.ts";
import { KV_PARTS, type KvPart, PORTS } from "./ports.ts";
import { type Rope, ropeTables } from "./rope.ts";

/** Where each slot stands: the index of its last position, and the largest length. */
export type Slots = readonly [lastPosition: string, length: string];

/** Declares where each slot stands. */
export function slotInputs(b: Builder): Slots {
  return [b.input(PORTS.lastPosition, "int32", ["B"]), b.input(PORTS.length, "int32", [1])];
}

/** How attention layers rotate. */
export interface Rotary {
  /** Inputs of the operator after the cache: where slots stand, and tables where it rotates. */
  readonly inputs: readonly string[];
  /** Rotates `[B, S, heads · headDim]` where the operator does not. */
  readonly rotate?: (x: string, heads: number) => string;
}

/** Rotary tables of `maxLength` positions, under a name, for the layers of a graph. */
export function rotaryOf(
  b: Builder,
  slots: Slots,
  { dims, theta, scaling }: Rope,
  headDim: number,
  maxLength: number,
  name = "rope",
): Rotary {
  const { cos, sin } = ropeTables(maxLength, dims, theta, scaling);
  const tables = [
    b.floats(`${name}_cos`, cos, [maxLength, dims / 2]),
    b.floats(`${name}_sin`, sin, [maxLength, dims / 2]),
  ];
  if (headDim % 16 === 0 && dims % 16 === 0) return { inputs: [...slots, ...tables] };
  let positions: string | undefined; // those of the first x serve all: B and S are the same
  return {
    inputs: slots,
    rotate(x, heads) {
      positions ??= positionsOf(b, slots[0], x);
      return b.op("RotaryEmbedding", [x, positions, ...tables], {
        ...MICROSOFT,
        attributes: { num_heads: { int: heads }, rotary_embedding_dim: { int: dims } },
      });
    },
  };
}

/** Position of each row of x `[B, S, …]`: those up to a slot's last, `last − S + 1 + s`, `[B, S]`. */
function positionsOf(b: Builder, lastPosition: string, x: string): string {
  const attributes = { start: { int: 1 }, end: { int: 2 } };
  const size = b.op("Squeeze", [b.op("Shape", [x], { attributes })]);
  const one = b.integers([1], []);
  const steps = b.op("Range", [b.op("Sub", [one, size]), one, one]); // 1 − S … 0
  const last = b.cast(lastPosition, "int64");
  return b.op("Add", [b.op("Unsqueeze", [last, b.integers([1])]), steps]);
}

/** Shape and options of the attention of one layer. */
interface AttentionShape extends Pick<RopedConfig, "heads" | "kvHeads" | "headDim" | "scale"> {
  /** Number of last positions that a query sees, its own included; default: all. */
  readonly window?: number | undefined;
}

/**
 * `softmax(q kᵀ · scale) v`, causal, of q `[B, S, heads · headDim]`, k and v `[B, S, kvHeads · headDim]`;
 * the cache of the layer is an input and an output.
 */
export function attention(
  b: Builder,
  layer: number,
  [q, k, v]: readonly [string, string, string],
  { inputs, rotate }: Rotary,
  { heads, kvHeads, headDim, scale = 1 / Math.sqrt(headDim), window }: AttentionShape,
): string {
  const cache = ["B", kvHeads, "L", headDim] as const;
  const past = KV_PARTS.map((part) => b.input(PORTS.past(layer, part), "float32", cache));
  for (const part of KV_PARTS) b.output(PORTS.present(layer, part), "float32", cache);
  const rotated = rotate ? [rotate(q, heads), rotate(k, kvHeads)] : [q, k];
  return b.op("GroupQueryAttention", [...rotated, v, ...past, ...inputs], {
    ...MICROSOFT,
    attributes: {
      num_heads: { int: heads },
      kv_num_heads: { int: kvHeads },
      do_rotary: { int: rotate ? 0 : 1 },
      scale: { float: scale },
      ...(window === undefined ? {} : { local_window_size: { int: window } }),
    },
    outputs: [`attention.${layer}`, ...KV_PARTS.map((part) => PORTS.present(layer, part))],
  });
}

/** Scales of the keys or values of a layer in 8 bits, `[kvHeads · headDim]`: a number is `scale · int8`. */
export type KvScales = (layer: number, part: KvPart) => Float32Array<ArrayBuffer>;

/**
 * The graph of a decoder with keys and values in 8 bits: the operator rounds them as it writes them,
 * and computes scores and sums in fp32. Scales are constants, one per channel of a head, so a
 * number beyond `127 · scale` is cut off.
 *
 * @param graph The graph with keys and values in float32.
 * @param kv Layers that have a cache.
 * @param scales Their scales.
 */
export function int8Kv(graph: Graph, kv: readonly KvLayer[], scales: KvScales): Graph {
  const initializers = kv.flatMap(({ layer, kvHeads, headDim }) =>
    KV_PARTS.map((part): Initializer => {
      const { buffer, byteOffset, byteLength } = scales(layer, part);
      const data = new Uint8Array(buffer, byteOffset, byteLength);
      return { name: `scale.${layer}.${part}`, type: "float32", dims: [kvHeads, 1, headDim], data };
    })
  );
  const layerOf = new Map(kv.map(({ layer }) => [PORTS.past(layer, "key"), layer]));
  const PAST_KEY = 3, SCALES = 12; // places among the operator's inputs
  const nodes = graph.nodes.map((node): Node => {
    const layer = layerOf.get(node.inputs[PAST_KEY]!);
    if (layer === undefined) return node;
    const inputs = Array.from({ length: SCALES }, (_, i) => node.inputs[i] ?? "");
    return {
      ...node,
      inputs: [...inputs, ...KV_PARTS.map((part) => `scale.${layer}.${part}`)],
      attributes: {
        ...node.attributes,
        k_quant_type: { text: "PER_CHANNEL" },
        v_quant_type: { text: "PER_CHANNEL" },
        kv_cache_bit_width: { int: 8 },
      },
    };
  });
  const cached = new Set(
    kv.flatMap(({ layer }) =>
      KV_PARTS.flatMap((part) => [PORTS.past(layer, part), PORTS.present(layer, part)])
    ),
  );
  const narrow = (port: ValueInfo): ValueInfo =>
    cached.has(port.name) ? { ...port, type: "int8" } : port;
  return {
    ...graph,
    nodes,
    initializers: [...graph.initializers, ...initializers],
    inputs: graph.inputs.map(narrow),
    outputs: graph.outputs.map(narrow),
  };
}

/** Options of {@linkcode selfAttention}. */
export interface SelfAttentionOptions {
  /** Which of the projections q, k, v, o have a bias; default: all or none, as the config says. */
  readonly biases?: string;
  /** Norm of queries and keys before the rotation; default: none. */
  readonly normalize?: (
    b: Builder,
    x: string,
    name: string,
    heads: number,
    config: DecoderConfig,
  ) => string;
}

/** Attention of a layer with its four projections, from the normed stream `[B, S, D]`. */
export function selfAttention(
  b: Builder,
  x: string,
  layer: number,
  config: RopedConfig,
  rotary: Rotary,
  { biases = config.attentionBias ? "qkvo" : "", normalize }: SelfAttentionOptions = {},
): string {
  const { hiddenSize, heads, headDim, windows } = config;
  const { kvHeads } = config.kv.find((own) => own.layer === layer)!;
  const prefix = `model.layers.${layer}.self_attn`, project = projections(b, prefix, biases);
  const norm = (x: string, part: string, count: number) =>
    normalize ? normalize(b, x, `${prefix}.${part}_norm.weight`, count, config) : x;
  const q = norm(project(x, "q", heads * headDim, hiddenSize), "q", heads);
  const k = norm(project(x, "k", kvHeads * headDim, hiddenSize), "k", kvHeads);
  const v = project(x, "v", kvHeads * headDim, hiddenSize);
  const shape = { ...config, kvHeads, window: windows?.[layer] };
  return project(attention(b, layer, [q, k, v], rotary, shape), "o", hiddenSize, heads * headDim);
}

/** RMSNorm of each head of a projection `[B, S, heads · headDim]`. */
export function headNorm(
  b: Builder,
  x: string,
  name: string,
  heads: number,
  { headDim, rmsNormEps }: DecoderConfig,
): string {
  const split = b.op("Reshape", [x, b.integers([0, 0, heads, headDim])]);
  const normed = rmsNorm(b, split, name, headDim, rmsNormEps);
  return b.op("Reshape", [normed, b.integers([0, 0, heads * headDim])]);
}
