/** Notebooks in a real JupyterLab and a real browser: opened untrusted, run, stopped, run again, saved. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Page } from "puppeteer-core";
import { browser } from "../_browser.ts";
import { JUPYTERLAB, needing } from "../_needing.ts";
import * as lab from "./_jupyterlab.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const COMMITTED = new URL("../../notebooks/02_beta_sweep.ipynb", import.meta.url);

const HOSTILE = `<script>window.hit = 1</script><img src=x onerror="window.hit = 1">`;

/** A cell that takes minutes. */
const study = (name: string) =>
  `const ${name}Model = await loadModel("countdown-tiny");
  const ${name}Bar = progressBar(), ${name}Study = { task: countdown({ limit: 500 }), methods: betaGrid() };
  const ${name} = await runStudy({ model: ${name}Model, ...${name}Study }, { onProgress: ${name}Bar.update });
  await ${name}Bar.close();`;

const CELLS = [
  `import { betaGrid, countdown, gains, gainsTable, initPlots, loadModel, plotFlips, plotGains, plotMixing,
    plotTrace, progressBar, runStudy, show, studyReport, tableOf, votes } from "@moi/moi";
  const model = await loadModel("votes-tiny"), small = { model, task: votes({ limit: 20 }) };
  const hostile = ${JSON.stringify(HOSTILE).replaceAll("</", "<\\/")};`,
  `const runs = await runStudy({ ...small, methods: betaGrid({ betas: [1], controls: false }) });
  plotGains(gains(runs))`,
  `const wrong = runs.map((run, i) => ({ ...run, text: hostile, problem: hostile + run.problem,
    grade: { ...run.grade, extracted: hostile, correct: run.method === "standard" && i < 9 } }));
  const step = { token: 1, text: hostile, entropy: 0.5, probability: 0.5, offSampleMass: 0.1, event: hostile,
    mixture: { ids: [1, 2], weights: [0.9, 0.1] }, candidates: [{ token: 1, text: hostile, probability: 0.5 }] };
  await show([
    plotTrace({ text: hostile, trace: [step] }), plotFlips(wrong, { method: "moi-1" }),
    tableOf([{ text: hostile }], [{ heading: hostile, of: "text" }], { notes: [hostile] }),
    plotMixing(runs.map((run) => ({ ...run, method: hostile })), { title: hostile }),
  ]);`,
  study("first"),
  `for (const end = performance.now() + 1500; performance.now() < end;); // no pause for the event loop
  studyReport(first)`,
  study("second"),
  `studyReport(second)`,
  `console.log("end", first.length < 8500, second.length < 8500);
  await new Promise((resolve) => setTimeout(resolve, 100)); // lets it leave`,
  `await initPlots()`,
];
const FIGURE = 1, TEXTS = 2, FIRST = 3, REPORT = 4, SECOND = 5, LAST = 8;

/** Figures that are live, and pictures that are seen. */
const seen = (page: Page) =>
  page.evaluate(() => {
    const images = [...document.querySelectorAll<HTMLImageElement>(".jp-RenderedImage img")];
    return {
      live: document.querySelectorAll(".moi-live.js-plotly-plot").length,
      pictures: images.filter(({ style, naturalWidth }) =>
        style.display !== "none" && naturalWidth > 0
      )
        .length,
      images: images.length,
    };
  });

const picturesOf = (notebook: string) => notebook.split('"image/png"').length - 1;

/** Waits until so many pictures are there. */
const shown = (page: Page, count: number) =>
  page.waitForFunction(
    (count) =>
      [...document.querySelectorAll<HTMLImageElement>(".jp-RenderedImage img")]
        .filter(({ naturalWidth }) => naturalWidth > 0).length === count,
    {},
    count,
  );

/** Waits until a cell has a live figure; it is kept in view, as figures are drawn where they are seen. */
const settled = (page: Page, cell: number) =>
  page.waitForFunction(
    (cell) => {
      const own = document.querySelectorAll(".jp-Cell")[cell]!;
      own.scrollIntoView();
      return own.querySelector(".moi-live:not([style*=hidden])") !== null;
    },
    { polling: 100 },
    cell,
  );

