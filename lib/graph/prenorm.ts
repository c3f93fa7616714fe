/**
 * The pre-norm residual stream that most decoders share, and the families that have it.
 *
 * @module
 */

import { type Rotary, rotaryOf, selfAttention, type SelfAttentionOptions } from "./attention.ts";
import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import {
  addAndNorm,
  type Architecture,
  type ConfigDefaults,
  type DecoderConfig,
  decoderGraph,
  gatedMlp,
  rmsNorm,
  type RopedConfig,
  ropedShape,
} from "./decoder.ts";
import { type Fields, fieldsOf, type Json } from "./fields.ts";

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
  { hiddenSize, rmsNormEps }: DecoderConfig,
): string {
  const normOf = (i: number) => sublayers[i]?.norm ?? "model.norm.weight";
  let residual = x, normed = rmsNorm(b, x, normOf(0), hiddenSize, rmsNormEps);
  sublayers.forEach(({ run }, i) => {
    const added = run(normed);
    ({ normed, residual } = addAndNorm(b, residual, added, normOf(i + 1), hiddenSize, rmsNormEps));
  });
  return normed;
}

/** What is particular to a family: what its configs leave out, and how its layers differ from Llama's. */
export interface Family<Own extends object>
  extends ConfigDefaults, Pick<SelfAttentionOptions, "biases" | "normalize"> {
  /** The config as it would be with Llama's names. Default: as it is. */
  renamed?(json: Json): Json;
  /** Reads the fields that not all families have. */
  own?(f: Fields, shape: RopedConfig): Own;
  /** The tensors as they would be with Llama's names. Default: as they are. */
  weights?(weights: Weights, config: RopedConfig & Own): Weights;
  /** Feed-forward of a layer, from the normed stream; undefined where it has none. Default: gated. */
  feedForward?(
    config: RopedConfig & Own,
    layer: number,
  ): ((b: Builder, x: string, prefix: string) => string) | undefined;
}

/**
 * An architecture with Llama's names: `model.embed_tokens`, in each layer `input_layernorm`, `self_attn`,
 * `post_attention_layernorm`, `mlp`, then `model.norm`, `lm_head`. A layer without a cache has no
 * attention.
 */
export function preNorm<Own extends object = object>(
  name: string,
  family: Family<Own>,
): Architecture<RopedConfig & Own> {
  const gated =
    ({ mlpBias = false, ...config }: RopedConfig) => (b: Builder, x: string, at: string) =>
      gatedMlp(b, x, at, config, { bias: mlpBias });
  const { renamed = (json) => json, weights: named = (weights) => weights } = family;
  const { feedForward = gated } = family;
  return {
    parse(json) {
      const f = fieldsOf(renamed(json));
      const shape = ropedShape(name, f, family), own = family.own?.(f, shape);
      f.only("hidden_act", "silu");
      f.done();
      return { ...shape, ...own as Own };
    },
    graph(config, weights, maxLength) {
      const b = graphBuilder(named(weights, config));
      const sublayersOf = (layer: number, rotary: Rotary): Sublayer[] => {
        const prefix = `model.layers.${layer}`, mlp = feedForward(config, layer);
        const attention: Sublayer = {
          norm: `${prefix}.input_layernorm.weight`,
          run: (x) => selfAttention(b, x, layer, config, rotary, family),
        };
        const norm = `${prefix}.post_attention_layernorm.weight`;
        return [
          ...config.kv.some((own) => own.layer === layer) ? [attention] : [],
          ...mlp ? [{ norm, run: (x: string) => mlp(b, x, `${prefix}.mlp`) }] : [],
        ];
      };
      return decoderGraph(b, config, (x, slots) => {
        const rotary = rotaryOf(b, slots, config.rope, config.headDim, maxLength);
        const layers = Array.from({ length: config.layers }, (_, i) => sublayersOf(i, rotary));
        return preNormStack(b, x, layers.flat(), config);
      });
    },
  };
}
