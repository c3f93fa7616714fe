/**
 * The proof that the graph that is cut from an export gives the export's logits.
 *
 * @module
 */

import {
  encodeModel,
  type GraftFacts,
  type OnnxModel,
  reference,
  tensorBytes,
} from "../graph/mod.ts";
import { allocate, createSession, OrtError, tensor, tensorIn } from "../runtime/mod.ts";
import { shown } from "../_check.ts";
import type { ExternalData } from "./external.ts";
import type { Model } from "./model.ts";

/**
 * Largest difference between logits of the cut graph and of the export, as a part of the largest
 * logit: 10⁻⁴ in fp32, where only the order of additions differs; 10⁻³ with block-quantised weights;
 * 2·10⁻² with float16 activations, which attention here rounds less often; 5·10⁻² where the export
 * rounds activations to int8, as a last digit may fall to the other side.
 */
function checkBound(facts: GraftFacts): number {
  if (facts.quantizedActivations) return 5e-2;
  if (facts.activations === "float16" || facts.dtype === "fp16") return 2e-2;
  return facts.dtype === "fp32" ? 1e-4 : 1e-3;
}

/** Runs what comes from a file; the runtime's words are kept. */
async function refusing<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof OrtError)) throw cause;
    throw new SyntaxError(`Cannot load ${what}: ${cause.message.slice(0, 500)}`, { cause });
  }
}

/** Logits of the export itself for a prompt, all positions or the last. */
async function referenceLogits(
  model: OnnxModel,
  data: ExternalData,
  facts: GraftFacts,
  prompt: readonly number[],
  name: string,
): Promise<Float32Array> {
  const { model: original, inputs, output, caches } = reference(model, prompt);
  await using session = await refusing(
    `${name} as ONNX Runtime refuses it`,
    () => createSession(encodeModel(original), { ...data, threads: 1 }),
  );
  using scope = new DisposableStack();
  const empty = scope.use(allocate(16));
  const bound = Object.fromEntries(inputs.map(({ name, type, dims, values }) => {
    if (values.length === 0) return [name, scope.use(tensorIn(empty, 0, type, dims))];
    if (type === "int64") {
      return [name, scope.use(tensor(BigInt64Array.from(values, BigInt), dims))];
    }
    if (type === "int32") return [name, scope.use(tensor(Int32Array.from(values), dims))];
    if (type === "float32") return [name, scope.use(tensor(Float32Array.from(values), dims))];
    throw new SyntaxError(`Cannot load the export as its input ${shown(name)} is ${type}`);
  }));
  const rows = facts.lastLogitsOnly ? 1 : prompt.length;
  const logits = new Float32Array(rows * facts.vocabularySize);
  const results = Object.fromEntries(caches.map(({ name, type, dims }) => {
    const memory = scope.use(allocate(tensorBytes({ type, dims })));
    return [name, scope.use(tensorIn(memory, 0, type, dims))];
  }));
  results[output] = scope.use(tensor(logits, [1, rows, facts.vocabularySize]));
  const binding = scope.use(session.bind(bound, results));
  await refusing(`${name} as it does not run`, () => binding.runAsync());
  return logits;
}

/** Largest difference relative to the largest logit; NaN where a number is none. */
function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0, scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(found[i]! - expected[i]!);
    if (Number.isNaN(distance)) return NaN;
    difference = Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / scale;
}

/**
 * Runs an export, which takes `input_ids`, once as it is, on a few tokens.
 *
 * @returns What compares its logits with those of a model over the cut graph, and throws a SyntaxError
 * where they differ by more than {@linkcode checkBound} says.
 */
export async function exportCheck(
  model: OnnxModel,
  data: ExternalData,
  facts: GraftFacts,
  maxPositions: number,
  name: string,
): Promise<(model: Pick<Model, "openCache" | "maxLength">) => Promise<void>> {
  const { vocabularySize: V, lastLogitsOnly, dynamicScales } = facts, bound = checkBound(facts);
  const size = Math.min(6, maxPositions);
  const prompt = Array.from({ length: size }, (_, i) => (1 + 7919 * i) % V);
  const expected = await referenceLogits(model, data, facts, prompt, name);
  const compare = (found: Float32Array, row: number, what: string) => {
    const own = lastLogitsOnly ? expected : expected.subarray(row * V, row * V + found.length);
    const difference = relativeDifference(found, own);
    if (difference <= bound) return;
    throw new SyntaxError(
      `Cannot load ${name} as ${what} of the graph cut at its embedding must equal the export's ` +
        `own within ${bound} of the largest logit: the difference is ${difference}`,
    );
  };
  return ({ openCache, maxLength }) =>
    refusing(`${name} as the graph cut at its embedding does not run`, async () => {
      const count = Math.min(size, maxLength), last = count - 1;
      const capacity = Math.min(count + 5, maxLength); // a cache longer than its contents
      using cache = openCache({ slots: 1, length: capacity });
      const inputs = prompt.slice(0, count).map((id) => ({ ids: [id], weights: [1] }));
      const all = await cache.prefill(0, 0, inputs, "all");
      if (!lastLogitsOnly) compare(all, 0, "logits");
      else if (count === size) compare(all.subarray(last * V), last, "logits");
      if (count < size || count < 2 || dynamicScales) return;
      await cache.prefill(0, 0, inputs.slice(0, -1), "last");
      compare(await cache.step(inputs.slice(-1), [last]), last, "logits after a step");
    });
}
