/**
 * What the embedded controls are for, in words that belong beside every curve of theirs.
 *
 * @module
 */

const NOTES: Readonly<Record<string, string>> = {
  votes:
    "A sensitivity check, built so that its only error is the noise of its own draws: the answer " +
    "is a poll of twelve sampled ballots, and a draw fed back as the distribution it came from carries no " +
    "noise. A lower temperature removes that noise better; MoI recovers part of what sampling at " +
    "temperature 1 loses. It shows that the instrument sees effects of this size, nothing about language " +
    "models.",
  countdown:
    "A null control: countdown-tiny-baseline never saw a mixture in training, and is certain about " +
    "nearly every token, so that MoI has almost nothing to mix and an honest instrument shows no effect. Its " +
    "accuracy is the share of answers that are finished within the token limit. (countdown-tiny, its twin, " +
    "did see MoI's mixtures in the last phase of its training.) Nothing about language models.",
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
 * assertStringIncludes(controlNote("votes")!, "sensitivity check");
 * ```
 */
export function controlNote(task: string): string | undefined {
  return Object.hasOwn(NOTES, task) ? NOTES[task] : undefined;
}
