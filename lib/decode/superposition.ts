/**
 * Does a mixture of tokens stay a superposition inside a network, or does it collapse to one of them?
 *
 * After the same inputs a mixture is fed, and each of its k heaviest tokens alone. At each layer ℓ the logit lens
 * makes a distribution of the stream:
 *
 * ```text
 * q    of the mixture                     m = Σ_i w_i p_i    what an ensemble of k runs would say: a mixture of outputs
 * p_i  of ingredient i alone, weight w_i  p_1                what the heaviest token alone would say
 * ```
 *
 * and three distances, JS divergences in nats, tell them apart: JS(q ‖ m), JS(q ‖ p_1), and how far the ingredients are
 * from one another, Σ_i w_i KL(p_i ‖ m). **Shares** sum them up: the weights a_i ≥ 0, Σ a_i = 1, with which the
 * ingredients' distributions explain the mixture's best,
 *
 * ```text
 * a = argmin KL(q ‖ Σ_i a_i p_i)        survival of i = a_i / w_i
 * ```
 *
 * the maximum-likelihood proportions of a mixture of known distributions (the problem is convex). Three cases:
 *
 * - **superposition**: a ≈ w (survival near 1 of all), JS(q ‖ m) near 0;
 * - **collapse**: a_1 ≈ 1 (survival near 0 of all others), JS(q ‖ p_1) near 0;
 * - **something else**: no mixture of the p_i is near: JS(q ‖ Σ a_i p_i) is large, and shares say little.
 *
 * Beside them stand shares without a lens, of the streams themselves: the least-squares weights, Σ b_i = 1, of
 * h ≈ Σ b_i h_i. Before the first layer the stream is linear, so there b = w; they may be negative or above 1.
 *
 * The lens is a softmax, which favours the heaviest token even of a stream that is exactly Σ w_i h_i: at layer 0 b = w,
 * and a may be near 1 for one token. A loss is seen where b falls as well.
 *
 * What it cannot say: what is in a stream and not in its lens, which reads early layers badly, or in directions that
 * later layers alone use; anything where the ingredients say the same (Σ w KL near 0); whether a superposition that
 * survives is of use; and what several mixtures in a row do, as the inputs before are what they are.
 *
 * Source of the question: "The Illusion of Superposition?" (arXiv 2604.06374), which finds that convex combinations of
 * embeddings collapse without training. The measures are ours.
 *
 * @module
 */

import {
  anything,
  checkNumber,
  checkOptions,
  isObject,
  number,
  refusal,
  type Rules,
} from "../_check.ts";
import { type Input, insideOf, type Mixture, type Model, oneToken } from "../model/mod.ts";
import { heaviest } from "./heaviest.ts";
import { checkInputs, placesOf } from "../model/inside.ts";
import { blendOf, sharesOf, streamSharesOf } from "./shares.ts";
import { entropyOf, jsOf, softmax, sumOf } from "./softmax.ts";

/** Options of {@linkcode superposition}. */
export interface SuperpositionOptions {
  /** Number of heaviest tokens that are fed alone; fewer where the mixture has fewer. Default: 4. */
  readonly top?: number;
  /** Layers that are looked at, 0 to L. Default: all. */
  readonly layers?: readonly number[];
}

const RULES: Rules<SuperpositionOptions> = {
  top: number({ min: 2, integer: true }),
  layers: anything, // one by one
};

/** A token of the mixture. */
export interface Ingredient {
  /** Token id. */
  readonly token: number;
  /** Its text. */
  readonly text: string;
  /** Its weight as a share of all ingredients', which sum to 1. */
  readonly weight: number;
}

/** One layer. Lists are by ingredient. */
export interface SuperpositionLayer {
  /** 0: before the first layer; ℓ: after layer ℓ. */
  readonly layer: number;
  /** JS(q ‖ m) to the probability mixture of outputs, nats, 0 to ln 2. */
  readonly toMixture: number;
  /** JS(q ‖ p_i), nats, 0 to ln 2; the first is that to the heaviest token. */
  readonly toIngredients: readonly number[];
  /** Σ w_i KL(p_i ‖ m), nats: how much the ingredients differ, at most the entropy of w. Near 0 shares say nothing. */
  readonly apart: number;
  /** a, within 10⁻⁶ nats of the best; the weights that were fed, where ingredients say the same; sum 1. */
  readonly shares: readonly number[];
  /** a_i / w_i: 1 as in a mixture of outputs, 0 gone; at most 1 / w_i. */
  readonly survival: readonly number[];
  /** JS(q ‖ Σ a_i p_i), nats: what no mixture of the ingredients explains. */
  readonly unexplained: number;
  /** b of the streams, by least squares, without a lens; sum 1. */
  readonly streamShares: readonly number[];
  /** Part of ‖h − h_1‖² that they leave: 0 where the stream is a mixture of streams; near 1 they say little. */
  readonly streamUnexplained: number;
}

