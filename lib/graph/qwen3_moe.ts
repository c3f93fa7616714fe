/**
 * Qwen3 mixture of experts (`Qwen3MoeForCausalLM`): Qwen3 whose feed-forward is, in most layers, that
 * of experts.
 *
 * Source: the published configurations, `configuration_qwen3_moe.py` and `modeling_qwen3_moe.py` of
 * transformers 4.57, where a sliding window, if used, is that of every layer.
 *
 * @module
 */

import { headNorm } from "./attention.ts";
import type { Architecture, RopedConfig } from "./config.ts";
import { gatedMlp } from "./decoder.ts";
import { expertMlp, type Experts } from "./experts.ts";
import { likeLlama } from "./like_llama.ts";

/** Qwen3 mixture of experts. */
export const qwen3Moe: Architecture<RopedConfig & Experts> = likeLlama<Experts>("qwen3_moe", {
  defaults: {
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 768,
    decoder_sparse_step: 1,
    sliding_window: 4096,
  },
  normalize: headNorm,
  own(f, { layers }) {
    const isWindowed = f.flag("use_sliding_window");
    const window = isWindowed ? f.size("sliding_window") : undefined;
    f.skip("sliding_window", "max_window_layers"); // without effect
    const experts = f.size("num_experts", { max: 4096, min: 0 });
    const step = f.size("decoder_sparse_step");
    const dense = f.take("mlp_only_layers") ?? [];
    if (!Array.isArray(dense) || !dense.every((layer) => Number.isInteger(layer))) {
      return f.refuse("mlp_only_layers", "be a list of layers", dense);
    }
    return {
      attentionBias: f.flag("attention_bias"),
      windows: Array(layers).fill(window),
      experts,
      expertsPerToken: f.size("num_experts_per_tok", { max: Math.max(1, experts) }),
      expertSize: f.size("moe_intermediate_size"),
      normalized: f.flag("norm_topk_prob"),
      sparse: Array.from(
        { length: layers },
        (_, layer) => !dense.includes(layer) && experts > 0 && (layer + 1) % step === 0,
      ),
    };
  },
  feedForward: (config, layer) => (b, x, prefix) =>
    (config.sparse[layer] ? expertMlp : gatedMlp)(b, x, prefix, config),
});
