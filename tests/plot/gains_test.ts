import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { JSDOM } from "jsdom";
import { type Figure, type GainLike, plotGains, toSvg } from "../../lib/plot/mod.ts";
import { textBox } from "../../lib/plot/_textbox.ts";
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

Deno.test("plotGains() names the rows of other comparisons than of methods by their keys", () => {
  const moi = { name: "moi", beta: 1 };
  const models = [row("small", moi, 0, 0, { isBaseline: true }), row("large", moi, 2, 1)];
  const figure = plotGains(models);
  assertEquals(named(figure, "methods").x, ["large"]);
  assertEquals(layout(figure).xaxis2.ticktext, ["large"]);
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

/** The study with one β that has no interval, or no gain. */
const odd = (more: Partial<GainLike>) =>
  study.map((row) => row.method === "moi-paper-2" ? { ...row, ...more } : row);

Deno.test("plotGains() interrupts the band at a row without an interval, and there only", () => {
  const ends: Partial<GainLike>[] = [
    { low: NaN },
    { high: Infinity },
    { low: -Infinity, high: Infinity },
    { low: NaN, high: NaN, gain: NaN },
  ];
  for (const more of ends) {
    const band = named(plotGains(odd(more)), "MoI: intervals");
    assertEquals(band.x, [0.25, 0.5, 1, 1, 0.5, 0.25, null, 4, 8, 8, 4]);
    assertEquals(band.y, [2, 3.2, 4.8, 1.6, 0, -1.2, null, 2.8, 1.9, -1.3, -0.4]);
  }
});

Deno.test("plotGains() gives a point that the interruption leaves alone its error bar", () => {
  const without = (...methods: string[]) =>
    study.map((row) => methods.includes(row.method) ? { ...row, low: NaN } : row);
  const line = named(plotGains(without("moi-paper-4")), "MoI");
  assertEquals(line.error_y.array, [null, null, null, null, null, 1.6]);
  assertEquals(line.y.length, 6);
  assertEquals(named(plotGains(without("moi-paper-2")), "MoI").error_y, undefined);
  const all = named(plotGains(without(...curve("paper").map(({ method }) => method))), "MoI");
  assertEquals([all.error_y, all.y], [undefined, [0.4, 1.6, 3.2, 2.7, 1.2, 0.3]]);
});

Deno.test("plotGains() leaves a gap where there is no gain", () => {
  const line = named(plotGains(odd({ gain: NaN })), "MoI");
  assertEquals(line.y, [0.4, 1.6, 3.2, null, 1.2, 0.3]);
  const direct = study.map((row) => row.method === "direct" ? { ...row, gain: NaN } : row);
  const points = named(plotGains(direct), "other methods");
  assertEquals([points.y[0], points.error_y.array[0], points.y[1]], [null, null, -1.2]);
});

/** Rows that are odd in one way, and the line of the label that tells it. */
const LABELS: readonly (readonly [Partial<GainLike>, string])[] = [
  [{ low: NaN, high: Infinity }, "gain +2.7 points [–, ∞)"],
  [{ low: -Infinity }, "gain +2.7 points (−∞, +4.3]"],
  [{ high: Infinity }, "gain +2.7 points [+1.1, ∞)"],
  [{ low: -Infinity, high: Infinity }, "gain +2.7 points (−∞, ∞)"],
  [{ low: NaN, high: NaN }, "gain +2.7 points [–, –]"],
  [{ gain: NaN }, "gain – points [+1.1, +4.3]"],
  [{ gain: -Infinity }, "gain – points [+1.1, +4.3]"],
  [{ accuracy: NaN }, "accuracy – % [39.3, 48.2]"],
  [{ accuracyLow: NaN, accuracyHigh: Infinity }, "accuracy 43.7 % [–, ∞)"],
  [{ p: NaN }, "p –, adjusted p = 0.049"],
  [{ adjustedP: NaN }, "p = 0.012, adjusted p –"],
  [{ tokensRatio: NaN }, "tokens × –"],
  [{ tokensRatio: Infinity }, "tokens × –"],
  [{ mixing: { meanEntropy: NaN, meanOffSampleMass: NaN } }, "mean H –, off-sample mass –"],
  [{ mixing: { meanEntropy: 0.2, meanOffSampleMass: NaN } }, "mean H 0.200, off-sample mass –"],
];

for (const [more, expected] of LABELS) {
  Deno.test(`plotGains() tells ${expected} of ${Deno.inspect(more)}`, () => {
    const figure = plotGains(odd(more));
    const label = named(figure, "MoI").hovertext[3] as string;
    assert(label.split("<br>").includes(expected), label);
    assert(!/NaN|Infinity/.test(JSON.stringify(figure)));
    assertEquals(JSON.parse(JSON.stringify(figure)), figure); // no NaN in the figure itself
  });
}

Deno.test("plotGains() leaves out the grey band of a baseline without an interval", () => {
  const rows = study.map((row) => row.method === "standard" ? { ...row, accuracyLow: NaN } : row);
  assertEquals(layout(plotGains(rows)).shapes, []);
  assert(layout(plotGains(rows)).yaxis.range.every(Number.isFinite));
});

/** Rows of so many other methods with long names. */
const many = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => row(`aMethodWithALongName${i}`, { name: "own" }, Math.sin(i), 1),
  );

/** Boxes of the labels of an axis in a picture: [left, top, right, bottom]. */
async function labelBoxes(figure: Figure, names: readonly string[]) {
  const svg = new JSDOM(await toSvg(figure), { contentType: "image/svg+xml" }).window.document;
  const texts = [...svg.querySelectorAll("text")].filter((text) =>
    names.includes(text.textContent!)
  );
  assertEquals(texts.length, names.length);
  return texts.map((text) => {
    const { left, top, right, bottom } = textBox(text as Any);
    return [left, top, right, bottom] as const;
  });
}

Deno.test("plotGains() writes the names of many methods so that none covers another", async () => {
  for (const curves of [curve("paper"), []]) {
    const others = many(24), names = others.map(({ method }) => method);
    const figure = plotGains([standard, ...curves, ...others]);
    assertEquals(named(figure, curves.length ? "other methods" : "methods").y, names);
    const boxes = await labelBoxes(figure, names);
    for (const [i, a] of boxes.entries()) {
      assert(a[0] >= 0, `label ${i} begins left of the picture`);
      for (const b of boxes.slice(i + 1)) {
        const apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] + 1 || b[3] <= a[1] + 1;
        assert(apart, `labels of ${i} and another meet: ${a} ${b}`);
      }
    }
    const { height } = layout(figure);
    assert(boxes.every(([, , , bottom]) => bottom < height - 60));
  }
});

Deno.test("plotGains() keeps few methods beside the curve", () => {
  const figure = plotGains([...study, row("own", { name: "own" }, 1, 1)]);
  assertEquals(named(figure, "other methods").x.length, 4);
  assertEquals(layout(figure).height, undefined);
});

Deno.test("plotGains() draws gain and interval along the line where there are many methods", () => {
  const figure = plotGains([standard, ...curve("paper"), ...many(20)]);
  const points = named(figure, "other methods");
  assertEquals([points.x[1], points.error_x.array[1], points.error_y], [0.8415, 1, undefined]);
  const { shapes, xaxis2, yaxis } = layout(figure);
  assertEquals(shapes.map((shape: Any) => shape.showlegend), [true, false]);
  assertEquals([shapes[1].x0, shapes[1].x1], [-4.4, 4.5]);
  assertEquals(xaxis2.range, yaxis.range);
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
