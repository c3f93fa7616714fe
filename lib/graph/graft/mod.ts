/**
 * ONNX exports of language models, cut at the embedding: the mixture becomes the input.
 *
 * The export's own embedding table, layers and head stay as they are, weights files included. What
 * is replaced is what surrounds them, so that the graph has the ports of {@linkcode PORTS}: the lookup
 * of the ids (embedding.ts), positions and mask (positions.ts), the cache (cache.ts) and the choice of
 * rows that get logits (head.ts). Each asks and edits the graph through surgery.ts.
 *
 * @module
 */

import { MICROSOFT } from "../builder.ts";
import { type OnnxModel, tensorBytes } from "../onnx.ts";
import { portsOf } from "../ports.ts";
import { attentionsOf, findCache, openCache } from "./cache.ts";
import { checkExport } from "./check.ts";
import { findEmbedding, openEmbedding } from "./embedding.ts";
import { type GraftFacts, numberFormat, rotaryPositions } from "./facts.ts";
import { openHead } from "./head.ts";
import { givePositions, placesOf } from "./positions.ts";
import { operate } from "./surgery.ts";

/**
 * Cuts an export at its embedding.
 *
 * @param model The export: `input_ids`, `past_key_values.*` in, `logits`, `present.*` out, and
 * where it has them `attention_mask` and `position_ids`. One that takes `inputs_embeds` is joined to
 * its embedding by {@linkcode joinEmbedding} first.
 * @returns The graph with the ports of a decoder that is built here, and its shape.
 * @throws {SyntaxError} Where the graph is malformed, or of a kind that cannot be cut.
 */
export function graft(model: OnnxModel): { readonly model: OnnxModel; readonly facts: GraftFacts } {
  checkExport(model);
  const s = operate(model.graph);
  const heads = attentionsOf(s)[0]?.attributes.num_heads?.int;
  const maxPositions = rotaryPositions(s);

  const embedding = findEmbedding(s, "position_ids"), cached = findCache(s);
  const { hiddenSize } = embedding, { kv, type: activations } = cached;
  const head = openHead(s, hiddenSize), { vocabularySize } = head;
  const isDense = openEmbedding(s, embedding, vocabularySize);
  const places = placesOf(s), cache = openCache(s, cached, places);
  givePositions(s, places, cache);

  const graph = s.close(portsOf(kv, vocabularySize, isDense));
  const weightsBytes = graph.initializers.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return {
    model: { ...model, opsets: new Map([[MICROSOFT.domain, 1], ...model.opsets ?? []]), graph },
    facts: {
      ...{ ...head, hiddenSize, heads, kv, maxPositions, cache, activations, weightsBytes },
      ...numberFormat(graph.nodes, activations),
    },
  };
}
