import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  gainsTable,
  initPlots,
  plotFlips,
  plotGains,
  plotMixing,
  plotMixture,
  plotScores,
  plotTrace,
  scoreTable,
  show,
  studyReport,
} from "../../lib/plot/mod.ts";
import { loadIn, showIn } from "../../lib/plot/display.ts";
import { jupyter } from "../../lib/runtime/mod.ts";
import { describe } from "../../lib/plot/_plotly.ts";
import { generation, hostileRuns, runs, scores, study } from "./_rows.ts";

// deno-lint-ignore no-explicit-any
type Any = any;
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

const PNG = /^iVBORw0KGgo[A-Za-z0-9+/]+=*$/;

Deno.test("show() sends a figure as a picture and as plotly's JSON, without plotly.js", async () => {
  const figure = plotGains(study);
  const { sent, api } = notebook();
  await showIn(api, [figure, figure]);
  for (const [bundle, options] of sent) {
    assertEquals(Object.keys(bundle), [
      "application/vnd.plotly.v1+json",
      "image/png",
      "text/plain",
    ]);
    assertEquals((bundle["application/vnd.plotly.v1+json"] as Bundle).data, figure.data);
    assertMatch(bundle["image/png"] as string, PNG);
    assert(JSON.stringify(bundle).length < 100_000);
    assertEquals(options, { raw: true });
  }
});

Deno.test("show() sends what cannot be painted as HTML that carries plotly.js", async () => {
  const figure = { data: [{ type: "heatmap", z: [Float32Array.of(1, 2)] }] };
  const { sent, api } = notebook();
  await showIn(api, figure);
  const [bundle] = sent[0]!;
  assertEquals(Object.keys(bundle), [
    "application/vnd.plotly.v1+json",
    "text/html",
    "text/plain",
  ]);
  assertEquals((bundle["application/vnd.plotly.v1+json"] as Any).data[0].z, [[1, 2]]);
  assertStringIncludes(bundle["text/html"] as string, "DecompressionStream");
  assertStringIncludes(bundle["text/html"] as string, ">[figure: 1 traces]</div>");
});

const DISPLAY = Symbol.for("Jupyter.display");

/** Everything that a cell may end with. */
const LAST: readonly (readonly [string, () => object, string])[] = [
  ["plotGains()", () => plotGains(study), "image/png"],
  ["plotScores()", () => plotScores(scores), "image/png"],
  ["plotMixing()", () => plotMixing(runs), "image/png"],
  ["plotMixture()", () => plotMixture(generation.trace[1]!), "image/png"],
  ["plotTrace()", () => plotTrace(generation), "text/html"],
  ["plotFlips()", () => plotFlips(hostileRuns(9), { method: "moi" }), "text/html"],
  ["gainsTable()", () => gainsTable(study), "text/html"],
  ["scoreTable()", () => scoreTable(scores), "text/html"],
  ["studyReport()", () => studyReport(hostileRuns(9)), "text/html"],
];

for (const [name, make, form] of LAST) {
  Deno.test(`${name} displays itself at the end of a cell, and stays plain data`, async () => {
    const value = make() as Any;
    const bundle = await value[DISPLAY]();
    assert(form in bundle && "text/plain" in bundle, Object.keys(bundle).join());
    assertEquals(Object.getOwnPropertySymbols(Array.isArray(value) ? [] : { ...value }), []);
    assertEquals(Reflect.ownKeys(JSON.parse(JSON.stringify(value))).includes(DISPLAY), false);
    assertEquals(structuredClone(value), value);
  });
}

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
  // from here on figures draw themselves
  const after = notebook();
  await showIn(after.api, plotGains(study));
  const html = after.sent[0]![0]["text/html"] as string;
  assertStringIncludes(html, "newPlot");
  assertStringIncludes(html, ">[figure: Gain over standard. N = 60 problems");
  assert(!html.includes("DecompressionStream") && "image/png" in after.sent[0]![0]);
});
