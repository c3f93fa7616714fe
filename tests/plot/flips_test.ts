import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { plotFlips } from "../../lib/plot/mod.ts";
import { withPlanned } from "../../lib/study/mod.ts";
import { hostileRuns } from "./_rows.ts";

Deno.test("plotFlips() shows won and lost problems with both texts", () => {
  const { html, text } = plotFlips(hostileRuns(15), { method: "moi" });
  // won: multiples of 3 but not of 5; lost: the other way round
  assertStringIncludes(text, "moi against standard: 4 won, 2 lost of 15 pairs; both solve 8");
  assertStringIncludes(html, "only moi is right: 4");
  assertStringIncludes(html, "only standard is right: 2");
  assertEquals(html.split("<details").length - 1, 6);
  assertEquals(html.split("<pre").length - 1, 12);
});

Deno.test("plotFlips() escapes problems, answers, reasons and texts", () => {
  const { html } = plotFlips(hostileRuns(9), { method: "moi" });
  for (const markup of ["<script", "<img", "<i>", "<b>p"]) assert(!html.includes(markup), markup);
  assertStringIncludes(html, "&lt;/pre&gt;&lt;script&gt;alert(3)&lt;/script&gt;</pre>");
  assertStringIncludes(html, "&lt;i&gt;because&lt;/i&gt;");
});

Deno.test("plotFlips() bounds what it shows, and says so", () => {
  const { html } = plotFlips(hostileRuns(500), { method: "moi", most: 3 });
  assertStringIncludes(html, "only moi is right: 133, the first 3 shown");
  assertEquals(html.split("<details").length - 1, 6);
  const long = hostileRuns(4).map((run) => ({ ...run, text: "x".repeat(30_000) }));
  assertStringIncludes(plotFlips(long, { method: "moi" }).html, "… (10000 more characters)");
});

Deno.test("plotFlips() of a method that changes nothing says so", () => {
  const same = hostileRuns(6).map((run) => ({ ...run, grade: { ...run.grade, correct: true } }));
  const { html, text } = plotFlips(same, { method: "moi" });
  assertStringIncludes(text, "0 won, 0 lost of 6 pairs; both solve 6, neither 0");
  assert(!html.includes("<details"));
});

Deno.test("plotFlips() refuses what it cannot do", () => {
  const runs = hostileRuns(3);
  assertThrows(() => plotFlips(runs, { method: "x" }), RangeError, "'method' must be one of");
  assertThrows(() => plotFlips(runs, { method: "moi", most: 0 }), RangeError, "'most'");
  assertThrows(() => plotFlips(runs, { method: "moi", n: 1 } as never), TypeError, "'n' is not");
});

Deno.test("plotFlips() of a stopped study shows the problems that all methods finished", () => {
  const planned = { problems: 40, methods: ["standard", "moi"], repeats: 1, runs: 80 };
  const flipped = (count: number) => {
    const runs = hostileRuns(15).slice(0, count);
    return plotFlips(withPlanned(runs, planned), { method: "moi" }).text.split("\n")[0];
  };
  assertEquals(
    flipped(29),
    "moi against standard: 4 won, 2 lost of 14 pairs; both solve 7, neither 1 (partial: 29 of 80 runs)",
  );
  const none = "moi against standard: 0 won, 0 lost of 0 pairs; both solve 0, neither 0";
  assertEquals(flipped(1), `${none} (partial: 1 of 80 runs)`);
  assertEquals(flipped(0), `${none} (partial: 0 of 80 runs)`);
});

Deno.test("plotFlips() takes results of tools that tell neither tokens nor mixing", () => {
  const runs = hostileRuns(15).map(({ tokens: _, mixing: __, ...run }) => run);
  const { html } = plotFlips(runs, { method: "moi" });
  assert(!html.includes("tokens") && !html.includes("off-sample") && html.includes("right · "));
});

Deno.test("plotFlips() cuts long answers in its list, and not the texts", () => {
  const long = "x".repeat(100);
  const wordy = hostileRuns(4).map((run) => ({
    ...run,
    text: long,
    grade: { ...run.grade, extracted: long },
  }));
  const { html, text } = plotFlips(wordy, { method: "moi" });
  assertStringIncludes(text, `"${"x".repeat(59)}…"`);
  assert(!text.includes(long));
  assertStringIncludes(html, `>${long}</pre>`);
});
