import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Figure, plotGains, plotMixing, plotMixture, toSvg } from "../../lib/plot/mod.ts";
import { textBox, textWidth } from "../../lib/plot/_textbox.ts";
import { generation, presets, runs, study } from "./_rows.ts";

Deno.test("toSvg() draws the words of the figure", async () => {
  const svg = await toSvg(plotGains(study, { subtitle: "tiny" }));
  for (
    const text of [
      ">Gain over standard<",
      "N = 60 problems × 8 repeats",
      ">β of MoI (log scale)<",
      ">½<",
      ">direct<",
      ">λ = 0.5<",
      ">41.0 %<",
    ]
  ) assertStringIncludes(svg, text);
  assertStringIncludes(svg, 'width="900" height="420"');
});

Deno.test("toSvg() gives the same text for the same figure", async () => {
  assertEquals(await toSvg(plotGains(presets)), await toSvg(plotGains(presets)));
});

Deno.test("toSvg() gives two figures different ids, so that they can share a document", async () => {
  const ids = (svg: string) => [...svg.matchAll(/ id="(clip[^"]*)"/g)].map(([, id]) => id!);
  const one = ids(await toSvg(plotGains(presets))), two = ids(await toSvg(plotGains(study)));
  assert(one.length > 0);
  assertEquals(one.filter((id) => two.includes(id)), []);
});

Deno.test("toSvg() draws boxes and bars, at the figure's height or the one asked for", async () => {
  const mixing = plotMixing(runs);
  const boxes = await toSvg(mixing);
  assertStringIncludes(boxes, `height="${mixing.layout?.height}"`);
  assertEquals(boxes.split('class="box"').length - 1, mixing.data.length);
  const svg = await toSvg(plotMixture(generation.trace[1]!), { width: 600, height: 300 });
  assertStringIncludes(svg, 'width="600" height="300"');
  assertStringIncludes(svg, '"&#60;/script&#62;&#60;script&#62;alert(…"<');
});

Deno.test("toSvg() leaves the figure as it was", async () => {
  const figure = plotGains(study);
  await toSvg(figure);
  assertEquals(figure, plotGains(study));
});

Deno.test("toSvg() refuses what it cannot draw", async () => {
  await assertRejects(() => toSvg("x" as unknown as Figure), TypeError, "must be a figure");
  await assertRejects(() => toSvg({ data: [] }, { width: 0 }), RangeError, "'width'");
});

Deno.test("textWidth() grows with the text and knows narrow letters", () => {
  assert(textWidth("iiii", 10) < textWidth("mmmm", 10) / 2);
  assertEquals(textWidth("ab", 20), 2 * textWidth("ab", 10));
});

Deno.test("textBox() follows anchor, position and turns", () => {
  const element = (attributes: Record<string, string>) => ({
    nodeName: "text",
    textContent: "abc",
    parentNode: null,
    getAttribute: (name: string) => attributes[name] ?? null,
    querySelectorAll: () => [],
  });
  const width = textWidth("abc", 10);
  const box = textBox(
    element({ x: "100", y: "50", "text-anchor": "middle", style: "font-size: 10px" }),
  );
  assertEquals(
    [box.left, box.right].map(Math.round),
    [100 - width / 2, 100 + width / 2].map(Math.round),
  );
  const turned = textBox(element({ transform: "rotate(-90,0,0)", style: "font-size: 10px" }));
  assertEquals(Math.round(turned.height), Math.round(width));
});
