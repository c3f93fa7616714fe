/**
 * Llama (`LlamaForCausalLM`; also the many models that use its code): pre-norm decoder, grouped-query
 * attention, gated SiLU feed-forward, biases where the config asks for them.
 *
 * Source: the published configurations, `configuration_llama.py` and `modeling_llama.py` of
 * transformers 4.57.
 *
 * @module
 */

import type { Architecture, RopedConfig } from "./config.ts";
import { likeLlama } from "./like_llama.ts";

/** Llama. */
export const llama: Architecture<RopedConfig> = likeLlama("llama", {
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-6 },
  own: (f) => ({
    attentionBias: f.flag("attention_bias"),
    mlpBias: f.flag("mlp_bias"),
  }),
});
