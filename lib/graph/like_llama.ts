/**
 * Decoders that are Llama but for what they say: mixtures of embeddings, the residual stream, the head.
 *
 * @module
 */

import {
  type Rotary,
  rotaryOf,
  selfAttention,
  type SelfAttentionOptions,
  slotInputs,
} from "./attention.ts";
import { type Builder, graphBuilder, type Weights } from "./builder.ts";
import { type Architecture, type DecoderConfig, decoderShape, type RopedConfig } from "./config.ts";
import { addAndNorm, gatedMlp, head, type MlpOptions, rmsNorm } from "./decoder.ts";
import { type Fields, fieldsOf, type Json } from "./fields.ts";
import { mixtureOfEmbeddings } from "./mixture.ts";
import type { RopeOptions } from "./rope.ts";
import { CPU_TARGET, type Target } from "./target.ts";

/** Names of the norms before and after a part of a layer, up to `.weight`. */
type Norms = readonly [before?: string | undefined, after?: string | undefined];

/** A part of a layer that adds to the residual stream. */
interface Sublayer {
  /** Its norms; all parts of a stream have one before, or none has. */
  readonly norms: Norms;
  /** What is added, from the stream. */
  run(x: string): string;
}

/**
 * `x ← x + after(run(before(x)))` for all sublayers in order, then the last norm.
 *
 * @param layers The sublayers of each layer.
 * @returns The normed stream, and the stream before the first layer and after each.
 */
function residualStack(
  b: Builder,
  x: string,
  layers: readonly (readonly Sublayer[])[],
  { hiddenSize, rmsNormEps }: DecoderConfig,
): { readonly normed: string; readonly streams: readonly string[] } {
  const last = "model.norm", sublayers = layers.flat(), streams = [x];
  const norm = (x: string, name: string | undefined) =>
    name === undefined ? x : rmsNorm(b, x, `${name}.weight`, hiddenSize, rmsNormEps);
  let residual = x, normed = norm(x, sublayers[0]?.norms[0]), isNormed = false, next = 0;
  for (const layer of layers) {
    for (const { run, norms: [before, after] } of layer) {
      const added = norm(run(normed), after);
      isNormed = before !== undefined;
      next++;
      if (isNormed) { // with the next norm in one operator
        const name = `${sublayers[next]?.norms[0] ?? last}.weight`;
        ({ normed, residual } = addAndNorm(b, residual, added, name, hiddenSize, rmsNormEps));
      } else residual = normed = b.op("Add", [residual, added]);
    }
    streams.push(residual);
  }
  return { normed: isNormed ? normed : norm(residual, last), streams };
}

/** What is particular to an architecture: what its configs leave out, how its layers differ from Llama's. */
export interface Particulars<Own extends object>
  extends RopeOptions, SelfAttentionOptions, Pick<MlpOptions, "activation"> {
  /** Whether its residual stream leaves the range of float16. Default: false. */
  readonly isWide?: boolean;
  /** Values of fields that configs leave out, as its class in transformers has them. */
  readonly defaults: Json;
  /** Norms of the two parts of a layer. Default: Llama's. */
  readonly norms?: { readonly attention: Norms; readonly mlp: Norms };
  /** The config as it would be with Llama's names. Default: as it is. */
  renamed?(json: Json): Json;
  /** Name of that config within config.json, for errors. Default: it is the whole. */
  readonly path?: string;
  /** Reads the fields that not all architectures have. */
  own?(f: Fields, shape: RopedConfig): Own;
  /** Starts the graph on tensors as they would be with Llama's names. Default: as they are. */
  builder?(weights: Weights, config: RopedConfig & Own, target: Target): Builder;
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
export function likeLlama<Own extends object = object>(
  modelType: string,
  particulars: Particulars<Own>,
): Architecture<RopedConfig & Own> {
  const {
    norms = { attention: ["input_layernorm"], mlp: ["post_attention_layernorm"] },
    activation = "silu",
    builder = (weights, _config, target) => graphBuilder(weights, target),
    feedForward = ({ mlpBias: bias = false, ...config }: RopedConfig) => (b, x, at) =>
      gatedMlp(b, x, at, config, { bias, activation }),
  } = particulars;
  return {
    isWide: particulars.isWide ?? false,
    parse(json) {
      const { renamed, path, defaults } = particulars;
      const f = fieldsOf(renamed?.(json) ?? json, path, { rope_theta: 1e4, ...defaults });
      const shape = decoderShape(modelType, f, particulars), own = particulars.own?.(f, shape);
      f.only("hidden_act", activation === "silu" ? "silu" : "gelu_pytorch_tanh");
      f.done();
      return { ...shape, ...own as Own };
    },
    graph(config, weights, maxLength, target = CPU_TARGET) {
      const { embeddingScale, finalSoftcap, rope, localRope, windows, headDim, layers } = config;
      const b = builder(weights, config, target), table = "model.embed_tokens.weight";
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
      let x = mixtureOfEmbeddings(b, table, config);
      if (embeddingScale !== undefined) {
        const factor = b.floats("embedding_scale", Float32Array.of(embeddingScale), []);
        x = b.op("Mul", [x, factor]);
      }
      const slots = slotInputs(b), rotary = rotaryOf(b, slots, rope, headDim, maxLength);
      const local = localRope && rotaryOf(b, slots, localRope, headDim, maxLength, "local_rope");
      const sublayers = Array.from(
        { length: layers },
        (_, layer) => sublayersOf(layer, windows?.[layer] === undefined ? rotary : local ?? rotary),
      );
      const { normed, streams } = residualStack(b, x, sublayers, config);
      head(b, normed, config.tiedEmbeddings ? table : "lm_head.weight", config, finalSoftcap);
      return { ...b.graph(), streams };
    },
  };
}
