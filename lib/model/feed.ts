/**
 * What one run of a decoder reads and writes: arrays that are filled in place, and their tensors.
 *
 * @module
 */

import { PORTS } from "../graph/mod.ts";
import { tensor, type Tensors } from "../runtime/mod.ts";
import { type Input, oneToken } from "./mixture.ts";

/** Arrays of a run; the tensors over them see what is written. */
export interface Feed {
  /** Numbers per position: K, or V where a mixture is a row over the vocabulary. */
  readonly width: number;
  /** Token ids of the mixtures; absent where a mixture is a row over the vocabulary. */
  readonly ids: Int32Array<ArrayBuffer> | undefined;
  /** Weights of the mixtures. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** What is added to the embeddings; absent where a mixture is a row over the vocabulary. */
  readonly added: Float32Array<ArrayBuffer> | undefined;
  /** Last valid position of each slot. */
  readonly lastPosition: Int32Array<ArrayBuffer>;
  /** Largest number of valid positions. */
  readonly length: Int32Array<ArrayBuffer>;
  /** Which rows get logits. */
  readonly rows: BigInt64Array<ArrayBuffer>;
}

/** Sizes of a run. */
export interface FeedShape {
  /** Slots, B. */
  readonly batch: number;
  /** Positions of each slot, S. */
  readonly sequence: number;
  /** Numbers per position. */
  readonly width: number;
  /** Rows of logits, R. */
  readonly rows: number;
}

/** What a graph takes. */
export interface FeedPorts {
  /** Whether a mixture is a list of ids and weights; else it is a row over the vocabulary. */
  readonly listed: boolean;
  /** Width of what is added to the embeddings; 0 where nothing is. */
  readonly added: number;
}

/** Arrays for runs of up to a shape. */
export function createFeed(
  { batch, sequence, width, rows }: FeedShape,
  { listed, added }: FeedPorts,
): Feed {
  return {
    width,
    ids: listed ? new Int32Array(batch * sequence * width) : undefined,
    weights: new Float32Array(batch * sequence * width),
    added: added > 0 ? new Float32Array(batch * sequence * added) : undefined,
    lastPosition: new Int32Array(batch),
    length: new Int32Array(1),
    rows: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)),
  };
}

/** Tensors over a feed's arrays for a run of a shape, by their names in the graph. */
export function feedTensors(
  feed: Feed,
  { batch, sequence, width, rows }: FeedShape,
  { added }: FeedPorts,
): Tensors {
  const mixture = [batch, sequence, width];
  return {
    ...(feed.ids ? { [PORTS.ids]: tensor(feed.ids, mixture) } : {}),
    [PORTS.weights]: tensor(feed.weights, mixture),
    ...(feed.added ? { [PORTS.added]: tensor(feed.added, [batch, sequence, added]) } : {}),
    [PORTS.lastPosition]: tensor(feed.lastPosition, [batch]),
    [PORTS.length]: tensor(feed.length, [1]),
    [PORTS.rows]: tensor(feed.rows, [rows]),
  };
}

/** Refuses an entry of a mixture that is none: of a signed one a weight may be negative. */
export function checkEntry(id: number, weight: number, size: number, signed?: true): void {
  checkId(id, size);
  checkWeight(weight, signed);
}

/** Refuses what is no token of so many. */
export function checkId(id: number, size: number): void {
  if (Number.isInteger(id) && id >= 0 && id < size) return;
  throw new RangeError(
    `Cannot feed a token as its id must be an integer from 0 to ${
      size - 1
    }: current value is ${id}`,
  );
}

/** Refuses what is no weight; −∞ itself is none. */
export function checkWeight(weight: number, signed?: true): void {
  if (weight >= (signed ? -Number.MAX_VALUE : 0) && weight < Infinity) return;
  const rule = signed ? "be finite" : "be finite and at least 0 (or the mixture 'signed')";
  throw new RangeError(
    `Cannot feed a mixture as 'weights' must ${rule}: current value is ${weight}`,
  );
}

/** Refuses a mixture whose ids and weights do not match. */
export function badSizes(ids: number, weights: number): never {
  throw new RangeError(
    `Cannot feed a mixture as it must have at least one id and as many weights: current value is ${ids} ids and ${weights} weights`,
  );
}

const plain = (list: ArrayLike<number>) =>
  Array.isArray(list) ? list as number[] : Array.from(list);

/**
 * Writes the listed entries of the input of one position, `width` numbers of at most `feed.width`; what it
 * held before is gone. Throws where an id lies outside the vocabulary, a weight is no number, or negative
 * though the mixture is not signed, or the mixture is empty.
 */
export function writeInput(
  { ids, weights }: Feed,
  row: number,
  width: number,
  input: Input,
  vocabularySize: number,
): void {
  const mixture = typeof input === "number" ? oneToken(input) : input, offset = row * width;
  const size = mixture.ids.length;
  if (size < 1 || mixture.weights.length !== size) badSizes(size, mixture.weights.length);
  weights.fill(0, offset, offset + width);
  ids?.fill(0, offset, offset + width);
  // one kind of array, so that the loop stays fast
  const from = plain(mixture.ids), own = plain(mixture.weights);
  for (let k = 0; k < size; k++) {
    const id = from[k]!, weight = own[k]!;
    checkEntry(id, weight, vocabularySize, mixture.signed);
    if (ids) ids[offset + k] = id;
    weights[offset + (ids ? k : id)]! += weight;
  }
}
