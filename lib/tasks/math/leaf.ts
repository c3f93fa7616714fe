/**
 * Answers that are one formula each, and ratios of formulas.
 *
 * @module
 */

import { split } from "./brackets.ts";
import { parseFormula } from "./formula.ts";
import { inBase } from "./numeral.ts";
import type { Expression } from "./tree.ts";
import type { Value } from "./value.ts";

/** A function of one letter, as it is typed: sin x, cosx. */
const TYPED =
  /^\s*(?:(?:arc|a)?(?:sin|cos|tan)|cot|sec|csc|(?:sin|cos|tan)h|log|ln|exp)(?: [a-zA-Z]|[xt])\s*$/;

/** What reading gives; undefined where the text is none of it. */
function ifRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** An expression; undefined where the text is none. */
export function expressionOf(text: string): Expression | undefined {
  // a word is no product of its letters
  const isWord = /^[a-zA-Z]{3,}(?:[ '-][a-zA-Z]+)*$/.test(text.trim()) &&
    !/^pi$|^sqrt/.test(text) && !TYPED.test(text);
  return isWord ? undefined : ifRead(() => parseFormula(text));
}

export function expressionsOf(texts: readonly string[]): Expression[] | undefined {
  const all = texts.map(expressionOf);
  return all.includes(undefined) ? undefined : all as Expression[];
}

/** A number in a base: 2516_8. */
export function basedOf(text: string): Expression | undefined {
  const own = /^(?:\\text\s?\{)?([\dA-F]+)\}? ?_ ?(?:\{ ?)?(?:\\text\s?\{)?(\d\d?)\}?(?: ?\})?$/
    .exec(text);
  return own ? ifRead(() => inBase(own[1]!, Number(own[2]))) : undefined;
}

/** 2:3, 12:30, 12:30 p.m. */
export function ratioOf(text: string): Value | undefined {
  const half = /\s?(?:\\text\s?\{\s?)?([ap])\.? ?m\.?\s?\}?$/i.exec(text);
  const own = text.slice(0, half?.index).replace(/\\colon/g, ":");
  const { parts: texts, marks } = split(own, ":");
  const parts = marks.length === 0 ? undefined : expressionsOf(texts);
  if (!parts) return undefined;
  const isTime = /^\d\d?$/.test(texts[0]!) && Number(texts[0]) <= 24 &&
    texts.slice(1).every((part) => /^[0-5]\d$/.test(part)) && texts.length <= 3;
  if (!isTime) return half ? undefined : { kind: "ratio", parts };
  const [hours = 0, minutes = 0, seconds = 0] = texts.map(Number);
  const clock = 3600 * hours + 60 * minutes + seconds, later = half?.[1]?.toLowerCase() === "p";
  const noon = hours === 12 ? (later ? 0 : -12) : later ? 12 : 0;
  return { kind: "ratio", parts, clock, ...(half && { seconds: clock + 3600 * noon }) };
}
