/**
 * The shape of a model of any architecture, from the keys that all of them have.
 *
 * @module
 */

import type { DecoderConfig } from "../../graph/mod.ts";
import { metadataOf } from "./metadata.ts";
import type { Gguf } from "./parse.ts";

/** What a header that was found sound says of the model's shape. */
export function shapeOf(gguf: Gguf): DecoderConfig {
  const m = metadataOf(gguf), architecture = m.text("general.architecture") ?? "";
  const { refuse } = metadataOf(gguf, `${architecture}.`);
  /** Numbers of a key, one for all layers or one for each. */
  const listed = (key: string): number[] => {
    const value = gguf.metadata.get(`${architecture}.${key}`);
    if (typeof value === "number") return [value];
    return typeof value === "object" ? Array.from(value as ArrayLike<number>, Number) : [];
  };
  const largest = (key: string) => listed(key).reduce((most, value) => Math.max(most, value), 0);
  const due = (key: string) => largest(key) || refuse(key, "be there and positive", largest(key));
  const table = gguf.tensors.get("token_embd.weight")?.dims ?? [];
  if (table.length !== 2) m.refuse("token_embd.weight", "be a table of embeddings", table);
  const layers = due("block_count"), heads = largest("attention.head_count") || 1;
  const hiddenSize = due("embedding_length");
  const learned = gguf.tensors.get("position_embd.weight")?.dims[0] ?? Infinity; // a row of padding is one further
  const maxPositions = Math.min(due("context_length"), learned - 1);
  const headDim = largest("attention.key_length") || Math.floor(hiddenSize / heads);
  const own = listed("attention.head_count_kv"), usual = own.length === 1 ? own[0]! : heads;
  const kv = Array.from({ length: layers }, (_, layer) => ({
    ...{ layer, headDim, kvHeads: own.length > 1 ? own[layer] ?? usual : usual },
  })).filter(({ kvHeads }) => kvHeads > 0);
  return {
    ...{ architecture, hiddenSize, layers, heads, headDim, maxPositions, kv },
    kvHeads: kv.reduce((most, { kvHeads }) => Math.max(most, kvHeads), 0),
    intermediateSize: largest("feed_forward_length"),
    vocabularySize: table[0]!,
    rmsNormEps: largest("attention.layer_norm_rms_epsilon") ||
      largest("attention.layer_norm_epsilon") || 1e-5,
    ropeTheta: largest("rope.freq_base") || 1e4,
    tiedEmbeddings: !gguf.tensors.has("output.weight"),
  };
}
