/**
 * Dense mixtures, over the whole of a large vocabulary: a product of V weights with the embedding table.
 *
 * Listing V entries would gather V rows of the table for every mixture; here one product serves all
 * rows of a run, and the decoder adds its result to what is listed. A session of its own keeps the table
 * from the first such mixture on.
 *
 * With weights in fp32 and fp16 it is exact, and costs a pass over the table in float32. In a quantised load on the
 * CPU it reads the table's columns in 8 bits, 32 tokens a scale, and rounds the weights to int8 in the
 * same way: a quarter of the bytes, and a row's sum still does not depend on the other rows, bit for bit.
 * Measured on SmolLM2-135M-Instruct in fp32, whose next distribution after `Σ p E` with p at a temperature
 * was compared with that after the exact sum, at 75 positions:
 *
 * | temperature | error of the sum, mean and largest | KL, nats, mean and largest |
 * | ----------- | ---------------------------------- | -------------------------- |
 * | 0.6         | 0.54 %, 1.5 %                      | 6 · 10⁻⁵, 2.9 · 10⁻³       |
 * | 1           | 0.48 %, 1.1 %                      | 6 · 10⁻⁵, 1.3 · 10⁻³       |
 * | 2           | 0.52 %, 1.4 %                      | 5 · 10⁻⁴, 5.3 · 10⁻³       |
 *
 * The most probable token was the same at all of them; int8 weights themselves cost 4.7 · 10⁻³ on average
 * (see `kv.ts`). With blocks of 128 tokens the KL was 1.5 to 9 times as large; with weights in float32 (accuracy
 * level 0) 1.3 to 26 times smaller, but that takes 16 to 120 times as long and depends on the batch. In a
 * quantised load activations are rounded to int8 as well, so that any change of an input moves the logits: with
 * its Q4_1 blocks as they are the table in 8 bits cost 5.4 · 10⁻³ at temperature 1, and to list the 64 heaviest
 * tokens beside the table in float32, which changes the sum by 2 · 10⁻⁸, cost 3.7 · 10⁻³.
 *
 * @module
 */

