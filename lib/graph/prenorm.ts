/**
 * The pre-norm residual stream that most decoders share.
 *
 * @module
 */

import { attentionInputs, type Rotary, rotaryOf } from "./attention.ts";
import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import {
  addAndNorm,
  type DecoderConfig,
  head,
  mixtureOfEmbeddings,
  rmsNorm,
  type RopedConfig,
} from "./decoder.ts";
import type { Graph } from "./onnx.ts";

/** What a layer computes; a part that it lacks adds nothing and has no norm. */
export interface Layer {
  /** Attention, from the normed stream; its tensors' names begin with `prefix`. */
  readonly attention?: (x: string, prefix: string) => string;
  /** Feed-forward, from the normed stream. */
  readonly feedForward?: (x: string, prefix: string) => string;
}

/** A part of a layer that adds to the residual stream. */
export interface Sublayer {
  /** Name of the norm before it. */
  readonly norm: string;
  /** What is added, from the normed stream. */
  run(normed: string): string;
}

/** `x ← x + run(norm(x))` for all sublayers in order, then the last norm. */
export function preNormStack(
  b: Builder,
  x: string,
  sublayers: readonly Sublayer[],
  lastNorm: string,
  { hiddenSize, rmsNormEps }: DecoderConfig,
): string {
  const normOf = (i: number) => sublayers[i]?.norm ?? lastNorm;
  let residual = x, normed = rmsNorm(b, x, normOf(0), hiddenSize, rmsNormEps);
  sublayers.forEach(({ run }, i) => {
    const added = run(normed);
    ({ normed, residual } = addAndNorm(b, residual, added, normOf(i + 1), hiddenSize, rmsNormEps));
  });
  return normed;
}

/**
 * The graph of a pre-norm decoder with Llama's names: `model.embed_tokens`, in each layer
 * `input_layernorm`, `self_attn`, `post_attention_layernorm`, `mlp`, then `model.norm`, `lm_head`.
 *
 * @param config Shape of the model.
 * @param weights Tensors of the checkpoint.
 * @param maxLength Longest context of any slot.
 * @param layerOf What a layer computes.
 */
export function preNormDecoder(
  config: RopedConfig,
  weights: Weights,
  maxLength: number,
  layerOf: (b: Builder, layer: number, rotary: Rotary) => Layer,
): Graph {
  const b = graphBuilder(weights), embeddings = "model.embed_tokens.weight";
  const x = mixtureOfEmbeddings(b, embeddings, config); // [B, S, D]
  const rotary = rotaryOf(b, attentionInputs(b), config.rope, config.headDim, maxLength);
  const sublayers: Sublayer[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const { attention, feedForward } = layerOf(b, layer, rotary), prefix = `model.layers.${layer}`;
    if (attention) {
      const run = (x: string) => attention(x, `${prefix}.self_attn`);
      sublayers.push({ norm: `${prefix}.input_layernorm.weight`, run });
    }
    if (feedForward) {
      const run = (x: string) => feedForward(x, `${prefix}.mlp`);
      sublayers.push({ norm: `${prefix}.post_attention_layernorm.weight`, run });
    }
  }
  const normed = preNormStack(b, x, sublayers, "model.norm.weight", config);
  head(b, normed, config.tiedEmbeddings ? embeddings : "lm_head.weight", config);
  return b.graph();
}
