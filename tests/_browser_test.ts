import { assertEquals } from "@std/assert";
import { browser, findChromium, seriousFindings } from "./_browser.ts";

const ignore = findChromium() === undefined;

Deno.test({
  name: "seriousFindings() tells what is wrong in a page" +
    (ignore ? " (skipped: no Chromium found; set CHROME_PATH)" : ""),
  ignore,
  async fn() {
    await using driven = await browser();
    const page = await driven.newPage();
    const content = (body: string) =>
      page.setContent(`<html lang="en"><title>t</title><main><h1>t</h1>${body}</main></html>`);
    await content("<button>fine</button>");
    assertEquals(await seriousFindings(page), []);
    await content("<button></button>");
    assertEquals(await seriousFindings(page), ["button-name: <button></button>"]);
  },
});
