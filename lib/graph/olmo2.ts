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

import { attentionInputs, rotaryOf, selfAttention } from "./attention.ts";
import { graphBuilder } from "./builder.ts";
import {
  type Architecture,
  gatedMlp,
  head,
  mixtureOfEmbeddings,
  rmsNorm,
  type RopedConfig,
  ropedShape,
} from "./decoder.ts";
import { fieldsOf } from "./fields.ts";

/** Shape of an OLMo 2 model. */
export interface Olmo2Config extends RopedConfig {
  /** Whether q, k, v and o have biases. */
  readonly attentionBias: boolean;
}

/** OLMo 2. */
export const olmo2: Architecture<Olmo2Config> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("olmo2", f, { positions: 2048, eps: 1e-5 });
    const attentionBias = f.flag("attention_bias", false);
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, attentionBias };
  },

  graph(config, weights, maxLength) {
    const { hiddenSize, headDim, rmsNormEps, layers } = config;
    const b = graphBuilder(weights), embeddings = "model.embed_tokens.weight";
    let x = mixtureOfEmbeddings(b, embeddings, config); // [B, S, D]
    const rotary = rotaryOf(b, attentionInputs(b), config.rope, headDim, maxLength);
    const norm = (x: string, name: string, size = hiddenSize) =>
      rmsNorm(b, x, name, size, rmsNormEps);
    for (let layer = 0; layer < layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const attended = selfAttention(b, x, layer, `${prefix}.self_attn`, config, rotary, {
        biases: config.attentionBias ? "qkvo" : "",
        normalize: (x, name, heads) => norm(x, name, heads * headDim),
      });
      x = b.op("Add", [x, norm(attended, `${prefix}.post_attention_layernorm.weight`)]);
      const mlp = gatedMlp(b, x, `${prefix}.mlp`, config);
      x = b.op("Add", [x, norm(mlp, `${prefix}.post_feedforward_layernorm.weight`)]);
    }
    const table = config.tiedEmbeddings ? embeddings : "lm_head.weight";
    head(b, norm(x, "model.norm.weight"), table, config);
    return b.graph();
  },
};
