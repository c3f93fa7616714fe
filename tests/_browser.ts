/** Pages in a headless Chromium. */

import { assert, assertEquals } from "@std/assert";
import type { AxeResults } from "axe-core";
import axe from "npm:axe-core@4.14.1/axe.min.js" with { type: "text" };
import puppeteer, { type Page } from "puppeteer-core";
import { findChromium } from "../lib/plot/_chromium.ts";
import { temporaryFolder } from "./_temporary.ts";

export { findChromium };

/** How every Chromium is started: it asks nothing of a network, and also root may start it. */
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

/** The DOM of a page after its scripts have run, and what the browser logged. */
export async function load(chromium: string, page: string): Promise<{ dom: string; log: string }> {
  await using folder = await temporaryFolder({ "page.html": page });
  const { stdout, stderr } = await new Deno.Command(chromium, {
    args: [
      ...["--headless", ...FLAGS, "--enable-logging=stderr"],
      ...[`--user-data-dir=${folder.path}/profile`],
      ...["--virtual-time-budget=10000", "--dump-dom", `file://${folder.path}/page.html`],
    ],
  }).output();
  const decoder = new TextDecoder();
  return { dom: decoder.decode(stdout), log: decoder.decode(stderr) };
}

/** A browser that is driven: pages are opened, clicked, typed into. It has ended when it is disposed. */
export type DrivenBrowser = AsyncDisposable & { readonly newPage: () => Promise<Page> };

/** Starts a Chromium with a profile of its own. */
export async function browser(): Promise<DrivenBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("No Chromium found: set CHROME_PATH");
  const folder = await temporaryFolder();
  const own = await puppeteer.launch({
    ...{ executablePath, userDataDir: `${folder.path}/profile`, headless: true },
    args: FLAGS,
  });
  return {
    newPage: () => own.newPage(),
    async [Symbol.asyncDispose]() {
      await own.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What axe-core finds wrong in a page for people who cannot see it or use no mouse, the serious things. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run()") as AxeResults;
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ").slice(0, 500)}`);
}

/** Sees that a page has no serious barrier and does not scroll sideways, in each of these schemes and widths. */
export async function assertLooks(
  page: Page,
  looks: readonly (readonly [scheme: "light" | "dark", width: number])[],
): Promise<void> {
  for (const [value, width] of looks) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    await page.setViewport({ width, height: 900 });
    assertEquals(await seriousFindings(page), []);
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    assert(wide as number <= width, `${wide} of ${width} pixels`);
  }
}
