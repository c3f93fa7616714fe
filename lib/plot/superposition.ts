/** What becomes of a mixture's ingredients from layer to layer. @module */

import { checkOptions, refusal, type Rules, text } from "../_check.ts";
import { counted } from "../_counted.ts";
import type { Superposition } from "../decode/mod.ts";
import type { Figure } from "./figure.ts";
import { cutTo, milli, percent, quoted, rounded } from "./_format.ts";
import { colorText, columnsAxis, heatHeight, heatLayout, heatTrace, layersAxis } from "./_heat.ts";
import { axis, axisTitle, COLORS, framed, upperEnd } from "./_theme.ts";

/** Options of {@linkcode plotSuperposition} and {@linkcode plotSurvival}. */
export interface PlotSuperpositionOptions {
  /** Title. Default: "Superposition or collapse?". */
  readonly title?: string;
}

const RULES: Rules<PlotSuperpositionOptions> = { title: text };
const TITLE = "Superposition or collapse?";

const LINES = [
  { name: "to Σ w p, the mixture of outputs", color: COLORS.green, of: "toMixture" },
  { name: "to the heaviest token's", color: COLORS.vermillion, of: "toTop" },
  { name: "unexplained", color: COLORS.band, of: "unexplained" },
] as const;

/** Refuses what has no layers; all must have the same. */
function layersIn(verb: string, found: readonly Superposition[]): readonly number[] {
  const [layers, ...others] = found.map((one) => one.layers.map(({ layer }) => layer));
  const isSame = others.every((own) => `${own}` === `${layers}`);
  if (layers !== undefined && layers.length > 0 && isSame) return layers;
  const rule = "have at least one layer, all the same ones";
  throw new RangeError(refusal(verb, "found", rule, found.map((one) => one.layers.length)));
}

/**
 * Draws one mixture: on the left, layer by layer, the share of each ingredient, by the lens and of the stream itself,
 * as numbers and colours, with the weight that was fed beside its name; on the right the distances that tell a
 * superposition from a collapse.
 *
 * @param found What `superposition` found.
 * @returns A figure; its height grows with the layers.
 * @throws {RangeError} If it has no layer.
 *
 * @example
 * ```ts
 * import { loadModel, plotSuperposition, superposition } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const found = await superposition(model, [1, 26], { ids: [3, 4], weights: [0.75, 0.25] });
 * assertEquals(plotSuperposition(found).data.length, 4); // cells, and three lines
 * ```
 */
export function plotSuperposition(
  found: Superposition,
  options: PlotSuperpositionOptions = {},
): Figure {
  checkOptions("plot a superposition", options, RULES);
  const layers = layersIn("plot a superposition", [found]), { ingredients, weight } = found;
  const names = ingredients.map(({ token, text, weight }) =>
    `${quoted(cutTo(10, text), token)} ${weight.toFixed(2)}`
  );
  const columns = [
    ...names.map((name) => `lens ${name}`),
    ...names.map((name) => `stream ${name}`),
  ];
  const cells = found.layers.map(({ shares, survival, streamShares, streamUnexplained }) => {
    const text = (share: number) => ({ value: share, text: share.toFixed(2).replace("-", "−") });
    return [
      ...shares.map((share, i) => ({
        ...text(share),
        told: [`share ${milli(share)}, survival ${milli(survival[i]!)}`],
      })),
      ...streamShares.map((share) => ({
        ...text(share),
        told: [`share ${milli(share)}, ${percent(streamUnexplained)} unexplained`],
      })),
    ];
  });
  const heat = heatTrace({ layers, columns, cells });
  const lines = LINES.map(({ name, color, of }) => {
    const values = found.layers.map((own) => of === "toTop" ? own.toIngredients[0]! : own[of]);
    return {
      ...{ type: "scatter", mode: "lines+markers", name, xaxis: "x2", yaxis: "y2" },
      ...{ x: values.map((value) => rounded(value, 6)), y: [...layers.keys()] },
      ...{ line: { color, width: 2 }, marker: { size: 4 } },
      hovertemplate: "%{x} nats<extra></extra>",
    };
  });
  const all = lines.flatMap(({ x }) => x);
  const caption = [
    colorText("share of an ingredient"),
    `${percent(weight)} of the mixture in ${counted(ingredients.length, "ingredient")}`,
  ];
  return framed({ title: options.title ?? TITLE, caption }, [heat, ...lines], {
    ...{
      height: 70 + heatHeight(layers.length, columns.length),
      margin: { l: 84, r: 24, t: 98, b: 132 },
    },
    ...{ bargap: 0, barmode: "overlay" },
    xaxis: { ...columnsAxis(columns, ""), domain: [0, 0.66], tickangle: -45 },
    yaxis: layersAxis(layers),
    xaxis2: axis({
      ...{ domain: [0.73, 1], anchor: "y2", range: [0, upperEnd(all, 1.06)] },
      title: axisTitle("JS divergence, nats"),
    }),
    yaxis2: { ...layersAxis(layers), anchor: "x2", title: undefined },
    legend: {
      ...{ orientation: "h", x: 1, xanchor: "right", y: 1.01, yanchor: "bottom" },
      font: { size: 11 },
    },
  });
}

/**
 * Draws a row of mixtures as layers × steps: the colour is how much of what was fed beside the heaviest token survives,
 * `Σ_{i ≥ 2} a_i / Σ_{i ≥ 2} w_i`: 0 collapse, 1 as in a mixture of outputs; more is drawn as 1 and told under the
 * pointer.
 *
 * @param found What `superposition` found of each, at the same layers.
 * @returns A figure; its height grows with the layers.
 * @throws {RangeError} If there is none, or they have other layers.
 *
 * @example
 * ```ts
 * import { loadModel, plotSurvival, superposition } from "@moi/moi";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const found = await superposition(model, [1, 26], { ids: [3, 4], weights: [0.75, 0.25] });
 * assertEquals(plotSurvival([found, found]).data.length, 1);
 * ```
 */
export function plotSurvival(
  found: readonly Superposition[],
  options: PlotSuperpositionOptions = {},
): Figure {
  checkOptions("plot survival", options, RULES);
  const isList: boolean = Array.isArray(found);
  if (!isList) throw new TypeError(refusal("plot survival", "found", "be a list", found));
  const layers = layersIn("plot survival", found);
  const columns = found.map(({ ingredients: [first, second] }, i) =>
    `${i}: ${[first!, second!].map(({ token, text }) => quoted(cutTo(8, text), token)).join(" + ")}`
  );
  const cells = layers.map((_, y) =>
    found.map(({ ingredients: [first], layers: own }) => {
      const { shares, toMixture, toIngredients } = own[y]!;
      const survival = (1 - shares[0]!) / (1 - first!.weight);
      return {
        value: Math.min(1, Math.max(0, survival)),
        told: [
          `survival of the others ${milli(survival)}: share ${milli(1 - shares[0]!)} of weight ${
            milli(1 - first!.weight)
          }`,
          `JS to Σ w p ${milli(toMixture)}, to the heaviest token's ${
            milli(toIngredients[0]!)
          } nats`,
        ],
      };
    })
  );
  const heat = heatTrace({ layers, columns, cells });
  const colors = colorText("survival of what was fed beside the heaviest token");
  const caption = [colors, `N = ${counted(found.length, "mixture")}`];
  return framed(
    { title: options.title ?? TITLE, caption },
    [heat],
    heatLayout({ layers, columns }, "mixture"),
  );
}
