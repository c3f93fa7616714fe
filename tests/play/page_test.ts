/** The playground in a real browser, with a model that decodes. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "puppeteer-core";
import { generate, loadModel, type Method, type Model, moi, standard, votes } from "../../mod.ts";
import { play } from "../../lib/play/mod.ts";
import { assertLooks, browser, findChromium } from "../_browser.ts";

const ignore = findChromium() === undefined;
const skipped = ignore ? " (skipped: no Chromium found; set CHROME_PATH)" : "";

const RIGHT = ".side:nth-child(2)";

/** The tokens of a side as they are shown. */
const shown = (page: Page, side = RIGHT) =>
  page.$$eval(`${side} .tokens span`, (all) => all.map((one) => one.textContent ?? ""));

/** Waits until both texts have ended. */
async function ended(page: Page): Promise<void> {
  await page.waitForFunction(`document.querySelector("#stop").disabled &&
    [...document.querySelectorAll(".status")].every((one) => / after /.test(one.textContent))`);
}

/** What generate() decodes, as the page shows it. */
async function expected(
  model: Model,
  method: Method = standard(),
  seed = 0,
): Promise<string[]> {
  const task = votes({ limit: 1 }), [problem] = await task.problems();
  const options = { method, temperature: 1, seed, maxNewTokens: 32, trace: true };
  const { trace } = await generate(model, task.prompt(problem!), options);
  return trace!.map(({ text, end }) =>
    text.replace(/\n/g, "↵\n") + (end ? "∎" : text === "" ? "·" : "")
  );
}

