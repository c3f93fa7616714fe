/**
 * Qwen3 (`Qwen3ForCausalLM`): pre-norm decoder, grouped-query attention with an RMSNorm on every
 * query and key head before the rotation, gated SiLU feed-forward.
 *
 * Source: the published configuration and `modeling_qwen3.py` of transformers 4.57.
 *
 * @module
 */

import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import {
  addAndNorm,
  attention,
  attentionInputs,
  type DecoderConfig,
  gatedMlp,
  head,
  mixtureOfEmbeddings,
  rmsNorm,
} from "./decoder.ts";
import { linear } from "./linear.ts";
import type { Graph } from "./onnx.ts";

/** RMSNorm of each head of a projection `[B, S, heads · headDim]`. */
function headNorm(b: Builder, x: string, name: string, heads: number, config: DecoderConfig) {
  const { headDim, rmsNormEps } = config;
  const split = b.op("Reshape", [x, b.integers([0, 0, heads, headDim])]);
  const normed = rmsNorm(b, split, name, headDim, rmsNormEps);
  return b.op("Reshape", [normed, b.integers([0, 0, heads * headDim])]);
}

/**
 * The graph of a Qwen3 model.
 *
 * @param config Shape of the model.
 * @param weights Tensors of the checkpoint.
 * @param maxLength Longest context of any slot; sizes the rotary tables.
 */
export function qwen3(config: DecoderConfig, weights: Weights, maxLength: number): Graph {
  const { hiddenSize, heads, kvHeads, headDim, layers, rmsNormEps } = config;
  const b = graphBuilder(weights);
  const embeddings = "model.embed_tokens.weight";
  let residual = mixtureOfEmbeddings(b, embeddings, config); // [B, S, D]
  const shared = attentionInputs(b, config, maxLength);
  let normed = rmsNorm(
    b,
    residual,
    "model.layers.0.input_layernorm.weight",
    hiddenSize,
    rmsNormEps,
  );
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`, attn = `${prefix}.self_attn`;
    const q = linear(b, normed, `${attn}.q_proj.weight`, heads * headDim, hiddenSize);
    const k = linear(b, normed, `${attn}.k_proj.weight`, kvHeads * headDim, hiddenSize);
    const v = linear(b, normed, `${attn}.v_proj.weight`, kvHeads * headDim, hiddenSize);
    const attended = attention(
      b,
      layer,
      [
        headNorm(b, q, `${attn}.q_norm.weight`, heads, config),
        headNorm(b, k, `${attn}.k_norm.weight`, kvHeads, config),
        v,
      ],
      shared,
      config,
    );
    const o = linear(b, attended, `${attn}.o_proj.weight`, hiddenSize, heads * headDim);
    const middle = `${prefix}.post_attention_layernorm.weight`;
    ({ normed, residual } = addAndNorm(b, residual, o, middle, hiddenSize, rmsNormEps));
    const mlp = gatedMlp(b, normed, `${prefix}.mlp`, config);
    const next = layer + 1 < layers
      ? `model.layers.${layer + 1}.input_layernorm.weight`
      : "model.norm.weight";
    ({ normed, residual } = addAndNorm(b, residual, mlp, next, hiddenSize, rmsNormEps));
  }
  head(b, normed, config.tiedEmbeddings ? embeddings : "lm_head.weight", config);
  return b.graph();
}
