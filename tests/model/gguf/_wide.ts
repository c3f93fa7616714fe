/** A model whose matrices have whole blocks of every type. */

import { type ArchitectureCase, caseOf } from "../../golden/architectures.ts";

/** One layer, 256 numbers a row. */
export const WIDE: ArchitectureCase = {
  ...caseOf("llama, one key head a query head"),
  config: {
    ...caseOf("llama, one key head a query head").config,
    ...{ hidden_size: 256, intermediate_size: 256, num_hidden_layers: 1, head_dim: 64 },
    ...{ num_key_value_heads: 2, tie_word_embeddings: true },
  },
  tensors: [
    ["model.embed_tokens.weight", [48, 256], 0, 1],
    ["model.norm.weight", [256], 1, 0.2],
    ["model.layers.0.input_layernorm.weight", [256], 1, 0.2],
    ["model.layers.0.post_attention_layernorm.weight", [256], 1, 0.2],
    ["model.layers.0.self_attn.q_proj.weight", [256, 256], 0, 1],
    ["model.layers.0.self_attn.k_proj.weight", [128, 256], 0, 1],
    ["model.layers.0.self_attn.v_proj.weight", [128, 256], 0, 1],
    ["model.layers.0.self_attn.o_proj.weight", [256, 256], 0, 1],
    ["model.layers.0.mlp.gate_proj.weight", [256, 256], 0, 1],
    ["model.layers.0.mlp.up_proj.weight", [256, 256], 0, 1],
    ["model.layers.0.mlp.down_proj.weight", [256, 256], 0, 1],
  ],
};
