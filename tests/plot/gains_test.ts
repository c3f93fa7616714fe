import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Figure, type GainLike, plotGains } from "../../lib/plot/mod.ts";
import { controls, curve, presets, row, standard, study } from "./_rows.ts";

// deno-lint-ignore no-explicit-any
type Any = any;
const traces = (figure: Figure) => figure.data as Any[];
const layout = (figure: Figure) => figure.layout as Any;
const named = (figure: Figure, name: string) => traces(figure).find((t) => t.name === name);

Deno.test("plotGains() draws MoI against β on a log axis with ticks at the βs present", () => {
  const figure = plotGains(study);
  const { xaxis } = layout(figure);
  assertEquals(xaxis.type, "log");
  assertEquals(xaxis.tickvals, [0.25, 0.5, 1, 2, 4, 8]);
  assertEquals(xaxis.ticktext, ["¼", "½", "1", "2", "4", "8"]);
  assertEquals(named(figure, "MoI").x, [0.25, 0.5, 1, 2, 4, 8]);
  assertEquals(named(figure, "MoI").y, [0.4, 1.6, 3.2, 2.7, 1.2, 0.3]);
});

Deno.test("plotGains() fills the paired interval: upper ends forward, lower ends back", () => {
  const band = named(plotGains(study), "MoI: intervals");
  assertEquals(band.fill, "toself");
  assertEquals(band.x, [0.25, 0.5, 1, 2, 4, 8, 8, 4, 2, 1, 0.5, 0.25]);
  assertEquals(band.y, [2, 3.2, 4.8, 4.3, 2.8, 1.9, -1.3, -0.4, 1.1, 1.6, 0, -1.2]);
});

Deno.test("plotGains() orders the βs, whatever the order of the rows", () => {
  const shuffled = [...curve("paper").toReversed(), standard];
  assertEquals(named(plotGains(shuffled), "MoI").x, [0.25, 0.5, 1, 2, 4, 8]);
});

Deno.test("plotGains() draws one line and one band per preset, bands below lines", () => {
  const names = traces(plotGains(presets)).slice(0, 4).map((trace) => trace.name);
  assertEquals(names, [
    "MoI, paper: intervals",
    "MoI, mixinputs-0.1.1: intervals",
    "MoI, paper",
    "MoI, mixinputs-0.1.1",
  ]);
});

Deno.test("plotGains() shows the other methods as points with error bars", () => {
  const figure = plotGains(study);
  const points = named(figure, "other methods");
  assertEquals(points.x, ["direct", "linear-0.5", "random-1"]);
  assertEquals(points.y, [-7.4, -1.2, -3.1]);
  assertEquals(points.error_y.array, [2.3, 1.7, 1.9]);
  assertEquals(points.error_y.arrayminus, [2.3, 1.7, 1.9]);
  assertEquals(layout(figure).xaxis2.ticktext, ["direct", "linear<br>λ = 0.5", "random<br>β = 1"]);
});

Deno.test("plotGains() has no right panel without other methods", () => {
  const figure = plotGains([standard, ...curve("paper")]);
  assertEquals(layout(figure).xaxis2, undefined);
  assertEquals(layout(figure).xaxis.domain, [0, 1]);
});

Deno.test("plotGains() always states the N, and names the intervals", () => {
  const text = layout(plotGains(study, { subtitle: "tiny" })).title.subtitle.text;
  assertEquals(text, "tiny · N = 60 problems × 8 repeats · paired 95 % intervals");
  const mixed = [standard, row("moi-1", { name: "moi", beta: 1 }, 1, 1, { repeats: 4 })];
  assertStringIncludes(layout(plotGains(mixed)).title.subtitle.text, "60 problems × 4–8 repeats");
});