needing(JUPYTERLAB)("notebooks in JupyterLab: read, run, stopped, run again, saved", async (t) => {
  const committed = await Deno.readTextFile(COMMITTED);
  await using server = await lab.jupyterLab({
    "deno.json": JSON.stringify({ imports: { "@moi/moi": MOD } }),
    "committed.ipynb": committed,
    "own.ipynb": lab.notebookOf(CELLS),
  });
  await using chrome = await browser();
  const page = await chrome.newPage(), errors: string[] = [];
  page.on("pageerror", (error) => errors.push(`${error}`));
  await page.setViewport({ width: 1300, height: 1600 });

  await t.step("a notebook that is not trusted shows its figures as pictures", async () => {
    await lab.open(page, server, "committed.ipynb");
    const pictures = picturesOf(committed);
    assert(pictures > 0);
    await shown(page, pictures);
    assertEquals(await seen(page), { live: 0, pictures, images: pictures });
  });

  const stopInTheFirst = async () => {
    await page.waitForFunction(
      (cell) =>
        Number(
          /countdown (\d+)/.exec(document.querySelectorAll(".jp-Cell")[cell]!.textContent!)?.[1],
        ) > 20,
      { timeout: 30_000, polling: 50 },
      FIRST,
    );
    await lab.press(page, "notebook:interrupt-kernel");
    await lab.press(page, "notebook:interrupt-kernel"); // once more, out of impatience
    await lab.idle(page, 20_000);
    const said = await lab.outputs(page);
    assertMatch(said[FIRST]!, /^countdown \d+\/8500 .*stopped after/);
    assertMatch(said[REPORT]!, /partial: \d+ of 8500 runs|partial: no problem/);
    assertStringIncludes(said[SECOND]!, "countdown 0/8500");
    assertStringIncludes(said[SECOND + 1]!, "partial: no problem has been finished");
    assertStringIncludes(said.at(-2)!, "end true true");
    for (const text of said) assert(!/Error|NaN|Infinity|undefined/.test(text), text);
  };

  await t.step("Run All that is stopped once runs to its end with what is there", async () => {
    await lab.open(page, server, "own.ipynb");
    await lab.choose(page, "Run", "runmenu:run-all");
    await stopInTheFirst();
  });

  await t.step("figures are live, and texts are texts", async () => {
    await settled(page, FIGURE);
    await settled(page, TEXTS);
    const said = (await lab.outputs(page))[TEXTS]!;
    assert(said.split("<script>window.hit = 1</script><img").length >= 6, said);
    assertEquals(await page.evaluate(() => (window as { hit?: number }).hit ?? 0), 0);
    assertEquals(await page.evaluate(() => document.querySelectorAll("img[src=x]").length), 0);
  });

  await t.step(
    "a cell that is run by hand later works as ever, also after a stop of nothing",
    async () => {
      await lab.press(page, "notebook:interrupt-kernel");
      await new Promise((resolve) => setTimeout(resolve, 1500)); // a stop lasts for a second
      await lab.runCell(page, FIGURE);
      await lab.idle(page);
      await settled(page, FIGURE);
      assertMatch((await lab.outputs(page))[FIGURE]!, /N = 20 problems × 1 repeat/);
      assert(!(await lab.outputs(page))[FIGURE]!.includes("partial"));
    },
  );

  await t.step("so does all of it in a new kernel", async () => {
    await lab.press(page, "notebook:restart-run-all");
    await page.locator(".jp-Dialog .jp-mod-accept").click();
    await page.waitForFunction(() => document.body.innerText.includes("[*]"));
    await stopInTheFirst();
    await settled(page, FIGURE);
  });

  await t.step("the file has the pictures, and neither plotly.js nor an error", async () => {
    const text = await lab.saved(page, server, "own.ipynb");
    assert(
      !text.includes("DecompressionStream") && !text.includes('"error"') && text.length < 300_000,
    );
    assert(text.includes('"image/png"'));
  });

  await t.step("after a reload of the page pictures are pictures until initPlots()", async () => {
    await lab.open(page, server, "own.ipynb");
    const pictures = picturesOf(await Deno.readTextFile(`${server.path}/own.ipynb`));
    await shown(page, pictures);
    assertEquals(await seen(page), { live: 0, pictures, images: pictures });
    await lab.runCell(page, LAST);
    await lab.idle(page);
    await settled(page, FIGURE);
    assertEquals((await lab.outputs(page))[LAST], "");
  });
  assertEquals(errors, []);
});
