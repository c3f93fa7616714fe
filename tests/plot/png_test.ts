import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Figure, plotGains, plotMixing, plotScores, toPng } from "../../lib/plot/mod.ts";
import { palettePng } from "../../lib/plot/_png.ts";
import { carriedBy } from "../../lib/plot/page/live.ts";
import { plainJson } from "../../lib/plot/_json.ts";
import { colorOf, pixelsOf } from "./_png.ts";
import { runs, scores, study } from "./_rows.ts";
import { deno } from "../_process.ts";

/** A figure with an area of this colour. */
const filled = (color: string): Figure => ({
  data: [],
  layout: { paper_bgcolor: color, plot_bgcolor: color },
});

/** Width and height in the header of a PNG file. */
function sizeOf(png: Uint8Array<ArrayBuffer>): [number, number] {
  assertEquals([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("toPng() paints figures at their size, in less than 40 kB", async () => {
  for (const figure of [plotGains(study), plotMixing(runs), plotScores(scores)]) {
    const png = await toPng(figure);
    assertEquals(sizeOf(png), [900, figure.layout?.height as number ?? 420]);
    assert(png.length > 5000 && png.length < 40_000, `${png.length} bytes`);
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
  const texts = new Set(pictures.map((png) => pixelsOf(png).toBase64()));
  assertEquals(texts.size, pictures.length);
});

Deno.test("toPng() puts the figure into the file, where viewers pass over it", async () => {
  const figure: Figure = {
    ...{ data: [{ y: Float32Array.of(1, 2.5), name: "β → ∞" }], config: { scrollZoom: true } },
  };
  const png = await toPng(figure), carried = (await carriedBy(png))!;
  assertEquals(carried.data, JSON.parse(plainJson(figure.data)));
  assertEquals([carried.layout.height, carried.config.scrollZoom], [420, true]);
  assertEquals(await carriedBy(png.slice(0, 1000)), undefined);
  const long = { data: [{ y: [1], customdata: ["x".repeat(2 ** 20)] }] };
  assertEquals(await carriedBy(await toPng(long)), undefined);
});

Deno.test("toPng() keeps colours, and paints on white", async () => {
  for (
    const [color, rgba] of [["#0072b2", [0, 114, 178, 255]], ["rgba(0,0,0,0)", [
      255,
      255,
      255,
      255,
    ]]]
  ) {
    assertEquals(colorOf(await toPng(filled(color as string)), 5, 5), rgba);
  }
});

Deno.test("palettePng() takes the nearest of 256 colours, or refuses", () => {
  const picture = (count: number, step: number) => ({
    ...{ width: count, height: 2 },
    pixels: Uint8Array.from(
      { length: 8 * count },
      (_, i) =>
        i % 4 === 3 ? 255 : i % 4 === 0 ? (i >> 2) % count * step % 256 : (i >> 2) % count >> 7,
    ),
  });
  for (const [count, most] of [[200, 0], [300, 4]] as const) {
    const given = picture(count, 1), found = pixelsOf(palettePng(given)!);
    assertEquals(found.length, given.pixels.length);
    assert(found.every((byte, i) => Math.abs(byte - given.pixels[i]!) <= most));
  }
  const wild = { width: 512, height: 1, pixels: new Uint8Array(4 * 512).fill(255) };
  for (let i = 0; i < 512; i++) {
    wild.pixels.set([i % 8, (i >> 3) % 8, i >> 6].map((k) => 36 * k), 4 * i);
  }
  assertEquals(palettePng(wild), undefined);
  assertEquals(palettePng({ width: 1, height: 1, pixels: Uint8Array.of(1, 2, 3, 254) }), undefined);
});

Deno.test("toPng() refuses what it cannot draw", async () => {
  await assertRejects(() => toPng("x" as unknown as Figure), TypeError, "must be a figure");
  await assertRejects(() => toPng({ data: [] }, { scale: 9 }), RangeError, "'scale'");
  const typo = { scael: 2 } as unknown as { scale: number };
  await assertRejects(() => toPng({ data: [] }, typo), TypeError, "'scael' is not an option");
  const large = { width: 1e4, height: 1e4, scale: 2 };
  await assertRejects(() => toPng({ data: [] }, large), RangeError, "at most 100000000");
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
