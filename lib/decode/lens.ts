/**
 * What would each layer say next? The logit lens over a sequence, in words.
 *
 * @module
 */

import { anything, checkOptions, number, type Rules } from "../_check.ts";
import { forward, type Input, insideOf, type Model } from "../model/mod.ts";
import type { ProbedToken } from "./probe.ts";
import { heaviest } from "./heaviest.ts";
import { checkInputs, placesOf } from "../model/inside.ts";
import { entropyOf, identity, jsOf, mostProbable, softmax } from "./softmax.ts";

/** Options of {@linkcode lens}. */
export interface LensOptions {
  /** Number of most probable tokens that are told. Default: 5. */
  readonly top?: number;
  /** Layers, 0 to L. Default: all. */
  readonly layers?: readonly number[];
}

const RULES: Rules<LensOptions> = {
  top: number({ min: 1, integer: true }),
  layers: anything, // one by one
};

/** A token that a layer would say next. */
export interface LensToken extends Pick<ProbedToken, "token" | "text"> {
  /** Its probability by the lens, at temperature 1. */
  readonly probability: number;
}

/** A layer at a position. */
export interface LensCell {
  /** The most probable tokens, most probable first. */
  readonly tokens: readonly LensToken[];
  /** Entropy of the distribution over ln V, 0 to 1. */
  readonly entropy: number;
  /** JS divergence to the last layer's distribution, which is the model's; nats, 0 to ln 2. */
  readonly divergence: number;
}

/** What {@linkcode lens} finds. */
export interface Lens {
  /** The layers, in the order that was asked for. */
  readonly layers: readonly number[];
  /** The heaviest tokens of each input, heaviest first, at most three; of a token itself alone. */
  readonly inputs: readonly (readonly Pick<ProbedToken, "token" | "text" | "weight">[])[];
  /** By layer, then position. */
  readonly cells: readonly (readonly LensCell[])[];
}

const VERB = "look through the lens";
/** Tokens of a mixture that are named. */
const NAMED = 3;

/**
 * Reads the residual stream of a sequence at every layer and position by the logit lens.
 *
 * @param inputs Tokens and mixtures, at least one.
 * @returns The most probable tokens by layer and position, their entropy, and how far they are from what the model
 * says in the end.
 * @throws {TypeError} Where the model does not tell its layers, or an option is of the wrong kind.
 * @throws {RangeError} Where an input is not valid, or there is no such layer.
 *
 * @example The last layer says what the model says
 * ```ts
 * import { lens } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { cells, layers } = await lens(model, [1, 26], { top: 1 });
 * assertEquals(layers.length, model.config.layers + 1);
 * assertEquals(cells.at(-1)!.map(({ divergence }) => divergence), [0, 0]);
 * ```
 */
export async function lens(
  model: Model,
  inputs: readonly Input[],
  options: LensOptions = {},
): Promise<Lens> {
  checkOptions(VERB, options, RULES);
  checkInputs(VERB, "inputs", inputs);
  const { vocabularySize: V, layers: L } = model.config, { top = 5 } = options;
  const layers = placesOf(VERB, "layers", options.layers, L);
  const inside = insideOf(VERB, model);
  const { layers: streams } = await forward(model, inputs, { layers: [L, ...layers] });
  const distributionsOf = async (rows: readonly Float32Array[]) =>
    (await inside.read(rows)).map((row) => softmax(row));
  const [last, ...others] = streams, final = await distributionsOf(last!);
  const nameOf = (token: number) => ({ token, text: model.tokenizer.decode([token]) });
  const cellOf = (p: number[], i: number): LensCell => ({
    tokens: mostProbable(identity(V), p, top)
      .map((token) => ({ ...nameOf(token), probability: p[token]! })),
    entropy: entropyOf(p) / Math.log(V),
    divergence: jsOf(p, final[i]!),
  });
  return {
    layers,
    inputs: inputs.map((input) =>
      typeof input === "number" ? [{ ...nameOf(input), weight: 1 }] : heaviest(input, NAMED)
        .map(([token, weight]) => ({ ...nameOf(token), weight }))
    ),
    cells: await Array.fromAsync(
      others,
      async (rows) => (await distributionsOf(rows)).map(cellOf),
    ),
  };
}
