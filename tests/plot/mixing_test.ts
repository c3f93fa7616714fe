import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { plotMixing } from "../../lib/plot/mod.ts";
import { withPlanned } from "../../lib/study/mod.ts";
import { runs } from "./_rows.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("plotMixing() draws entropy and off-sample mass side by side for each method", () => {
  const figure = plotMixing(runs);
  const data = figure.data as Any[];
  assertEquals(data.map((t) => [t.type, t.name, t.xaxis]), [
    ["box", "standard", "x"],
    ["box", "standard", "x2"],
    ["box", "moi-1", "x"],
    ["box", "moi-1", "x2"],
    ["box", "direct", "x"],
    ["box", "direct", "x2"],
  ]);
  const { q1, median, q3, mean, lowerfence, upperfence } = data[1]; // standard decoding mixes nothing
  assertEquals([q1, median, q3, mean, lowerfence, upperfence], Array(6).fill([0]));
  assertEquals("x" in data[1], false);
});

Deno.test("plotMixing() draws quartiles, whiskers and what is beyond, not every run", () => {
  const run = (meanEntropy: number) => ({
    ...{ method: "m", problem: "a", mixing: { meanEntropy, meanOffSampleMass: 0 } },
  });
  const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 5]; // quartiles by hand: places 1.5, 3.5, 5.5
  const [{ x, q1, median, q3, mean, lowerfence, upperfence }] = plotMixing(values.map(run))
    .data as Any;
  assertEquals([q1, median, q3, mean], [[0.25], [0.45], [0.65], [0.975]]);
  assertEquals([lowerfence, upperfence, x], [[0.1], [0.7], [[5]]]);
  const many = plotMixing(Array.from({ length: 10_000 }, (_, i) => run(i / 10_000)));
  assertEquals(JSON.stringify(many).length < 5000, true);
});

Deno.test("plotMixing() states the N", () => {
  const { title } = plotMixing(runs, { subtitle: "tiny" }).layout as Any;
  assertEquals(title.subtitle.text, "tiny · N = 180 runs of 20 problems");
});

Deno.test("plotMixing() shows masses near zero as zero, not as a spread", () => {
  const run = {
    method: "moi",
    problem: "a",
    mixing: { meanEntropy: 1e-6, meanOffSampleMass: 1e-7 },
  };
  const { xaxis, xaxis2 } = plotMixing([run]).layout as Any;
  assertEquals([xaxis.range, xaxis2.range], [[0, 0.05], [0, 0.05]]);
});

Deno.test("plotMixing() grows with the methods and escapes their names", () => {
  const many = Array.from({ length: 20 }, (_, i) => ({
    method: `<m${i}>`,
    problem: "a",
    mixing: { meanEntropy: 0.1, meanOffSampleMass: 0.1 },
  }));
  const { height, yaxis } = plotMixing(many).layout as Any;
  assertEquals(height, 150 + 38 * 20);
  assertStringIncludes(yaxis.ticktext[0], "&lt;m0&gt;");
});

Deno.test("plotMixing() refuses no runs", () => {
  assertThrows(() => plotMixing([]), RangeError, "'runs' must have at least one run");
});

Deno.test("plotMixing() says how much of a stopped study is there, be it nothing", () => {
  const planned = {
    problems: 100,
    methods: ["standard", "moi-1", "direct"],
    repeats: 3,
    runs: 900,
  };
  const subtitle = (some: typeof runs) =>
    (plotMixing(withPlanned([...some], planned)).layout as Any).title.subtitle.text;
  assertEquals(subtitle(runs), "N = 180 runs of 20 problems · partial: 180 of 900 runs");
  assertEquals(subtitle([]), "N = 0 runs of 0 problems · partial: 0 of 900 runs");
});

Deno.test("plotMixing() leaves out runs that do not tell their mixing", () => {
  const { mixing: _, ...bare } = runs[0]!;
  const odd = { ...bare, mixing: { meanEntropy: NaN, meanOffSampleMass: 0.1 } };
  const figure = plotMixing([bare, odd, ...runs]);
  assertEquals(figure, plotMixing(runs));
  assertThrows(() => plotMixing([bare, odd]), RangeError, "'runs' must tell how much was mixed");
});
