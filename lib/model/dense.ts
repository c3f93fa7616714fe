/**
 * Dense mixtures, over the whole of a large vocabulary: a product of V weights with the embedding table.
 *
 * Listing V entries would gather V rows of the table for every mixture; here one product serves all
 * rows of a run, and the decoder adds its result to what is listed. It is exact, and costs a pass
 * over the table in float32, which a session of its own keeps from the first such mixture on.
 *
 * @module
 */

import { DENSE } from "../graph/mod.ts";
import { type Binding, type Session, takingTurns, type Tensor, tensor } from "../runtime/mod.ts";
import type { LazySession } from "./lazy_session.ts";
import { checkId, checkSizes, checkWeight, type Input, type Mixture } from "./mixture.ts";

/** Most entries of a mixture whose rows are gathered one by one. */
const MOST_LISTED = 1024;

/** Whether a mixture takes the product with the whole table. */
export function isDense(input: Input): input is Mixture {
  return typeof input !== "number" &&
    (input.dense !== undefined || input.ids.length > MOST_LISTED);
}

const WHAT = "a mixture", NOTHING: Mixture = { ids: [0], weights: [0] };

/** The entries of an input whose rows are gathered. */
export function listedPart(input: Input): Input {
  if (!isDense(input) || (input.ids.length > 0 && input.ids.length <= MOST_LISTED)) return input;
  return NOTHING;
}

/** What multiplies dense mixtures with the table. */
export type DenseProduct = ReturnType<typeof openDenseMixtures>;

/** Opens buffers for mixtures over a table; they grow to the most mixtures ever at once. */
export function openDenseMixtures(
  table: LazySession,
  vocabularySize: number,
  hiddenSize: number,
) {
  let weights = new Float32Array(0), embeddings = new Float32Array(0);
  let scope = new DisposableStack(), bindings: Binding[] = [];
  const run = takingTurns();
  const bindingOf = (session: Session, n: number): Binding => {
    if (n * vocabularySize > weights.length) {
      scope.dispose();
      [scope, bindings] = [new DisposableStack(), []];
      weights = new Float32Array(n * vocabularySize);
      embeddings = new Float32Array(n * hiddenSize);
    }
    if (bindings[n]) return bindings[n];
    const own = (data: Float32Array<ArrayBuffer>, width: number): Tensor =>
      scope.use(tensor(data, [n, width]));
    return bindings[n] = scope.use(session.bind(
      { [DENSE.weights]: own(weights, vocabularySize) },
      { [DENSE.embeddings]: own(embeddings, hiddenSize) },
    ));
  };
  const multiply = async (
    inputs: readonly Mixture[],
    rows: readonly number[],
    target: Float32Array,
  ): Promise<void> => {
    const binding = bindingOf(await table.session(), inputs.length);
    inputs.forEach((input, i) => {
      writeDense(weights.subarray(i * vocabularySize, (i + 1) * vocabularySize), input);
    });
    await run(binding);
    inputs.forEach((input, i) => {
      const scale = scaleOf(input), to = rows[i]! * hiddenSize, from = i * hiddenSize;
      for (let d = 0; d < hiddenSize; d++) target[to + d] = scale * embeddings[from + d]!;
    });
  };
  let last: Promise<unknown> = Promise.resolve(); // a prefill and a step share the buffers
  return {
    /**
     * Writes the embeddings of {@linkcode isDense} mixtures, what {@linkcode listedPart} names apart, to
     * these rows of a target `[…, D]`.
     */
    embed(...work: Parameters<typeof multiply>): Promise<void> {
      const made = last.then(() => multiply(...work));
      last = made.catch(() => {});
      return made;
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}

/** What the product is multiplied with: a dense part is copied as it is, unless more is added to it. */
function scaleOf({ ids, dense }: Mixture): number {
  return dense && ids.length <= MOST_LISTED ? dense.weight : 1;
}

/** Refuses a mixture whose parts do not fit one another or the vocabulary. */
function checkParts(mixture: Mixture, vocabularySize: number): void {
  checkSizes(WHAT, mixture);
  const { dense, signed } = mixture;
  if (!dense) return;
  const { probabilities: { length }, weight } = dense;
  checkWeight(WHAT, weight, signed);
  if (length === vocabularySize) return;
  throw new RangeError(
    `Cannot feed a mixture as 'dense.probabilities' must have ${vocabularySize} numbers: current value is ${length}`,
  );
}

/** Adds the listed entries to the weights of all tokens. */
function addListed(row: Float32Array, mixture: Mixture): void {
  const { ids, weights, signed } = mixture;
  for (let k = 0; k < ids.length; k++) {
    checkId(WHAT, ids[k]!, row.length);
    checkWeight(WHAT, weights[k]!, signed);
    row[ids[k]!]! += weights[k]!;
  }
}

/** The weights of all tokens, of the dense part and of a long list; in units of {@linkcode scaleOf}. */
function writeDense(row: Float32Array, input: Mixture): void {
  checkParts(input, row.length);
  const { ids, dense } = input;
  if (dense) row.set(dense.probabilities);
  else row.fill(0);
  if (ids.length <= MOST_LISTED) return;
  if (dense) row.forEach((p, id) => row[id] = dense.weight * p);
  addListed(row, input);
}

/** An input with what lies on the whole vocabulary listed as well. */
export function listedInFull(input: Input, vocabularySize: number): Input {
  if (typeof input === "number" || !input.dense) return input;
  checkParts(input, vocabularySize);
  const { probabilities, weight } = input.dense;
  const weights = Float32Array.from(probabilities, (p) => weight * p);
  addListed(weights, input);
  const signed = input.signed ? { signed: input.signed } : {};
  return { ids: Int32Array.from(weights.keys()), weights, ...signed };
}
