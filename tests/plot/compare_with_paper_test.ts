import { assert, assertStringIncludes, assertThrows } from "@std/assert";
import { compareWithPaper } from "../../lib/plot/mod.ts";
import { row, standard } from "./_rows.ts";

const rows = [
  standard,
  row("direct", { name: "directMixture" }, -7.4, 2.3),
  row("moi-1", { name: "moi", beta: 1 }, 3.2, 2),
  row("selar <b>", { name: "selar" }, 1, 2),
];

Deno.test("compareWithPaper() lays each method beside its column of the paper", () => {
  const { text, html } = compareWithPaper(rows, { task: "countdown", model: "DAPO-Qwen-32B" });
  const lines = text.split("\n");
  assertStringIncludes(lines[1]!, "72.03");
  assertStringIncludes(lines[2]!, "67.19 (−4.8)");
  assertStringIncludes(lines[3]!, "+3.2 [+1.2, +5.2]");
  assertStringIncludes(lines[3]!, "78.75 (+6.7)");
  assert(lines[4]!.endsWith("–"));
  assertStringIncludes(text, "N = 60 problems × 8 repeats, gains in points; paper: Count Down 4");
  assert(!html.includes("<b>"));
});

Deno.test("compareWithPaper() shows all models of the paper, and refuses others", () => {
  assertStringIncludes(compareWithPaper(rows, { task: "aime" }).text, "Gemma-3-27B %");
  assertThrows(() => compareWithPaper(rows, { task: "gsm8k" as never }), RangeError, "'task'");
  assertThrows(() => compareWithPaper(rows, { task: "aime", model: "GPT" }), RangeError, "'model'");
  assertThrows(() => compareWithPaper([], { task: "aime" }), RangeError, "'rows'");
});
