/**
 * Tokens from all over a vocabulary, for what tries a model out.
 *
 * @module
 */

/** Part of the vocabulary between one token and the next: they spread evenly. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** The i-th of tokens that spread over a vocabulary. */
export const spreadToken = (i: number, vocabularySize: number): number =>
  Math.floor(i * GOLDEN_RATIO % 1 * vocabularySize);

/** The first so many of them. */
export const spreadTokens = (count: number, vocabularySize: number): number[] =>
  Array.from({ length: count }, (_, i) => spreadToken(i, vocabularySize));
