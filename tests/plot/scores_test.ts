import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { plotScores, scoreTable, toText } from "../../lib/plot/mod.ts";
import { scores } from "./_rows.ts";

const percent = { name: "repeated 4-grams, %", scale: 100 };

// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("plotScores() draws differences in the score's own unit, against β", () => {
  const { data, layout } = plotScores(scores, percent) as Any;
  const line = data.find((trace: Any) => trace.name === "MoI");
  assertEquals([line.x, line.y], [[1, 4], [-2, 1]]);
  assertEquals(line.marker.symbol, ["circle", "circle-open"]); // nothing was mixed at β = 4
  const band = data.find((trace: Any) => trace.name === "MoI: intervals");
  assertEquals(band.y, [0, 3, 0, -3]);
  assertEquals(layout.yaxis.title.text, "difference (repeated 4-grams, %)");
  assertStringIncludes(layout.title.subtitle.text, "N = 40 problems × 4 repeats");
  assertEquals(layout.annotations[0].text, "standard<br>5.00");
  assertEquals([layout.shapes[0].y0, layout.shapes[0].y1], [-1, 1]); // the baseline's own interval
});

Deno.test("plotScores() escapes names, and tells what lies under the pointer", () => {
  const { data } = plotScores(scores, percent) as Any;
  const others = data.find((trace: Any) => trace.name === "other methods");
  assertStringIncludes(others.hovertext[0], "<b>&lt;b&gt;</b>");
  assertStringIncludes(others.hovertext[0], "difference +10.00 [+9.00, +12.00]");
  assertStringIncludes(others.hovertext[0], "higher 21, lower 12");
});

Deno.test("plotScores() refuses no rows, and options that it does not know", () => {
  assertThrows(() => plotScores([]), RangeError, "at least one row");
  assertThrows(
    () => plotScores(scores, { unit: 1 } as never),
    TypeError,
    "'unit' is not an option",
  );
});

Deno.test("scoreTable() says beside each score whether anything was mixed", () => {
  const { html, ...table } = scoreTable(scores, percent);
  const text = toText(table, { width: Infinity });
  assertEquals(text.split("\n")[0]!.endsWith("higher/lower      H   mass"), true);
  assertStringIncludes(text, "−2.00 [−3.00, 0.00]");
  const [row] = scoreTable([{ ...scores[0]!, low: -0.01 }], percent).text.match(/standard.*?\]/)!;
  assertStringIncludes(row, "[−1.00, ");
  assertEquals(text.split("\n")[3]!.endsWith("0.200  0.100"), true);
  assertStringIncludes(html, "&lt;b&gt;");
});

Deno.test("plotScores() and scoreTable() say which way is up", () => {
  const rows = (better: "lower" | "higher") =>
    scores.map((row) => ({ ...row, measure: { name: "rate", unit: "%", better } }));
  const measured = (better: "lower" | "higher") => scoreTable(rows(better));
  assertStringIncludes(
    JSON.stringify(plotScores(rows("lower")).layout),
    "lower is better · N = 40",
  );
  assertStringIncludes(measured("lower").text, "rate, % ↓");
  assertStringIncludes(measured("lower").text, "\nrate, % ↓: lower is better\n");
  assertStringIncludes(measured("higher").text, "\nrate, % ↑: higher is better\n");
});
