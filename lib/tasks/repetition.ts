/**
 * Repetition: open prompts, and how much of the answer says again what it has said. A measure of text
 * quality that needs no judge.
 *
 * @module
 */

import { checkOptions, number } from "../_check.ts";
import { numbered } from "./synthetic.ts";
import type { Grade, Measure, Problem, Task } from "./task.ts";

/** An open prompt. */
export interface RepetitionProblem extends Problem {
  /** The prompt. */
  readonly question: string;
}

const PROMPTS = [
  "Tell me about your favourite season.",
  "Describe a walk through an old harbour town.",
  "Explain to a child why the sky is blue.",
  "Write a short story about a lost key.",
  "What makes a good friend?",
  "Describe how bread is baked.",
  "Why do people climb mountains?",
  "Write a letter to your future self.",
  "Explain how a bicycle stays upright.",
  "Describe a storm at sea.",
  "What would you do with a day without clocks?",
  "Tell a story about a cat that wanted to fly.",
  "Explain what a library is for.",
  "Describe the sound of a city at night.",
  "Why is sleep important?",
  "Write a short speech for a wedding.",
  "Describe a meal that reminds you of home.",
  "How does a river shape the land?",
  "Tell me about a brave deed.",
  "Explain how to learn a new language.",
  "Describe an empty theatre.",
  "Why do leaves fall in autumn?",
  "Write about a journey by train.",
  "What can we learn from ants?",
  "Describe a garden in spring.",
  "Explain how to tell the truth kindly.",
  "Tell a story about two rival bakers.",
  "Why do we laugh?",
  "Describe a winter morning in the mountains.",
  "How should a small town welcome strangers?",
  "Write about a clock that runs backwards.",
  "Explain what makes music sad or happy.",
  "Describe your ideal room to work in.",
  "What is the use of history?",
  "Tell a story that begins with a knock at the door.",
  "Explain how to repair a broken chair.",
  "Describe the smell of rain.",
  "Why do people keep diaries?",
  "Write about an island that nobody owns.",
  "How can a shy person make friends?",
] as const;

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
    problems: () =>
      PROMPTS.slice(0, limit).map((question, i) => ({
        id: `repetition-${numbered(i, 2)}`,
        question,
      })),
    prompt: ({ question }) => [{ role: "user", content: question }],
    grade(_problem, text): Grade {
      const words = wordsOf(text), score = repeated(words, 4);
      const distinct = (n: number) => (1 - repeated(words, n)).toFixed(3);
      return {
        correct: words.length >= 4 && score === 0,
        extracted: `${words.length} words`,
        score,
        reason: `${(100 * score).toFixed(1)} % of 4-grams repeated, distinct-1 ${
          distinct(1)
        }, distinct-2 ${distinct(2)}`,
      };
    },
  };
}
