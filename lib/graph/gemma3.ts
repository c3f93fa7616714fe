/**
 * Gemma 3 (`Gemma3ForCausalLM`, and the text part of `Gemma3ForConditionalGeneration`): embeddings
 * times √D, four norms a layer, head norms of queries and keys, layers that see the last positions
 * between layers that see all, each kind with a rotation of its own, gated GELU feed-forward.
 *
 * - Every norm multiplies by 1 + w.
 * - The embeddings' factor is √D in float32, as in transformers when the model computes in float32; a
 *   model that computes in bfloat16 rounds it (for D = 3840 from 61.97 to 62).
 * - Scores are scaled by `query_pre_attn_scalar^−½`.
 * - Where the checkpoint has a vision part, its tensors are not touched.
 *
 * Source: the published configurations, `configuration_gemma3.py` and `modeling_gemma3.py` of
 * transformers 4.57. `attn_logit_softcapping` is refused: transformers reads it and does not use it.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { headNorm, rotaryOf, selfAttention } from "./attention.ts";
import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import {
  type Architecture,
  decoderGraph,
  decoderShape,
  gatedMlp,
  type RopedConfig,
} from "./decoder.ts";
import { type Fields, fieldsOf, type Json } from "./fields.ts";
import { residualStack, type Sublayer } from "./residual.ts";
import { slidingLayers, windowOf } from "./windows.ts";
import { reachOf, type Rope, ropeOf, ropeSettings } from "./rope.ts";

/** Shape of a Gemma 3 model. */
export interface Gemma3Config extends RopedConfig {
  /** Rotary settings of the layers with a window. */
  readonly localRope: Rope;
  /** Factor of the scores. */
  readonly scale: number;
  /** Factor of the embeddings. */
  readonly embeddingScale: number;
  /** Bound of the logits, c in `c · tanh(logits / c)`; undefined for none. */
  readonly finalSoftcap: number | undefined;
}

/** Rotary settings: one set a kind of layer (transformers 5), or the global ones and a local base. */
function ropes(f: Fields, headDim: number, maxPositions: number): { rope: Rope; localRope: Rope } {
  const context = { headDim, partial: 1, maxPositions };
  const parameters = f.take("rope_parameters");
  const local = f.positive("rope_local_base_freq", 1e4);
  if (
    isObject(parameters) && ("full_attention" in parameters || "sliding_attention" in parameters)
  ) {
    const of = (name: string, theta: number) => {
      const path = `rope_parameters.${name}`, settings = parameters[name];
      if (!isObject(settings)) return f.refuse(path, "be an object", settings);
      return ropeOf({ rope_theta: theta, ...settings }, path, context);
    };
    const { full_attention: _, sliding_attention: __, ...rest } = parameters;
    fieldsOf(rest, "rope_parameters").done({ strict: true });
    f.only("rope_scaling", undefined);
    f.skip("rope_theta");
    return { rope: of("full_attention", 1e6), localRope: of("sliding_attention", local) };
  }
  const { settings, path } = ropeSettings(f, 1e6);
  const localRope: Rope = { dims: headDim, theta: local, scaling: { type: "default" } };
  return { rope: ropeOf(settings, path, context), localRope };
}

