/** Which place of a network carries the difference between two runs. @module */

import { checkOptions, listOf, refusal, type Rules, text } from "../_check.ts";
import { counted } from "../_counted.ts";
import type { PatchEffects } from "../decode/mod.ts";
import type { Figure } from "./figure.ts";
import { cutTo, milli, percent, quoted } from "./_format.ts";
import { colorText, heatLayout, heatTrace } from "./_heat.ts";
import { framed } from "./_theme.ts";

/** Options of {@linkcode plotPatching}. */
export interface PlotPatchingOptions {
  /** Title. Default: "Where does the difference live?". */
  readonly title?: string;
  /** Names of all positions of the sequence, such as the texts of its tokens. Default: their numbers. */
  readonly names?: readonly string[];
}

const RULES: Rules<PlotPatchingOptions> = { title: text, names: listOf(text) };

/**
 * Draws the effects of patching as layers × positions: the colour is how much of the difference between the two runs a
 * single place carries, `1 − JS(patched ‖ from) / JS(into ‖ from)`: 0 nothing, 1 all of it. A place that leads away
 * from the other run has less than 0, which is drawn as 0 and told under the pointer.
 *
 * @param effects What `patchEffects` found.
 * @returns A figure; its height grows with the layers.
 * @throws {RangeError} If there is no place, or a name too few.
 *
 * @example
 * ```ts
 * import { loadModel, patchEffects, plotPatching } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const { data } = plotPatching(await patchEffects(model, [1, 26], [1, 23]));
 * assertEquals(data.length, 1);
 * ```
 */
export function plotPatching(effects: PatchEffects, options: PlotPatchingOptions = {}): Figure {
  const verb = "plot patching";
  checkOptions(verb, options, RULES);
  const { layers, positions, between, token, divergence, remaining, change } = effects;
  if (layers.length === 0 || positions.length === 0) {
    throw new RangeError(refusal(verb, "effects", "have a layer and a position", divergence));
  }
  const { names } = options, last = Math.max(...positions);
  if (names && names.length <= last) {
    throw new RangeError(refusal(verb, "names", `have ${last + 1} names at least`, names.length));
  }
  const columns = positions.map((position) =>
    names ? `${position}: ${quoted(cutTo(10, names[position]!), 0)}` : `${position}`
  );
  const followed = quoted(token.text, token.token);
  const heat = heatTrace({
    ...{ layers, columns },
    cells: layers.map((_, y) =>
      positions.map((_, x) => {
        const carried = between > 0 ? 1 - remaining[y]![x]! / between : 0;
        return {
          value: Math.max(0, carried),
          told: [
            `carries ${percent(carried)} of the difference`,
            `JS to the run as it was ${milli(divergence[y]![x]!)}, to the other ${
              milli(remaining[y]![x]!)
            } nats`,
            `ln p of ${followed} changes by ${milli(change[y]![x]!)}`,
          ],
        };
      })
    ),
  });
  const colors = colorText("share of it that a place carries");
  const difference = `JS between the runs ${between.toPrecision(2)} nats`;
  const n = `${counted(layers.length, "layer")}, ${counted(positions.length, "position")}`;
  const title = options.title ?? "Where does the difference live?";
  return framed(
    { title, caption: [difference, colors, n] },
    [heat],
    heatLayout({ layers, columns }, "position"),
  );
}
