/**
 * Phi-3 and Phi-4-mini (`Phi3ForCausalLM`): pre-norm decoder, grouped-query attention over all or the
 * last positions, part of each head rotated, gated SiLU feed-forward.
 *
 * The checkpoint holds q, k and v in one matrix, gate and up in another; here each is a range of the
 * rows of that tensor, and no byte is copied.
 *
 * Source: the published configurations, `configuration_phi3.py` and `modeling_phi3.py` of
 * transformers 4.57; `rope_scaling` of type su or yarn means longrope there. For longrope's two lists
 * see rope.ts.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import { graphBuilder, namesIn, type Range, rowsOf, weightOf, type Weights } from "./builder.ts";
import type { Architecture, RopedConfig } from "./config.ts";
import type { Json } from "./fields.ts";
import { likeLlama } from "./like_llama.ts";

/** The name that longrope has had before. */
function renamed(json: Json): Json {
  const scaling = json.rope_scaling;
  if (!isObject(scaling) || scaling.type !== "su" && scaling.type !== "yarn") return json;
  return { ...json, rope_scaling: { ...scaling, type: "longrope" } };
}

/** The checkpoint's tensors, and the parts of the fused ones under names of their own. */
function unfused(weights: Weights, config: RopedConfig): Weights {
  const { heads, kvHeads, headDim, hiddenSize, intermediateSize, layers } = config;
  const parts = new Map<string, Range & { readonly fused: string; readonly total: number }>();
  const kv = kvHeads * headDim, nameOf = namesIn(weights.names);
  const split = (asked: string, prefix: string, sizes: Readonly<Record<string, number>>) => {
    const fused = nameOf(asked), total = Object.values(sizes).reduce((sum, rows) => sum + rows);
    let first = 0;
    for (const [part, rows] of Object.entries(sizes)) {
      parts.set(nameOf(`${prefix}.${part}.weight`), { fused, total, first, rows });
      first += rows;
    }
  };
  for (let layer = 0; layer < layers; layer++) {
    const attn = `model.layers.${layer}.self_attn`, mlp = `model.layers.${layer}.mlp`;
    split(`${attn}.qkv_proj.weight`, attn, { q_proj: heads * headDim, k_proj: kv, v_proj: kv });
    const halves = { gate_proj: intermediateSize, up_proj: intermediateSize };
    split(`${mlp}.gate_up_proj.weight`, mlp, halves);
  }
  return {
    names: weights.names,
    find(name, dims, use) {
      const part = parts.get(name);
      if (!part) return weights.find(name, dims, use);
      const whole = weightOf(weights, part.fused, [part.total, hiddenSize], use);
      return { ...whole, ...rowsOf(whole, part) };
    },
  };
}

/** Phi-3. */
export const phi3: Architecture<RopedConfig> = likeLlama("phi3", {
  defaults: { max_position_embeddings: 4096, rms_norm_eps: 1e-5 },
  partialRotary: true,
  renamed,
  own: (f, { layers }) => ({ windows: Array(layers).fill(f.optionalSize("sliding_window")) }),
  builder: (weights, config, target) => graphBuilder(unfused(weights, config), target),
});
