/**
 * What one run of a decoder reads and writes: arrays that are filled in place, and their tensors.
 *
 * @module
 */

import { PORTS } from "../graph/mod.ts";
import { type Tensor, tensor, type Tensors } from "../runtime/mod.ts";
import { type Input, mixtureSize } from "./mixture.ts";

/** Arrays of a run; the tensors over them see what is written. */
export interface Feed {
  /** Numbers per position: K, or V where a mixture is a row over the vocabulary. */
  readonly width: number;
  /** Token ids of the mixtures; absent where a mixture is a row over the vocabulary. */
  readonly ids: Int32Array<ArrayBuffer> | undefined;
  /** Weights of the mixtures. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Last valid position of each slot. */
  readonly lastPosition: Int32Array<ArrayBuffer>;
  /** Largest number of valid positions. */
  readonly length: Int32Array<ArrayBuffer>;
  /** Which rows get logits. */
  readonly rows: BigInt64Array<ArrayBuffer>;
  /** The logits. */
  readonly logits: Float32Array<ArrayBuffer>;
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

/** Arrays for runs of up to a shape. */
export function createFeed(
  { batch, sequence, width, rows }: FeedShape,
  vocabularySize: number,
  dense: boolean,
): Feed {
  return {
    width,
    ids: dense ? undefined : new Int32Array(batch * sequence * width),
    weights: new Float32Array(batch * sequence * width),
    lastPosition: new Int32Array(batch),
    length: new Int32Array(1),
    rows: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)),
    logits: new Float32Array(rows * vocabularySize),
  };
}

/** Tensors over a feed's arrays for a run of a shape, by their names in the graph. */
export function feedTensors(
  feed: Feed,
  { batch, sequence, width, rows }: FeedShape,
  vocabularySize: number,
): { inputs: Tensors; outputs: Tensors; all: Tensor[] } {
  const mixture = [batch, sequence, width];
  const inputs = {
    ...(feed.ids ? { [PORTS.ids]: tensor(feed.ids, mixture) } : {}),
    [PORTS.weights]: tensor(feed.weights, mixture),
    [PORTS.lastPosition]: tensor(feed.lastPosition, [batch]),
    [PORTS.length]: tensor(feed.length, [1]),
    [PORTS.rows]: tensor(feed.rows, [rows]),
  };
  const outputs = { [PORTS.logits]: tensor(feed.logits, [rows, vocabularySize]) };
  return { inputs, outputs, all: [...Object.values(inputs), ...Object.values(outputs)] };
}

function badId(id: number, vocabularySize: number): never {
  throw new RangeError(
    `Cannot feed a token as its id must be an integer from 0 to ${
      vocabularySize - 1
    }: current value is ${id}`,
  );
}

function badWeight(weight: number): never {
  throw new RangeError(
    `Cannot feed a mixture as 'weights' must be finite and at least 0: current value is ${weight}`,
  );
}

/**
 * Writes the input of one position; what the position held before is gone.
 *
 * @param feed Where to.
 * @param row Which position, from 0.
 * @param width Numbers per position of this run, at most `feed.width`.
 * @param input Token or mixture.
 * @param vocabularySize Size of the vocabulary.
 * @throws {RangeError} Where an id lies outside the vocabulary, a weight is negative or no number, or
 * the mixture is empty.
 */
export function writeInput(
  feed: Feed,
  row: number,
  width: number,
  input: Input,
  vocabularySize: number,
): void {
  const { ids, weights } = feed, offset = row * width, size = mixtureSize(input);
  weights.fill(0, offset, offset + width);
  ids?.fill(0, offset, offset + width);
  if (typeof input === "number" || (size === 1 && input.weights.length === 1)) {
    const id = typeof input === "number" ? input : input.ids[0]!;
    const weight = typeof input === "number" ? 1 : input.weights[0]!;
    if (!(Number.isInteger(id) && id >= 0 && id < vocabularySize)) badId(id, vocabularySize);
    if (!(weight >= 0 && weight < Infinity)) badWeight(weight);
    weights[ids ? offset : offset + id] = weight;
    if (ids) ids[offset] = id;
    return;
  }
  if (size < 1 || input.weights.length !== size) {
    throw new RangeError(
      `Cannot feed a mixture as it must have at least one id and as many weights: current value is ${size} ids and ${input.weights.length} weights`,
    );
  }
  // one kind of array, so that the loop stays fast
  const from = Array.isArray(input.ids) ? input.ids as number[] : Array.from(input.ids);
  const mixed = Array.isArray(input.weights)
    ? input.weights as number[]
    : Array.from(input.weights);
  for (let k = 0; k < size; k++) {
    const id = from[k]!, weight = mixed[k]!;
    if (!(Number.isInteger(id) && id >= 0 && id < vocabularySize)) badId(id, vocabularySize);
    if (!(weight >= 0 && weight < Infinity)) badWeight(weight);
    if (ids) {
      ids[offset + k] = id;
      weights[offset + k] = weight;
    } else {
      weights[offset + id]! += weight;
    }
  }
}
