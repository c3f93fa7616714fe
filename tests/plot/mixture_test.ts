import { assertEquals, assertStringIncludes } from "@std/assert";
import { plotMixture } from "../../lib/plot/mod.ts";
import { step } from "./_rows.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("plotMixture() puts probability beside weight, most probable first", () => {
  const [probability, weight] = plotMixture(step(" cat", 2, 0.1)).data as Any[];
  assertEquals(probability.y, ["2", "901", "902", "903", "77"]);
  assertEquals(probability.x, [0.55, 0.25, 0.12, 0.05, null]);
  assertEquals(weight.x, [0.7, 0.17, 0.1, 0, 0.03]);
});

Deno.test("plotMixture() escapes tokens, shows white space, and marks the sampled one", () => {
  const { yaxis } = plotMixture(step(" cat", 2, 0.1)).layout as Any;
  assertEquals(yaxis.ticktext, [
    '<b>" cat" ◂ sampled</b>',
    '" dog"',
    '"&lt;/script&gt;&lt;script&gt;alert(…"',
    '"$x$ %{y}"',
    "#77",
  ]);
});

Deno.test("plotMixture() keeps the sampled token when it shows fewer, and says how many are left", () => {
  const rare = { ...step(" cat", 2, 0.1), token: 5, text: "rare", probability: 0.001 };
  const figure = plotMixture(rare, { tokens: 2 });
  assertEquals((figure.data as Any[])[0].y, ["2", "5"]);
  assertStringIncludes((figure.layout as Any).title.subtitle.text, "4 more tokens not shown");
});

Deno.test("plotMixture() works without candidates", () => {
  const { candidates: _, ...bare } = step(" cat", 2, 0.1);
  assertEquals((plotMixture(bare).data as Any[])[0].x, [0.55, null, null, null]);
});
