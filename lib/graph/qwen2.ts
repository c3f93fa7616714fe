/**
 * Qwen2 and Qwen2.5 (`Qwen2ForCausalLM`; also QwQ-32B and DAPO-Qwen-32B): pre-norm decoder,
 * grouped-query attention with biases on q, k and v, gated SiLU feed-forward.
 *
 * Source: the published configurations, `configuration_qwen2.py` and `modeling_qwen2.py` of
 * transformers 4.57.
 *
 * @module
 */

import { selfAttention } from "./attention.ts";
import { type Architecture, gatedMlp, type RopedConfig, ropedShape } from "./decoder.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { preNormDecoder } from "./prenorm.ts";

/** A decoder whose layers may see the last positions only. */
export interface WindowedConfig extends RopedConfig {
  /** Number of last positions that the queries of each layer see; undefined where it is all. */
  readonly windows: readonly (number | undefined)[];
}

/**
 * Windows of the layers, as Qwen2 and Qwen3 configs give them: none unless `use_sliding_window`; then
 * in the layers that `layer_types` names, or from layer `max_window_layers` on.
 *
 * @param f The config.
 * @param layers Number of layers.
 */
export function windowsOf(f: Fields, layers: number): (number | undefined)[] {
  const isUsed = f.flag("use_sliding_window", false);
  f.skip("sliding_window", "max_window_layers");
  const window = isUsed ? f.optionalSize("sliding_window") : undefined;
  const first = isUsed ? f.size("max_window_layers", { min: 0, fallback: 28 }) : layers;
  const types = layerTypes(f, layers) ??
    Array.from({ length: layers }, (_, i) => window !== undefined && i >= first ? SLIDING : FULL);
  if (window === undefined && types.includes(SLIDING)) {
    f.refuse("layer_types", "hold only full_attention without a sliding window", types);
  }
  return types.map((type) => type === SLIDING ? window : undefined);
}

const FULL = "full_attention", SLIDING = "sliding_attention";

/** Kinds of attention by layer, or undefined where the config names none. */
export function layerTypes(f: Fields, layers: number): string[] | undefined {
  const types = f.take("layer_types");
  if (types === undefined) return undefined;
  const valid = Array.isArray(types) && types.length === layers &&
    types.every((type) => type === FULL || type === SLIDING);
  const rule = `be a list of ${layers} times ${FULL} or ${SLIDING}`;
  return valid ? types as string[] : f.refuse("layer_types", rule, types);
}

/** Qwen2. */
export const qwen2: Architecture<WindowedConfig> = {
  parse(json) {
    const f = fieldsOf(json);
    const shape = ropedShape("qwen2", f, { positions: 32_768, eps: 1e-6 });
    const windows = windowsOf(f, shape.layers);
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, windows };
  },

  graph: (config, weights, maxLength) =>
    preNormDecoder(config, weights, maxLength, (b, layer, rotary) => ({
      attention: (x, prefix) =>
        selfAttention(b, x, layer, prefix, config, rotary, {
          biases: "qkv",
          window: config.windows[layer],
        }),
      feedForward: (x, prefix) => gatedMlp(b, x, prefix, config),
    })),
};
