import { assertEquals } from "@std/assert";
import { columnsOf, fitted } from "../lib/_text_width.ts";

/** Columns as terminals show them (wcwidth of Unicode's EastAsianWidth.txt, and emoji in colour as two). */
const COLUMNS: readonly (readonly [string, number])[] = [
  ["", 0],
  ["plain β → ∞ █░ …", 16],
  ["日本語", 6],
  ["ひらがな カタカナ", 17],
  ["ｶﾀｶﾅ", 4],
  ["한국어", 6],
  ["ﾡﾢ", 2],
  ["ＡＢ！", 6],
  ["、。「」ー", 10],
  ["e\u0301 n\u0303", 3],
  ["שָׁלוֹם", 4],
  ["हिन्दी", 5],
  ["🙂👍", 4],
  ["☺ ✓ ©", 5],
  ["𝔘 𠀀", 4],
  ["a\u200db\ufeff", 2],
];
for (const [text, columns] of COLUMNS) {
  Deno.test(`columnsOf(${JSON.stringify(text)}) is ${columns}`, () => {
    assertEquals(columnsOf(text), columns);
  });
}

Deno.test("fitted() is always narrower than the terminal, and whole where it can be", () => {
  for (const [text, width] of COLUMNS) {
    for (let columns = 2; columns < 20; columns++) {
      const cut = fitted(text, columns);
      assertEquals(columnsOf(cut) < columns, true, `${cut} in ${columns}`);
      assertEquals(cut === text, width < columns);
    }
  }
  assertEquals(fitted("abc", 1), "…");
});
