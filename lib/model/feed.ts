/**
 * What one run of a decoder reads and writes: arrays that are filled in place, and their tensors.
 *
 * @module
 */

import { PORTS } from "../graph/mod.ts";
import { type DeviceMemory, type Tensor, tensor, type Tensors } from "../runtime/mod.ts";
import { checkId, checkSizes, checkWeight, type Input, oneToken } from "./mixture.ts";

/** Sizes of a run: slots, positions of each, numbers per position, rows of logits. */
export type FeedShape = Readonly<Record<"batch" | "sequence" | "width" | "rows", number>>;

/** What a graph takes: mixtures as lists, or as rows over the vocabulary; embeddings to add, so wide, or 0. */
export interface FeedPorts {
  readonly listed: boolean;
  readonly dense: number;
}

/** Arrays for runs of up to a shape; the tensors over them see what is written. */
export function createFeed(
  { batch, sequence, width, rows }: FeedShape,
  { listed, dense }: FeedPorts,
) {
  return {
    width, // numbers per position: K, or V where a mixture is a row over the vocabulary, without ids
    ids: listed ? new Int32Array(batch * sequence * width) : undefined,
    weights: new Float32Array(batch * sequence * width),
    dense: dense > 0 ? new Float32Array(batch * sequence * dense) : undefined,
    lastPosition: new Int32Array(batch), // of each slot, the last that is valid
    length: new Int32Array(1), // the largest number of valid positions
    rows: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)), // that get logits
  };
}

/** Arrays of a run. */
export type Feed = ReturnType<typeof createFeed>;

/** Tensors over a feed's arrays for a run of a shape, by their names in the graph. */
export function feedTensors(
  feed: Feed,
  { batch, sequence, width, rows }: FeedShape,
  { dense }: FeedPorts,
): Tensors {
  const mixture = [batch, sequence, width];
  return {
    ...(feed.ids ? { [PORTS.ids]: tensor(feed.ids, mixture) } : {}),
    [PORTS.weights]: tensor(feed.weights, mixture),
    ...(feed.dense ? { [PORTS.dense]: tensor(feed.dense, [batch, sequence, dense]) } : {}),
    [PORTS.lastPosition]: tensor(feed.lastPosition, [batch]),
    [PORTS.length]: tensor(feed.length, [1]),
    [PORTS.rows]: tensor(feed.rows, [rows]),
  };
}

/** The same tensors in a device's memory. */
export function mirrored(tensors: Tensors, memory: DeviceMemory): Tensors {
  const mirror = Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims }]) => [name, memory.allocate(type, dims)]),
  );
  memory.copy(...pairsOf(tensors, mirror));
  return mirror;
}

/** The first parts of tensors in a device's memory, of the shapes of others. */
export function firstParts(mirror: Tensors, shapes: Tensors, memory: DeviceMemory): Tensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, { dims }]) => [name, memory.view(mirror[name]!, 0, dims)]),
  );
}

/** Tensors of the same names, in pairs. */
export function pairsOf(from: Tensors, to: Tensors): (readonly [Tensor, Tensor])[] {
  return Object.entries(from).map(([name, tensor]) => [tensor, to[name]!] as const);
}

const plain = (list: ArrayLike<number>) =>
  Array.isArray(list) ? list as number[] : Array.from(list);

/**
 * Writes the listed entries of the input of one position, `width` numbers of at most `feed.width`; what it
 * held before is gone. Refuses what is no mixture, but for a sum of weights that is not 1.
 */
export function writeInput(
  { ids, weights }: Feed,
  row: number,
  width: number,
  input: Input,
  vocabularySize: number,
): void {
  const isToken = typeof input === "number", what = isToken ? "a token" : "a mixture";
  const mixture = isToken ? oneToken(input) : input, offset = row * width;
  checkSizes(what, mixture);
  weights.fill(0, offset, offset + width);
  ids?.fill(0, offset, offset + width);
  // one kind of array, so that the loop stays fast
  const from = plain(mixture.ids), own = plain(mixture.weights);
  for (let k = 0; k < from.length; k++) {
    const id = from[k]!, weight = own[k]!;
    checkId(what, id, vocabularySize);
    checkWeight(what, weight, mixture.signed);
    if (ids) ids[offset + k] = id;
    weights[offset + (ids ? k : id)]! += weight;
  }
}
