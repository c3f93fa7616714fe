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

import { rotaryOf, selfAttention, type SelfAttentionOptions } from "./attention.ts";
import { graphBuilder } from "./builder.ts";
import {
  type Architecture,
  decoderGraph,
  gatedMlp,
  rmsNorm,
  type RopedConfig,
  ropedShape,
} from "./decoder.ts";
import { fieldsOf } from "./fields.ts";

const normalize: SelfAttentionOptions["normalize"] = (b, x, name, heads, config) =>
  rmsNorm(b, x, name, heads * config.headDim, config.rmsNormEps);

/** OLMo 2. */
export const olmo2: Architecture<RopedConfig> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("olmo2", f, { positions: 2048, eps: 1e-5 });
    const attentionBias = f.flag("attention_bias", false);
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, attentionBias };
  },

  graph(config, weights, maxLength) {
    const { hiddenSize, headDim, rmsNormEps, layers, rope } = config, b = graphBuilder(weights);
    const norm = (x: string, name: string) =>
      rmsNorm(b, x, `${name}.weight`, hiddenSize, rmsNormEps);
    return decoderGraph(b, config, (x, slots) => {
      const rotary = rotaryOf(b, slots, rope, headDim, maxLength);
      for (let layer = 0; layer < layers; layer++) {
        const prefix = `model.layers.${layer}`;
        const attended = selfAttention(b, x, layer, config, rotary, { normalize });
        x = b.op("Add", [x, norm(attended, `${prefix}.post_attention_layernorm`)]);
        const mlp = gatedMlp(b, x, `${prefix}.mlp`, config);
        x = b.op("Add", [x, norm(mlp, `${prefix}.post_feedforward_layernorm`)]);
      }
      return norm(x, "model.norm");
    });
  },
};
