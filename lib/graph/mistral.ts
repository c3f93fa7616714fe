/**
 * Mistral (`MistralForCausalLM`): pre-norm decoder, grouped-query attention over the last positions,
 * gated SiLU feed-forward.
 *
 * Source: the published configurations, `configuration_mistral.py` and `modeling_mistral.py` of
 * transformers 4.57. A config without `sliding_window` has one of 4096 there; null is none.
 *
 * @module
 */

import type { Architecture, RopedConfig } from "./config.ts";
import { likeLlama } from "./like_llama.ts";
import { sameWindows } from "./windows.ts";

/** Mistral. */
export const mistral: Architecture<RopedConfig> = likeLlama("mistral", {
  defaults: { max_position_embeddings: 131_072, rms_norm_eps: 1e-6, num_key_value_heads: 8 },
  own: (f, { layers }) => ({ windows: sameWindows(f, layers) }),
});
