/** Figures that need a canvas, drawn by a Chromium. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Figure, toPng, toSvg } from "../../lib/plot/mod.ts";
import { findChromium } from "../_browser.ts";
import { deno } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

const chromium = findChromium();

const inChromium = (name: string, fn: () => Promise<void>) =>
  Deno.test({
    name: name + (chromium === undefined ? " (skipped: no Chromium found; set CHROME_PATH)" : ""),
    ignore: chromium === undefined,
    fn,
  });

const heatmap: Figure = {
  data: [{ type: "heatmap", z: [[1, 2], [3, 4]], name: "</script><script>alert(1)</script>" }],
  layout: { title: { text: "β &lt; 1" } },
};

inChromium(
  "a heatmap is painted at its size",
  async () => {
    const png = await toPng(heatmap, { width: 300, height: 200, scale: 2 });
    assertEquals([...png.subarray(0, 4)], [137, 80, 78, 71]);
    const view = new DataView(png.buffer);
    assertEquals([view.getUint32(16), view.getUint32(20)], [600, 400]);
    assert(png.length > 2000, `${png.length} bytes`);
  },
);

inChromium("a heatmap as SVG has its words as text and its cells as a picture", async () => {
  const svg = await toSvg(heatmap, { width: 300, height: 200 });
  assertStringIncludes(svg, 'width="300" height="200"');
  assertStringIncludes(svg, ">β &#60; 1<");
  assertStringIncludes(svg, "data:image/png;base64");
  assert(!svg.includes("<script"));
});

inChromium("what plotly does not know, or would fetch, is an error", async () => {
  const of = (type: string) => () => toPng({ data: [{ type, locations: ["DEU"], z: [1] }] });
  await Promise.all([
    assertRejects(of("heatmop"), Error, 'a trace has the unknown type "heatmop"'),
    assertRejects(of("choropleth"), Error, "plotly.js fails in"),
  ]);
});

/** What is said of a heatmap in a process of its own. */
async function said(flags: readonly string[], env: Record<string, string>): Promise<string> {
  const png = new URL("../../lib/plot/png.ts", import.meta.url).href;
  const code = `import { toPng } from "${png}";
    await toPng({ data: [{ type: "heatmap", z: [[1]] }] }).catch(({ message }) => console.log(message));`;
  await using folder = await temporaryFolder({ "draw.ts": code });
  const { stdout, stderr } = await deno([
    "run",
    "--quiet",
    "--no-prompt",
    ...flags,
    `${folder.path}/draw.ts`,
  ], { env });
  assertEquals(stderr, "");
  return stdout;
}

Deno.test("without a Chromium, or one that works, it is said what to do", async () => {
  await using folder = await temporaryFolder({
    broken: "#!/bin/sh\necho no display >&2; exit 3\n",
  });
  const path = `${folder.path}/broken`;
  await Deno.chmod(path, 0o755);
  const none =
    "'trace.type' must be one of scatter, bar, box, histogram, violin, pie where there is no " +
    "Chromium: install one, or name its file in CHROME_PATH";
  assertStringIncludes(await said(["-A"], { PATH: folder.path, CHROME_PATH: "" }), none);
  assertStringIncludes(
    await said(["-A"], { CHROME_PATH: `${path}-not` }),
    `CHROME_PATH must name its file: it is "${path}-not"`,
  );
  assertStringIncludes(await said(["-A"], { CHROME_PATH: path }), `${path} failed: no display`);
  assertStringIncludes(
    await said(["-A", "--deny-run"], { CHROME_PATH: path }),
    `${path} may not be started: Requires run access`,
  );
});
