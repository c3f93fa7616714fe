/**
 * The page of `toHtml` in a real browser: every figure draws itself, nothing fails, and nothing
 * that a model wrote is run.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  plotEffect,
  plotFlips,
  plotGains,
  plotMixing,
  plotMixture,
  plotScores,
  plotTrace,
  studyReport,
  toHtml,
} from "../../lib/plot/mod.ts";
import { findChromium, load } from "../_browser.ts";
import { generation, hostileRuns, runs, scores, study } from "./_rows.ts";

/** Collects errors in the DOM, as the first script of the page. */
const WATCH = `<script>for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => {
    document.documentElement.dataset.failure = String(event.message ?? event.reason);
  });
}</script>`;

const chromium = findChromium();

Deno.test({
  name: "toHtml() draws every figure in a browser, from a file, without errors" +
    (chromium === undefined ? " (skipped: no Chromium found; set CHROME_PATH)" : ""),
  ignore: chromium === undefined,
  async fn() {
    const page = await toHtml([
      plotGains(study),
      plotScores(scores),
      plotMixing(runs),
      plotMixture(generation.trace[1]!),
      plotEffect({
        ...{ method: "moi <b>", prompts: 1, positions: 2 },
        steps: [0.1, 0.3].map((entropy, index) => ({
          ...{ prompt: 0, index, token: 1, entropy },
          ...{ offSampleMass: 0.2, divergence: 0.1, changed: 0.05 },
        })),
      }),
      plotTrace({
        ...generation,
        trace: generation.trace.map((step, i) => ({ ...step, event: `<script>${i % 2}` })),
      }),
      plotFlips(hostileRuns(9), { method: "moi" }),
      ...studyReport(hostileRuns(9)),
    ], { title: "Browser" });
    const { dom, log } = await load(chromium!, page.replace("<head>", `<head>${WATCH}`));

    assert(!dom.includes("data-failure"), /data-failure="[^"]*"/.exec(dom)?.[0]);
    assertEquals(log.split("\n").filter((line) => line.includes(":CONSOLE")), []);
    for (const id of [1, 2, 3, 4, 5, 6].map((n) => `figure-${n}`)) {
      const from = dom.indexOf(`id="${id}"`);
      const figure = dom.slice(from, dom.indexOf("<script>", from));
      assertStringIncludes(figure, '<svg class="main-svg"');
    }
    assertStringIncludes(dom, ">N = 60 problems × 8 repeats · paired 95 % intervals<");
    assertStringIncludes(dom, " &lt;script&gt;alert(1)&lt;/script&gt;</span>");
    assertStringIncludes(dom, "&lt;script&gt;1</span>"); // an event
    assertStringIncludes(dom, "&lt;/pre&gt;&lt;script&gt;alert(3)&lt;/script&gt;</pre>");
    assertStringIncludes(dom, '"&gt;&lt;img src=x onerror=alert(1)&gt;');
    assert(!dom.includes("<script>alert") && !dom.includes("<img"));
  },
});
