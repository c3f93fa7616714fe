/** What looks inside a model have in common: inputs, and which places are asked for. @module */

import { checkNumber, refusal } from "../_check.ts";
import type { Layers } from "./engine.ts";
import type { Input } from "./mixture.ts";
import type { Model } from "./model.ts";

/**
 * The places of a range from 0 that are asked for.
 *
 * @param asked Default: all.
 * @throws {TypeError | RangeError} Where they are no list, or there is no such place.
 */
export function placesOf(
  verb: string,
  name: string,
  asked: readonly number[] | undefined,
  max: number,
): readonly number[] {
  if (asked === undefined) return Array.from({ length: max + 1 }, (_, i) => i);
  if (!Array.isArray(asked)) throw new TypeError(refusal(verb, name, "be a list", asked));
  for (const one of asked) checkNumber(verb, name, one, { min: 0, max, integer: true });
  return asked;
}

/** Refuses what is no list of tokens and mixtures; what is in it is checked where it is fed. */
export function checkInputs(verb: string, name: string, inputs: readonly Input[]): void {
  if (!Array.isArray(inputs)) throw new TypeError(refusal(verb, name, "be a list", inputs));
}

/**
 * What looks inside a model.
 *
 * @param verb What cannot be done without, for the error.
 * @throws {TypeError} Where the model does not tell its layers.
 */
export function insideOf(verb: string, { layers, id }: Pick<Model, "layers" | "id">): Layers {
  if (layers) return layers;
  throw new TypeError(
    `Cannot ${verb} as ${id} does not tell its layers: checkpoints in Hugging Face's format and GGUF files do, ` +
      "ONNX exports, servers and engines of one's own do not",
  );
}
