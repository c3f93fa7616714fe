/**
 * Logits at every position of a sequence of tokens and mixtures.
 *
 * @module
 */

import { anything, checkNumber, checkOptions, type Rules } from "../_check.ts";
import type { Layers } from "./engine.ts";
import type { Input } from "./mixture.ts";
import type { Model } from "./model.ts";

const RULES: Rules<{ readonly layers?: true | readonly number[] }> = { layers: anything };

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
 * Feeds a sequence to a model and looks inside.
 *
 * @param options Which layers are told: 0 is what the first layer gets, ℓ what stands in the residual stream after
 * layer ℓ, up to the number of layers L, before the last norm; `true`: all of them.
 * @returns Logits `[V]` and, layer by layer in the order that was asked for, the residual stream `[D]` at every
 * position, in float32. The weights are held once more from the first call on.
 * @throws {TypeError} Where the model cannot tell its layers, as an ONNX export or a server.
 * @throws {RangeError} Where there is no such layer.
 */
export function forward(
  model: Model,
  inputs: readonly Input[],
  options: { readonly layers: true | readonly number[] },
): Promise<{ logits: Float32Array[]; layers: Float32Array[][] }>;
export async function forward(
  model: Model,
  inputs: readonly Input[],
  options: { readonly layers?: true | readonly number[] } = {},
): Promise<unknown> {
  const verb = "run the model";
  checkOptions(verb, options, RULES);
  checkNumber(verb, "inputs.length", inputs.length, { min: 1, max: model.maxLength });
  const { layers } = options, { vocabularySize: V, hiddenSize: D, layers: L } = model.config;
  const shape = { slots: 1, length: inputs.length };
  if (layers === undefined) {
    using cache = model.openCache(shape);
    const logits = await cache.prefill(0, 0, inputs, "all");
    return inputs.map((_, i) => logits.subarray(i * V, (i + 1) * V));
  }
  const asked = layers === true ? Array.from({ length: L + 1 }, (_, layer) => layer) : layers;
  for (const layer of asked) checkNumber(verb, "layers", layer, { min: 0, max: L, integer: true });
  using cache = await insideOf(verb, model).openCache(shape);
  const rows = await cache.prefill(0, 0, inputs, "all"), width = V + (L + 1) * D;
  const part = (i: number, from: number, size: number) =>
    rows.slice(i * width + from, i * width + from + size);
  return {
    logits: inputs.map((_, i) => part(i, 0, V)),
    layers: asked.map((layer) => inputs.map((_, i) => part(i, V + layer * D, D))),
  };
}

function insideOf(verb: string, { layers, id }: Model): Layers {
  if (layers) return layers;
  throw new TypeError(`Cannot ${verb} with layers as ${id} does not tell its residual stream`);
}

/**
 * The logit lens: the distribution that the last norm and the head would make of the stream at each layer.
 *
 * Source: nostalgebraist, "interpreting GPT: the logit lens" (2020).
 *
 * @param layers Residual streams `[D]` by layer and position, as {@linkcode forward} tells them.
 * @returns Distributions `[V]` by layer and position, at temperature 1; of the last layer the model's own.
 * @throws {TypeError} Where the model cannot tell its layers.
 */
export async function logitLens(
  model: Model,
  layers: readonly (readonly Float32Array[])[],
): Promise<Float32Array[][]> {
  const inside = insideOf("look through the lens", model);
  const { hiddenSize: D, vocabularySize: V } = model.config;
  return await Array.fromAsync(layers, async (streams) => {
    const rows = new Float32Array(streams.length * D);
    streams.forEach((stream, i) => rows.set(stream, i * D));
    const logits = await inside.read(rows);
    return streams.map((_, i) => softmaxOf(logits.subarray(i * V, (i + 1) * V)));
  });
}

/** softmax, with sums in float64. */
function softmaxOf(logits: Float32Array): Float32Array {
  let most = -Infinity, sum = 0;
  for (const value of logits) if (value > most) most = value;
  for (const value of logits) sum += Math.exp(value - most);
  return logits.map((value) => Math.exp(value - most) / sum);
}
