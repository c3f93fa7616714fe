/**
 * What decoder-only language models share: the shape that their configs give, the mixture of
 * embeddings at the entry, the residual stream, the head on the rows that are asked for.
 *
 * Dimensions: B slots, S positions fed at once, K entries of a mixture, D hidden size,
 * V vocabulary, L capacity of a cache slot, R rows of logits.
 *
 * @module
 */

import { type Builder, graphBuilder, MICROSOFT, type Weights, weightsIn } from "./builder.ts";
import type { Fields, Json } from "./fields.ts";
import { linear } from "./linear.ts";
import { type Graph, ONNX_TYPE, type OnnxType } from "./onnx.ts";
import { reachOf, type Rope, ropeOf, ropeSettings } from "./rope.ts";
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
  /** How many last positions the queries of each layer see; default: all. */
  readonly windows?: Windows;
  /** Whether q, k, v and o have biases; default false. */
  readonly attentionBias?: boolean;
  /** Whether gate, up and down have biases; default false. */
  readonly mlpBias?: boolean;
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
   * @param config Shape of the model.
   * @param weights Tensors of the checkpoint.
   * @param maxLength Longest context of any slot; sizes the rotary tables.
   * @throws {SyntaxError} Where the checkpoint lacks a tensor, or one has another shape.
   */
  graph(config: Config, weights: Weights, maxLength: number): Graph;
}

/** Values of fields that configs of an architecture leave out, as its class in transformers has them. */
export interface ConfigDefaults {
  /** `max_position_embeddings`. */
  readonly positions: number;
  /** `rms_norm_eps`. */
  readonly eps: number;
  /** `head_dim`; default: `hidden_size / num_attention_heads`. */
  readonly headDim?: number;
  /** `tie_word_embeddings`; default false. */
  readonly tied?: boolean;
  /** `num_attention_heads`; default: it must be there. */
  readonly heads?: number;
  /** `num_key_value_heads`; default: as many as heads. */
  readonly kvHeads?: number;
  /** `vocab_size`; default: it must be there. */
  readonly vocabulary?: number;
  /** Whether `partial_rotary_factor` may say that part of each head is not rotated; default false. */
  readonly partialRotary?: boolean;
}

/** Reads the fields that the configs of all architectures share, rotary settings apart. */
export function decoderShape(
  architecture: string,
  f: Fields,
  defaults: ConfigDefaults,
): Omit<DecoderConfig, "ropeTheta"> {
  const layers = f.size("num_hidden_layers", { max: 1024 });
  const heads = f.size("num_attention_heads", { max: 4096, fallback: defaults.heads });
  const kvHeads = f.size("num_key_value_heads", {
    max: heads,
    fallback: defaults.kvHeads ?? heads,
  });
  if (heads % kvHeads !== 0) f.refuse("num_key_value_heads", `divide ${heads}`, kvHeads);
  const hiddenSize = f.size("hidden_size");
  const headDim = f.optionalSize("head_dim", { max: 4096 }) ?? defaults.headDim ??
    hiddenSize / heads;
  if (!Number.isInteger(headDim) || headDim % 8 !== 0) {
    f.refuse("head_dim", "be a multiple of 8", headDim);
  }
  return {
    architecture,
    hiddenSize,
    layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: f.size("intermediate_size"),
    vocabularySize: f.size("vocab_size", { fallback: defaults.vocabulary }),
    maxPositions: f.size("max_position_embeddings", { fallback: defaults.positions }),
    rmsNormEps: f.positive("rms_norm_eps", defaults.eps),
    tiedEmbeddings: f.flag("tie_word_embeddings", defaults.tied ?? false),
    kv: Array.from({ length: layers }, (_, layer) => ({ layer, kvHeads, headDim })),
  };
}

/** The same with one set of rotary settings for all layers. */
export function ropedShape(architecture: string, f: Fields, defaults: ConfigDefaults): RopedConfig {
  const shape = decoderShape(architecture, f, defaults);
  const { settings, path } = ropeSettings(f, 1e4);
  const { headDim, maxPositions } = shape;
  const originalPositions = f.optionalSize("original_max_position_embeddings");
  const partial = defaults.partialRotary ? f.optionalPositive("partial_rotary_factor") : 1;
  const rope = ropeOf(settings, path, { headDim, partial, maxPositions, originalPositions });
  const original = originalPositions ?? originalOf(settings);
  return {
    ...shape,
    ...reachOf(rope.scaling, maxPositions, original),
    ropeTheta: rope.theta,
    rope,
  };
}

/** The context before scaling that rotary settings state. */
function originalOf({ original_max_position_embeddings: size }: Json): number | undefined {
  return Number.isSafeInteger(size) && Number(size) > 0 ? Number(size) : undefined;
}

