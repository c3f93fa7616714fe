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

import { selfAttention } from "./attention.ts";
import { namesIn, type Weight, type Weights } from "./builder.ts";
import { type Architecture, gatedMlp, ropedShape } from "./decoder.ts";
import { fieldsOf, type Json } from "./fields.ts";
import type { OneWindowConfig } from "./mistral.ts";
import { preNormDecoder } from "./prenorm.ts";

/** The name that longrope has had before. */
function renamed(json: Json): Json {
  const scaling = json.rope_scaling;
  if (typeof scaling !== "object" || scaling === null || !("type" in scaling)) return json;
  if (scaling.type !== "su" && scaling.type !== "yarn") return json;
  return { ...json, rope_scaling: { ...scaling, type: "longrope" } };
}

/** Ranges of rows of a matrix `[Σ rows, …]` as tensors of their own. */
function splitRows(name: string, weight: Weight, parts: Readonly<Record<string, number>>) {
  const { dims, offset, length } = weight;
  const total = Object.values(parts).reduce((sum, rows) => sum + rows);
  if (dims[0] !== total) {
    throw new SyntaxError(
      `Cannot build the graph as '${name}' must have the ${total} rows that the config asks for: current value is [${dims}]`,
    );
  }
  const rowBytes = length / total;
  let row = 0;
  return Object.entries(parts).map(([part, rows]): [string, Weight] => {
    const range = { offset: offset + row * rowBytes, length: rows * rowBytes };
    row += rows;
    return [part, { ...weight, dims: [rows, ...dims.slice(1)], ...range }];
  });
}

/** The checkpoint's tensors, and the parts of the fused ones under names of their own. */
function unfused(weights: Weights, config: OneWindowConfig): Weights {
  const { heads, kvHeads, headDim, hiddenSize, intermediateSize, layers } = config;
  const all = new Map<string, Weight>(), kv = kvHeads * headDim, nameOf = namesIn(weights);
  const split = (asked: string, prefix: string, parts: Readonly<Record<string, number>>) => {
    const fused = nameOf(asked);
    const rows = Object.values(parts).reduce((sum, rows) => sum + rows);
    const weight = weights.get(fused, [rows, hiddenSize]);
    if (!weight) {
      throw new SyntaxError(`Cannot build the graph as the checkpoint has no tensor '${fused}'`);
    }
    for (const [part, range] of splitRows(fused, weight, parts)) {
      all.set(nameOf(`${prefix}.${part}.weight`), range);
    }
  };
  for (let layer = 0; layer < layers; layer++) {
    const attn = `model.layers.${layer}.self_attn`, mlp = `model.layers.${layer}.mlp`;
    split(`${attn}.qkv_proj.weight`, attn, { q_proj: heads * headDim, k_proj: kv, v_proj: kv });
    const halves = { gate_proj: intermediateSize, up_proj: intermediateSize };
    split(`${mlp}.gate_up_proj.weight`, mlp, halves);
  }
  const get = (name: string, dims?: readonly number[]) => all.get(name) ?? weights.get(name, dims);
  return Object.assign(new Map(weights), { get });
}

/** Phi-3. */
export const phi3: Architecture<OneWindowConfig> = {
  parse(json) {
    const f = fieldsOf(renamed(json));
    const shape = ropedShape("phi3", f, { positions: 4096, eps: 1e-5, partialRotary: true });
    const window = f.optionalSize("sliding_window");
    f.only("hidden_act", "silu");
    f.done();
    return { ...shape, window };
  },

  graph: (config, weights, maxLength) =>
    preNormDecoder(config, unfused(weights, config), maxLength, (b, layer, rotary) => ({
      attention: (x, prefix) =>
        selfAttention(b, x, layer, prefix, config, rotary, { window: config.window }),
      feedForward: (x, prefix) => gatedMlp(b, x, prefix, config),
    })),
};
