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
import type { Architecture, RopedConfig } from "./config.ts";
import { gatedMlp } from "./decoder.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { likeLlama } from "./like_llama.ts";

/** What one layer consists of. */
export interface NemotronBlock {
  /** Key and value heads; undefined where the layer has no attention. */
  readonly kvHeads: number | undefined;
  /** Width of the feed-forward; undefined where the layer has none. */
  readonly intermediateSize: number | undefined;
}

/** Reads one part of a block; undefined where it is a no-op. */
function part<Value>(
  f: Fields,
  name: string,
  path: string,
  read: (f: Fields) => Value,
): Value | undefined {
  const json = f.take(name);
  if (!isObject(json)) return f.refuse(name, "be an object", json);
  const own = fieldsOf(json, `${path}.${name}`);
  own.only("replace_with_linear", false);
  const value = own.flag("no_op", false) ? undefined : read(own);
  own.skip("n_heads_in_group", "ffn_mult");
  const off = [false, 0]; // what transformers' False and 0 are in JSON
  for (const [key, value] of Object.entries(json)) {
    if (off.includes(value as 0)) own.skip(key);
  }
  own.done({ strict: true });
  return value;
}

function blockOf(json: unknown, layer: number, heads: number, hiddenSize: number): NemotronBlock {
  const path = `block_configs[${layer}]`;
  if (!isObject(json)) return fieldsOf({}).refuse(path, "be an object", json);
  const f = fieldsOf(json, path);
  const kvHeads = part(f, "attention", path, (f) => {
    const group = f.size("n_heads_in_group", { max: heads });
    if (heads % group !== 0) f.refuse("n_heads_in_group", `divide ${heads}`, group);
    return heads / group;
  });
  const intermediateSize = part(f, "ffn", path, (f) => {
    const width = Math.trunc(2 * f.positive("ffn_mult") * hiddenSize / 3);
    return Math.ceil(width / 256) * 256;
  });
  f.done({ strict: true });
  return { kvHeads, intermediateSize };
}

/** The layers of a Llama-Nemotron model. */
export interface NemotronBlocks {
  /** What each consists of. */
  readonly blocks: readonly NemotronBlock[];
}

/** Llama-Nemotron. */
export const nemotronNas: Architecture<RopedConfig & NemotronBlocks> = likeLlama("nemotron-nas", {
  positions: 2048,
  eps: 1e-6,
  intermediateSize: 1, // layers have one each
  own(f, { layers, heads, headDim, hiddenSize }) {
    const list = f.take("block_configs");
    if (!Array.isArray(list) || list.length !== layers) {
      return f.refuse("block_configs", `be a list of ${layers} blocks`, list);
    }
    f.skip("auto_map");
    const blocks = list.map((json, layer) => blockOf(json, layer, heads, hiddenSize));
    const kv = blocks.flatMap(({ kvHeads }, layer) =>
      kvHeads === undefined ? [] : [{ layer, kvHeads, headDim }]
    );
    const most = (values: (number | undefined)[]) => Math.max(0, ...values.map((v) => v ?? 0));
    return {
      ...{ blocks, kv, kvHeads: most(blocks.map(({ kvHeads }) => kvHeads)) },
      intermediateSize: most(blocks.map(({ intermediateSize }) => intermediateSize)),
      attentionBias: f.flag("attention_bias", false),
      mlpBias: f.flag("mlp_bias", false),
    };
  },
  feedForward({ hiddenSize, blocks, mlpBias: bias = false }, layer) {
    const { intermediateSize } = blocks[layer]!;
    if (intermediateSize === undefined) return undefined;
    return (b, x, prefix) => gatedMlp(b, x, prefix, { hiddenSize, intermediateSize }, { bias });
  },
});