/** The two parts of a layer's cache. */
export const KV_PARTS = ["key", "value"] as const;

/** One of them. */
export type KvPart = (typeof KV_PARTS)[number];

/** Names of a decoder's inputs and outputs. */
export const PORTS = {
  /** Token ids of each mixture, int32 [B, S, K]; absent where the weights are those of all tokens. */
  ids: "mixture_ids",
  /** Their weights, float32 [B, S, K]; or [B, S, V] without ids. */
  weights: "mixture_weights",
  /**
   * Added to the embedding of each mixture, float32 [B, S, D]: the part of a mixture that lies on the
   * whole of a large vocabulary, else 0; absent where the weights are those of all tokens.
   */
  dense: "dense_embedding",
  /** Index of each slot's last valid position after this run, int32 [B]. */
  lastPosition: "last_position",
  /** Largest number of valid positions of any slot, int32 [1]. */
  length: "length",
  /** Which rows of [B·S] get logits, int64 [R]. */
  rows: "rows",
  /** Next-token logits, float32 [R, V]. */
  logits: "logits",
  /** Cache of layer i before the run, float32 or int8 [B, kvHeads, L, headDim]. */
  past: (layer: number, part: KvPart) => `past.${layer}.${part}`,
  /** The same cache after the run: bind the same tensor. */
  present: (layer: number, part: KvPart) => `present.${layer}.${part}`,
} as const;

/** Where each slot stands: the index of its last position, and the largest length. */
export type Slots = readonly [lastPosition: string, length: string];

/** Declares where each slot stands. */
export function slotInputs(b: Builder): Slots {
  return [b.input(PORTS.lastPosition, "int32", ["B"]), b.input(PORTS.length, "int32", [1])];
}

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

/**
 * Largest vocabulary that is small: a mixture is a row of V weights, and rows of logits are worked on
 * outside the runtime.
 */
export const SMALL_VOCABULARY = 1024;

/**
 * `h = Σ_k w_k · E[id_k]`, the one idea of this project.
 *
 * With a small vocabulary a mixture is a row of V weights, multiplied with the embedding table, and
 * costs the same whatever it holds; with a large one K rows are gathered, and what lies on the whole
 * vocabulary is added (see {@linkcode denseMixtureGraph}). Entries of weight 0 add nothing, bit for
 * bit, so mixtures of different sizes share a batch.
 */
export function mixtureOfEmbeddings(b: Builder, table: string, config: DecoderConfig): string {
  const { vocabularySize, hiddenSize } = config;
  const rows = b.weight(table, [vocabularySize, hiddenSize]); // [V, D]
  if (vocabularySize <= SMALL_VOCABULARY) {
    const dense = b.input(PORTS.weights, "float32", ["B", "S", vocabularySize]);
    return b.op("MatMul", [dense, rows]); // [B, S, D]
  }
  const ids = b.input(PORTS.ids, "int32", ["B", "S", "K"]);
  const weights = b.input(PORTS.weights, "float32", ["B", "S", "K"]);
  const gathered = b.op("Gather", [rows, ids], { attributes: { axis: { int: 0 } } }); // [B, S, K, D]
  const listed = weightedSum(b, weights, gathered); // [B, S, D]
  return b.op("Add", [listed, b.input(PORTS.dense, "float32", ["B", "S", hiddenSize])]);
}

/** `Σ_k w_k · rows_k` of weights `[B, S, K]` and rows `[B, S, K, D]`. */
export function weightedSum(
  b: Pick<Builder, "op" | "integers">,
  weights: string,
  rows: string,
): string {
  const axis = b.integers([2]), w = b.op("Unsqueeze", [weights, axis]); // [B, S, 1, K]
  return b.op("Squeeze", [b.op("MatMul", [w, rows]), axis]);
}

/**
 * Numbers of a table of V rows in a product. The runtime packs a matrix while it holds the original:
 * for a whole head that is 622 MB above all weights in Qwen3-0.6B (peak / weights 1.18, not 0.98).
 */
const TABLE_PART = 2 ** 24;

/** Names of the input and output of {@linkcode denseMixtureGraph}. */
export const DENSE = {
  /** Weights of all tokens, float32 [R, V]. */
  weights: "weights",
  /** Their mixtures, float32 [R, D]. */
  embeddings: "embeddings",
} as const;

/**
 * `h = Σ_i w_i · E[i]` over all tokens: a product with the whole table of a decoder's graph, in parts
 * so that no more than a part is there twice while the runtime packs it.
 *
 * @param decoder A graph with the port {@linkcode PORTS}`.ids`.
 */