/** Reads the text part; `path` is its name where it is not the whole of config.json. */
function parse(architecture: string, json: Json, path?: string): Gemma3Config {
  const f = fieldsOf(json, path);
  const shape = decoderShape(architecture, f, {
    positions: 131_072,
    eps: 1e-6,
    headDim: 256,
    tied: true,
    heads: 8,
    kvHeads: 4,
    vocabulary: 262_208,
  });
  const { layers, headDim, maxPositions, hiddenSize } = shape;
  const { rope, localRope } = ropes(f, headDim, maxPositions);
  const window = windowOf(f);
  const old = f.optionalSize("sliding_window_pattern") ?? 6;
  const pattern = f.optionalSize("_sliding_window_pattern") ?? old;
  const isSliding = slidingLayers(f, layers) ??
    Array.from({ length: layers }, (_, i) => (i + 1) % pattern !== 0);
  if (window === undefined && isSliding.includes(true)) {
    f.refuse("sliding_window", "be an integer for layers of sliding_attention", null);
  }
  const scalar = f.positive("query_pre_attn_scalar", 256);
  const attentionBias = f.flag("attention_bias", false);
  const finalSoftcap = f.optionalPositive("final_logit_softcapping");
  f.only("attn_logit_softcapping", undefined);
  f.only("hidden_activation", "gelu_pytorch_tanh");
  f.only("hidden_act", "gelu_pytorch_tanh");
  f.only("use_bidirectional_attention", false);
  f.done();
  return {
    ...shape,
    maxPositions: reachOf(rope.scaling, maxPositions).maxPositions, // linear: stated after scaling
    rope,
    localRope,
    ropeTheta: rope.theta,
    windows: isSliding.map((sliding) => sliding ? window : undefined),
    attentionBias,
    scale: scalar ** -0.5,
    embeddingScale: Math.fround(Math.sqrt(hiddenSize)),
    finalSoftcap,
  };
}

/** Fields of the whole of a conditional-generation config that its text part does not depend on. */
const VISION = [
  "vision_config",
  "mm_tokens_per_image",
  "boi_token_index",
  "eoi_token_index",
  "image_token_index",
];

/** Reads the text part of a conditional-generation config. */
function parseConditional(json: Json): Gemma3Config {
  const f = fieldsOf(json);
  const text = f.take("text_config");
  if (!isObject(text)) return f.refuse("text_config", "be an object", text);
  fieldsOf(text, "text_config").only("model_type", "gemma3_text");
  f.skip(...VISION);
  const tied = f.take("tie_word_embeddings");
  f.done();
  const config = parse("gemma3", text, "text_config");
  if (tied !== undefined && tied !== config.tiedEmbeddings) {
    f.refuse("tie_word_embeddings", `be ${config.tiedEmbeddings} as in text_config`, tied);
  }
  return config;
}

/** The same builder with the weights of all norms as 1 + w (folded when the session starts). */
function onePlusNorms(b: Builder): Builder {
  const one = b.floats("one", Float32Array.of(1), []);
  return {
    ...b,
    weight(name, dims) {
      const w = b.weight(name, dims);
      return name.endsWith("norm.weight") ? b.op("Add", [w, one]) : w;
    },
  };
}

function graph(config: Gemma3Config, weights: Weights, maxLength: number) {
  const { headDim, layers, rope, localRope, windows, scale } = config;
  const b = onePlusNorms(graphBuilder(weights));
  const factor = b.floats("embedding_scale", Float32Array.of(config.embeddingScale), []);
  return decoderGraph(b, config, (embeddings, slots) => {
    const x = b.op("Mul", [embeddings, factor]); // [B, S, D]
    const global = rotaryOf(b, slots, rope, headDim, maxLength);
    const local = rotaryOf(b, slots, localRope, headDim, maxLength, "local_rope");
    const sublayers = Array.from({ length: layers }, (_, layer): Sublayer[] => {
      const prefix = `model.layers.${layer}`;
      const rotary = windows?.[layer] === undefined ? global : local;
      return [{
        norms: [`${prefix}.input_layernorm`, `${prefix}.post_attention_layernorm`],
        run: (x) => selfAttention(b, x, layer, config, rotary, { normalize: headNorm, scale }),
      }, {
        norms: [`${prefix}.pre_feedforward_layernorm`, `${prefix}.post_feedforward_layernorm`],
        run: (x) => gatedMlp(b, x, `${prefix}.mlp`, config, { activation: "gelu_tanh" }),
      }];
    });
    return residualStack(b, x, sublayers.flat(), config);
  }, config.finalSoftcap);
}

/** Gemma 3, text only. */
export const gemma3Text: Architecture<Gemma3Config> = {
  parse: (json) => parse("gemma3_text", json, undefined),
  graph,
};

/** Gemma 3 with a vision part, of which the text part is used. */
export const gemma3: Architecture<Gemma3Config> = { parse: parseConditional, graph };
