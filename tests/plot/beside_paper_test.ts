import { assert, assertStringIncludes, assertThrows } from "@std/assert";
import { besidePaper } from "../../lib/plot/mod.ts";
import { row, standard } from "./_rows.ts";

const rows = [
  standard,
  row("direct", { name: "directMixture" }, -7.4, 2.3),
  row("moi-1", { name: "moi", beta: 1 }, 3.2, 2),
  row("selar <b>", { name: "selar" }, 1, 2),
];

Deno.test("besidePaper() lays each method beside its column of the paper", () => {
  const { text, html } = besidePaper(rows, { task: "countdown", model: "DAPO-Qwen-32B" });
  const lines = text.split("\n");
  assertStringIncludes(lines[1]!, "72.03");
  assertStringIncludes(lines[2]!, "67.19 (−4.8)");
  assertStringIncludes(lines[3]!, "+3.2 [+1.2, +5.2]");
  assertStringIncludes(lines[3]!, "78.75 (+6.7)");
  assert(lines[4]!.endsWith("–"));
  assertStringIncludes(text, "N = 60 problems × 8 repeats; paper: Count Down 4, 128 problems");
  assert(!html.includes("<b>"));
});

Deno.test("besidePaper() shows all models of the paper, and refuses others", () => {
  assertStringIncludes(besidePaper(rows, { task: "aime" }).text, "Gemma-3-27B %");
  assertThrows(() => besidePaper(rows, { task: "gsm8k" as never }), RangeError, "'task'");
  assertThrows(() => besidePaper(rows, { task: "aime", model: "GPT" }), RangeError, "'model'");
  assertThrows(() => besidePaper([], { task: "aime" }), RangeError, "'rows'");
});
