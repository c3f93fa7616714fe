import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { paperGains, paperNotes, paperTable1, paperTableA4 } from "../../lib/study/mod.ts";

Deno.test("the averages of Table 1 are those that the paper prints", () => {
  const mean = (model: string, method: string) => {
    const own = paperTable1().filter((e) => e.model === model && e.method === method);
    return own.reduce((sum, { accuracy }) => sum + accuracy, 0) / own.length;
  };
  const printed = { "QwQ-32B": [72.86, 60.96, 74.15], "DAPO-Qwen-32B": [58.28, 47.90, 60.33] };
  for (const [model, [standard, direct, moi]] of Object.entries(printed)) {
    assertAlmostEquals(mean(model, "standard"), standard!, 0.011);
    assertAlmostEquals(mean(model, "direct"), direct!, 0.011);
    assertAlmostEquals(mean(model, "moi"), moi!, 0.011);
  }
  for (const { model, best } of paperGains()) {
    assertAlmostEquals(mean(model, "moi") - mean(model, "standard"), best, 0.011);
  }
});

Deno.test("the 64-run table and the notes say what the numbers say", () => {
  const z = paperTableA4().map((row) => row.z);
  assertAlmostEquals(z[0]!, 1.64 / Math.sqrt((2.51 ** 2 + 2.06 ** 2) / 64), 1e-9);
  assertEquals(z.map((value) => value > 2), [true, false, true, true]);
  const notes = paperNotes();
  assert(notes[0]!.startsWith("GPQA Diamond: 12 of 12"));
  // (25.56 − 21.80) / (2.34 / √5), (64.67 − 61.16) / (2.50 / √5); QwQ's 1.6 and Nemotron's 0.1 are noise
  assert(notes[3]!.startsWith("2 of 4 AIME baselines"));
  assert(notes[3]!.includes("Gemma-3-27B 25.56 against 21.8, 3.6 standard errors"));
  assert(notes[3]!.includes("DAPO-Qwen-32B 64.67 against 61.16, 3.1 standard errors"));
  assert(!notes[3]!.includes("QwQ"));
});
