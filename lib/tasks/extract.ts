/**
 * Rules for finding an answer of a given form in a generated text.
 *
 * The last answer counts, as models think aloud and correct themselves. `released.ts` has the rules of the
 * released MoI code, which differ.
 *
 * @module
 */

import { lastAnswer } from "./answer.ts";
import { lastBoxed, mathAnswer } from "./math_answer.ts";

/** A number as texts write it: "1,234.5", "$7", "-3". */
const NUMBER = /-?(?:\\?\$\s?)?\d[\d,]*(?:\.\d+)?/g;

/** A number's text without currency, separators and a trailing ".00"; null where it is none. */
function plainNumber(text: string): string | null {
  const digits = text.replace(/[\s$,\\{}!]/g, "").replace(/\.0*$/, "");
  return /^-?\d+(?:\.\d+)?$/.test(digits) ? digits.replace(/^(-?)0+(?=\d)/, "$1") : null;
}

/**
 * The last number of a text: that of its `####` line, of the last box or answer tag, of "answer is", else
 * the last one there is.
 *
 * @returns Its digits without separators, or null where the text has no number.
 *
 * @example
 * ```ts
 * import { lastNumber } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(lastNumber("3 + 4 = 7\n#### 1,007"), "1007");
 * assertEquals(lastNumber("so \\boxed{12}. (Not 13.)"), "12");
 * ```
 */
export function lastNumber(text: string): string | null {
  const marked = text.match(/####\s*([^\n]+)/g)?.at(-1)?.slice(4);
  for (const part of [marked, lastAnswer(text), lastBoxed(text)]) {
    const found = part?.match(NUMBER)?.at(-1);
    if (found !== undefined) return plainNumber(found);
  }
  const answer = mathAnswer(text), own = answer.match(NUMBER);
  if (own?.length === 1 && answer.length < 40) return plainNumber(own[0]);
  const all = text.match(NUMBER)?.at(-1);
  return all === undefined ? null : plainNumber(all);
}

/**
 * The last choice of a text, as a capital letter: of a box or answer tag, of "answer is (B)", of a line
 * that is a letter alone.
 *
 * @param letters Letters that there are. Default: "ABCD".
 * @returns The letter, or null where the text chooses none.
 *
 * @example
 * ```ts
 * import { lastChoice } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * assertEquals(lastChoice("A is wrong, so the answer is (B)."), "B");
 * assertEquals(lastChoice("\\boxed{\\text{C}}"), "C");
 * assertEquals(lastChoice("A cat and a dog"), null);
 * ```
 */
export function lastChoice(text: string, letters = "ABCD"): string | null {
  const alone = new RegExp(
    `^[\\s({\\[*]*(?:\\\\text\\s*\\{)?\\s*\\(?([${letters}])(?![a-zA-Z])`,
    "i",
  );
  for (const part of [lastBoxed(text), lastAnswer(text)]) {
    const found = part === null ? undefined : alone.exec(part)?.[1];
    if (found !== undefined) return found.toUpperCase();
  }
  const wrap = String.raw`[\s:*_"'($\\{]*(?:\\text\s*\{|boxed\s*\{)?[\s*_"'({]*`;
  const phrase = new RegExp(
    `\\b(?:answer|choice|option)\\b(?:\\s*(?:is|are|:|=|would be|should be))?${wrap}([${letters}])(?![a-zA-Z'])`,
    "gi",
  );
  const said = [...text.matchAll(phrase)].filter((match) => /[A-Z]/.test(match[1]!)).at(-1);
  if (said) return said[1]!;
  const line = new RegExp(`^[\\s*(]*([${letters}])[\\s).*:]*$`, "gm");
  return [...text.matchAll(line)].at(-1)?.[1] ?? null;
}