export function denseMixtureGraph(decoder: Graph): Graph {
  const lookup = decoder.nodes.find(({ op, inputs }) =>
    op === "Gather" && inputs[1] === PORTS.ids
  )!;
  const { name, type, dims, data } = decoder.initializers.find(({ name }) =>
    name === lookup.inputs[0]
  )!;
  if (data instanceof Uint8Array) throw new Error("internal: the embedding table is in a file");
  const isRounded = decoder.nodes.some(({ op, inputs, attributes }) =>
    op === "Cast" && inputs[0] === lookup.outputs[0] && attributes.to?.int === ONNX_TYPE.float16
  );
  const rounded = isRounded ? { roundTo: "float16" } as const : {};
  const [vocabularySize, hiddenSize] = dims as [number, number];
  const tensor = { type: type as OnnxType, dims, ...data, ...rounded };
  const b = graphBuilder(weightsIn(new Map([[name, tensor]])));
  const w = b.input(DENSE.weights, "float32", ["R", vocabularySize]), axis = b.integers([1]);
  const part = Math.ceil(TABLE_PART / hiddenSize);
  let sum: string | undefined;
  for (let first = 0; first < vocabularySize; first += part) {
    const rows = Math.min(part, vocabularySize - first);
    const own = b.op("Slice", [w, b.integers([first]), b.integers([first + rows]), axis]);
    const product = b.op("MatMul", [own, b.weight(name, dims, { first, rows })]);
    sum = sum === undefined ? product : b.op("Add", [sum, product]);
  }
  b.op("Identity", [sum!], { outputs: [DENSE.embeddings] });
  b.output(DENSE.embeddings, "float32", ["R", hiddenSize]);
  return b.graph();
}

/** Options of {@linkcode gatedMlp}. */
export interface MlpOptions {
  /** Whether the three layers have biases; default false. */
  readonly bias?: boolean;
  /** Activation of the gate; default "silu". "gelu_tanh" is GELU by its tanh approximation. */
  readonly activation?: "silu" | "gelu_tanh";
}

/** `down(act(gate(x)) · up(x))`. */
export function gatedMlp(
  b: Builder,
  x: string,
  prefix: string,
  { hiddenSize, intermediateSize }: Pick<DecoderConfig, "hiddenSize" | "intermediateSize">,
  { bias = false, activation = "silu" }: MlpOptions = {},
): string {
  const project = (x: string, part: string, out: number, size: number) =>
    linear(
      b,
      x,
      `${prefix}.${part}_proj.weight`,
      out,
      size,
      bias ? { bias: `${prefix}.${part}_proj.bias` } : {},
    );
  const gate = project(x, "gate", intermediateSize, hiddenSize);
  const up = project(x, "up", intermediateSize, hiddenSize);
  const activated = activation === "silu"
    ? b.op("QuickGelu", [gate], { ...MICROSOFT, attributes: { alpha: { float: 1 } } })
    : b.op("Gelu", [gate], { attributes: { approximate: { text: "tanh" } } });
  return project(b.op("Mul", [activated, up]), "down", hiddenSize, intermediateSize);
}

/** Logits of the rows that are asked for; `softcap` c bounds them, `c · tanh(logits / c)`. */
export function head(
  b: Builder,
  x: string,
  table: string,
  { vocabularySize, hiddenSize }: DecoderConfig,
  softcap?: number,
): void {
  const rows = b.input(PORTS.rows, "int64", ["R"]);
  const flat = b.op("Reshape", [x, b.integers([-1, hiddenSize])]); // [B·S, D]
  const picked = b.op("Gather", [flat, rows], { attributes: { axis: { int: 0 } } }); // [R, D]
  const part = 64 * Math.ceil(TABLE_PART / (64 * hiddenSize)); // whole blocks of the kernel
  const options = { rows: part, leading: 1 } as const;
  if (softcap === undefined) {
    linear(b, picked, table, vocabularySize, hiddenSize, { ...options, output: PORTS.logits });
  } else {
    const cap = b.floats("logit_softcap", Float32Array.of(softcap), []);
    const bounded = b.op("Tanh", [
      b.op("Div", [linear(b, picked, table, vocabularySize, hiddenSize, options), cap]),
    ]);
    b.op("Mul", [bounded, cap], { outputs: [PORTS.logits] });
  }
  b.output(PORTS.logits, "float32", ["R", vocabularySize]);
}

/**
 * The graph of a decoder: mixtures of embeddings, the residual stream, the head. `stream` gives what is
 * normed after the last layer, from the embeddings `[B, S, D]`.
 */
export function decoderGraph(
  b: Builder,
  config: DecoderConfig,
  stream: (x: string, slots: Slots) => string,
  softcap?: number,
): Graph {
  const table = "model.embed_tokens.weight", x = mixtureOfEmbeddings(b, table, config);
  const normed = stream(x, slotInputs(b));
  head(b, normed, config.tiedEmbeddings ? table : "lm_head.weight", config, softcap);
  return b.graph();
}
