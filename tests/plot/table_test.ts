import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { gainsTable } from "../../lib/plot/mod.ts";
import { row, standard } from "./_rows.ts";

const moi = row("moi-1", { name: "moi", beta: 1 }, 3.2, 2);

Deno.test("gainsTable() aligns its columns", () => {
  const [header, ...lines] = gainsTable([standard, moi]).text.split("\n");
  const end = (line: string, text: string) => line.indexOf(text) + text.length;
  assertEquals(end(lines[1]!, "61/38"), end(header!, "won/lost"));
  assertStringIncludes(lines[1]!, "+3.2 [+1.2, +5.2]");
});

Deno.test("gainsTable() compares the baseline with nothing", () => {
  const [, line] = gainsTable([standard]).text.split("\n");
  assertEquals(line!.match(/–/g)?.length, 6); // four comparisons, and no time or cut told
});

Deno.test("gainsTable() says N", () => {
  assertStringIncludes(gainsTable([standard, moi]).text, "N = 60 problems × 8 repeats");
  const one = { ...standard, problems: 5, repeats: 1 };
  assertStringIncludes(gainsTable([one]).text, "N = 5 problems × 1 repeat;");
});

Deno.test("gainsTable() shows time and truncation, and what a study of this size can find", () => {
  const told = { ...moi, n: 480, truncated: 24, meanSeconds: 1.234 };
  const { text } = gainsTable([standard, told]);
  assertStringIncludes(text, "1.23    5.0");
  // 99 of 480 pairs disagree: 2.8016 · √(0.20625 / (60 + 2.8016²))
  assertStringIncludes(
    text,
    "1 comparison and 20.6 % of pairs disagreeing, gains from 15.4 points",
  );
  assert(!gainsTable([standard]).text.includes("power"));
});

Deno.test("gainsTable() warns where MoI had nothing to mix, and only there", () => {
  const idle = { ...moi, mixing: { meanEntropy: 0.01, meanOffSampleMass: 0.004 } };
  assertStringIncludes(gainsTable([standard, idle]).text, "at most 0.0040");
  assert(!gainsTable([standard, moi]).text.includes("almost nothing to mix"));
});

Deno.test("gainsTable() escapes method names", () => {
  const evil = { ...moi, method: "<script>alert(1)</script>" };
  const { html } = gainsTable([standard, evil]);
  assert(!html.includes("<script"));
  assertStringIncludes(html, "&lt;script&gt;");
});

Deno.test("gainsTable() refuses an empty table", () => {
  assertThrows(() => gainsTable([]), RangeError, "must hold a row");
});
