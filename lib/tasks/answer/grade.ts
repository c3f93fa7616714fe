/**
 * Grades of answers that were found in texts.
 *
 * @module
 */

import { mathEqual } from "../math/mod.ts";
import { releasedInteger } from "../released.ts";
import type { Grade } from "../task.ts";
import type { Finding } from "./evidence.ts";
import { findMath } from "./math.ts";
import { equalNumbers, findNumber } from "./number.ts";

/** The grade of an answer that was found or not, and where. */
export function judged({ value, because }: Finding, right: string, correct: boolean): Grade {
  if (value === null) return { correct: false, extracted: null, reason: because };
  const extracted = value.length > 200 ? `${value.slice(0, 199)}…` : value;
  return { correct, extracted, reason: `${because}; ${correct ? "is" : "is not"} ${right}` };
}

/** A number as it is told apart from others: "50%" is neither 50 alone nor one half alone. */
function numberText({ value, exact: [whole, part] = [] }: Finding): string | null {
  return value !== null && part && whole?.equals(part.mul(100)) ? `${value}%` : value;
}

/** The right answer of a task of numbers. */
export const goldNumber = (text: string): string | undefined =>
  numberText(findNumber(text)) ?? undefined;

/** Grades a number, exactly. */
export function gradeNumber(answer: string, text: string): Grade {
  const found = findNumber(text), correct = equalNumbers(found, findNumber(answer));
  return judged({ ...found, value: numberText(found) }, answer, correct);
}

/** Grades mathematics by its meaning. */
export function gradeMath(answer: string, text: string): Grade {
  const found = findMath(text);
  return judged(found, answer, found.value !== null && mathEqual(answer, found.value));
}

/** Grades an integer as the released MoI code does. */
export function gradeReleased(answer: string, text: string): Grade {
  const value = releasedInteger(text);
  const because = value === null ? "no answer found" : `released rule: "${value.slice(0, 60)}"`;
  return judged({ value, because }, answer, value !== null && Number(value) === Number(answer));
}
