/** Pictures that become live figures, in a real browser. */

import { assertEquals } from "@std/assert";
import { type Figure, plotGains, toPng } from "../../../lib/plot/mod.ts";
import { liveScript } from "../../../lib/plot/_plotly.ts";
import { palettePng, withText } from "../../../lib/plot/_png.ts";
import { carriedBy, KEYWORD, LONGEST } from "../../../lib/plot/page/live.ts";
import { browser } from "../../_browser.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { study } from "../_rows.ts";

const blank = palettePng({
  width: 600,
  height: 400,
  pixels: new Uint8Array(4 * 600 * 400).fill(255),
})!;
const carrying = (text: string) => withText(blank, KEYWORD, new TextEncoder().encode(text));
const json = (title: string) =>
  `{"data":[{"y":[1,2]}],"layout":{"title":{"text":${JSON.stringify(title)}}}}`;

Deno.test("carriedBy() reads figures, and nothing that is none", async () => {
  assertEquals(await carriedBy(carrying('{"data":[]}')), { data: [], layout: {}, config: {} });
  const inherited = await carriedBy(
    carrying('{"data":[{"__proto__":{"hit":1}}],"__proto__":{"hit":1}}'),
  );
  assertEquals(inherited, { data: [{}], layout: {}, config: {} });
  assertEquals(await carriedBy(blank), undefined);
  for (const text of ["[]", "null", '{"data":{}}', '{"data":[],"layout":[]}']) {
    assertEquals(await carriedBy(carrying(text)), undefined, text);
  }
  const longest = carrying(json("x".repeat(LONGEST))), cut = carrying(json("a"));
  const length = blank.length - 12 + 3; // the last byte of the chunk's length
  for (const size of [0, 1, 20, 255]) {
    const wrong = cut.slice();
    wrong[length] = size;
    assertEquals(await carriedBy(wrong).catch(() => undefined), undefined, `a length of ${size}`);
  }
  assertEquals(await carriedBy(longest).catch((error) => error.message), "a figure is too long");
});

const HOSTILE = `<img src=x onerror="window.hit=1"><script>window.hit=1</script>` +
  `<a href="javascript:window.hit=1">a</a>`;

const hostile: Figure = {
  data: [{
    x: [HOSTILE, "b"],
    y: [1, 2],
    name: HOSTILE,
    text: [HOSTILE],
    mode: "text",
    showlegend: true,
  }],
  layout: { title: { text: HOSTILE }, annotations: [{ text: HOSTILE, x: 0, y: 1 }], height: 1e9 },
  config: { showSendToCloud: true, plotlyServerURL: "https://example.org" },
};

Deno.test("pictures that carry a figure become live, now and later, and others stay", async () => {
  const image = (png: Uint8Array) => `<img src="data:image/png;base64,${png.toBase64()}">`;
  const gains = await toPng(plotGains(study));
  await using folder = await temporaryFolder({
    "page.html": `<!doctype html><meta charset="utf-8"><title>t</title>
      <div id="narrow" style="width:400px">${image(gains)}</div>
      <div class="jp-RenderedImage" id="untrusted">${image(gains)}</div>
      <div id="none">${image(blank)}</div>
      <div id="broken">${image(carrying('{"data":[{"type":"nonsense"}'))}</div>
      <div id="hostile">${image(carrying(JSON.stringify(hostile)))}</div>
      ${await liveScript()}${await liveScript()}`,
  });
  await using chrome = await browser();
  const page = await chrome.newPage(), errors: unknown[] = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.setViewport({ width: 1000, height: 3000 });
  await page.goto(`file://${folder.path}/page.html`);
  await page.waitForSelector("#hostile .moi-live:not([style*=hidden])");
  await page.waitForSelector("#narrow .moi-live:not([style*=hidden])");
  const sizes = () =>
    page.evaluate(() => {
      const of = (selector: string) =>
        document.querySelector(`#narrow ${selector}`)!.getBoundingClientRect();
      const [live, svg, img] = [".moi-live", ".moi-live .main-svg", "img"].map(of);
      return [live!.width, live!.height, svg!.width, img!.width];
    });
  assertEquals(await sizes(), [400, 420, 400, 0]);
  await page.evaluate(() => document.getElementById("narrow")!.style.width = "1000px");
  await page.waitForFunction(() =>
    document.querySelector("#narrow .main-svg")!.clientWidth === 900
  );
  assertEquals(await sizes(), [900, 420, 900, 0]);
  const found = await page.evaluate(() => ({
    live: [...document.querySelectorAll(".moi-live")].map((own) => own.parentElement!.id),
    pictures: [...document.querySelectorAll("img")].filter((own) => own.style.display === "")
      .map((own) => own.parentElement!.id),
    ran: (window as { hit?: number }).hit ?? 0,
    elements: document.querySelectorAll(".moi-live img, .moi-live script").length,
    links: document.querySelectorAll(".moi-live [*|href^='javascript']").length,
    height: document.querySelector("#hostile .moi-live")!.clientHeight,
    cloud: document.querySelectorAll("[data-title*=loud]").length,
  }));
  assertEquals(found, {
    live: ["narrow", "hostile"],
    pictures: ["untrusted", "none", "broken"],
    ...{ ran: 0, elements: 0, links: 0, height: 10_000, cloud: 0 },
  });

  // an output that comes later, is moved, is taken out and put back, gets another picture, and goes
  const later = await page.evaluateHandle((source) => {
    const image = new Image();
    image.src = source;
    document.getElementById("none")!.replaceChildren(image);
    return image;
  }, `data:image/png;base64,${carrying(json("later")).toBase64()}`);
  const place = await page.waitForSelector("#none .moi-live:not([style*=hidden])");
  assertEquals(await page.evaluate((own) => "_fullLayout" in own!, place), true);
  const live = () => page.evaluate(() => document.querySelectorAll("#none .moi-live").length);
  await page.evaluate((own) => document.getElementById("none")!.append(own), later);
  assertEquals(await live(), 1);
  await page.evaluate(() => document.getElementById("none")!.remove());
  await page.waitForFunction((own) => !("_fullLayout" in own!), {}, place);
  await page.evaluate((own) => {
    own.parentElement!.replaceChildren(own);
    document.body.prepend(own.parentElement!);
  }, later);
  await page.waitForSelector("#none .moi-live:not([style*=hidden])");
  await page.evaluate(
    (own, source) => own.src = source,
    later,
    `data:image/png;base64,${blank.toBase64()}`,
  );
  await page.waitForFunction(() => document.querySelector("#none .moi-live") === null);
  assertEquals(await page.evaluate((own) => own.style.display, later), "");
  assertEquals(errors, []);
});
