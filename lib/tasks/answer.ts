/**
 * Where a generated text says its answer.
 *
 * @module
 */

import { lastTag, withoutThoughts } from "./answer/pieces.ts";

/**
 * The content of the last complete `<answer>…</answer>`, without surrounding white space.
 *
 * A model may think aloud and correct itself, so the last answer counts; one within its thoughts (all before
 * the last `</think>`, all after a `<think>` that stays open) does not. A tag that is still open
 * when the text ends is no answer: the last complete one before it counts. An `<answer>` inside
 * another starts afresh. Tags are matched as written, in lower case and without attributes, and in
 * time linear in the text.
 *
 * @param text A generated text.
 * @returns The answer, possibly empty, or null where the text has none.
 *
 * @example The last answer counts
 * ```ts
 * import { lastAnswer } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(lastAnswer("<answer>1: a</answer> no: <answer> 2: b </answer>"), "2: b");
 * assertEquals(lastAnswer("<answer>1: a</answer> no: <answer>2:"), "1: a");
 * assertEquals(lastAnswer("I do not know"), null);
 * ```
 */
export function lastAnswer(text: string): string | null {
  return lastTag(withoutThoughts(text))?.content.trim() ?? null;
}
