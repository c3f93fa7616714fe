/**
 * Embeddings of tokens and mixtures as llama.cpp takes them: made here, on the host, but for those over a whole
 * large vocabulary, which its device sums.
 *
 * @module
 */

import type { Product } from "./product.ts";
import type { ReadRow } from "./rows.ts";
import { isDense, listedPart, scaleOf, writeDense } from "../dense.ts";
import { checkId, checkSizes, checkWeight, type Input, type Mixture } from "../mixture.ts";

/** What embeddings are made of. */
export interface EmbeddingOptions {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly read: ReadRow;
  /** What a model multiplies the embeddings of ids with, and leaves to the caller where it takes embeddings. */
  readonly factor: number;
  /** What multiplies whole mixtures with the table; opened when first needed. */
  readonly product: () => Product;
}

/** Writes the embeddings of inputs, one after another; one call at a time. */
export type WriteEmbeddings = (inputs: readonly Input[], into: Float32Array) => Promise<void>;

/** Makes {@linkcode WriteEmbeddings}. */
export function embeddingWriter(
  { vocabularySize, hiddenSize, read, factor, product }: EmbeddingOptions,
): WriteEmbeddings {
  const row = new Float32Array(hiddenSize);
  const addListed = ({ ids, weights, signed }: Mixture, target: Float32Array) => {
    for (let k = 0; k < ids.length; k++) {
      checkId("a mixture", ids[k]!, vocabularySize);
      checkWeight("a mixture", weights[k]!, signed);
      const weight = Math.fround(weights[k]!);
      if (weight === 0) continue;
      read(ids[k]!, row);
      for (let d = 0; d < hiddenSize; d++) target[d]! += weight * row[d]!;
    }
  };
  /** Adds the sums over the whole vocabulary, as many at once as the product takes. */
  const addDense = async (mixtures: readonly Mixture[], targets: readonly Float32Array[]) => {
    const { weights, stride, run } = product(), columns = weights.length / stride;
    for (let first = 0; first < mixtures.length; first += columns) {
      const part = mixtures.slice(first, first + columns);
      weights.fill(0);
      part.forEach((mixture, i) =>
        writeDense(weights.subarray(i * stride, i * stride + vocabularySize), mixture)
      );
      const sums = await run(part.length);
      part.forEach((mixture, i) => {
        const scale = scaleOf(mixture), target = targets[first + i]!;
        for (let d = 0; d < hiddenSize; d++) target[d]! += scale * sums[i * hiddenSize + d]!;
      });
    }
  };
  return async (inputs, into) => {
    const targetOf = (i: number) => into.subarray(i * hiddenSize, (i + 1) * hiddenSize);
    into.fill(0, 0, inputs.length * hiddenSize);
    const dense = [...inputs.keys()].filter((i) => isDense(inputs[i]!));
    if (dense.length > 0) {
      await addDense(dense.map((i) => inputs[i] as Mixture), dense.map(targetOf));
    }
    inputs.forEach((input, i) => {
      if (typeof input === "number") {
        checkId("a token", input, vocabularySize);
        read(input, targetOf(i));
      } else {
        checkSizes("a mixture", input);
        const listed = listedPart(input);
        if (typeof listed !== "number") addListed(listed, targetOf(i));
      }
    });
    if (factor === 1) return;
    for (let d = 0; d < inputs.length * hiddenSize; d++) into[d]! *= factor;
  };
}
