/**
 * What parentheses, square brackets and the braces of sets enclose; those of an interval may be of two kinds.
 *
 * @module
 */

import { closing } from "../answer/pieces.ts";

/** Deepest nesting of brackets that is read. */
export const DEEPEST = 40;

/** How deep in brackets a text is after each of its characters. */
function depthsOf(text: string, open = "([", close = ")]"): number[] {
  let depth = 0;
  return Array.from(text, (c) => depth += open.includes(c) ? 1 : close.includes(c) ? -1 : 0);
}

/** A text in which the braces of sets are parentheses. */
const plain = (text: string) => text.replace(/\\[{}]/g, (own) => own === "\\{" ? "(" : ")");

/** Whether a place is within parentheses, brackets or the braces of a set. */
export const isBracketed = (text: string, at: number): boolean =>
  (depthsOf(plain(text.slice(0, at))).at(-1) ?? 0) > 0;

/** Whether brackets are nested deeper than any answer needs. */
export const tooDeep = (text: string): boolean =>
  depthsOf(text, "([{", ")]}").some((depth) => depth > DEEPEST);

/** What is between a bracket at the start and its partner at the end; undefined where it is not so. */
export function enclosed(text: string): { open: string; body: string; close: string } | undefined {
  const ends = /^(\\\{|[([\]])[\s\S]*(\\\}|[)\][])$/.exec(text);
  if (!ends) return undefined;
  const [, open = "", close = ""] = ends, body = text.slice(open.length, -close.length);
  const depths = depthsOf(plain(body));
  return depths.at(-1) || depths.some((depth) => depth < 0) ? undefined : { open, body, close };
}

/** Splits at marks outside of brackets. */
export function split(text: string, marks: string): { parts: string[]; marks: string[] } {
  const parts: string[] = [], found: string[] = [];
  let depth = 0, from = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!;
    if (c === "\\" && /[{}]/.test(text[at + 1] ?? "")) depth += text[++at] === "{" ? 1 : -1;
    else if (c === "{") at = Math.max(at, closing(text, at));
    else if ("([".includes(c)) depth++;
    else if (")]".includes(c)) depth--;
    else if (marks.includes(c) && depth <= 0) {
      parts.push(text.slice(from, at));
      found.push(c);
      from = at + 1;
    }
  }
  return { parts: [...parts, text.slice(from)].map((part) => part.trim()), marks: found };
}

/** The parts between marks outside of brackets, without those that are empty. */
export const partsOf = (text: string, marks: string): string[] =>
  split(text, marks).parts.filter((part) => part !== "");
