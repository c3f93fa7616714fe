/**
 * OLMo 2 (`Olmo2ForCausalLM`): the norms stand after attention and feed-forward, before the result is
 * added; queries and keys are normed over all heads at once, before the rotation.
 *
 * `x ← x + norm(attention(x))`, `x ← x + norm(mlp(x))`.
 *
 * Source: the published configurations, `configuration_olmo2.py` and `modeling_olmo2.py` of
 * transformers 4.57.
 *
 * @module
 */

import type { Architecture, RopedConfig } from "./config.ts";
import { rmsNorm } from "./decoder.ts";
import { likeLlama } from "./like_llama.ts";

/** OLMo 2. */
export const olmo2: Architecture<RopedConfig> = likeLlama("olmo2", {
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
  norms: {
    attention: [undefined, "post_attention_layernorm"],
    mlp: [undefined, "post_feedforward_layernorm"],
  },
  normalize: (b, x, name, heads, { headDim, rmsNormEps }) =>
    rmsNorm(b, x, name, heads * headDim, rmsNormEps),
  own: (f) => ({ attentionBias: f.flag("attention_bias") }),
});
