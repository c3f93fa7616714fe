/** Distributions of a vocabulary without a model around it. */

import type { Model } from "@moi/moi/model";
import { type Distributions, openDistributions } from "../../lib/decode/distributions.ts";
import { nextTokenSource } from "../../lib/model/next_token.ts";

/**
 * Opens distributions, with the sessions that a model would have.
 *
 * @param vocabularySize Size of the vocabulary, V.
 * @param threads Threads of the sessions.
 * @param size Tokens that there are; the rows beyond are padding.
 */
export function openOf(
  vocabularySize: number,
  threads?: number,
  size = vocabularySize,
): Distributions & AsyncDisposable {
  const source = nextTokenSource(vocabularySize, threads);
  const distributions = openDistributions({
    config: { vocabularySize },
    tokenizer: { size },
    ...(vocabularySize > 1024 ? { openNextToken: source.open } : {}),
  } as unknown as Model);
  return {
    ...distributions,
    async [Symbol.asyncDispose]() {
      distributions[Symbol.dispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