Deno.test("plotGains() labels the zero line and shifts the baseline's interval to it", () => {
  const { annotations, shapes, yaxis } = layout(plotGains(study));
  assertEquals(annotations[0].text, "standard<br>41.0 %");
  assertEquals([annotations[0].y, yaxis.zeroline], [0, true]);
  assertEquals([shapes[0].y0, shapes[0].y1], [-4.4, 4.5]);
  assertEquals(shapes[0].name, "standard: its own 95 % interval");
});

Deno.test("plotGains() tells the tests, the wins and the mixing when hovering", () => {
  assertEquals(named(plotGains(study), "MoI").hovertext[2].split("<br>"), [
    "<b>moi-paper-1</b>",
    "accuracy 44.2 % [39.8, 48.7]",
    "gain +3.2 points [+1.6, +4.8]",
    "p = 0.012, adjusted p = 0.049",
    "won 61, lost 38",
    "tokens × 1.02",
    "mean H 0.114, off-sample mass 0.208",
  ]);
});

Deno.test("plotGains() draws methods hollow that mixed nothing, and explains it", () => {
  const figure = plotGains(study);
  const symbols = named(figure, "other methods").marker.symbol;
  assertEquals(symbols, ["diamond", "diamond", "diamond-open"]);
  assert(named(figure, "hollow: off-sample mass &lt; 0.001"));
  const without = plotGains([standard, ...curve("paper")]);
  assert(!named(without, "hollow: off-sample mass &lt; 0.001"));
});

Deno.test("plotGains() gives a single β error bars in place of a band", () => {
  const figure = plotGains([standard, row("moi-1", { name: "moi", beta: 1 }, 3, 2)]);
  assertEquals(traces(figure).map((trace) => trace.name), ["MoI"]);
  assertEquals(traces(figure)[0].error_y.array, [2]);
  assertEquals(layout(figure).xaxis.range, [-0.5, 0.5]);
});

Deno.test("plotGains() works with the baseline alone", () => {
  assertEquals(plotGains([standard]).data, []);
});

Deno.test("plotGains() puts MoI without a place on a log axis beside the others", () => {
  const odd: GainLike[] = [
    row("no-beta", { name: "moi" }, 1, 1),
    row("zero", { name: "moi", beta: 0 }, 1, 1),
    row("null", { name: "moi", beta: null }, 1, 1),
  ];
  const figure = plotGains([standard, ...odd]);
  assertEquals(named(figure, "methods").x, ["no-beta", "zero", "null"]);
});

Deno.test("plotGains() takes any row as the baseline", () => {
  const figure = plotGains(study, { baseline: "direct" });
  assertEquals(layout(figure).title.text, "Gain over direct");
  assertEquals(named(figure, "other methods").x, ["standard", "linear-0.5", "random-1"]);
});

Deno.test("plotGains() escapes names for plotly's labels", () => {
  const figure = plotGains([standard, row("<b>x", { name: "own" }, 1, 1)], { title: "a < b" });
  assertEquals(layout(figure).xaxis2.ticktext, ["&lt;b&gt;x"]);
  assertEquals(layout(figure).title.text, "a &lt; b");
});

Deno.test("plotGains() is plain JSON, and the same for the same rows", () => {
  const figure = plotGains(presets);
  assertEquals(JSON.parse(JSON.stringify(figure)), figure);
  assertEquals(plotGains(presets), figure);
});

Deno.test("plotGains() refuses rows without a baseline", () => {
  const refuse = (rows: GainLike[], message: string, baseline?: string) =>
    assertThrows(
      () => plotGains(rows, baseline === undefined ? {} : { baseline }),
      RangeError,
      message,
    );
  refuse([], "Cannot plot gains as 'rows' must have at least one row");
  refuse(controls, "must have a row of the standard method");
  refuse(study, 'must have a row of "other"', "other");
  refuse([standard, standard], "several could be the baseline");
});

Deno.test("plotGains() refuses an option it does not know", () => {
  const options = { tittle: "x" } as unknown as { title: string };
  assertThrows(() => plotGains(study, options), TypeError, "'tittle' is not an option");
});
