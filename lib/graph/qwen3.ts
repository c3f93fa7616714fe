/**
 * Qwen3 (`Qwen3ForCausalLM`): pre-norm decoder, grouped-query attention with an RMSNorm on every
 * query and key head before the rotation, gated SiLU feed-forward.
 *
 * Source: the published configuration and `modeling_qwen3.py` of transformers 4.57.
 *
 * @module
 */

import { headNorm, selfAttention } from "./attention.ts";
import { type Architecture, gatedMlp, ropedShape } from "./decoder.ts";
import { fieldsOf } from "./fields.ts";
import { preNormDecoder } from "./prenorm.ts";
import { type WindowedConfig, windowsOf } from "./qwen2.ts";

/** Shape of a Qwen3 model. */
export interface Qwen3Config extends WindowedConfig {
  /** Whether q, k, v and o have biases. */
  readonly attentionBias: boolean;
}

/** Qwen3. */
export const qwen3: Architecture<Qwen3Config> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("qwen3", f, { positions: 32_768, eps: 1e-6, headDim: 128 });
    const attentionBias = f.flag("attention_bias", false);
    const windows = windowsOf(f, shape.layers);
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, attentionBias, windows };
  },

  graph: (config, weights, maxLength) =>
    preNormDecoder(config, weights, maxLength, (b, layer, rotary) => ({
      attention: (x, prefix) =>
        selfAttention(b, x, layer, prefix, config, rotary, {
          biases: config.attentionBias ? "qkvo" : "",
          normalize: (x, name, heads) => headNorm(b, x, name, heads, config),
          window: config.windows[layer],
        }),
      feedForward: (x, prefix) => gatedMlp(b, x, prefix, config),
    })),
};
