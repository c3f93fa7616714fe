import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { initPlots, plotGains, plotTrace, show } from "../../lib/plot/mod.ts";
import { loadIn, showIn } from "../../lib/plot/_bundle.ts";
import { jupyter } from "../../lib/plot/_jupyter.ts";
import { describe } from "../../lib/plot/_plotly.ts";
import { generation, study } from "./_rows.ts";

type Bundle = Record<string, unknown>;

/** A stand-in for the API of the kernel, and what it was sent. */
function notebook() {
  const sent: [Bundle, object | undefined][] = [];
  const display = (value: unknown, options?: object) => {
    sent.push([value as Bundle, options]);
    return Promise.resolve();
  };
  return { sent, api: { display } };
}

Deno.test("jupyter() is undefined outside a notebook", () => {
  assertEquals(jupyter(), undefined);
});

Deno.test("show() and initPlots() refuse to work outside a notebook", async () => {
  const message = "as this is not a notebook: write the result of toHtml or toSvg";
  await assertRejects(() => show(plotGains(study)), TypeError, `Cannot show ${message}`);
  await assertRejects(() => initPlots(), TypeError, `Cannot load plotly.js ${message}`);
});

Deno.test("describe() is one line without markup", () => {
  assertEquals(
    describe(plotGains(study, { title: "a < b" })),
    "[figure: a < b. N = 60 problems × 8 repeats · paired 95 % intervals]",
  );
  assertEquals(describe({ data: [] }), "[figure: 0 traces]");
});

Deno.test("show() sends a figure in three forms, and plotly.js with the first one only", async () => {
  const figure = plotGains(study);
  const { sent, api } = notebook();
  await showIn(api, [figure, figure]);
  const [first, second] = sent.map(([bundle]) => bundle);
  assertEquals(Object.keys(first!), [
    "application/vnd.plotly.v1+json",
    "text/html",
    "text/plain",
  ]);
  assertEquals((first!["application/vnd.plotly.v1+json"] as Bundle).data, figure.data);
  assertStringIncludes(first!["text/html"] as string, "DecompressionStream");
  assertEquals((second!["text/html"] as string).includes("DecompressionStream"), false);
  assertEquals(sent.map(([, options]) => options), [{ raw: true }, { raw: true }]);
});

Deno.test("show() sends HTML with its plain text, and anything else as it is", async () => {
  const html = plotTrace(generation);
  const { sent, api } = notebook();
  await showIn(api, html);
  await showIn(api, [1, 2]);
  assertEquals(sent as unknown[], [
    [{ "text/html": html.html, "text/plain": html.text }, { raw: true }],
    [[1, 2], undefined],
  ]);
});

Deno.test("initPlots() carries plotly.js each time", async () => {
  const { sent, api } = notebook();
  await loadIn(api);
  await loadIn(api);
  assertEquals(sent.length, 2);
  for (const [bundle] of sent) {
    assertStringIncludes(bundle["text/html"] as string, "DecompressionStream");
    assertEquals(bundle["text/plain"], "plotly.js is loaded");
  }
});
