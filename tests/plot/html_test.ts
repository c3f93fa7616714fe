import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { escapeHtml, type Figure, plotGains, plotTrace, toHtml } from "../../lib/plot/mod.ts";
import { generation, study } from "./_rows.ts";

const count = (text: string, part: string) => text.split(part).length - 1;

Deno.test("escapeHtml() escapes what ends text or an attribute", () => {
  assertEquals(escapeHtml(`<a b='c' d="e">&`), "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;");
});

Deno.test("toHtml() carries plotly.js once for several figures", async () => {
  const page = await toHtml([plotGains(study), plotTrace(generation), plotGains(study)]);
  assertEquals(count(page, "new DecompressionStream"), 1);
  assertEquals(count(page, 'class="moi-figure"'), 2);
  assertEquals([count(page, 'id="figure-1"'), count(page, 'id="figure-2"')], [1, 1]);
  assert(page.length < 3e6);
});

Deno.test("toHtml() asks nothing of the network", async () => {
  const page = await toHtml(plotGains(study));
  assert(!/(src|href)=|@import|url\(/.test(page));
  assertStringIncludes(page, '"showSendToCloud":false');
});

Deno.test("toHtml() carries no plotly.js for HTML alone", async () => {
  assert((await toHtml(plotTrace(generation))).length < 20_000);
});

Deno.test("toHtml() escapes its title and what a figure says", async () => {
  const figure: Figure = {
    data: [{ name: "</script><script>alert(1)</script>\u2028" }],
    layout: { title: { text: '"></div><img src=x>' } },
  };
  const page = await toHtml(figure, { title: "</title><script>" });
  assertStringIncludes(page, "<title>&lt;/title&gt;&lt;script&gt;</title>");
  assertStringIncludes(page, "\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\\u2028");
  assertEquals(count(page, "<script>"), 2); // the loader and the figure
  assert(!page.includes("<img"));
});

Deno.test("toHtml() is the same for the same figures", async () => {
  assertEquals(await toHtml(plotGains(study)), await toHtml(plotGains(study)));
});

Deno.test("toHtml() refuses what is neither a figure nor HTML", async () => {
  await assertRejects(() => toHtml("<b>" as unknown as Figure), TypeError, "must be figures");
});
