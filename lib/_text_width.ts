/**
 * How many columns of a terminal a text takes.
 *
 * Of scripts and emoji, not of East Asian widths: characters of ambiguous width count as one. An emoji
 * that is made of several counts as all of them, so that a text is never wider than is told.
 *
 * @module
 */

/** Characters that take no column: marks on the one before, joiners, the latter parts of a Hangul syllable. */
const NONE = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;

/** Narrow forms of wide scripts. */
const NARROW = /[\uff61-\uffdc]/;

/** Characters that take two. */
const WIDE = RegExp(
  String.raw`[\p{Script=Han}\p{Script=Hangul}\p{Script=Yi}\p{Script=Tangut}\p{Emoji_Presentation}` +
    String.raw`\u2329\u232a\u3000-\u33ff\ufe10-\ufe6b\uff01-\uff60\uffe0-\uffe6]`,
  "u",
);

function widthOf(char: string): number {
  if (char < "\u0300") return 1;
  if (NONE.test(char)) return 0;
  return WIDE.test(char) && !NARROW.test(char) ? 2 : 1;
}

/** Columns of a text without control characters. */
export function columnsOf(text: string): number {
  return Array.from(text, widthOf).reduce((sum, width) => sum + width, 0);
}

/** The text, cut to fewer than so many columns: of what is cut an ellipsis tells. */
export function fitted(text: string, columns: number): string {
  if (columnsOf(text) < columns) return text;
  let kept = "", used = 0;
  for (const char of text) {
    used += widthOf(char);
    if (used > columns - 2) break;
    kept += char;
  }
  return `${kept}…`;
}