function set(page: Page, field: string, text: string): Promise<void> {
  return page.$eval(field, (input, text) => {
    (input as unknown as { value: string }).value = text;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, text);
}

const value = (page: Page, field: string) =>
  page.$eval(field, (input) => (input as unknown as { value: string }).value);

const type = (page: Page, beta: string) => set(page, "#right-beta", beta);

async function slide(page: Page, beta: string): Promise<void> {
  await type(page, beta);
  await new Promise((resolve) => setTimeout(resolve, 400)); // it rests, then decodes
  await ended(page);
}

Deno.test({
  name: `the playground streams two answers, and β goes on from a chosen token${skipped}`,
  ignore,
  async fn(t) {
    await using model = await loadModel("votes-tiny");
    await using server = play(model, { port: 0 });
    await using driven = await browser();
    const page = await driven.newPage(), failures: string[] = [];
    page.on("console", (message) => failures.push(message.text()));
    page.on("pageerror", (error) => failures.push(`${error}`));
    await page.goto(server.url);
    await page.waitForSelector("html[data-ready]");

    await t.step("both are the texts of generate()", async () => {
      await page.click("#run");
      await ended(page);
      assertEquals(await shown(page, ".side:nth-child(1)"), await expected(model));
      assertEquals(await shown(page), await expected(model, moi({ beta: 0.25 })));
    });
    await t.step("a chosen token tells what was fed back", async () => {
      await (await page.$$(`${RIGHT} .tokens span`))[3]!.click();
      const detail = await page.$eval("#detail", (one) => one.textContent ?? "");
      assertStringIncludes(detail, "Token 3 of the answer right");
      assertStringIncludes(detail, "moi, β 0.25 · H = ");
      assertStringIncludes(detail, "off-sample mass");
      const scales = await page.$$eval(
        "#detail .bar",
        (all) => all.map((one) => Math.round(one.getBoundingClientRect().width)),
      );
      assertEquals(new Set(scales).size, 1, "all bars have one scale");
    });
    await t.step("arrow keys choose the next one", async () => {
      await page.keyboard.press("ArrowRight");
      const detail = await page.$eval("#detail", (one) => one.textContent ?? "");
      assertStringIncludes(detail, "Token 4 of");
    });
    await t.step("another β keeps what stands before, and is exact after", async () => {
      const before = await shown(page);
      await slide(page, "∞");
      const method = moi({ beta: ({ step }) => step < 4 ? 0.25 : Infinity });
      assertEquals(await shown(page), await expected(model, method));
      assertEquals((await shown(page)).slice(0, 5), before.slice(0, 5));
      const tokens = await page.$$(`${RIGHT} .tokens span`);
      for (const [index, told] of [[3, "moi, β 0.25 ·"], [4, "moi, β ∞ ·"]] as const) {
        await tokens[index]!.click();
        const detail = await page.$eval("#detail", (one) => one.textContent ?? "");
        assertStringIncludes(detail, told);
      }
      await slide(page, "0.25");
      assertEquals(await shown(page), before);
    });
    await t.step("many quick slides end with the last one's text", async () => {
      const slider = (await page.$(`${RIGHT} input[type="range"]`))!;
      await slider.focus();
      for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowRight");
      await new Promise((resolve) => setTimeout(resolve, 400));
      await ended(page);
      const method = moi({ beta: ({ step }) => step < 4 ? 0.25 : 2 });
      assertEquals(await shown(page), await expected(model, method));
    });
    await t.step("what the server refuses is told", async () => {
      await type(page, "-1");
      await page.waitForFunction(`document.querySelector("${RIGHT} .error").textContent !== ""`);
      const error = await page.$eval(`${RIGHT} .error`, (one) => one.textContent ?? "");
      assertStringIncludes(error, "'moi_beta' must");
      await slide(page, "1");
      assertEquals(await page.$eval(`${RIGHT} .error`, (one) => one.textContent), "");
    });
    await t.step("once the form has changed, β moves with all of it, on both sides", async () => {
      await set(page, '[data-field="seed"]', "7");
      await slide(page, "2");
      assertEquals(await shown(page, ".side:nth-child(1)"), await expected(model, standard(), 7));
      assertEquals(await shown(page), await expected(model, moi({ beta: 2 }), 7));
      assertEquals(await page.$eval("#detail", (one) => one.textContent), "");
    });
    await t.step("a setting that is left out gets its usual value, for all to see", async () => {
      await set(page, '[data-field="seed"]', "");
      await slide(page, "1");
      assertEquals(await shown(page), await expected(model, moi({ beta: 1 })));
      assertEquals(await value(page, '[data-field="seed"]'), "0");
    });
    await t.step("an address holds the settings, in a page that is open already, too", async () => {
      const settings = { seed: "3" }, fields = [{}, { moi_method: "moi", moi_beta: 4 }];
      const hash = `#${encodeURIComponent(JSON.stringify({ settings, fields }))}`;
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.waitForFunction(`document.querySelector("#right-beta").value === "4"`);
      await page.click("#run");
      await ended(page);
      assertEquals(await shown(page), await expected(model, moi({ beta: 4 }), 3));
      await page.evaluate(`location.hash = "#%7Bnonsense"`);
      await page.waitForFunction(`location.hash === ""`);
    });
    await t.step("markup in a prompt, and in an address, stays text", async () => {
      const evil = `</script><img src=x onerror="document.title='run'"><b>`;
      const state = {
        prompt: evil,
        as: "text",
        fields: [{}, { moi_method: "moi", moi_beta: evil }],
      };
      await page.goto("about:blank");
      await page.goto(`${server.url}#${encodeURIComponent(JSON.stringify(state))}`);
      await page.waitForSelector("html[data-ready]");
      assertEquals(await value(page, "#prompt"), evil);
      await page.click("#run");
      await page.waitForFunction(`document.querySelector("${RIGHT} .error").textContent !== ""`);
      assertEquals(await page.$$eval("img, b", (all) => all.length), 0);
      assert(!(await page.title()).includes("run"));
    });
    await t.step("it has no serious barrier, light and dark, narrow and wide", async () => {
      await page.goto("about:blank");
      await page.goto(server.url);
      await page.waitForSelector("html[data-ready]");
      await page.click("#run");
      await ended(page);
      await (await page.$$(`${RIGHT} .tokens span`))[2]!.click();
      await assertLooks(page, [["light", 400], ["dark", 1600]]);
    });
    assertEquals(failures.filter((text) => !/status of 400/.test(text)), []);
  },
});
