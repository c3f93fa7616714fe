import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type GainLike, gainsTable, toText } from "../../lib/plot/mod.ts";
import { minimumDetectableGain } from "../../lib/stats/mod.ts";
import { row, standard } from "./_rows.ts";

/** The table as text of long lines. */
const textOf = (rows: readonly GainLike[]) => toText(gainsTable(rows), { width: Infinity });

const moi = row("moi-1", { name: "moi", beta: 1 }, 3.2, 2);

Deno.test("gainsTable() aligns its columns", () => {
  const [header, ...lines] = textOf([standard, moi]).split("\n");
  const end = (line: string, text: string) => line.indexOf(text) + text.length;
  assertEquals(end(lines[1]!, "61/38"), end(header!, "won/lost"));
  assertStringIncludes(lines[1]!, "+3.2 [+1.2, +5.2]");
});

Deno.test("gainsTable() compares the baseline with nothing", () => {
  const [, line] = textOf([standard]).split("\n");
  assertEquals(line!.match(/–/g)?.length, 5); // four comparisons, and no cut told
  const marked = [{ ...standard, isBaseline: false }, { ...moi, isBaseline: true }];
  const lines = textOf(marked).split("\n");
  assertEquals([lines[1]!.match(/–/g)?.length, lines[2]!.match(/–/g)?.length], [1, 5]);
});

Deno.test("gainsTable() says N", () => {
  assertStringIncludes(textOf([standard, moi]), "N = 60 problems × 8 repeats");
  const one = { ...standard, problems: 5, repeats: 1 };
  assertStringIncludes(textOf([one]), "N = 5 problems × 1 repeat;");
});

Deno.test("gainsTable() says for each row what it could have found", () => {
  const single = { problems: 198, repeats: 1, won: 20, lost: 20 };
  const rows = [{ ...standard, ...single, won: 0, lost: 0 }, { ...moi, ...single }];
  const gain = minimumDetectableGain({ problems: 198, discordance: 40 / 198 });
  assertStringIncludes(textOf(rows), `20/20    ${(100 * gain).toFixed(1)}`);
  const alike = { ...moi, problems: 10, repeats: 8, won: 20, lost: 1, designEffect: 8 };
  const ten = minimumDetectableGain({ problems: 10, discordance: 21 / 80 });
  assertStringIncludes(textOf([standard, alike]), `20/1   ${(100 * ten).toFixed(1)}`);
  assertStringIncludes(textOf([standard, { ...alike, problems: 3 }]), "20/1      –");
  assert(!textOf([standard]).includes("power"));
});

Deno.test("gainsTable() names the primary comparison, and adjusts the others", () => {
  const text = textOf([standard, { ...moi, isPrimary: true }, { ...moi, method: "other" }]);
  assertStringIncludes(text.split("\n")[2]!, "moi-1 *");
  assertStringIncludes(text, "* moi-1 was declared as the primary comparison before the study ran");
  assert(!textOf([standard, moi]).includes("primary"));
});

Deno.test("gainsTable() splits a gain where runs were cut, and only there", () => {
  const told = { n: 480, truncated: 24, cut: 12, finished: 0.975, rightOfFinished: 0.45 };
  const rows = [
    { ...standard, ...told },
    { ...moi, ...told, gainOfFinishing: 0.021, gainOfRightness: 0.011 },
  ];
  const text = textOf(rows), { html } = gainsTable(rows);
  assertStringIncludes(text, "2.5"); // 12 of 480
  const [, second] = text.split("\n\n");
  assertStringIncludes(second!, "right of them %");
  assertStringIncludes(second!.split("\n")[2]!, "+2.1         +1.1");
  assertEquals(html.match(/<table/g)?.length, 2);
  assert(!textOf(rows.map((row) => ({ ...row, cut: 0 }))).includes("finished"));
});

Deno.test("gainsTable() counts what nothing can judge", () => {
  const text = textOf([standard, { ...moi, ungradable: 7 }]);
  assertStringIncludes(text.split("\n")[0]!, "ungradable");
  assertStringIncludes(text, "ungradable: runs that nothing can judge; they are left out");
  assert(!textOf([standard, moi]).includes("ungradable"));
});

Deno.test("gainsTable() says where a study cannot see a gain", () => {
  assertStringIncludes(textOf([{ ...standard, accuracy: 0.03 }, moi]), "floor: standard");
  assertStringIncludes(
    textOf([{ ...standard, accuracy: 0.97 }, moi]),
    "ceiling: standard",
  );
  for (const name of ["floor:", "ceiling:"]) {
    assert(!textOf([standard, moi]).includes(name));
  }
});

Deno.test("gainsTable() has dashes for what is not known, and never NaN", () => {
  const mixing = { meanEntropy: NaN, meanOffSampleMass: NaN };
  const odd = {
    ...moi,
    low: NaN,
    high: Infinity,
    p: NaN,
    adjustedP: NaN,
    tokensRatio: NaN,
    mixing,
  };
  const text = textOf([standard, odd]);
  assert(!/NaN|Infinity/.test(text), text);
});

Deno.test("gainsTable() warns where MoI had nothing to mix, and only there", () => {
  const idle = { ...moi, mixing: { meanEntropy: 0.01, meanOffSampleMass: 0.004 } };
  assertStringIncludes(textOf([standard, idle]), "at most 0.0040");
  assert(!textOf([standard, moi]).includes("almost nothing to mix"));
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
