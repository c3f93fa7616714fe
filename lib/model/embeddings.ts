/**
 * Rows of a checkpoint's embedding table, read where they lie.
 *
 * @module
 */

import { type DecoderConfig, namesIn } from "../graph/mod.ts";
import { checkId } from "./feed.ts";
import { rowsOf } from "./rows.ts";
import type { Checkpoint } from "./weights.ts";

/**
 * A reader of embeddings.
 *
 * @param checkpoint The mapped files.
 * @param config Shape of the table.
 * @returns Reads the rows of tokens, as new arrays; undefined where there is no such table.
 */
export function embeddingRows(
  checkpoint: Checkpoint,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): ((ids: ArrayLike<number>) => Float32Array[]) | undefined {
  const name = namesIn(checkpoint.weights)("model.embed_tokens.weight");
  const table = checkpoint.weights.get(name), { dims = [] } = table ?? {};
  const isTable = dims.length === 2 && dims[0] === vocabularySize && dims[1] === hiddenSize;
  const { location } = checkpoint.encoded?.get(name) ?? table ?? {};
  if (!isTable || !checkpoint.files[location!]) return undefined;
  const rows = rowsOf(name, checkpoint);
  return (ids) =>
    Array.from(ids, (id) => {
      checkId(id, vocabularySize);
      const row = new Float32Array(hiddenSize);
      rows.floats(id, 1, row);
      return row;
    });
}
