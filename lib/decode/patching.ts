/**
 * Activation patching: where in a network does the difference between two runs live?
 *
 * Two sequences of the same length are fed, such as a text's tokens and the same text with a mixture in it. Then the
 * one is fed again with a single place of its residual stream, layer ℓ at position t, replaced by what the other run
 * had there, and its next distribution is compared with both:
 *
 * ```text
 * P  next | into       Q  next | from       R  next | into, h_ℓ,t ← from's
 * divergence = JS(R ‖ P)     0: the place changes nothing
 * remaining  = JS(R ‖ Q)     0: the place carries all that tells the two apart
 * ```
 *
 * The other direction is the same call with the two exchanged. Source: Meng et al., "Locating and editing factual
 * associations in GPT" (arXiv 2202.05262), and Vig et al. (arXiv 2004.12265), who call it causal mediation.
 *
 * What it cannot say: what a place does together with others. Effects of single places do not sum up, and where later
 * layers make up for what is put in, a place that matters looks as if it did not.
 *
 * @module
 */

import {
  anything,
  callable,
  checkNumber,
  checkOptions,
  number,
  type Rules,
  signal,
} from "../_check.ts";
import { forward, type Input, insideOf, type Model, type Patch } from "../model/mod.ts";
import { defaultSignal } from "../runtime/mod.ts";
import { checkInputs, placesOf } from "../model/inside.ts";
import { argmax, jsOf, softmax } from "./softmax.ts";

/** Options of {@linkcode patchEffects}. */
export interface PatchOptions {
  /** Layers, 0 to L. Default: all. */
  readonly layers?: readonly number[];
  /** Positions, from 0. Default: all. */
  readonly positions?: readonly number[];
  /** Token whose ln p is followed. Default: the most probable one after `into`. */
  readonly token?: number;
  /** Ends the work with the signal's reason. Default: as `generate`. */
  readonly signal?: AbortSignal;
  /** Called after each place. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const RULES: Rules<PatchOptions> = {
  ...{ layers: anything, positions: anything }, // one by one
  token: number({ min: 0, integer: true }),
  ...{ signal, onProgress: callable },
};

/** What {@linkcode patchEffects} finds; matrices are by layer, then position, in the order that was asked for. */
export interface PatchEffects {
  /** Layers. */
  readonly layers: readonly number[];
  /** Positions. */
  readonly positions: readonly number[];
  /** JS(Q ‖ P) of the two runs as they are, nats, 0 to ln 2. */
  readonly between: number;
  /** The token that is followed, its text, and ln p after either run. */
  readonly token: {
    readonly token: number;
    readonly text: string;
    readonly into: number;
    readonly from: number;
  };
  /** JS(R ‖ P) to the run that was changed, nats. */
  readonly divergence: readonly (readonly number[])[];
  /** JS(R ‖ Q) to the run that it was changed by, nats. */
  readonly remaining: readonly (readonly number[])[];
  /** Change of ln p of the token, nats. */
  readonly change: readonly (readonly number[])[];
}

const VERB = "patch a run";

const isSame = (a: Float32Array, b: Float32Array) => a.every((x, d) => x === b[d]);

/**
 * Puts single places of one run's residual stream into another run, and measures what follows.
 *
 * A place takes one prefill, but for those at which the two runs have the same stream, which change nothing: before
 * the first input in which they differ, and at layer 0 wherever inputs are the same.
 *
 * @param into The run that is changed: tokens and mixtures.
 * @param from The run whose stream is put there, of the same length.
 * @throws {TypeError} Where the model does not tell its layers, or an option is of the wrong kind.
 * @throws {RangeError} Where lengths differ, or there is no such layer, position or token.
 *
 * @example The last position of the last layer carries all
 * ```ts
 * import { patchEffects } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assert, assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const mixed = [1, { ids: [26, 23], weights: [0.5, 0.5] }, 3];
 * const effects = await patchEffects(model, [1, 26, 3], mixed);
 * assertEquals(effects.remaining.at(-1)!.at(-1), 0);
 * assert(effects.divergence.every((row) => row[0] === 0)); // the first inputs are the same
 * ```
 */
export async function patchEffects(
  model: Model,
  into: readonly Input[],
  from: readonly Input[],
  options: PatchOptions = {},
): Promise<PatchEffects> {
  checkOptions(VERB, options, RULES);
  checkInputs(VERB, "into", into);
  checkInputs(VERB, "from", from);
  const { signal = defaultSignal(), onProgress } = options, { config } = model;
  checkNumber(VERB, "from.length", from.length, { min: into.length, max: into.length });
  const layers = placesOf(VERB, "layers", options.layers, config.layers);
  const positions = placesOf(VERB, "positions", options.positions, into.length - 1);
  const inside = insideOf(VERB, model);
  const [own, other] = [
    await forward(model, into, { layers }),
    await forward(model, from, { layers }),
  ];
  const after = async (inputs: readonly Input[], patches: readonly Patch[] = []) => {
    using cache = await inside.openCache({ slots: 1, length: inputs.length }, patches);
    const row = await cache.prefill(0, 0, inputs, "last");
    return softmax(row.subarray(0, config.vocabularySize));
  };
  const P = await after(into), Q = await after(from);
  const { token = argmax(P) } = options, total = layers.length * positions.length;
  checkNumber(VERB, "token", token, { max: config.vocabularySize - 1 });
  const between = jsOf(Q, P), nothing = { divergence: 0, remaining: between, change: 0 };
  let done = 0;
  const effectOf = async (at: number, position: number) => {
    const [before, stream] = [own, other].map((run) => run.layers[at]![position]!);
    if (isSame(before!, stream!)) return nothing;
    const R = await after(into, [{ layer: layers[at]!, position, stream: stream! }]);
    const change = Math.log(R[token]!) - Math.log(P[token]!);
    return { divergence: jsOf(R, P), remaining: jsOf(R, Q), change };
  };
  const rows: Awaited<ReturnType<typeof effectOf>>[][] = [];
  for (const at of layers.keys()) {
    const row = [];
    for (const position of positions) {
      signal?.throwIfAborted();
      row.push(await effectOf(at, position));
      onProgress?.({ done: ++done, total });
    }
    rows.push(row);
  }
  const by = (field: keyof typeof nothing) => rows.map((row) => row.map((one) => one[field]));
  return {
    ...{ layers, positions, between },
    token: {
      ...{ token, text: model.tokenizer.decode([token]) },
      ...{ into: Math.log(P[token]!), from: Math.log(Q[token]!) },
    },
    ...{ divergence: by("divergence"), remaining: by("remaining"), change: by("change") },
  };
}
