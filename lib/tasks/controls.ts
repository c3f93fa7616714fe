/**
 * What the two embedded controls are for, in words that belong beside every curve of theirs.
 *
 * @module
 */

const NOTES: Readonly<Record<string, string>> = {
  votes:
    "Positive control. The answer is a poll of twelve sampled ballots, so a perfect model errs " +
    "by the sampling noise of its own draws; a draw fed back as the distribution it came from " +
    "carries no noise, and mixing helps by construction. Greedy decoding removes the noise " +
    "altogether. This shows that the instrument finds an effect where there is one; it is no " +
    "evidence about language models.",
  countdown:
    "Null control. The model is certain about nearly every token, so MoI has almost nothing " +
    "to mix and an honest instrument shows no effect. No evidence about language models.",
};

/**
 * What an embedded control shows and does not show.
 *
 * @param task Name of a task.
 * @returns The note, or undefined for a task that is no control.
 *
 * @example
 * ```ts
 * import { controlNote } from "@moi/moi/tasks";
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(controlNote("votes")!, "Positive control");
 * ```
 */
export function controlNote(task: string): string | undefined {
  return Object.hasOwn(NOTES, task) ? NOTES[task] : undefined;
}
