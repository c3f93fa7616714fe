/**
 * A mixture of token embeddings: what every position of a model takes instead of a token.
 *
 * `h = Σ_k weights[k] · E[ids[k]]`; a token alone is the mixture with one entry of weight 1.
 *
 * @module
 */

/**
 * Token ids and their weights, of the same length; weights are at least 0, unless `signed` says
 * otherwise, and sum to 1, that of `spread` included.
 */
export interface Mixture {
  /** Token ids, each at most once. */
  readonly ids: ArrayLike<number>;
  /** Weights, float64 or float32; the model computes with float32. */
  readonly weights: ArrayLike<number>;
  /**
   * Further weight that lies on all tokens of a large vocabulary, `weight · probabilities`: what a
   * list of V weights would say, without the list. Read before the next step.
   */
  readonly spread?: {
    /** Probabilities of all tokens `[V]`. */
    readonly probabilities: Float32Array;
    /** Their weight together. */
    readonly weight: number;
  };
  /**
   * Weights may be negative: the embedding is then outside of the convex hull of the tokens'. Without
   * it a negative weight is refused, as it is a mistake nearly always.
   */
  readonly signed?: true;
}

/** What a position can take: a token id, or a mixture. */
export type Input = number | Mixture;

const ONE: ArrayLike<number> = [1];

/** The mixture with one entry of weight 1: what standard decoding feeds back. */
export function oneToken(id: number): Mixture {
  return { ids: [id], weights: ONE };
}

/** Number of entries. */
export function mixtureSize(input: Input): number {
  return typeof input === "number" ? 1 : input.ids.length;
}
