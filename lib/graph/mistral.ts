/**
 * Mistral (`MistralForCausalLM`): pre-norm decoder, grouped-query attention over the last positions,
 * gated SiLU feed-forward.
 *
 * Source: the published configurations, `configuration_mistral.py` and `modeling_mistral.py` of
 * transformers 4.57. A config without `sliding_window` has one of 4096 there; null is none.
 *
 * @module
 */

import { selfAttention } from "./attention.ts";
import { type Architecture, gatedMlp, type RopedConfig, ropedShape } from "./decoder.ts";
import { fieldsOf } from "./fields.ts";
import { preNormDecoder } from "./prenorm.ts";

/** Shape of a model with one window for all layers. */
export interface OneWindowConfig extends RopedConfig {
  /** Number of last positions that a query sees; undefined where it is all. */
  readonly window: number | undefined;
}

/** Mistral. */
export const mistral: Architecture<OneWindowConfig> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("mistral", f, { positions: 131_072, eps: 1e-6, kvHeads: 8 });
    const window = "sliding_window" in json ? f.optionalSize("sliding_window") : 4096;
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, window };
  },

  graph: (config, weights, maxLength) =>
    preNormDecoder(config, weights, maxLength, (b, layer, rotary) => ({
      attention: (x, prefix) =>
        selfAttention(b, x, layer, prefix, config, rotary, { window: config.window }),
      feedForward: (x, prefix) => gatedMlp(b, x, prefix, config),
    })),
};