import { DENSE } from "../graph/mod.ts";
import { type Binding, type Session, takingTurns, type Tensor, tensor } from "../runtime/mod.ts";
import { type HeldOnDevice, isHeldOnDevice } from "./held.ts";
import { inOrder } from "../_in_order.ts";
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
  const heldScope = new DisposableStack();
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
  /** Writes the embeddings of mixtures to rows of a target, in units of their scales. */
  const put = (
    inputs: readonly Mixture[],
    rows: readonly number[],
    target: Float32Array,
    from: (i: number) => number,
    found: Float32Array,
  ) =>
    inputs.forEach((input, i) => {
      const scale = scaleOf(input), to = rows[i]! * hiddenSize, start = from(i) * hiddenSize;
      for (let d = 0; d < hiddenSize; d++) target[to + d] = scale * found[start + d]!;
    });
  /** Products of so many rows of probabilities on a device, by where they are. */
  const held = new Map<Tensor, { binding: Binding; embeddings: Float32Array }[]>();
  const productOf = (session: Session, place: Tensor, n: number) => {
    const known = held.get(place) ?? [];
    held.set(place, known);
    if (known[n]) return known[n];
    const embeddings = new Float32Array(n * hiddenSize);
    const weights = heldScope.use(session.memory!.view(place, 0, [n, vocabularySize]));
    const result = heldScope.use(tensor(embeddings, [n, hiddenSize]));
    const inputs = { [DENSE.weights]: weights }, outputs = { [DENSE.embeddings]: result };
    return known[n] = { binding: heldScope.use(session.bind(inputs, outputs)), embeddings };
  };
  type Work = readonly [inputs: readonly Mixture[], rows: readonly number[], target: Float32Array];
  const multiplyHeld = async (session: Session, ...[inputs, rows, target]: Work) => {
    for (const input of inputs) checkParts(input);
    const places = inputs.map(({ dense }) => dense!.held as HeldOnDevice);
    for (const [place, own] of Map.groupBy(places.keys(), (i) => places[i]!.tensor)) {
      const { binding, embeddings } = productOf(session, place, places[own[0]!]!.rows);
      await run(binding);
      const [ownInputs, ownRows] = [own.map((i) => inputs[i]!), own.map((i) => rows[i]!)];
      put(ownInputs, ownRows, target, (i) => places[own[i]!]!.row, embeddings);
    }
  };
  const multiplyListed = async (session: Session, ...[inputs, rows, target]: Work) => {
    const binding = bindingOf(session, inputs.length);
    inputs.forEach((input, i) => {
      writeDense(weights.subarray(i * vocabularySize, (i + 1) * vocabularySize), input);
    });
    await run(binding);
    put(inputs, rows, target, (i) => i, embeddings);
  };
  /** Whether the weights of a mixture are on a session's device, and nothing is to be added to them. */
  const isThere = ({ memory }: Session, { ids, dense }: Mixture) =>
    memory !== undefined && isHeldOnDevice(dense?.held) && ids.length <= MOST_LISTED &&
    dense.held.tensor.dims[1] === vocabularySize;
  const multiply = async (...[inputs, rows, target]: Work): Promise<void> => {
    const session = await table.session();
    const kinds = Map.groupBy(inputs.keys(), (i) => isThere(session, inputs[i]!));
    for (const [isHeld, own] of kinds) {
      const work = [own.map((i) => inputs[i]!), own.map((i) => rows[i]!), target] as const;
      await (isHeld ? multiplyHeld : multiplyListed)(session, ...work);
    }
  };
  const turn = inOrder(); // a prefill and a step share the buffers
  return {
    /**
     * Writes the embeddings of {@linkcode isDense} mixtures, what {@linkcode listedPart} names apart, to
     * these rows of a target `[…, D]`.
     */
    embed: (...work: Parameters<typeof multiply>): Promise<void> => turn(() => multiply(...work)),
    [Symbol.dispose]() {
      scope.dispose();
      heldScope.dispose();
    },
  };
}

/** What the product is multiplied with: a dense part is copied as it is, unless more is added to it. */
export function scaleOf({ ids, dense }: Mixture): number {
  return dense && ids.length <= MOST_LISTED ? dense.weight : 1;
}

/** Refuses a mixture whose parts do not fit one another. */
function checkParts(mixture: Mixture): void {
  checkSizes(WHAT, mixture);
  if (mixture.dense) checkWeight(WHAT, mixture.dense.weight, mixture.signed);
}

/** The probabilities of a dense part; refuses those of another vocabulary. */
function probabilitiesOf({ probabilities }: NonNullable<Mixture["dense"]>, size: number) {
  if (probabilities.length === size) return probabilities;
  throw new RangeError(
    `Cannot feed a mixture as 'dense.probabilities' must have ${size} numbers: current value is ${probabilities.length}`,
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
export function writeDense(row: Float32Array, input: Mixture): void {
  checkParts(input);
  const { ids, dense } = input;
  if (dense) row.set(probabilitiesOf(dense, row.length));
  else row.fill(0);
  if (ids.length <= MOST_LISTED) return;
  if (dense) row.forEach((p, id) => row[id] = dense.weight * p);
  addListed(row, input);
}

/** An input with what lies on the whole vocabulary listed as well. */
export function listedInFull(input: Input, vocabularySize: number): Input {
  if (typeof input === "number" || !input.dense) return input;
  checkParts(input);
  const { weight } = input.dense, probabilities = probabilitiesOf(input.dense, vocabularySize);
  const weights = Float32Array.from(probabilities, (p) => weight * p);
  addListed(weights, input);
  const signed = input.signed ? { signed: input.signed } : {};
  return { ids: Int32Array.from(weights.keys()), weights, ...signed };
}
