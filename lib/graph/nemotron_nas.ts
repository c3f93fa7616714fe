/**
 * Llama-Nemotron, made from Llama by neural architecture search (`DeciLMForCausalLM`, such as
 * Llama-3.3-Nemotron-Super-49B): layers differ in their key and value heads and in the width of their
 * feed-forward, and lack either where the search left it out.
 *
 * In `block_configs`, layer by layer: `attention.n_heads_in_group` query heads share a key head;
 * a no-op attention has no norm and no cache; `ffn.ffn_mult` makes the width
 * `⌊2 · ffn_mult · hidden / 3⌋`, rounded up to a multiple of 256. Attention and feed-forward that were
 * replaced by one linear layer are refused, as are windows, sinks and sparsity.
 *
 * Source: the published configuration and NVIDIA's `modeling_decilm.py` and `block_config.py`.
 *
 * @module
 */

import { isObject } from "../_check.ts";
import type { Architecture, DecoderConfig, RopedConfig } from "./config.ts";
import { gatedMlp } from "./decoder.ts";
import { type Fields, fieldsOf, refuseField } from "./fields.ts";
import { likeLlama } from "./like_llama.ts";

/** The sizes of each layer: heads of keys, width of the feed-forward; undefined where it has none. */
export interface NemotronBlocks {
  /** By layer. */
  readonly blocks: readonly Readonly<Record<"kvHeads" | "intermediateSize", number | undefined>>[];
}

function blockOf(json: unknown, path: string, { heads, hiddenSize }: DecoderConfig) {
  if (!isObject(json)) return refuseField(path, "be an object", json);
  const block = fieldsOf(json, path);
  const part = (name: string, read: (f: Fields) => number): number | undefined => {
    const fields = block.object(name), f = fieldsOf(fields, `${path}.${name}`);
    f.only("replace_with_linear", false);
    const size = f.flag("no_op") ? undefined : read(f);
    const off = Object.keys(fields).filter((key) => fields[key] === false || fields[key] === 0);
    f.skip("n_heads_in_group", "ffn_mult", ...off);
    f.done({ strict: true });
    return size;
  };
  const kvHeads = part("attention", (f) => {
    const group = f.size("n_heads_in_group", { max: heads });
    if (heads % group !== 0) f.refuse("n_heads_in_group", `divide ${heads}`, group);
    return heads / group;
  });
  const intermediateSize = part("ffn", (f) => {
    const width = Math.trunc(2 * f.positive("ffn_mult") * hiddenSize / 3);
    return Math.ceil(width / 256) * 256;
  });
  block.done({ strict: true });
  return { kvHeads, intermediateSize };
}

/** Llama-Nemotron. */
export const nemotronNas: Architecture<RopedConfig & NemotronBlocks> = likeLlama("nemotron-nas", {
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-6, intermediate_size: 1 },
  own(f, shape) {
    const { layers, headDim } = shape, list = f.take("block_configs");
    if (!Array.isArray(list) || list.length !== layers) {
      return f.refuse("block_configs", `be a list of ${layers} blocks`, list);
    }
    f.skip("auto_map");
    const blocks = list.map((json, layer) => blockOf(json, `block_configs[${layer}]`, shape));
    const kv = blocks.flatMap(({ kvHeads }, layer) =>
      kvHeads === undefined ? [] : [{ layer, kvHeads, headDim }]
    );
    return {
      ...{ blocks, kv },
      kvHeads: Math.max(0, ...kv.map((layer) => layer.kvHeads)),
      intermediateSize: Math.max(0, ...blocks.map((block) => block.intermediateSize ?? 0)),
      attentionBias: f.flag("attention_bias"),
      mlpBias: f.flag("mlp_bias"),
    };
  },
  feedForward({ hiddenSize, blocks, mlpBias: bias = false }, layer) {
    const { intermediateSize } = blocks[layer]!;
    if (intermediateSize === undefined) return undefined;
    return (b, x, prefix) => gatedMlp(b, x, prefix, { hiddenSize, intermediateSize }, { bias });
  },
});
