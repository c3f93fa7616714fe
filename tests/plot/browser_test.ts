/**
 * The page of `toHtml` in a real browser: every figure draws itself, nothing fails, and nothing
 * that a model wrote is run.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { plotGains, plotMixing, plotMixture, plotTrace, toHtml } from "../../lib/plot/mod.ts";
import { generation, runs, study } from "./_rows.ts";

/** Path of a Chromium, if there is one. */
function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  return [
    Deno.env.get("CHROME_PATH") ?? [],
    "/usr/bin/chromium",
    folders.flatMap((folder) => names.map((name) => `${folder}/${name}`)),
  ].flat().find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** The DOM of a page after its scripts have run, and what the browser logged. */
async function load(chromium: string, page: string): Promise<{ dom: string; log: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/page.html`, page);
    const { stdout, stderr } = await new Deno.Command(chromium, {
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        `--user-data-dir=${folder}/profile`,
        "--virtual-time-budget=10000",
        "--dump-dom",
        `file://${folder}/page.html`,
      ],
    }).output();
    const decoder = new TextDecoder();
    return { dom: decoder.decode(stdout), log: decoder.decode(stderr) };
  } finally {
    // The browser's helpers may still be writing to the profile.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

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
      plotMixing(runs),
      plotMixture(generation.trace[1]!),
      plotTrace(generation),
    ], { title: "Browser" });
    const { dom, log } = await load(chromium!, page.replace("<head>", `<head>${WATCH}`));

    assert(!dom.includes("data-failure"), /data-failure="[^"]*"/.exec(dom)?.[0]);
    assertEquals(log.split("\n").filter((line) => line.includes(":CONSOLE")), []);
    for (const id of ["figure-1", "figure-2", "figure-3"]) {
      const from = dom.indexOf(`id="${id}"`);
      const figure = dom.slice(from, dom.indexOf("<script>", from));
      assertStringIncludes(figure, '<svg class="main-svg"');
    }
    assertStringIncludes(dom, ">N = 60 problems × 8 repeats · paired 95 % intervals<");
    assertStringIncludes(dom, " &lt;script&gt;alert(1)&lt;/script&gt;</span>");
    assert(!dom.includes("<script>alert"));
  },
});
