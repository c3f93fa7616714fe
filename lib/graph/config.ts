/**
 * The shape of a decoder-only language model, and how it is read from `config.json`.
 *
 * @module
 */

import type { Weights } from "./builder.ts";
import type { Fields, Json } from "./fields.ts";
import type { Graph } from "./onnx.ts";
import { type Rope, type RopeDefaults, ropesOf } from "./rope.ts";
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
  graph(config: Config, weights: Weights, maxLength: number): Graph;
}

/** Values of fields that configs of an architecture leave out, as its class in transformers has them. */
export interface ConfigDefaults extends RopeDefaults {
  /** `max_position_embeddings`. */
  readonly positions: number;
  /** `rms_norm_eps`. */
  readonly eps: number;
  /** `head_dim`; default: `hidden_size / num_attention_heads`. */
  readonly headDim?: number;
  /** `intermediate_size`; default: it must be there. */
  readonly intermediateSize?: number;
  /** `tie_word_embeddings`; default false. */
  readonly tied?: boolean;
  /** `num_attention_heads`; default: it must be there. */
  readonly heads?: number;
  /** `num_key_value_heads`; default: as many as heads. */
  readonly kvHeads?: number;
  /** `vocab_size`; default: it must be there. */
  readonly vocabulary?: number;
}

/** Reads the fields that the configs of all architectures share. */
export function shapeOf(architecture: string, f: Fields, defaults: ConfigDefaults): RopedConfig {
  const layers = f.size("num_hidden_layers", { max: 1024 });
  const heads = f.size("num_attention_heads", { max: 4096, fallback: defaults.heads });
  const { kvHeads: fallback = heads } = defaults;
  const kvHeads = f.size("num_key_value_heads", { max: heads, fallback });
  if (heads % kvHeads !== 0) f.refuse("num_key_value_heads", `divide ${heads}`, kvHeads);
  const hiddenSize = f.size("hidden_size");
  const headDim = f.optionalSize("head_dim", { max: 4096 }) ?? defaults.headDim ??
    hiddenSize / heads;
  if (!Number.isInteger(headDim) || headDim % 8 !== 0) {
    f.refuse("head_dim", "be a multiple of 8", headDim);
  }
  const maxPositions = f.size("max_position_embeddings", { fallback: defaults.positions });
  return {
    ...{ architecture, hiddenSize, layers, heads, kvHeads, headDim },
    intermediateSize: f.size("intermediate_size", { fallback: defaults.intermediateSize }),
    vocabularySize: f.size("vocab_size", { fallback: defaults.vocabulary }),
    rmsNormEps: f.positive("rms_norm_eps", defaults.eps),
    tiedEmbeddings: f.flag("tie_word_embeddings", defaults.tied ?? false),
    kv: Array.from({ length: layers }, (_, layer) => ({ layer, kvHeads, headDim })),
    ...ropesOf(f, headDim, maxPositions, defaults),
  };
}
