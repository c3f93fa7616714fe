/** What each layer would say next, at each position of a sequence. @module */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import { counted } from "../_counted.ts";
import type { Lens } from "../decode/mod.ts";
import type { Figure } from "./figure.ts";
import { cutTo, milli, quoted } from "./_format.ts";
import { colorText, heatLayout, heatTrace, inputName } from "./_heat.ts";
import { framed } from "./_theme.ts";

/** Options of {@linkcode plotLens}. */
export interface PlotLensOptions {
  /** Title. Default: "What would each layer say next?". */
  readonly title?: string;
}

const RULES: Rules<PlotLensOptions> = { title: text };

/** Most positions at which cells have words. */
const WORDS = 24;

/** A token in a cell: short, its white space visible. */
function wordOf(text: string): string {
  const own = quoted(text, 0).slice(1, -1);
  return cutTo(8, own.trim() === "" ? own.replaceAll(" ", "␣") : own.trim());
}

/**
 * Draws the logit lens as layers × positions: the colour is the probability of the most probable token, which stands
 * in the cell where there are at most 24 positions; resting the pointer on a cell names the first few, the normalised
 * entropy, and the divergence from what the model says in the end.
 *
 * @param found What `lens` found.
 * @returns A figure; its height grows with the layers.
 * @throws {RangeError} If there is no layer or position.
 *
 * @example
 * ```ts
 * import { lens, loadModel, plotLens } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { data } = plotLens(await lens(model, [1, 26]));
 * assertEquals(data.length, 1);
 * ```
 */
export function plotLens(found: Lens, options: PlotLensOptions = {}): Figure {
  const verb = "plot the lens";
  checkOptions(verb, options, RULES);
  const { layers, inputs, cells } = found;
  if (layers.length === 0 || inputs.length === 0) {
    throw new RangeError(refusal(verb, "found.cells", "have a layer and a position", cells));
  }
  const columns = inputs.map((tokens, i) => `${i}: ${inputName(tokens)}`);
  const heat = heatTrace({
    ...{ layers, columns },
    cells: cells.map((row) =>
      row.map(({ tokens, entropy, divergence }) => ({
        value: tokens[0]!.probability,
        text: inputs.length > WORDS ? "" : wordOf(tokens[0]!.text),
        told: [
          ...tokens.map(({ token, text, probability }) =>
            `${quoted(text, token)} ${milli(probability)}`
          ),
          `H ${milli(entropy)}, JS to the last layer ${milli(divergence)} nats`,
        ],
      }))
    ),
  });
  const n = `${counted(layers.length, "layer")}, ${counted(inputs.length, "position")}`;
  const colors = colorText("probability of the most probable token");
  const title = options.title ?? "What would each layer say next?";
  return framed({ title, caption: [colors, n] }, [heat], heatLayout({ layers, columns }, "after"));
}
