import { assertEquals, assertThrows } from "@std/assert";
import { gainsTable, scoreTable, tableOf, toText } from "../../lib/plot/mod.ts";
import { row, scores, standard } from "./_rows.ts";

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
  { heading: "gain", of: "gain", means: "over standard" },
], { title: "two methods", notes: ["N = 2", false, undefined] });

Deno.test("toText() puts columns in line, the title above and the notes below", () => {
  assertEquals(toText(table).split("\n"), [
    "two methods",
    "method               mean %   gain",
    "standard      50 [0.4, 0.6]      –",
    'a|b, "c" <i>    25 [NaN, 1]  0.125',
    "N = 2",
    "gain: over standard",
  ]);
});

Deno.test("toText() keeps least widths, and has no line of empty headings", () => {
  const narrow = tableOf([{ a: "x", b: "y" }], [
    { heading: "", of: "a", width: 4 },
    { heading: "", of: "b", align: "left" },
  ]);
  assertEquals(toText(narrow), "x     y");
});

Deno.test("toText() puts wide letters, and marks without a width, in line", () => {
  const all = tableOf([{ a: "日本", b: 1 }, { a: "e\u0301", b: 2 }, { a: "four", b: 3 }], [
    { heading: "a", of: "a" },
    { heading: "b", of: "b" },
  ]);
  assertEquals(toText(all), "a     b\n日本  1\ne\u0301     2\nfour  3");
});

Deno.test("toText() gives a row a line whatever its cells hold, and a table may be long", () => {
  const torn = tableOf([{ a: "x\ny\r\nz", b: "\\|" }], [
    { heading: "a\rb", of: "a" },
    { heading: "c", of: "b" },
  ], { notes: ["one\ntwo"] });
  assertEquals(toText(torn), "a b     c\nx y z  \\|\none two");
  const long = tableOf(Array.from({ length: 200_000 }, (_, n) => ({ n })), [
    { heading: "n", of: "n" },
  ]);
  assertEquals(toText(long).split("\n").length, 200_001);
});

Deno.test("toText() puts columns that are too many for a line into further blocks", () => {
  assertEquals(toText(table, { width: 30 }).split("\n"), [
    "two methods",
    "method               mean %",
    "standard      50 [0.4, 0.6]",
    'a|b, "c" <i>    25 [NaN, 1]',
    "",
    "method         gain",
    "standard          –",
    'a|b, "c" <i>  0.125',
    "N = 2",
    "gain: over standard",
  ]);
  const exactly = (width: number) => toText(table, { width }).split("\n").length;
  assertEquals([exactly(34), exactly(33)], [6, 10]);
  // a column is never torn, and never alone
  assertEquals(toText(table, { width: 20 }), toText(table, { width: 30 }));
});

Deno.test("toText() breaks long notes between words, unless lines may be of any length", () => {
  const noted = tableOf([{ n: 1 }], [{ heading: "n", of: "n" }], {
    title: "a title of many words",
    notes: ["one two three four five six", "x".repeat(30)],
  });
  assertEquals(toText(noted, { width: 20 }).split("\n"), [
    ...["a title of many", "  words", "n", "1", "one two three four", "  five six", "x".repeat(30)],
  ]);
  assertEquals(toText(noted, { width: Infinity }).split("\n").length, 5);
  assertThrows(() => toText(noted, { width: 5 }), RangeError, "'width' must be a number at least");
});

Deno.test("tables of gains and scores fit 80 columns, what was found in the first block", () => {
  const long = (name: string) =>
    row(name, { name }, -21.2, 4.6, { won: 110, lost: 137, adjustedP: 1e-9 });
  const gains = gainsTable([standard, long("random-expected-0.25")]).text;
  assertEquals(
    gains.split("\n")[0],
    "method                       accuracy %           gain [95 %]  p, Holm  won/lost",
  );
  const measure = { name: "repeated 4-grams", unit: "%", scale: 100, better: "lower" } as const;
  const measured = scoreTable(scores.map((one) => ({ ...one, measure }))).text;
  for (const text of [gains, measured]) {
    assertEquals(text.split("\n").filter((line) => [...line].length > 80), []);
  }
});
