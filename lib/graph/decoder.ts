/**
 * What the graphs of decoder-only language models share: the mixture of embeddings at the entry,
 * attention on a cache that is updated in place, the head on the rows that are asked for.
 *
 * Dimensions: B slots, S positions fed at once, K entries of a mixture, D hidden size,
 * V vocabulary, L capacity of a cache slot, R rows of logits.
 *
 * @module
 */

import type { Builder } from "./builder.ts";
import { linear } from "./linear.ts";
import { ropeTables } from "./rope.ts";

/** The cache of one layer. */
export interface KvLayer {
  /** Index of the layer. */
  readonly layer: number;
  /** Key and value heads. */
  readonly kvHeads: number;
  /** Width of a head. */
  readonly headDim: number;
}

/** A decoder's shape, as the graph needs it. */
export interface DecoderConfig {
  /** Architecture, such as "qwen3". */
  readonly architecture: string;
  /** Width of the residual stream, D. */
  readonly hiddenSize: number;
  /** Number of layers. */
  readonly layers: number;
  /** Query heads of a layer. */
  readonly heads: number;
  /** Key and value heads of a layer. */
  readonly kvHeads: number;
  /** Width of a head. */
  readonly headDim: number;
  /** Width of the feed-forward layer. */
  readonly intermediateSize: number;
  /** Rows of the embedding table, V. */
  readonly vocabularySize: number;
  /** Longest context the model was made for. */
  readonly maxPositions: number;
  /** ε of RMSNorm. */
  readonly rmsNormEps: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Whether the head is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** Layers that have a cache, in order. */
  readonly kv: readonly KvLayer[];
}

/** Names of a decoder's inputs and outputs. */
export const PORTS = {
  /** Token ids of each mixture, int32 [B, S, K]; absent where the weights are those of all tokens. */
  ids: "mixture_ids",
  /** Their weights, float32 [B, S, K]; or [B, S, V] without ids. */
  weights: "mixture_weights",
  /** Index of each slot's last valid position after this run, int32 [B]. */
  lastPosition: "last_position",
  /** Largest number of valid positions of any slot, int32 [1]. */
  length: "length",
  /** Which rows of [B·S] get logits, int64 [R]. */
  rows: "rows",
  /** Next-token logits, float32 [R, V]. */
  logits: "logits",
  /** Cache of layer i before the run, float32 [B, kvHeads, L, headDim]. */
  past: (layer: number, part: "key" | "value") => `past.${layer}.${part}`,
  /** The same cache after the run: bind the same tensor. */
  present: (layer: number, part: "key" | "value") => `present.${layer}.${part}`,
} as const;

const MICROSOFT = { domain: "com.microsoft" } as const;

/** RMSNorm over the last axis: `x / √(mean(x²) + ε) · w`. */
export function rmsNorm(b: Builder, x: string, name: string, size: number, eps: number): string {
  const attributes = { epsilon: { float: eps }, axis: { int: -1 }, stash_type: { int: 1 } };
  return b.op("SimplifiedLayerNormalization", [x, b.weight(name, [size])], { attributes });
}

/** Adds to the residual stream and normalizes: both results are used. */
export function addAndNorm(
  b: Builder,
  residual: string,
  x: string,
  name: string,
  size: number,
  eps: number,
): { normed: string; residual: string } {
  const normed = `${name}.normed`, sum = `${name}.residual`;
  b.op("SkipSimplifiedLayerNormalization", [residual, x, b.weight(name, [size])], {
    ...MICROSOFT,
    attributes: { epsilon: { float: eps } },
    outputs: [normed, "", "", sum],
  });
  return { normed, residual: sum };
}

/** Largest vocabulary for which a mixture is a row of V weights. */
const DENSE_VOCABULARY = 1024;

/**
 * `h = Σ_k w_k · E[id_k]`, the one idea of this project.
 *
 * With a small vocabulary a mixture is a row of V weights, multiplied with the embedding table, and
 * costs the same whatever it holds; with a large one K rows are gathered. Entries of weight 0 add
 * nothing, bit for bit, so mixtures of different sizes share a batch.
 */
