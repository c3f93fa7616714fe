/**
 * Qwen2 and Qwen2.5 (`Qwen2ForCausalLM`; also QwQ-32B and DAPO-Qwen-32B): pre-norm decoder,
 * grouped-query attention with biases on q, k and v, gated SiLU feed-forward.
 *
 * Source: the published configurations, `configuration_qwen2.py` and `modeling_qwen2.py` of
 * transformers 4.57.
 *
 * @module
 */

import type { Architecture, RopedConfig } from "./config.ts";
import { likeLlama } from "./like_llama.ts";
import { windowsOf } from "./windows.ts";

/** Qwen2. */
export const qwen2: Architecture<RopedConfig> = likeLlama("qwen2", {
  defaults: { max_position_embeddings: 32_768, rms_norm_eps: 1e-6, max_window_layers: 28 },
  biases: "qkv",
  own: (f, { layers }) => ({ windows: windowsOf(f, layers) }),
});
