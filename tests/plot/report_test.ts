import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Html, isFigure, isHtml, studyReport, toHtml } from "../../lib/plot/mod.ts";
import type { Run } from "../../lib/study/mod.ts";

function runs(temperature: number, methods: readonly string[]): Run[] {
  return ["a", "b", "c"].flatMap((problem) =>
    methods.map((method): Run => ({
      study: `study-${temperature}`,
      model: "votes-tiny@0123456789abcdef",
      device: "cpu",
      dtype: "fp32",
      task: "votes",
      problem,
      method,
      parameters: method === "standard" ? { name: "standard" } : { name: "moi", beta: 1 },
      repeat: 0,
      studySeed: 0,
      seed: 1,
      sampler: { temperature, topK: 0, topP: 1, minP: 0, maxNewTokens: 32 },
      prompt: "00",
      promptTokens: 3,
      tokens: [1, 2],
      text: "<img src=x onerror=alert(1)>",
      finishReason: problem === "c" ? "length" : "stop",
      grade: { correct: problem !== "b" || method === "moi-1", extracted: null },
      mixing: { meanEntropy: 0.3, meanOffSampleMass: method === "moi-1" ? 0.1 : 0 },
      timing: { prefillMs: 1, decodeMs: 1 },
      versions: { moi: "0.1.0" },
    }))
  );
}

const head = (parts: readonly unknown[]) => (parts[0] as Html).text;

Deno.test("studyReport() holds settings, a table, two figures and what changed hands", () => {
  const parts = studyReport(runs(1, ["standard", "moi-1"]));
  assertEquals(parts.map((part) => isHtml(part) ? "html" : isFigure(part) ? "figure" : "?"), [
    "html",
    "html",
    "figure",
    "figure",
    "html",
  ]);
  assertStringIncludes((parts[4] as Html).text, "moi-1 against standard: 1 won, 0 lost of 3 pairs");
  assertStringIncludes(head(parts), "temperature 1, top-k off, top-p 1");
  assertStringIncludes(head(parts), "2 of 6 runs reached the limit");
});

Deno.test("studyReport() says what a control is, and what greedy decoding gets", () => {
  const parts = studyReport(runs(1, ["standard", "moi-1"]), { greedy: runs(0, ["standard"]) });
  assertStringIncludes(head(parts), "sensitivity check");
  assertStringIncludes(head(parts), "Greedy decoding (temperature 0) on the same task: 66.7 %");
});

Deno.test("studyReport() makes a page on which the models' texts are text", async () => {
  const page = await toHtml(studyReport(runs(1, ["standard", "moi-1"])), { title: "x" });
  assert(!page.includes("<img"));
  assertStringIncludes(page, "&lt;img src=x onerror=alert(1)&gt;");
});

Deno.test("studyReport() shows scores where every run has one", () => {
  const scored = runs(1, ["standard", "moi-1"]).map((run, i) => ({
    ...run,
    grade: { ...run.grade, score: i / 10 },
  }));
  const parts = studyReport(scored);
  assertEquals(parts.length, 7);
  assertStringIncludes((parts[2] as Html).text, "+0.1000");
});

Deno.test("studyReport() of the baseline alone shows nothing that changed hands", () => {
  assertEquals(studyReport(runs(1, ["standard"])).length, 4);
});

Deno.test("studyReport() refuses no runs and unknown options", () => {
  assertThrows(() => studyReport([]), RangeError, "at least one run");
  const bad = { base: "standard" } as Record<string, string>;
  assertThrows(() => studyReport(runs(1, ["standard"]), bad), TypeError, "'base' is not an option");
});
