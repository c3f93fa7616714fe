/**
 * Repetition: open prompts, and how much of the answer says again what it has said. A measure of text
 * quality that needs no judge.
 *
 * @module
 */

import { checkOptions, number } from "../_check.ts";
import { PROMPTS } from "./held_out/repetition.ts";
import { numbered } from "./synthetic.ts";
import type { Grade, Measure, Problem, Task } from "./task.ts";

/** An open prompt. */
export interface RepetitionProblem extends Problem {
  /** The prompt. */
  readonly question: string;
}

const MEASURE: Measure = {
  name: "repeated 4-grams",
  unit: "%",
  scale: 100,
  better: "lower",
  caution: "short texts and noise repeat nothing either, so read length and texts beside it",
};

/** Words of a text, in lower case. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

/** Share of n-grams that were there before; 0 where there are none. */
function repeated(words: readonly string[], n: number): number {
  const count = words.length - n + 1, seen = new Set<string>();
  if (count < 1) return 0;
  for (let i = 0; i < count; i++) seen.add(words.slice(i, i + n).join(" "));
  return 1 - seen.size / count;
}

/**
 * Open prompts, scored by the share of repeated 4-grams of words: 0 is none, lower is better. The reason
 * tells distinct-1, distinct-2 (shares of different words and pairs) and the number of words. "Correct" is
 * a text of at least four words in which no 4-gram comes twice.
 *
 * A text can be free of repetition because it is short, or because it is noise: read length and texts beside
 * the score. Recommended sampling: temperature 1, 120 new tokens.
 *
 * @param options `limit`: only the first prompts. Default: all 40.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where one is outside its rule.
 *
 * @example A text that says everything twice
 * ```ts
 * import { repetition } from "@moi/moi/tasks";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const task = repetition(), [problem] = await task.problems();
 * assertEquals(task.grade(problem!, "one two three four five").score, 0);
 * assertAlmostEquals(task.grade(problem!, "a b c d a b c d").score!, 0.2);
 * ```
 */
export function repetition(options: { readonly limit?: number } = {}): Task<RepetitionProblem> {
  checkOptions("make repetition", options, { limit: number({ min: 1, integer: true }) });
  const { limit = PROMPTS.length } = options;
  return {
    name: "repetition",
    measure: MEASURE,
    defaults: { temperature: 1, topP: 1, maxNewTokens: 120 },
    problems() {
      const asked = PROMPTS.slice(0, limit);
      return asked.map((question, i) => ({ id: `repetition-${numbered(i, 2)}`, question }));
    },
    prompt: ({ question }) => [{ role: "user", content: question }],
    grade(_problem, text): Grade {
      const words = wordsOf(text), score = repeated(words, 4);
      const distinct = (n: number) => `distinct-${n} ${(1 - repeated(words, n)).toFixed(3)}`;
      const percent = (100 * score).toFixed(1);
      return {
        correct: words.length >= 4 && score === 0,
        extracted: `${words.length} words`,
        score,
        reason: `${percent} % of 4-grams repeated, ${distinct(1)}, ${distinct(2)}`,
      };
    },
  };
}
