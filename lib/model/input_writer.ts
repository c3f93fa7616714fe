/**
 * Inputs of a run as a graph takes them.
 *
 * @module
 */

import type { DecoderConfig } from "../graph/mod.ts";
import { type DenseProduct, isDense, listedInFull, listedPart } from "./dense.ts";
import { type Feed, writeInput } from "./feed.ts";
import type { Input, Mixture } from "./mixture.ts";

/** How inputs are written: the rows that take the product, the listed entries, numbers per position. */
export interface Layout {
  readonly dense: readonly number[];
  readonly entries: readonly Input[];
  readonly width: number;
}

/** How inputs of a graph are laid out and written. */
export function inputWriter(
  { vocabularySize }: Pick<DecoderConfig, "vocabularySize">,
  listed: boolean,
  product: DenseProduct | undefined,
) {
  return {
    layoutOf(inputs: readonly Input[]): Layout {
      const dense: number[] = [];
      let size = 1;
      const entries = inputs.map((input, row) => {
        if (product && isDense(input)) dense.push(row);
        const entry = product ? listedPart(input) : listedInFull(input, vocabularySize);
        if (typeof entry !== "number" && entry.ids.length > size) size = entry.ids.length;
        return entry;
      });
      // few distinct widths, so that few bindings are made
      const width = size === 1 ? 1 : Math.max(16, 2 ** Math.ceil(Math.log2(size)));
      return { dense, entries, width: listed ? width : vocabularySize };
    },
    async write(feed: Feed, inputs: readonly Input[], layout: Layout): Promise<void> {
      const { dense, entries, width } = layout;
      entries.forEach((input, row) => writeInput(feed, row, width, input, vocabularySize));
      if (dense.length === 0) return;
      await product!.embed(dense.map((row) => inputs[row] as Mixture), dense, feed.dense!);
    },
  };
}

/** See {@linkcode inputWriter}. */
export type InputWriter = ReturnType<typeof inputWriter>;
