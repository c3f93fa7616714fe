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
import { carriedBy } from "../../lib/plot/page/live.ts";
import { pixelsOf } from "./_png.ts";
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

/** Checks that the first two messages send plotly.js in an output that is then emptied. */
function assertLoads([[script, sent], [nothing, replaced]]: Any) {
  assertEquals(Object.keys(script), ["text/html", "text/plain"]);
  const html = script["text/html"] as string;
  assertStringIncludes(html, "DecompressionStream");
  assert(html.length < 800_000, `${html.length} characters`); // a server passes on 1 MB a second
  assertEquals(nothing, {});
  assertEquals(replaced, { ...sent, update: true });
}

Deno.test("show() sends a figure as a picture and as JSON, after plotly.js, once", async () => {
  const figure = plotGains(study);
  const { sent, api } = notebook();
  await showIn(api, [figure, figure]);
  assertLoads(sent);
  assertEquals(sent.length, 4);
  for (const [bundle, options] of sent.slice(2)) {
    assertEquals(Object.keys(bundle), [
      "application/vnd.plotly.v1+json",
      "image/png",
      "text/plain",
    ]);
    assertEquals((bundle["application/vnd.plotly.v1+json"] as Bundle).data, figure.data);
    assertMatch(bundle["image/png"] as string, PNG);
    assert(JSON.stringify(bundle).length < 60_000);
    assertEquals(options, { raw: true });
  }
});

Deno.test("show() sends what cannot be painted as a picture that says what it is", async () => {
  const heat = (title: string, type = "heatmap") => ({
    data: [{ type, z: [Float32Array.of(1, 2)] }],
    layout: { title: { text: title } },
  });
  const { sent, api } = notebook();
  await showIn(api, [heat("a"), heat("b"), heat("a"), heat("a", "surface")]);
  const pictures = sent.slice(2).map(([bundle]) =>
    Uint8Array.fromBase64(bundle["image/png"] as string)
  );
  const json = sent[2]![0]["application/vnd.plotly.v1+json"] as Any;
  assertEquals(json.data[0].z, [[1, 2]]);
  assertEquals((await carriedBy(pictures[0]!))?.data, json.data);
  const pixels = pictures.map((png) => pixelsOf(png).toBase64());
  assertEquals([pixels[0] === pixels[2], new Set(pixels).size], [true, 3]);
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
  const { sent, api } = notebook(); // plotly.js is not needed
  await showIn(api, html);
  await showIn(api, [1, 2]);
  assertEquals(sent as unknown[], [
    [{ "text/html": html.html, "text/plain": html.text }, { raw: true }],
    [[1, 2], undefined],
  ]);
});

Deno.test("initPlots() sends plotly.js each time, and no figure does after it", async () => {
  const { sent, api } = notebook();
  await loadIn(api);
  await loadIn(api);
  assertLoads(sent.slice(0, 2));
  assertLoads(sent.slice(2));
  await showIn(api, plotGains(study));
  assertEquals(sent.length, 5);
});
