/**
 * The residual stream, and the architectures that are Llama but for what they say.
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

/** Names of the norms before and after a part of a layer, up to `.weight`. */
export type Norms = readonly [before?: string | undefined, after?: string | undefined];

/** A part of a layer that adds to the residual stream. */
export interface Sublayer {
  /** Its norms; all parts of a stream have one before, or none has. */
  readonly norms: Norms;
  /** What is added, from the stream. */
  run(x: string): string;
}

/** `x ← x + after(run(before(x)))` for all sublayers in order, then the last norm. */
export function residualStack(
  b: Builder,
  x: string,
  sublayers: readonly Sublayer[],
  { hiddenSize, rmsNormEps }: DecoderConfig,
): string {
  const last = "model.norm";
  const norm = (x: string, name: string | undefined) =>
    name === undefined ? x : rmsNorm(b, x, `${name}.weight`, hiddenSize, rmsNormEps);
  let residual = x, normed = norm(x, sublayers[0]?.norms[0]), isNormed = false;
  sublayers.forEach(({ run, norms: [before, after] }, i) => {
    const added = norm(run(normed), after);
    isNormed = before !== undefined;
    if (isNormed) { // with the next norm in one operator
      const next = `${sublayers[i + 1]?.norms[0] ?? last}.weight`;
      ({ normed, residual } = addAndNorm(b, residual, added, next, hiddenSize, rmsNormEps));
    } else residual = normed = b.op("Add", [residual, added]);
  });
  return isNormed ? normed : norm(residual, last);
}

/** What is particular to an architecture: what its configs leave out, how its layers differ from Llama's. */
export interface Particulars<Own extends object>
  extends ConfigDefaults, Pick<SelfAttentionOptions, "biases" | "normalize"> {
  /** Norms of the two parts of a layer. Default: Llama's. */
  readonly norms?: { readonly attention: Norms; readonly mlp: Norms };
  /** The config as it would be with Llama's names. Default: as it is. */
  renamed?(json: Json): Json;
  /** Reads the fields that not all architectures have. */
  own?(f: Fields, shape: RopedConfig): Own;
  /** The tensors as they would be with Llama's names. Default: as they are. */
  weights?(weights: Weights, config: RopedConfig & Own): Weights;
  /** Feed-forward of a layer, from the normed stream; undefined where it has none. Default: gated. */
  feedForward?(
    config: RopedConfig & Own,
    layer: number,
  ): ((b: Builder, x: string, prefix: string) => string) | undefined;
}

const gated =
  ({ mlpBias: bias = false, ...config }: RopedConfig) => (b: Builder, x: string, at: string) =>
    gatedMlp(b, x, at, config, { bias });

/**
 * An architecture with Llama's names: `model.embed_tokens`, in each layer `input_layernorm`, `self_attn`,
 * `post_attention_layernorm`, `mlp`, then `model.norm`, `lm_head`. A layer without a cache has no
 * attention.
 */
export function likeLlama<Own extends object = object>(
  modelType: string,
  particulars: Particulars<Own>,
): Architecture<RopedConfig & Own> {
  const {
    norms = { attention: ["input_layernorm"], mlp: ["post_attention_layernorm"] },
    renamed = (json) => json,
    weights: renamedWeights = (weights) => weights,
    feedForward = gated,
  } = particulars;
  return {
    parse(json) {
      const f = fieldsOf(renamed(json));
      const shape = ropedShape(modelType, f, particulars), own = particulars.own?.(f, shape);
      f.only("hidden_act", "silu");
      f.done();
      return { ...shape, ...own as Own };
    },
    graph(config, weights, maxLength) {
      const b = graphBuilder(renamedWeights(weights, config));
      const sublayersOf = (layer: number, rotary: Rotary): Sublayer[] => {
        const prefix = `model.layers.${layer}`, mlp = feedForward(config, layer);
        const under = (name?: string) => name && `${prefix}.${name}`;
        const named = ([before, after]: Norms): Norms => [under(before), under(after)];
        const attention: Sublayer = {
          norms: named(norms.attention),
          run: (x) => selfAttention(b, x, layer, config, rotary, particulars),
        };
        const run = (x: string) => mlp!(b, x, `${prefix}.mlp`);
        const hasCache = config.kv.some((own) => own.layer === layer);
        return [...hasCache ? [attention] : [], ...mlp ? [{ norms: named(norms.mlp), run }] : []];
      };
      return decoderGraph(b, config, (x, slots) => {
        const rotary = rotaryOf(b, slots, config.rope, config.headDim, maxLength);
        const layers = Array.from({ length: config.layers }, (_, i) => sublayersOf(i, rotary));
        return residualStack(b, x, layers.flat(), config);
      });
    },
  };
}
