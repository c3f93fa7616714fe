/**
 * Rows of a checkpoint's embedding table, read where they lie.
 *
 * @module
 */

import type { DecoderConfig } from "../graph/mod.ts";
import { badId } from "./feed.ts";
import { widen } from "./quantized.ts";
import type { Checkpoint } from "./weights.ts";

/** How all architectures name the table; what stands before it differs. */
const TABLE = /(^|\.)embed_tokens\.weight$/;

/**
 * A reader of embeddings.
 *
 * @param checkpoint The mapped files.
 * @param config Shape of the table.
 * @returns Reads the rows of tokens, as new arrays; undefined where there is no such table.
 */
export function embeddingRows(
  { files, weights }: Pick<Checkpoint, "files" | "weights">,
  { vocabularySize, hiddenSize }: Pick<DecoderConfig, "vocabularySize" | "hiddenSize">,
): ((ids: ArrayLike<number>) => Float32Array[]) | undefined {
  const table = [...weights].find(([name, { dims }]) =>
    TABLE.test(name) && dims.length === 2 && dims[0] === vocabularySize && dims[1] === hiddenSize
  )?.[1];
  const file = table && files[table.location];
  if (!file) return undefined;
  const { type, offset, length } = table, size = length / vocabularySize;
  return (ids) =>
    Array.from(ids, (id) => {
      if (!(Number.isInteger(id) && id >= 0 && id < vocabularySize)) badId(id, vocabularySize);
      const row = new Float32Array(hiddenSize);
      // a copy, as numbers in a file may start at any byte
      widen(
        type,
        new Uint8Array(file.buffer.slice(offset + id * size, offset + (id + 1) * size)),
        row,
      );
      return row;
    });
}
