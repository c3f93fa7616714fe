/** The figures of what stands inside the layers: what they say of numbers that are known. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Lens, PatchEffects, Superposition } from "@moi/moi/decode";
import {
  plotLens,
  plotPatching,
  plotSuperposition,
  plotSurvival,
  toHtml,
  toSvg,
} from "../../lib/plot/mod.ts";
import { HOSTILE } from "./_hostile.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const lensOf = (texts: readonly string[]): Lens => ({
  layers: [0, 2],
  inputs: texts.map((text, token) => [{ token, text, weight: 1 }]),
  cells: [0.25, 0.5].map((probability) =>
    texts.map((text, token) => ({
      ...{ tokens: [{ token, text, probability }], entropy: 0.125, divergence: 0.5 },
    }))
  ),
});

const EFFECTS: PatchEffects = {
  ...{ layers: [0, 1], positions: [1, 3], between: 0.5 },
  token: { token: 7, text: "<b>", into: -1, from: -2 },
  divergence: [[0, 0.1], [0.2, 0.5]],
  remaining: [[0.5, 0.25], [0.75, 0]],
  change: [[0, -0.1], [0.3, -1]],
};

const FOUND: Superposition = {
  weight: 0.9,
  ingredients: [{ token: 1, text: " a", weight: 0.75 }, { token: 2, text: "<i>", weight: 0.25 }],
  layers: [0, 3].map((layer) => ({
    ...{ layer, toMixture: 0.1, toIngredients: [0.2, 0.3], apart: 0.4, unexplained: 0.05 },
    ...{
      shares: [0.9, 0.1],
      survival: [1.2, 0.4],
      streamShares: [1.1, -0.1],
      streamUnexplained: 0.5,
    },
  })),
};

Deno.test("plotLens() draws a cell for each layer and position, and names what is in it", () => {
  const { data: [heat], layout } = plotLens(lensOf([" a", " ", "b\n"])) as Any;
  assertEquals(heat.x, [0, 1, 2, 0, 1, 2]);
  assertEquals(heat.base, [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5]);
  assertEquals(heat.marker.color, [0.25, 0.25, 0.25, 0.5, 0.5, 0.5]);
  assertEquals(heat.text.slice(0, 3), ["a", "␣", "b\\n"]);
  assertEquals(
    heat.hovertext[3],
    'layer 2, 0: " a"<br>" a" 0.500<br>H 0.125, JS to the last layer 0.500 nats',
  );
  assertEquals(layout.yaxis.ticktext, ["0", "2"]);
  assertStringIncludes(layout.title.subtitle.text, "2 layers, 3 positions");
  assertStringIncludes(layout.title.subtitle.text, "0 (white) to 1 (blue)");
  const many = plotLens(lensOf(Array(25).fill("a"))) as Any;
  assertEquals(many.data[0].text, undefined); // no words where cells are narrow
});

Deno.test("plotPatching() draws the share of the difference that a place carries", () => {
  const { data: [heat], layout } = plotPatching(EFFECTS) as Any;
  assertEquals(heat.marker.color, [0, 0.5, 0, 1]); // one leads away: −0.5
  assertStringIncludes(heat.hovertext[2], "layer 1, 1<br>carries -50.0 % of the difference");
  assertStringIncludes(heat.hovertext[2], 'ln p of "&lt;b&gt;" changes by 0.300');
  assertStringIncludes(layout.title.subtitle.text, "JS between the runs 0.50 nats");
  const named = plotPatching(EFFECTS, { names: ["<a>", "b", "c", " d"] }) as Any;
  assertEquals(named.layout.xaxis.ticktext, ['1: "b"', '3: " d"']);
  const same = plotPatching({ ...EFFECTS, between: 0 }) as Any;
  assertEquals(same.data[0].marker.color, [0, 0, 0, 0]);
});

Deno.test("plotSuperposition() draws shares of the lens and of the stream, and three distances", () => {
  const { data: [heat, ...lines], layout } = plotSuperposition(FOUND) as Any;
  assertEquals(heat.text.slice(0, 4), ["0.90", "0.10", "1.10", "−0.10"]);
  assertEquals(layout.xaxis.ticktext[1], 'lens "&lt;i&gt;" 0.25');
  assertEquals(lines.map(({ x }: Any) => x), [[0.1, 0.1], [0.2, 0.2], [0.05, 0.05]]);
  assertStringIncludes(layout.title.subtitle.text, "90.0 % of the mixture in 2 ingredients");
});

Deno.test("plotSurvival() draws what is left beside the heaviest token", () => {
  const { data: [heat], layout } = plotSurvival([FOUND, FOUND]) as Any;
  assertEquals(heat.marker.color, [0.4, 0.4, 0.4, 0.4]);
  assertStringIncludes(heat.hovertext[0], "survival of the others 0.400: share 0.100 of weight");
  assertStringIncludes(layout.title.subtitle.text, "N = 2 mixtures");
});

Deno.test("tokens in figures of layers stay text, whatever they are", async () => {
  const [ingredient, other] = FOUND.ingredients;
  const figures = HOSTILE.slice(0, 20).flatMap((text) => [
    plotLens(lensOf([text])),
    plotPatching({ ...EFFECTS, token: { ...EFFECTS.token, text } }, { names: Array(4).fill(text) }),
    plotSuperposition({ ...FOUND, ingredients: [{ ...ingredient!, text }, other!] }),
    plotSurvival([{ ...FOUND, ingredients: [{ ...ingredient!, text }, other!] }]),
  ]);
  for (const figure of figures) assert(!JSON.stringify(figure).includes("<script>"));
  for (const figure of figures.slice(-4)) assert((await toSvg(figure)).length > 1000);
  const hostile = plotLens(lensOf(["<script>alert(1)</script>", "<b>"]));
  assert(!(await toSvg(hostile)).includes("<script>"));
  assert(!(await toHtml(plotLens(lensOf(["</script><b>"])))).includes("</script><b>"));
});

Deno.test("figures of layers refuse what they cannot draw", () => {
  const none: Lens = { layers: [], inputs: [], cells: [] };
  assertThrows(() => plotLens(none), RangeError, "have a layer and a position");
  assertThrows(() => plotPatching({ ...EFFECTS, layers: [] }), RangeError, "have a layer");
  assertThrows(() => plotPatching(EFFECTS, { names: ["a", "b"] }), RangeError, "have 4 names");
  const empty = { ...FOUND, layers: [] };
  assertThrows(() => plotSuperposition(empty), RangeError, "have at least one layer");
  assertThrows(() => plotSurvival([]), RangeError, "have at least one layer");
  assertThrows(() => plotSurvival([FOUND, empty]), RangeError, "all the same ones");
  assertThrows(() => plotSurvival(FOUND as never), TypeError, "be a list");
  assertThrows(() => plotLens(lensOf(["a"]), { name: 1 } as object), TypeError, "not an option");
});
