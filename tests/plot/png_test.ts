import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Figure, plotGains, plotMixing, plotScores, toPng } from "../../lib/plot/mod.ts";
import { runs, scores, study } from "./_rows.ts";
import { deno } from "../_process.ts";

/** Width and height in the header of a PNG file. */
function sizeOf(png: Uint8Array<ArrayBuffer>): [number, number] {
  assertEquals([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("toPng() paints figures at their size, in less than 100 kB", async () => {
  for (const figure of [plotGains(study), plotMixing(runs), plotScores(scores)]) {
    const png = await toPng(figure);
    assertEquals(sizeOf(png), [900, figure.layout?.height as number ?? 420]);
    assert(png.length > 5000 && png.length < 100_000, `${png.length} bytes`);
  }
});

Deno.test("toPng() takes a size and a scale", async () => {
  const figure = plotGains(study);
  assertEquals(sizeOf(await toPng(figure, { width: 600, height: 300 })), [600, 300]);
  assertEquals(sizeOf(await toPng(figure, { scale: 2 })), [1800, 840]);
});

Deno.test("toPng() is the same for the same figure", async () => {
  assertEquals(await toPng(plotGains(study)), await toPng(plotGains(study)));
});

Deno.test("toPng() has the letters of labels: without fonts they would all look the same", async () => {
  const titled = (text: string) =>
    toPng({ data: [], layout: { title: { text } } }, { width: 200, height: 200 });
  const pictures = await Promise.all(["", "β", "¼", "λ = ⅓", "−1", "文", "<b>β</b>"].map(titled));
  const texts = new Set(pictures.map((png) => png.toBase64()));
  assertEquals(texts.size, pictures.length);
});

Deno.test("toPng() refuses what it cannot draw", async () => {
  await assertRejects(() => toPng("x" as unknown as Figure), TypeError, "must be a figure");
  await assertRejects(() => toPng({ data: [] }, { scale: 9 }), RangeError, "'scale'");
  const typo = { scael: 2 } as unknown as { scale: number };
  await assertRejects(() => toPng({ data: [] }, typo), TypeError, "'scael' is not an option");
  const large = { width: 1e4, height: 1e4, scale: 2 };
  await assertRejects(() => toPng({ data: [] }, large), RangeError, "at most 100000000");
});

Deno.test("toPng() paints on white", async () => {
  const figure = { data: [], layout: { paper_bgcolor: "rgba(0,0,0,0)" } };
  assertEquals(
    await toPng({ data: [], layout: { paper_bgcolor: "#fff", plot_bgcolor: "#fff" } }),
    await toPng({ ...figure, layout: { ...figure.layout, plot_bgcolor: "rgba(0,0,0,0)" } }),
  );
});

Deno.test("toPng() works where someone else has started resvg", async () => {
  const png = new URL("../../lib/plot/png.ts", import.meta.url).href;
  const { code, stderr } = await deno([
    ...["eval", "--quiet"],
    `import { initWasm } from "@resvg/resvg-wasm";
    await initWasm(await Deno.readFile(new URL("index_bg.wasm", import.meta.resolve("@resvg/resvg-wasm"))));
    const { toPng } = await import("${png}");
    if ((await toPng({ data: [] })).length < 100) throw new Error("no picture");`,
  ]);
  assertEquals(code, 0, stderr);
});
