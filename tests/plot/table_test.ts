import { assertEquals } from "@std/assert";
import {
  gainsTable,
  isTable,
  tableCsv,
  tableHtml,
  tableMarkdown,
  tableOf,
  tablesOf,
  tableText,
  toHtml,
} from "../../lib/plot/mod.ts";
import { bundleOf } from "../../lib/plot/display.ts";
import { controls, standard } from "./_rows.ts";

const rows = [
  { method: "standard", mean: 0.5, low: 0.4, high: 0.6, gain: undefined },
  { method: 'a|b, "c" <i>', mean: 0.25, low: NaN, high: 1, gain: 0.125 },
];
const table = tableOf(rows, [
  { heading: "method", of: "method" },
  {
    ...{ heading: "mean %", of: ["mean", "low", "high"] },
    as: (mean: number, low: number, high: number) => `${100 * mean} [${low}, ${high}]`,
  },
  { heading: "gain", of: "gain" },
], { title: "two methods", notes: ["N = 2", false, undefined] });

Deno.test("a table as text has its columns in line, its title above and its notes below", () => {
  assertEquals(tableText(table).split("\n"), [
    "two methods",
    "method               mean %   gain",
    "standard      50 [0.4, 0.6]      –",
    'a|b, "c" <i>    25 [NaN, 1]  0.125',
    "N = 2",
  ]);
});

Deno.test("a table as text keeps least widths, and has no line of empty headings", () => {
  const narrow = tableOf([{ a: "x", b: "y" }], [
    { heading: "", of: "a", width: 4 },
    { heading: "", of: "b", align: "left" },
  ]);
  assertEquals(tableText(narrow), "x     y");
});

Deno.test("a table as Markdown says its sides, and escapes bars", () => {
  assertEquals(tableMarkdown(table).split("\n"), [
    ...["two methods", "", "| method | mean % | gain |", "| --- | --: | --: |"],
    "| standard | 50 [0.4, 0.6] | – |",
    '| a\\|b, "c" <i> | 25 [NaN, 1] | 0.125 |',
    ...["", "N = 2."],
  ]);
});

Deno.test("a row is a line whatever its cells hold, and a table may be long", () => {
  const torn = tableOf([{ a: "x\ny\r\nz", b: "\\|" }], [
    { heading: "a\rb", of: "a" },
    { heading: "c", of: "b" },
  ]);
  assertEquals(tableText(torn), "a b     c\nx y z  \\|");
  assertEquals(tableMarkdown(torn).split("\n").at(-1), "| x y z | \\\\\\| |"); // \\ is a backslash, \| a bar
  const long = tableOf(Array.from({ length: 200_000 }, (_, n) => ({ n })), [
    { heading: "n", of: "n" },
  ]);
  assertEquals(tableText(long).split("\n").length, 200_001);
});

Deno.test("a table as CSV has every value with its digits, by the names of the fields", () => {
  assertEquals(tableCsv(table).split("\r\n"), [
    "method,mean,low,high,gain",
    "standard,0.5,0.4,0.6,",
    '"a|b, ""c"" <i>",0.25,,1,0.125',
    "",
  ]);
  const gains = tableCsv(gainsTable([standard, ...controls]).tables[0]!).split("\r\n");
  assertEquals(gains.length, 6);
  assertEquals(gains[1]!.split(",").slice(4, 9), ["", "", "", "", ""]); // no gain of the baseline
});

Deno.test("a table is plain data, which is shown and stands in a page", async () => {
  assertEquals(structuredClone(table), table);
  assertEquals([isTable(table), isTable({}), isTable(null)], [true, false, false]);
  assertEquals(tablesOf(table, table).text, `${tableText(table)}\n\n${tableText(table)}`);
  assertEquals(await bundleOf(table), {
    ...{ "text/html": tableHtml(table), "text/plain": tableText(table) },
  });
  const page = await toHtml(table);
  assertEquals([page.includes("&lt;i&gt;"), page.includes("<i>")], [true, false]);
});
