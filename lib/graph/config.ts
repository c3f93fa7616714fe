/**
 * The shape of a decoder-only language model, and how it is read from `config.json`.
 *
 * @module
 */

import type { Weights } from "./builder.ts";
import type { Fields, Json } from "./fields.ts";
import type { Graph } from "./onnx.ts";
import { type Rope, type RopeOptions, ropesOf } from "./rope.ts";
import type { Target } from "./target.ts";
import type { Windows } from "./windows.ts";

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
  /** Key and value heads of a layer; where layers differ, the most. */
  readonly kvHeads: number;
  /** Width of a head. */
  readonly headDim: number;
  /** Width of the feed-forward layer; where layers differ, the largest. */
  readonly intermediateSize: number;
  /** Rows of the embedding table, V. */
  readonly vocabularySize: number;
  /** Longest context the model was made for; with yarn, the context before scaling times its factor. */
  readonly maxPositions: number;
  /** Longest context that may be asked for, where that is more: with linear scaling. */
  readonly longestPositions?: number;
  /** ε of RMSNorm. */
  readonly rmsNormEps: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Whether the head is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** Layers that have a cache, in order. */
  readonly kv: readonly KvLayer[];
}

/** A decoder whose heads are rotated by position. */
export interface RopedConfig extends DecoderConfig {
  /** Rotary settings; where layers differ, of those that see all positions. */
  readonly rope: Rope;
  /** Rotary settings of the layers with a window; default: those of all. */
  readonly localRope?: Rope;
  /** How many last positions the queries of each layer see; default: all. */
  readonly windows?: Windows;
  /** Whether q, k, v and o have biases; default false. */
  readonly attentionBias?: boolean;
  /** Whether gate, up and down have biases; default false. */
  readonly mlpBias?: boolean;
  /** Factor of the scores; default `headDim^−½`. */
  readonly scale?: number;
  /** Factor of the embeddings; default 1. */
  readonly embeddingScale?: number;
  /** Bound of the logits, c in `c · tanh(logits / c)`; default: none. */
  readonly finalSoftcap?: number | undefined;
}

/** A model of one family: what its config says, and the graph that computes it. */
export interface Architecture<Config extends DecoderConfig = DecoderConfig> {
  /** Whether its residual stream leaves the range of float16. Default: false. */
  readonly isWide?: boolean;
  /**
   * Reads `config.json`.
   *
   * @throws {SyntaxError} Where a field is missing, wrong, or asks for what is not implemented.
   */
  parse(json: Json): Config;
  /**
   * Builds the graph.
   *
   * @param maxLength Longest context of any slot; sizes the rotary tables.
   * @throws {SyntaxError} Where the checkpoint lacks a tensor, or one has another shape.
   */
  graph(config: Config, weights: Weights, maxLength: number, target?: Target): Graph;
}

/** Reads the fields that the configs of all architectures share. */
export function decoderShape(architecture: string, f: Fields, options: RopeOptions): RopedConfig {
  const layers = f.size("num_hidden_layers", { max: 1024 });
  const heads = f.size("num_attention_heads", { max: 4096 });
  const kvHeads = f.optionalSize("num_key_value_heads", { max: heads }) ?? heads;
  if (heads % kvHeads !== 0) f.refuse("num_key_value_heads", `divide ${heads}`, kvHeads);
  const hiddenSize = f.size("hidden_size");
  const headDim = f.optionalSize("head_dim", { max: 4096 }) ?? hiddenSize / heads;
  if (!Number.isInteger(headDim) || headDim % 8 !== 0) {
    f.refuse("head_dim", "be a multiple of 8", headDim);
  }
  const maxPositions = f.size("max_position_embeddings");
  return {
    ...{ architecture, hiddenSize, layers, heads, kvHeads, headDim },
    intermediateSize: f.size("intermediate_size"),
    vocabularySize: f.size("vocab_size"),
    rmsNormEps: f.positive("rms_norm_eps"),
    tiedEmbeddings: f.flag("tie_word_embeddings"),
    kv: Array.from({ length: layers }, (_, layer) => ({ layer, kvHeads, headDim })),
    ...ropesOf(f, headDim, maxPositions, options),
  };
}
