/**
 * Mixtures over a whole large vocabulary: a product of V weights with the embedding table.
 *
 * Listing V entries would gather V rows of the table for every mixture; here one product serves all
 * rows of a run, and the decoder adds its result to what is listed. It is exact, and costs a pass
 * over the table in float32, which a session of its own keeps from the first such mixture on.
 *
 * @module
 */

import { encodeGraph, type Graph, WHOLE, wholeMixtureGraph } from "../graph/mod.ts";
import {
  type Binding,
  createSession,
  type Session,
  type SessionOptions,
  takingTurns,
  type Tensor,
  tensor,
} from "../runtime/mod.ts";
import { badId, badWeight, leastWeight } from "./feed.ts";
import type { Input, Mixture } from "./mixture.ts";

/** Most entries of a mixture whose rows are gathered one by one. */
const MOST_LISTED = 1024;

/** Whether a mixture takes the product with the whole table. */
export function isWhole(input: Input): input is Mixture {
  return typeof input !== "number" &&
    (input.spread !== undefined || input.ids.length > MOST_LISTED);
}

const NOTHING: Mixture = { ids: [0], weights: [0] };

/** The entries of a mixture whose rows are gathered. */
export function listedPart(input: Mixture): Mixture {
  return input.ids.length === 0 || input.ids.length > MOST_LISTED ? NOTHING : input;
}

/** The session that multiplies with the table, started when it is first needed. */
export interface WholeTable extends AsyncDisposable {
  session(): Promise<Session>;
}

/** The table of a decoder's graph. */
export function wholeTable(decoder: Graph, options: SessionOptions): WholeTable {
  let started: Promise<Session> | undefined;
  return {
    session: () => started ??= createSession(encodeGraph(wholeMixtureGraph(decoder)), options),
    async [Symbol.asyncDispose]() {
      await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** Multiplies mixtures with a table. */
export interface WholeMixtures extends Disposable {
  /**
   * Writes the embeddings of mixtures, what {@linkcode listedPart} names apart.
   *
   * @param inputs Mixtures that are {@linkcode isWhole}.
   * @param rows Rows of `target` that they belong to.
   * @param target Embeddings `[…, D]`.
   */
  embed(inputs: readonly Mixture[], rows: readonly number[], target: Float32Array): Promise<void>;
}

/** Opens buffers for mixtures over a table; they grow to the most mixtures ever at once. */
export function openWholeMixtures(
  table: WholeTable,
  vocabularySize: number,
  hiddenSize: number,
): WholeMixtures {
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
      { [WHOLE.weights]: own(weights, vocabularySize) },
      { [WHOLE.embeddings]: own(embeddings, hiddenSize) },
    ));
  };
  return {
    async embed(inputs, rows, target) {
      const binding = bindingOf(await table.session(), inputs.length);
      inputs.forEach((input, i) => {
        const row = weights.subarray(i * vocabularySize, (i + 1) * vocabularySize);
        writeWhole(row, input);
      });
      await run(binding);
      inputs.forEach(({ spread }, i) => {
        const scale = spread?.weight ?? 1, to = rows[i]! * hiddenSize, from = i * hiddenSize;
        for (let d = 0; d < hiddenSize; d++) target[to + d] = scale * embeddings[from + d]!;
      });
    },
    [Symbol.dispose]: () => scope.dispose(),
  };
}

/** The weights of all tokens: of the spread, in units of its weight, and of a long list. */
function writeWhole(row: Float32Array, mixture: Mixture): void {
  const { ids, weights, spread } = mixture, scale = spread?.weight ?? 1;
  const least = leastWeight(mixture);
  if (!(scale >= least && scale < Infinity)) badWeight(scale, least);
  if (spread && spread.probabilities.length !== row.length) {
    throw new RangeError(
      `Cannot feed a mixture as 'spread.probabilities' must have ${row.length} numbers: current value is ${spread.probabilities.length}`,
    );
  }
  if (spread) row.set(spread.probabilities);
  else row.fill(0);
  if (ids.length <= MOST_LISTED) return;
  for (let k = 0; k < ids.length; k++) {
    const id = ids[k]!, weight = weights[k]!;
    if (!(Number.isInteger(id) && id >= 0 && id < row.length)) badId(id, row.length);
    if (!(weight >= least && weight < Infinity)) badWeight(weight, least);
    row[id]! += weight / scale;
  }
}
