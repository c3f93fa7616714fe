/**
 * Qwen3 (`Qwen3ForCausalLM`): pre-norm decoder, grouped-query attention with an RMSNorm on every
 * query and key head before the rotation, gated SiLU feed-forward.
 *
 * Source: the published configuration and `modeling_qwen3.py` of transformers 4.57.
 *
 * @module
 */

import { headNorm } from "./attention.ts";
import type { Architecture, RopedConfig } from "./config.ts";
import { likeLlama } from "./like_llama.ts";
import { windowsOf } from "./windows.ts";

/** Qwen3. */
export const qwen3: Architecture<RopedConfig> = likeLlama("qwen3", {
  defaults: {
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    head_dim: 128,
    max_window_layers: 28,
  },
  normalize: headNorm,
  own: (f, { layers }) => ({
    attentionBias: f.flag("attention_bias"),
    windows: windowsOf(f, layers),
  }),
});