export function mixtureOfEmbeddings(b: Builder, table: string, config: DecoderConfig): string {
  const { vocabularySize, hiddenSize } = config;
  const rows = b.weight(table, [vocabularySize, hiddenSize]); // [V, D]
  if (vocabularySize <= DENSE_VOCABULARY) {
    const dense = b.input(PORTS.weights, "float32", ["B", "S", vocabularySize]);
    return b.op("MatMul", [dense, rows]); // [B, S, D]
  }
  const ids = b.input(PORTS.ids, "int32", ["B", "S", "K"]);
  const weights = b.input(PORTS.weights, "float32", ["B", "S", "K"]);
  const gathered = b.op("Gather", [rows, ids], { attributes: { axis: { int: 0 } } }); // [B, S, K, D]
  const axis = b.integers([2]);
  const w = b.op("Unsqueeze", [weights, axis]); // [B, S, 1, K]
  return b.op("Squeeze", [b.op("MatMul", [w, gathered]), axis]); // [B, S, D]
}

/** Inputs and tables that the attention of every layer uses. */
export function attentionInputs(b: Builder, config: DecoderConfig, maxLength: number): string[] {
  const { headDim, ropeTheta } = config;
  const { cos, sin } = ropeTables(maxLength, headDim, ropeTheta);
  const dims = [maxLength, headDim / 2];
  return [
    b.input(PORTS.lastPosition, "int32", ["B"]),
    b.input(PORTS.length, "int32", [1]),
    b.floats("rope_cos", cos, dims),
    b.floats("rope_sin", sin, dims),
  ];
}

/** Causal grouped-query attention of one layer, rotary inside, cache appended in place. */
export function attention(
  b: Builder,
  layer: number,
  [q, k, v]: readonly [string, string, string],
  shared: readonly string[],
  config: DecoderConfig,
): string {
  const { heads, kvHeads, headDim } = config;
  const cache = ["B", kvHeads, "L", headDim] as const;
  const parts = ["key", "value"] as const;
  const past = parts.map((part) => b.input(PORTS.past(layer, part), "float32", cache));
  for (const part of parts) b.output(PORTS.present(layer, part), "float32", cache);
  return b.op("GroupQueryAttention", [q, k, v, ...past, ...shared], {
    ...MICROSOFT,
    attributes: {
      num_heads: { int: heads },
      kv_num_heads: { int: kvHeads },
      do_rotary: { int: 1 },
      scale: { float: 1 / Math.sqrt(headDim) },
    },
    outputs: [`attention.${layer}`, ...parts.map((part) => PORTS.present(layer, part))],
  });
}

/** `down(silu(gate(x)) · up(x))`. */
export function gatedMlp(b: Builder, x: string, prefix: string, config: DecoderConfig): string {
  const { hiddenSize, intermediateSize } = config;
  const gate = linear(b, x, `${prefix}.gate_proj.weight`, intermediateSize, hiddenSize);
  const up = linear(b, x, `${prefix}.up_proj.weight`, intermediateSize, hiddenSize);
  const silu = b.op("QuickGelu", [gate], { ...MICROSOFT, attributes: { alpha: { float: 1 } } });
  const product = b.op("Mul", [silu, up]);
  return linear(b, product, `${prefix}.down_proj.weight`, hiddenSize, intermediateSize);
}

/** Logits of the rows that are asked for. */
export function head(b: Builder, x: string, table: string, config: DecoderConfig): void {
  const { vocabularySize, hiddenSize } = config;
  const rows = b.input(PORTS.rows, "int64", ["R"]);
  const flat = b.op("Reshape", [x, b.integers([-1, hiddenSize])]); // [B·S, D]
  const picked = b.op("Gather", [flat, rows], { attributes: { axis: { int: 0 } } }); // [R, D]
  linear(b, picked, table, vocabularySize, hiddenSize, { output: PORTS.logits });
  b.output(PORTS.logits, "float32", ["R", vocabularySize]);
}