/** What {@linkcode superposition} finds. */
export interface Superposition {
  /** The heaviest tokens, heaviest first. */
  readonly ingredients: readonly Ingredient[];
  /** Their weight in the mixture together; what else is in the mixture is fed as well. */
  readonly weight: number;
  /** Layer by layer. */
  readonly layers: readonly SuperpositionLayer[];
}

const VERB = "look for a superposition";

/** Refuses what is no sum of tokens. */
function checkSum(mixture: Mixture): void {
  if (!isObject(mixture)) {
    throw new TypeError(refusal(VERB, "mixture", "be a mixture of tokens", mixture));
  }
  if (mixture.signed) {
    throw new RangeError(refusal(VERB, "mixture.signed", "be left out: shares are of sums", true));
  }
  const all = sumOf(mixture.weights) + (mixture.dense?.weight ?? 0);
  if (all > 1.001) { // less is what a trace keeps of a mixture over a large vocabulary
    throw new RangeError(refusal(VERB, "mixture.weights", "sum to 1", all));
  }
}

/** One layer, from rows of the mixture and of each ingredient. */
function layerOf(
  layer: number,
  weights: readonly number[],
  [mixed, ...parts]: readonly Float32Array[],
  streams: readonly Float32Array[],
): SuperpositionLayer {
  const q = softmax(mixed!), own = parts.map((row) => softmax(row));
  const ensemble = blendOf(own, weights), shares = sharesOf(q, own, weights);
  const ofStream = streamSharesOf(streams[0]!, streams.slice(1), weights);
  const within = weights.reduce((sum, w, i) => sum + w * entropyOf(own[i]!), 0);
  return {
    layer,
    toMixture: jsOf(q, ensemble),
    toIngredients: own.map((p) => jsOf(q, p)),
    apart: Math.max(0, entropyOf(ensemble) - within), // Σ w KL(p_i ‖ m), as a difference of entropies
    shares,
    survival: shares.map((share, i) => share / weights[i]!),
    unexplained: jsOf(q, blendOf(own, shares)),
    ...{ streamShares: ofStream.shares, streamUnexplained: ofStream.unexplained },
  };
}

/**
 * Feeds a mixture, and each of its heaviest tokens alone, after the same inputs, and compares what they become layer by
 * layer.
 *
 * @param inputs Tokens and mixtures before it; may be none.
 * @param mixture A mixture of two tokens at least, weights at least 0; where they sum to less than 1, as those of a trace
 * over a large vocabulary, it is fed as it is.
 * @returns Plain numbers: `layers[ℓ].shares[i]` and so on; see the head of this file for what they mean.
 * @throws {TypeError} Where the model does not tell its layers, or an option is of the wrong kind.
 * @throws {RangeError} Where the mixture has fewer than two tokens, is signed or weighs more than 1, an input is not valid, or the context is too short.
 *
 * @example Before the first layer the stream is the mixture of the tokens' streams
 * ```ts
 * import { superposition } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const mixture = { ids: [3, 4], weights: [0.75, 0.25] };
 * const { ingredients, layers } = await superposition(model, [1, 26], mixture);
 * assertEquals(ingredients.map(({ weight }) => weight), [0.75, 0.25]);
 * assertAlmostEquals(layers[0]!.streamShares[1]!, 0.25, 1e-5);
 * assertEquals(layers.length, model.config.layers + 1);
 * ```
 */
export async function superposition(
  model: Model,
  inputs: readonly Input[],
  mixture: Mixture,
  options: SuperpositionOptions = {},
): Promise<Superposition> {
  checkOptions(VERB, options, RULES);
  checkInputs(VERB, "inputs", inputs);
  const { hiddenSize: D, vocabularySize: V, layers: L } = model.config, { top = 4 } = options;
  const layers = placesOf(VERB, "layers", options.layers, L);
  checkSum(mixture);
  const entries = heaviest(mixture, top), weight = sumOf(entries.map(([, own]) => own));
  if (entries.length < 2) {
    throw new RangeError(refusal(VERB, "mixture", "have two tokens at least", mixture));
  }
  checkNumber(VERB, "inputs.length", inputs.length, { max: model.maxLength - 1 });
  const weights = entries.map(([, own]) => own / weight), inside = insideOf(VERB, model);
  const before = inputs.length, at = (layer: number) => V + layer * D;
  using cache = await inside.openCache({ slots: 1, length: before + 1 });
  if (before > 0) await cache.prefill(0, 0, inputs, "last");
  const rows: Float32Array[] = []; // [V + (L + 1) · D] of the mixture and each ingredient, in the same place
  for (const input of [mixture, ...entries.map(([token]) => oneToken(token))]) {
    rows.push(await cache.prefill(0, before, [input], "last"));
  }
  const found = await Array.fromAsync(layers, async (layer) => {
    const streams = rows.map((row) => row.subarray(at(layer), at(layer + 1)));
    return layerOf(layer, weights, await inside.read(streams), streams);
  });
  const ingredients = entries.map(([token], i) => ({
    ...{ token, text: model.tokenizer.decode([token]), weight: weights[i]! },
  }));
  return { ingredients, weight, layers: found };
}
