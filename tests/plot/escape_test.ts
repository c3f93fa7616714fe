/** Any text may stand in a page and in a picture: all of U+0000 to U+FFFF, and halves of pairs. */

import { assert, assertEquals } from "@std/assert";
import { JSDOM } from "jsdom";
import {
  escapeHtml,
  type Figure,
  plotMixture,
  plotTrace,
  toHtml,
  toSvg,
} from "../../lib/plot/mod.ts";
import { plotlyText, xmlText } from "../../lib/_escape.ts";
import { bundleOf } from "../../lib/plot/display.ts";
import { step } from "./_rows.ts";

const { window } = new JSDOM("");

/** The text of an XML source; throws where it is not well-formed. */
function parsed(xml: string): string {
  const document = new window.DOMParser().parseFromString(xml, "application/xml");
  const [error] = document.getElementsByTagName("parsererror");
  assert(error === undefined, error?.textContent ?? "");
  return document.documentElement.textContent;
}

/** Every UTF-16 code unit by itself, so that surrogates are halves of pairs. */
const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
/** Code units that may be in no XML document. */
const isForbidden = (unit: number) =>
  (unit < 0x20 && ![9, 10, 13].includes(unit)) || (unit >= 0xd800 && unit < 0xe000) ||
  unit > 0xfffd;

Deno.test("xmlText() replaces exactly what XML cannot hold", () => {
  for (const [unit, text] of units.entries()) {
    assertEquals(xmlText(text), isForbidden(unit) ? "\ufffd" : text, unit.toString(16));
  }
  for (const pair of ["😀", "\u{10000}", "\u{10ffff}", "\u{1fffe}"]) {
    assertEquals(xmlText(pair), pair);
  }
  assertEquals(xmlText("a\ud83d\udeb2b\udeb2\ud83d"), "a🚲b\ufffd\ufffd");
});

Deno.test("escapeHtml() gives well-formed XML of any text, and the text comes back", () => {
  const all = units.join("|");
  const text = parsed(`<a b="${escapeHtml(all)}">${escapeHtml(all)}</a>`);
  assertEquals(text, xmlText(all).replaceAll("\r", "\n"));
});

Deno.test("toSvg() is well-formed XML whatever stands in titles, names and labels", async () => {
  const odd = units.filter((_, unit) => isForbidden(unit) && (unit < 0xd800 || unit % 64 > 61));
  const entities = [
    "&#0;",
    "&#65534;",
    "&#xFFFF;",
    "&#xD800;",
    "&nbsp;",
    "&foo;",
    "&",
    "&lt;b",
    "]]>",
  ];
  const texts = [...odd, ...entities, "<b", "a\rb", '"', "'", "$x$", "%{y}"];
  for (const escaped of [true, false]) {
    const label = (text: string) => escaped ? plotlyText(text) : text;
    const figure: Figure = {
      data: [{
        type: "bar",
        orientation: "h",
        y: texts.map((t, i) => label(`${i}${t}`)),
        x: texts.map(() => 1),
      }],
      layout: { title: { text: label(texts.join("|")) }, height: 1000 },
    };
    parsed(await toSvg(figure));
    assert((await bundleOf(figure))["image/png"]);
  }
});

Deno.test("toSvg() of every code unit is well-formed", async () => {
  const names = Array.from(
    { length: 64 },
    (_, i) => units.slice(1024 * i, 1024 * (i + 1)).join(""),
  );
  parsed(
    await toSvg({
      data: names.map((name, i) => ({ type: "scatter", x: [i], y: [i], name: plotlyText(name) })),
      layout: { showlegend: true },
    }),
  );
});

for (
  const text of ["\ufffe", "\uffff", "\ud800", "\u0000", "\u001b[31m", "\u0085", "\u2028", "&#0;"]
) {
  Deno.test(`a token ${JSON.stringify(text)} draws in pictures, pages and traces`, async () => {
    const odd = { ...step(text, 5, 0.3), candidates: [{ token: 5, text, probability: 0.55 }] };
    const figure = plotMixture(odd, { title: text });
    parsed(await toSvg(figure));
    const { html } = plotTrace({ text, trace: [odd, odd] });
    parsed(html.replaceAll("&nbsp;", " "));
    const page = await toHtml([figure, { html, text }], { title: text });
    assertEquals(new TextDecoder().decode(new TextEncoder().encode(page)), page);
    JSON.parse(/const figure = (.*);\n/.exec(page)![1]!);
  });
}
