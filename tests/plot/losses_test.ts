import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lossTable, plotLosses, toCsv } from "../../lib/plot/mod.ts";
import { byStep, lossGains } from "../../lib/stats/mod.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const LOSSES = [0.1, 0.3, 0.2].map((own, text) => ({
  ...{ text, from: 1, entropy: [0.1, 0.4], base: [2, 3] },
  losses: { "<moi>": [2 + own, 3 - own], direct: [5, 6 + own] },
  offSampleMass: { "<moi>": [0.1, 0.1], direct: [0.7, 0.7] },
}));
const ROWS = lossGains(LOSSES, { groups: byStep([1]), primary: "<moi>" });

Deno.test("plotLosses() draws a series for each group, with intervals by document", () => {
  const { data, layout } = plotLosses(ROWS) as Any;
  assertEquals(data.length, 2);
  assertEquals(data[0].y, [0.2, 3]);
  assertEquals(data[0].error_y.array[1], 0);
  assertEquals(layout.xaxis.ticktext, ["&lt;moi&gt;", "direct"]);
  assertEquals(data[0].name, "step &lt; 1, N = 3");
  assertStringIncludes(data[0].hovertext[0], "&lt;moi&gt;, step &lt; 1<br>ΔNLL +0.200");
  assertStringIncludes(layout.title.subtitle.text, "3 documents · 95 %");
  const one = plotLosses(lossGains(LOSSES.slice(1, 2))) as Any; // an interval without ends is not drawn
  assertEquals(one.data[0].error_y.array, [null, null]);
  assertStringIncludes(one.layout.title.subtitle.text, "N = 2 tokens of 1 document");
});

Deno.test("lossTable() has a table for each group, and says what was declared", () => {
  const { text, tables } = lossTable(ROWS);
  assertStringIncludes(text, "positions: step < 1\n");
  assertStringIncludes(text, "<moi>   +0.200 [−0.048, +0.448]    0.074");
  assertStringIncludes(text, "<moi> was declared beforehand");
  assertStringIncludes(text, "tokens alone: 2.000 nats");
  assertEquals(toCsv(tables[0]!).split("\r\n")[0]!.startsWith("method,difference,low,high"), true);
});

Deno.test("figures and tables say what methods are compared with", () => {
  const rows = lossGains(LOSSES, { baseline: "direct" });
  assertStringIncludes((plotLosses(rows) as Any).layout.title.subtitle.text, "against direct");
  assertStringIncludes(lossTable(rows).text, "direct: 5.600 nats");
});

Deno.test("figures and tables of losses refuse what they cannot show", () => {
  assertThrows(() => plotLosses([]), RangeError, "at least one row");
  assertThrows(() => lossTable([]), RangeError, "at least one row");
  assertThrows(() => plotLosses(ROWS, { size: 3 } as Any), TypeError, "size");
});
