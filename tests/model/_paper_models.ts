/** The shapes of the paper's four models, as their published configurations give them. */

const QWEN_32B = {
  model_type: "qwen2",
  hidden_act: "silu",
  hidden_size: 5120,
  intermediate_size: 27648,
  num_attention_heads: 40,
  num_hidden_layers: 64,
  num_key_value_heads: 8,
  max_position_embeddings: 40960,
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  tie_word_embeddings: false,
  use_sliding_window: false,
  vocab_size: 152064,
};

/** Width of each block's feed-forward; negative where the block has no attention. */
const BLOCKS = [
  [2.625],
  Array(5).fill(5.25),
  [-2.625, -2.625],
  Array(3).fill(5.25),
  [-3.28125],
  Array(30).fill(5.25),
  [-1.3125, -2.625, -2.625, -1.3125, -5.25, -1.3125, -2.625, -1.3125, -1.3125, -1.3125, 5.25],
  [-1.3125, -1, -1, -1.3125, -1, -1, -1, -1.3125, -1.3125, -0.5, -0.5, -1, -1, -0.5, -0.5, -1],
  [-0.5, -0.5],
  Array(9).fill(5.25),
].flat();

export const NEMOTRON_SUPER_49B = {
  model_type: "nemotron-nas",
  attention_bias: false,
  block_configs: BLOCKS.map((mult) => ({
    attention: {
      n_heads_in_group: mult > 0 ? 8 : null,
      no_op: mult < 0,
      replace_with_linear: false,
      window_length: null,
      num_sink_tokens: null,
      sparsify: null,
    },
    ffn: { ffn_mult: Math.abs(mult), no_op: false, replace_with_linear: false, sparsify: null },
  })),
  hidden_act: "silu",
  hidden_size: 8192,
  intermediate_size: null,
  max_position_embeddings: 131072,
  mlp_bias: false,
  num_attention_heads: 64,
  num_hidden_layers: 80,
  num_key_value_heads: null,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    rope_type: "llama3",
    factor: 8,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
  },
  rope_theta: 500000,
  tie_word_embeddings: false,
  vocab_size: 128256,
};

const GEMMA_3_27B = {
  model_type: "gemma3",
  text_config: {
    model_type: "gemma3_text",
    head_dim: 128,
    hidden_size: 5376,
    intermediate_size: 21504,
    num_attention_heads: 32,
    num_hidden_layers: 62,
    num_key_value_heads: 16,
    query_pre_attn_scalar: 168,
    rope_scaling: { factor: 8, rope_type: "linear" },
    sliding_window: 1024,
  },
  torch_dtype: "bfloat16",
  vision_config: {},
};

export const PAPER_MODELS: Readonly<Record<string, object>> = {
  "Qwen/QwQ-32B": QWEN_32B,
  "nvidia/Llama-3_3-Nemotron-Super-49B-v1": NEMOTRON_SUPER_49B,
  "google/gemma-3-27b-it": GEMMA_3_27B,
  "BytedTsinghua-SIA/DAPO-Qwen-32B": { ...QWEN_32B, max_position_embeddings: 131072 },
};
