/**
 * Gemma 3 (`Gemma3ForCausalLM`, and the text part of `Gemma3ForConditionalGeneration`): embeddings
 * times √D, four norms a layer, head norms of queries and keys, layers that see the last positions
 * between layers that see all, each kind with a rotation of its own, gated GELU feed-forward.
 *
 * - Every norm multiplies by 1 + w.
 * - The embeddings' factor is √D in float32, as in transformers when the model computes in float32; a
 *   model that computes in bfloat16 rounds it (for D = 3840 from 61.97 to 62).
 * - The residual stream exceeds 65,504 in the larger models, so float16 cannot hold it.
 * - Where the checkpoint has a vision part, its tensors are not touched.
 *
 * Source: the published configurations, `configuration_gemma3.py` and `modeling_gemma3.py` of
 * transformers 4.57. `attn_logit_softcapping` is refused: transformers reads it and does not use it.
 *
 * @module
 */

import { headNorm } from "./attention.ts";
import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import type { Architecture, RopedConfig } from "./config.ts";
import { fieldsOf, type Json } from "./fields.ts";
import { likeLlama, type Particulars } from "./like_llama.ts";
import type { Target } from "./target.ts";
import { windowsByPattern } from "./windows.ts";

/** The text part of a conditional-generation config; what else it says has no part in the text. */
function textOf(json: Json): Json {
  const f = fieldsOf(json), text = f.object("text_config");
  fieldsOf(text, "text_config").only("model_type", "gemma3_text");
  f.skip("vision_config", "mm_tokens_per_image");
  f.skip("boi_token_index", "eoi_token_index", "image_token_index");
  f.only("tie_word_embeddings", text.tie_word_embeddings ?? true);
  f.done();
  return text;
}

/** A builder with the weights of all norms as 1 + w (folded when the session starts). */
function onePlusNorms(weights: Weights, _config: RopedConfig, target: Target): Builder {
  const b = graphBuilder(weights, target), one = b.floats("one", Float32Array.of(1), []);
  const weight: Builder["weight"] = (name, ...shape) => {
    const w = b.weight(name, ...shape);
    return name.endsWith("norm.weight") ? b.op("Add", [w, one]) : w;
  };
  return { ...b, weight };
}

const PARTICULARS: Particulars<object> = {
  defaults: {
    ...{ max_position_embeddings: 131_072, rms_norm_eps: 1e-6, vocab_size: 262_208 },
    ...{ num_attention_heads: 8, num_key_value_heads: 4, head_dim: 256 },
    ...{ rope_theta: 1e6, rope_local_base_freq: 1e4, query_pre_attn_scalar: 256 },
    tie_word_embeddings: true,
  },
  hasLocalRope: true,
  isWide: true,
  activation: "gelu_tanh",
  normalize: headNorm,
  norms: {
    attention: ["input_layernorm", "post_attention_layernorm"],
    mlp: ["pre_feedforward_layernorm", "post_feedforward_layernorm"],
  },
  own(f, { layers, hiddenSize }) {
    f.only("attn_logit_softcapping", undefined);
    f.only("hidden_activation", "gelu_pytorch_tanh");
    f.only("use_bidirectional_attention", false);
    return {
      windows: windowsByPattern(f, layers),
      attentionBias: f.flag("attention_bias"),
      scale: f.positive("query_pre_attn_scalar") ** -0.5,
      embeddingScale: Math.fround(Math.sqrt(hiddenSize)),
      finalSoftcap: f.optionalPositive("final_logit_softcapping"),
    };
  },
  builder: onePlusNorms,
};

/** Gemma 3, text only. */
export const gemma3Text: Architecture<RopedConfig> = likeLlama("gemma3_text", PARTICULARS);

/** Gemma 3 with a vision part, of which the text part is used. */
export const gemma3: Architecture<RopedConfig> = likeLlama("gemma3", {
  ...{ ...PARTICULARS, renamed: textOf, path: "text_config" },
});
