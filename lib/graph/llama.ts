/**
 * Llama (`LlamaForCausalLM`; also the many models that use its code): pre-norm decoder, grouped-query
 * attention, gated SiLU feed-forward, biases where the config asks for them.
 *
 * Source: the published configurations, `configuration_llama.py` and `modeling_llama.py` of
 * transformers 4.57.
 *
 * @module
 */

import { selfAttention } from "./attention.ts";
import { type Architecture, gatedMlp, type RopedConfig, ropedShape } from "./decoder.ts";
import { fieldsOf } from "./fields.ts";
import { preNormDecoder } from "./prenorm.ts";

/** Shape of a Llama model. */
export interface LlamaConfig extends RopedConfig {
  /** Whether q, k, v and o have biases. */
  readonly attentionBias: boolean;
  /** Whether gate, up and down have biases. */
  readonly mlpBias: boolean;
}

/** Llama. */
export const llama: Architecture<LlamaConfig> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("llama", f, { positions: 2048, eps: 1e-6 });
    const attentionBias = f.flag("attention_bias", false), mlpBias = f.flag("mlp_bias", false);
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, attentionBias, mlpBias };
  },

  graph: (config, weights, maxLength) =>
    preNormDecoder(config, weights, maxLength, (b, layer, rotary) => ({
      attention: (x, prefix) =>
        selfAttention(b, x, layer, prefix, config, rotary, {
          biases: config.attentionBias ? "qkvo" : "",
        }),
      feedForward: (x, prefix) => gatedMlp(b, x, prefix, config, { bias: config.mlpBias }),
    })),
};
