import { assertEquals } from "@std/assert";
import { JSDOM } from "jsdom";
import { marked } from "marked";
import { gainsTable, tableOf, toMarkdown } from "../../lib/plot/mod.ts";
import { HOSTILE } from "./_hostile.ts";
import { controls, standard } from "./_rows.ts";

Deno.test("toMarkdown() says the sides, escapes bars, and has the notes as paragraphs", () => {
  const table = tableOf([{ method: "a|b", gain: undefined }, { method: "\\|", gain: 0.125 }], [
    { heading: "method", of: "method" },
    { heading: "gain", of: "gain", means: "over standard" },
  ], { title: "two methods", notes: ["N = 2"] });
  assertEquals(toMarkdown(table).split("\n"), [
    ...["two methods", "", "| method | gain |", "| --- | --: |", "| a\\|b | – |"],
    ...["| \\\\\\| | 0.125 |", "", "N = 2.", "", "gain: over standard."],
  ]);
});

Deno.test("a reader of Markdown sees every cell, title and note as the text that it is", () => {
  const table = tableOf(HOSTILE.map((text, i) => ({ text, i })), [
    { heading: "_*text*_ | `x`", of: "text" },
    { heading: "i", of: "i" },
  ], { title: "# no heading", notes: HOSTILE.filter((text) => text.trim() !== "") });
  const { document } = new JSDOM(marked.parse(toMarkdown(table), { async: false })).window;
  const seen = (text: string | null) => (text ?? "").replaceAll(/\s+/g, " ").trim();
  const all = (selector: string) =>
    [...document.querySelectorAll(selector)].map(({ textContent }) => seen(textContent));
  const plain = (text: string) => seen(text.replaceAll("\u0007", "\ufffd"));
  assertEquals(all("td:first-child"), HOSTILE.map(plain));
  assertEquals(all("th"), ["_*text*_ | `x`", "i"]);
  const notes = HOSTILE.map(plain).filter((text) => text !== "").map((text) => `${text}.`);
  assertEquals(all("p"), ["# no heading", ...notes]);
  const elements = [...document.body.querySelectorAll("*")].map(({ localName }) => localName);
  const others = ["p", "table", "thead", "tbody", "tr", "th", "td", "a"]; // addresses may become links
  assertEquals(elements.filter((name) => !others.includes(name)), []);
});

Deno.test("toMarkdown() puts the tables of a study below one another", () => {
  const text = toMarkdown([gainsTable([standard, ...controls]), gainsTable([standard])]);
  const tables = new JSDOM(marked.parse(text, { async: false })).window.document
    .querySelectorAll("table");
  assertEquals([...tables].map((table) => table.rows.length), [5, 2]);
});
