import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { plotTrace } from "../../lib/plot/mod.ts";
import { generation, step } from "./_rows.ts";

Deno.test("plotTrace() shows markup in a generated text as text", () => {
  const { html } = plotTrace(generation);
  assert(!/<script/i.test(html));
  assertStringIncludes(html, " &lt;script&gt;alert(1)&lt;/script&gt;</span>");
  assertStringIncludes(html, "&lt;/script&gt;&lt;script&gt;"); // a candidate, in a tooltip
});

Deno.test("plotTrace() keeps a quote from ending the tooltip", () => {
  const { html } = plotTrace({ text: '"', trace: [step('" onmouseover="x', 1, 0.1)] });
  assert(!html.includes('" onmouseover="'));
});

Deno.test("plotTrace() colours by entropy, with black text on dark themes too", () => {
  const { html } = plotTrace({ text: "ab", trace: [step("a", 1, 0), step("b", 2, 0.4)] });
  assertStringIncludes(html, 'background:rgb(255,255,255);border-radius:2px">a<');
  assertStringIncludes(html, 'background:rgb(230,159,30);border-radius:2px">b<');
  assertStringIncludes(html, "white-space:pre-wrap");
  assertStringIncludes(html, "color:#000");
});

Deno.test("plotTrace() keeps colours comparable with maxEntropy", () => {
  const one = { text: "a", trace: [step("a", 1, 0.2)] };
  assertStringIncludes(plotTrace(one, { maxEntropy: 1 }).html, "rgb(250,236,210);border");
  assertThrows(() => plotTrace(one, { maxEntropy: 0 }), RangeError, "'maxEntropy'");
});

Deno.test("plotTrace() takes an entropy that rounding put above 1", () => {
  const { html } = plotTrace({ text: "a", trace: [step("a", 1, 1 + 1e-12)] });
  assertStringIncludes(html, "rgb(230,159,30);border");
});

Deno.test("plotTrace() names entropy, candidates, mass and mixture in the tooltip", () => {
  const { html } = plotTrace(generation, { candidates: 2 });
  const title = [
    "&quot; cat&quot;  p = 0.550",
    "H = 0.120",
    "0.550  &quot; cat&quot;",
    "0.250  &quot; dog&quot;",
    "off-sample mass 0.300",
    "0.700  &quot; cat&quot;",
    "0.170  &quot; dog&quot;",
  ].join("\n");
  assertStringIncludes(html, `title="${title}"`);
  assert(!html.includes("0.120  "));
});

Deno.test("plotTrace() tells norm, events once each, and what was drawn in place of the token", () => {
  const plain = step("a", 1, 0.1), soft = { ...plain, event: "<soft>", norm: 0.81, drawn: 901 };
  const { html } = plotTrace({ text: "aaa", trace: [plain, soft, soft] });
  assertEquals(html.split("&lt;soft&gt;</span>").length, 2);
  assertStringIncludes(html, "off-sample mass 0.300, norm 0.810");
  assertStringIncludes(html, "recorded in place of &quot; dog&quot;\n&lt;soft&gt;\nH = 0.100");
});

Deno.test("plotTrace() tells tokens of one text apart by their ids", () => {
  const candidates = [7, 8, 9].map((token) => ({
    ...{ token, text: token === 9 ? "x" : "\ufffd", probability: 0.3 },
  }));
  const { html } = plotTrace({ text: "\ufffd", trace: [{ ...step("\ufffd", 8, 0), candidates }] });
  const [name, ...others] = ["\ufffd", "\ufffd", "x"].map((text) => `&quot;${text}&quot;`);
  assertStringIncludes(html, `title="${name} #8  p = `);
  assertStringIncludes(html, `0.300  ${name} #7\n0.300  ${others[0]} #8\n0.300  ${others[1]}\n`);
});

Deno.test("plotTrace() marks the end of the text, and names the token in its tooltip", () => {
  const end = { ...step("", 5, 0.1), candidates: [{ token: 5, text: "<eos>", probability: 1 }] };
  const { html } = plotTrace({ text: "a", trace: [step("a", 1, 0), { ...end, end: true }] });
  assertStringIncludes(html, ">∎</span>");
  assertStringIncludes(html, "&quot;&lt;eos&gt;&quot;  p = ");
});

Deno.test("plotTrace() marks line breaks and tokens without text", () => {
  const { html } = plotTrace({ text: "\n", trace: [step("\n", 1, 0), step("", 2, 0)] });
  assertStringIncludes(html, ">↵\n</span>");
  assertStringIncludes(html, ">·</span>");
});

Deno.test("plotTrace() has a plain-text twin", () => {
  const { text } = plotTrace(generation);
  assertEquals(
    text,
    `${generation.text}\n[5 tokens, mean H 0.214, mean off-sample mass 0.300]`,
  );
});

Deno.test("plotTrace() shows an empty trace", () => {
  assertStringIncludes(plotTrace({ text: "", trace: [] }).text, "0 tokens, mean H 0.000");
});

Deno.test("plotTrace() refuses a generation without a trace, and says what to do", () => {
  assertThrows(() => plotTrace({ text: "x" }), TypeError, "pass trace: true");
});
