/**
 * Logits at every position of a sequence of tokens and mixtures, and what stands inside the layers.
 *
 * @module
 */

import {
  anything,
  checkNumber,
  checkOptions,
  kind,
  listOf,
  refusal,
  type Rules,
} from "../_check.ts";
import type { Patch } from "./engine.ts";
import { checkInputs, insideOf, placesOf } from "./inside.ts";
import type { Input } from "./mixture.ts";
import type { Model } from "./model.ts";

/** What is asked of the inside of a model. */
export interface InsideOptions {
  /**
   * Which layers are told: 0 is what the first layer gets, ℓ what stands in the residual stream after layer ℓ, up to
   * the number of layers L, before the last norm; `true`: all of them, from 0 to L.
   */
  readonly layers: true | readonly number[];
  /** What is put in the stream's place before the next layer reads it. Default: nothing. */
  readonly patches?: readonly Patch[];
}

const RULES: Rules<Partial<InsideOptions>> = {
  layers: kind("be true or a list of layers", (own) => own === true || Array.isArray(own)),
  patches: listOf(anything), // one by one, where the model's size is known
};

/** What is found inside. */
export interface Inside {
  /** Next-token logits `[V]` after every input, raw. */
  readonly logits: Float32Array[];
  /** Residual stream `[D]` by layer, in the order that was asked for, and position; in float32. */
  readonly layers: Float32Array[][];
}

/**
 * Feeds a sequence to a model.
 *
 * @param inputs Token ids or mixtures, one a position; at least one, at most `model.maxLength`.
 * @returns Next-token logits `[V]` after every input, raw (no temperature).
 * @throws {RangeError} Where the sequence is empty or too long, or an input is not valid.
 *
 * @example A one-entry mixture is the token itself
 * ```ts
 * import { forward, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const [, a] = await forward(model, [1, 26]);
 * const [, b] = await forward(model, [1, { ids: [26], weights: [1] }]);
 * assertEquals(a, b);
 * ```
 */
export function forward(model: Model, inputs: readonly Input[]): Promise<Float32Array[]>;
/**
 * Feeds a sequence to a model and looks inside: what stands in its residual stream, and what follows where something
 * else is put there.
 *
 * A session of its own does it, which starts at the first such call and holds the weights once more. Where nothing is
 * replaced, logits are those of a call without `layers`, to the bit on the CPU.
 *
 * @returns Logits and streams; a place that was replaced tells what it was replaced by.
 * @throws {TypeError} Where the model cannot tell its layers, as an ONNX export or a server.
 * @throws {RangeError} Where there is no such layer or position.
 *
 * @example The stream of one run in the place of another's, all of the last layer: its logits
 * ```ts
 * import { forward, loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const layer = model.config.layers;
 * const { logits, layers: [last] } = await forward(model, [1, 26], { layers: [layer] });
 * const patches = last!.map((stream, position) => ({ layer, position, stream }));
 * const other = await forward(model, [1, 23], { layers: [], patches });
 * assertEquals(other.logits, logits);
 * ```
 */
export function forward(
  model: Model,
  inputs: readonly Input[],
  options: InsideOptions,
): Promise<Inside>;
export async function forward(
  model: Model,
  inputs: readonly Input[],
  options: Partial<InsideOptions> = {},
): Promise<unknown> {
  const verb = "run the model";
  checkOptions(verb, options, RULES);
  checkInputs(verb, "inputs", inputs);
  checkNumber(verb, "inputs.length", inputs.length, { min: 1, max: model.maxLength });
  const { layers, patches } = options,
    { vocabularySize: V, hiddenSize: D, layers: L } = model.config;
  const shape = { slots: 1, length: inputs.length };
  if (layers === undefined) {
    if (patches) throw new TypeError(refusal(verb, "layers", "be given with 'patches'", layers));
    using cache = model.openCache(shape);
    const logits = await cache.prefill(0, 0, inputs, "all");
    return inputs.map((_, i) => logits.subarray(i * V, (i + 1) * V));
  }
  const asked = placesOf(verb, "layers", layers === true ? undefined : layers, L);
  const width = V + (L + 1) * D;
  using cache = await insideOf(verb, model).openCache(shape, patches);
  const rows = await cache.prefill(0, 0, inputs, "all");
  const part = (i: number, from: number, size: number) =>
    rows.slice(i * width + from, i * width + from + size);
  return {
    logits: inputs.map((_, i) => part(i, 0, V)),
    layers: asked.map((layer) => inputs.map((_, i) => part(i, V + layer * D, D))),
  };
}

/**
 * The logit lens: the distribution that the last norm and the head would make of the stream at each layer.
 *
 * What it cannot say: what a layer "believes". The head was trained to read the last stream, and what earlier ones
 * hold in other directions it does not see.
 *
 * Source: nostalgebraist, "interpreting GPT: the logit lens" (2020).
 *
 * @param layers Residual streams `[D]` by layer and position, as {@linkcode forward} tells them.
 * @returns Distributions `[V]` by layer and position, at temperature 1; of the last layer the model's own: to the
 * bit in float32 on the CPU, and elsewhere but for rounding.
 * @throws {TypeError} Where the model cannot tell its layers, or a stream has another size.
 *
 * @example Of the last layer: what the model says next
 * ```ts
 * import { forward, loadModel, logitLens } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { layers } = await forward(model, [1, 26], { layers: true });
 * const lens = await logitLens(model, layers);
 * assertEquals(lens.map((row) => row.length), Array(model.config.layers + 1).fill(2));
 * ```
 */
export async function logitLens(
  model: Model,
  layers: readonly (readonly Float32Array[])[],
): Promise<Float32Array[][]> {
  const verb = "look through the lens", inside = insideOf(verb, model);
  const { hiddenSize: D } = model.config;
  const isStream = (own: unknown) => own instanceof Float32Array && own.length === D;
  const isListOf = (own: unknown, is: (item: unknown) => boolean) =>
    Array.isArray(own) && own.every(is);
  if (!isListOf(layers, (row) => isListOf(row, isStream))) {
    const rule = `be Float32Arrays of ${D} numbers by layer and position`;
    throw new TypeError(refusal(verb, "layers", rule, layers));
  }
  return await Array.fromAsync(layers, async (streams) => {
    if (streams.length === 0) return [];
    return (await inside.read(streams)).map(softmaxOf);
  });
}

/** softmax, with sums in float64. */
function softmaxOf(logits: Float32Array): Float32Array {
  let most = -Infinity, sum = 0;
  for (const value of logits) if (value > most) most = value;
  for (const value of logits) sum += Math.exp(value - most);
  return logits.map((value) => Math.exp(value - most) / sum);
}
