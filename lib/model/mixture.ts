/**
 * A mixture of token embeddings: what every position of a model takes instead of a token.
 *
 * `h = Σ_k weights[k] · E[ids[k]]`; a token alone is the mixture with one entry of weight 1.
 *
 * @module
 */

/** Token ids and their weights, of the same length; weights are at least 0 and sum to 1. */
export interface Mixture {
  /** Token ids, each at most once. */
  readonly ids: ArrayLike<number>;
  /** Weights, float64 or float32; the model computes with float32. */
  readonly weights: ArrayLike<number>;
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

/**
 * Writes an input into rows of ids and weights and pads them with zero weights.
 *
 * @throws {RangeError} Where an id lies outside the vocabulary, a weight is negative or no number, or
 * the mixture is empty.
 */
export function writeInput(
  input: Input,
  ids: Int32Array,
  weights: Float32Array,
  offset: number,
  width: number,
  vocabularySize: number,
): void {
  const size = mixtureSize(input);
  if (typeof input === "number") {
    ids[offset] = checkId(input, vocabularySize);
    weights[offset] = 1;
  } else {
    if (size < 1 || input.weights.length !== size) {
      throw new RangeError(
        `Cannot feed a mixture as it must have at least one id and as many weights: current value is ${size} ids and ${input.weights.length} weights`,
      );
    }
    for (let k = 0; k < size; k++) {
      const weight = input.weights[k]!;
      if (!(weight >= 0 && weight < Infinity)) {
        throw new RangeError(
          `Cannot feed a mixture as 'weights' must be finite and at least 0: current value is ${weight}`,
        );
      }
      ids[offset + k] = checkId(input.ids[k]!, vocabularySize);
      weights[offset + k] = weight;
    }
  }
  ids.fill(0, offset + size, offset + width);
  weights.fill(0, offset + size, offset + width);
}

function checkId(id: number, vocabularySize: number): number {
  if (Number.isInteger(id) && id >= 0 && id < vocabularySize) return id;
  throw new RangeError(
    `Cannot feed a token as its id must be an integer from 0 to ${
      vocabularySize - 1
    }: current value is ${id}`,
  );
}
