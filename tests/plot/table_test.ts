import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { JSDOM } from "jsdom";
import {
  gainsTable,
  isTable,
  tableOf,
  tablesOf,
  toCsv,
  toHtml,
  toLatex,
  toMarkdown,
  toText,
} from "../../lib/plot/mod.ts";
import { bundleOf } from "../../lib/plot/display.ts";
import { browser, findChromium, seriousFindings } from "../_browser.ts";
import { controls, row, standard } from "./_rows.ts";

const table = tableOf([
  { method: "standard", gain: undefined },
  { method: 'a|b, "c" <i>', gain: 0.125 },
], [
  { heading: "method", of: "method" },
  { heading: "gain", of: "gain", means: "what is <gained>" },
], { title: "two methods & more", notes: ["N = 2", false, undefined] });

Deno.test("a table is plain data, which is shown and stands in a page", async () => {
  assertEquals(structuredClone(table), table);
  assertEquals([isTable(table), isTable({}), isTable(null)], [true, false, false]);
  assertEquals(tablesOf(table, table).text, toText([table, table]));
  const bundle = await bundleOf(table);
  assertEquals(Object.keys(bundle), ["text/html", "text/plain"]);
  assertEquals(bundle["text/plain"], toText(table));
  const page = await toHtml(table);
  assertEquals([page.includes("&lt;i&gt;"), page.includes("<i>")], [true, false]);
});

Deno.test("a table as HTML names its rows and columns, and what short headings mean", () => {
  const { document } = new JSDOM(tablesOf(table).html).window;
  const all = (selector: string) =>
    [...document.querySelectorAll(selector)].map((element) => element.textContent);
  assertEquals(all("caption"), ["two methods & more"]);
  assertEquals(all('thead th[scope="col"]'), ["method", "gain"]);
  assertEquals(all('tbody th[scope="row"]'), ["standard", 'a|b, "c" <i>']);
  assertEquals(all("td"), ["–", "0.125"]);
  assertEquals(document.querySelector("abbr")?.title, "what is <gained>");
  assertEquals(all("p"), ["N = 2.", "gain: what is <gained>."]);
  const label = (html: string) => /aria-label="([^"]*)"/.exec(html)?.[1];
  assertEquals(label(tablesOf(table).html), "two methods &amp; more");
  assertEquals(label(gainsTable([standard]).html)?.slice(0, 30), "Table: method, accuracy %, gai");
});

Deno.test("what holds no table is refused by all who write tables", () => {
  for (const write of [toText, toMarkdown, toLatex] as ((value: never) => string)[]) {
    for (const value of [undefined, {}, [table, 1], "x", { tables: 3 }]) {
      let error: unknown;
      try {
        write(value as never);
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof TypeError);
      assertStringIncludes(error.message, "'tables' must be a table, what gainsTable");
    }
  }
  assertEquals([toText([]), toMarkdown([]), toLatex([]), toCsv([])], ["", "", "", ""]);
});

/** The widest table: long names, two digits before the point, every column. */
const wide = [
  ...[standard, ...controls],
  ...["random-expected-0.25", "dirichletSoftThinking"].map((name) =>
    row(name, { name }, -21.2, 4.6, { won: 110, lost: 137, adjustedP: 1e-9, ungradable: 3 })
  ),
].map((one) => ({ ...one, n: 480, cut: 9 }));

const chromium = findChromium();

Deno.test({
  name: "the widest table fits 900 pixels; at 400 its first column stays, in light and dark" +
    (chromium === undefined ? " (skipped: no Chromium found; set CHROME_PATH)" : ""),
  ignore: chromium === undefined,
  async fn() {
    await using chrome = await browser();
    const page = await chrome.newPage();
    const body = await toHtml([gainsTable(wide)]);
    const scheme = "<style>:root { color-scheme: light dark } " +
      "body { background: Canvas !important; color: CanvasText !important }</style>";
    await page.setContent(body.replace("</head>", `${scheme}</head>`));
    const sizes = () =>
      page.evaluate(`[...document.querySelectorAll("[role=group]")]
        .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)`);
    await page.setViewport({ width: 900, height: 600 });
    assertEquals(await sizes(), [0, 0]);
    assertEquals(await seriousFindings(page), []);

    for (const value of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      await page.setViewport({ width: 400, height: 600 });
      await page.focus("[role=group]"); // from where arrow keys scroll
      await page.evaluate(`document.activeElement.scrollLeft = 1e4`);
      const found = await page.evaluate(`(() => {
        const { firstElementChild: first, lastElementChild: last } = document.querySelector("tbody tr");
        const { left, top } = first.getBoundingClientRect(), style = getComputedStyle(first);
        const owner = document.elementFromPoint(left + 2, top + 8);
        return [left - first.closest("div").getBoundingClientRect().left, owner === first,
          style.backgroundColor, last.getBoundingClientRect().right <= 400];
      })()`);
      assertEquals(found, [
        0,
        true,
        value === "dark" ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)",
        true,
      ]);
      assertEquals(await seriousFindings(page), []);
    }
  },
});
