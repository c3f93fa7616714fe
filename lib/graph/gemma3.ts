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
import { headNorm } from "./attention.ts";
import { type Builder, graphBuilder } from "./builder.ts";
import type { Architecture, RopedConfig } from "./config.ts";
import { fieldsOf, type Json } from "./fields.ts";
import { likeLlama, type Particulars } from "./like_llama.ts";
import { windowsByPattern } from "./windows.ts";

/** The text part of a conditional-generation config; what else it says has no part in the text. */
function textOf(json: Json): Json {
  const f = fieldsOf(json), text = f.take("text_config");
  if (!isObject(text)) return f.refuse("text_config", "be an object", text);
  fieldsOf(text, "text_config").only("model_type", "gemma3_text");
  f.skip("vision_config", "mm_tokens_per_image");
  f.skip("boi_token_index", "eoi_token_index", "image_token_index");
  f.only("tie_word_embeddings", text.tie_word_embeddings ?? true);
  f.done();
  return text;
}

/** The same builder with the weights of all norms as 1 + w (folded when the session starts). */
function onePlusNorms(b: Builder): Builder {
  const one = b.floats("one", Float32Array.of(1), []);
  const weight: Builder["weight"] = (name, dims, range) => {
    const w = b.weight(name, dims, range);
    return name.endsWith("norm.weight") ? b.op("Add", [w, one]) : w;
  };
  return { ...b, weight };
}

const PARTICULARS: Particulars<object> = {
  ...{ positions: 131_072, eps: 1e-6, theta: 1e6, localTheta: 1e4, vocabulary: 262_208 },
  ...{ heads: 8, kvHeads: 4, headDim: 256, tied: true },
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
      attentionBias: f.flag("attention_bias", false),
      scale: f.positive("query_pre_attn_scalar", 256) ** -0.5,
      embeddingScale: Math.fround(Math.sqrt(hiddenSize)),
      finalSoftcap: f.optionalPositive("final_logit_softcapping"),
    };
  },
  builder: (weights) => onePlusNorms(graphBuilder(weights)),
};

/** Gemma 3, text only. */
export const gemma3Text: Architecture<RopedConfig> = likeLlama("gemma3_text", PARTICULARS);

/** Gemma 3 with a vision part, of which the text part is used. */
export const gemma3: Architecture<RopedConfig> = likeLlama("gemma3", {
  ...{ ...PARTICULARS, renamed: textOf, path: "text_config" },
});
