/**
 * The picture of the playground in the README: what `deno task play` shows once Run was pressed and a token chosen.
 *
 * usage: deno run -A scripts/playground_png.ts (writes notebooks/playground.png)
 */

import { loadModel } from "../mod.ts";
import { play } from "../lib/play/mod.ts";
import { pngOf } from "../lib/plot/_png.ts";
import { browser } from "../tests/_browser.ts";

const WIDTH = 1200;

/** The chosen token of the answer on the right. */
const CHOSEN = 3;

/** Pixels (red, green, blue, opacity) as a PNG file without filters: a page's picture is a fifth smaller so. */
function unfiltered(pixels: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const height = pixels.length / 4 / width, line = 3 * width + 1;
  const rows = new Uint8Array(line * height);
  for (let i = 0; i < width * height; i++) {
    const start = line * Math.floor(i / width) + 1 + 3 * (i % width);
    rows.set(pixels.subarray(4 * i, 4 * i + 3), start);
  }
  return pngOf({ width, height }, rows);
}

await using model = await loadModel("votes-tiny");
await using server = play(model, { port: 0 });
await using driven = await browser();
const page = await driven.newPage();
await page.setViewport({ width: WIDTH, height: 1100 });
await page.goto(server.url);
await page.waitForSelector("html[data-ready]");
await page.click("#run");
await page.waitForFunction(`document.querySelector("#stop").disabled &&
  [...document.querySelectorAll(".status")].every((one) => / after /.test(one.textContent))`);
await (await page.$$(".side:nth-child(2) .tokens span"))[CHOSEN]!.click();
const bottom = await page.$eval("#detail", (one) => one.getBoundingClientRect().bottom);
const clip = { x: 0, y: 0, width: WIDTH, height: Math.ceil(bottom) + 12 };
const shot = await page.screenshot({ clip, encoding: "base64" });
await page.goto("about:blank"); // which may open a picture
const pixels = await page.evaluate(async (base64) => {
  const coded = await fetch(`data:image/png;base64,${base64}`);
  const picture = await createImageBitmap(await coded.blob()), { width, height } = picture;
  // deno-lint-ignore no-explicit-any
  const context = new (globalThis as any).OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(picture, 0, 0);
  return new Uint8Array(context.getImageData(0, 0, width, height).data).toBase64();
}, shot);
const file = new URL("../notebooks/playground.png", import.meta.url);
await Deno.writeFile(file, unfiltered(Uint8Array.fromBase64(pixels), WIDTH));
