/**
 * What the readers of other tools' files share: results before they become runs, and what a value of
 * another tool says about right and wrong.
 *
 * @module
 */

import { refusal } from "../../_check.ts";
import type { Grade, Problem } from "../../tasks/mod.ts";
import type { Run } from "../run.ts";
import type { ImportFormat } from "../import.ts";

/** What cannot be done, in errors. */
export const VERB = "import runs";

/** A parsed object. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether a value is an object. */
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Texts and numbers as text. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;

/** The numbers of some fields, those that are none left out. */
export function numbersIn(
  json: Json,
  names: Readonly<Record<string, string>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([own, theirs]) => {
      const value = json[theirs];
      return typeof value === "number" ? [[own, value]] : [];
    }),
  );
}

/** Refuses a place of a file. */
export function fault(where: string, rule: string): never {
  throw new SyntaxError(`Cannot ${VERB} as ${where} must ${rule}`);
}

/** A result, before it becomes a run. */
export interface Result {
  readonly problem: Problem;
  readonly repeat: number;
  readonly text: string;
  readonly grade: Grade;
  /** Whether a limit ended the text. */
  readonly cut?: boolean;
}

/** Settings that a file tells of. */
export type Told = Partial<Run["sampler"]>;

/** What a format's reader finds. */
export interface Found {
  readonly format: ImportFormat;
  readonly task: string;
  readonly model: string;
  readonly sampler: Told;
  readonly results: readonly Result[];
  readonly claimed?: number;
  /** Which of the file's verdicts were taken, and the others that there are. */
  readonly verdicts?: Readonly<Record<string, { readonly taken: string; readonly of: string[] }>>;
  /** Results that are no runs, counted by why. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** A verdict's value: 1, true or "C" is right; 0 to 1, false, "P", "I" and "N" are not; others tell nothing. */
function shareOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string") return ({ C: 1, P: 0.5, I: 0, N: 0 } as Json)[value] as number;
  return typeof value === "number" && value >= 0 && value <= 1 ? value : undefined;
}

/** Whether a value says right or wrong. */
export const isVerdict = (value: unknown) => shareOf(value) !== undefined;

/** A grade from a value of another tool: `ungradable` where it says neither right nor wrong. */
export function gradeOf(value: unknown, name: string, extracted: string | null): Grade {
  const share = shareOf(value);
  if (share === undefined) {
    const score = typeof value === "number" ? { score: value } : {};
    const what = value === undefined || value === null ? "is missing" : "is no verdict";
    return { correct: false, ungradable: true, extracted, ...score, reason: `${name} ${what}` };
  }
  const partly = share > 0 && share < 1;
  return {
    correct: share === 1,
    extracted,
    ...(partly ? { score: share } : {}),
    reason: `${name} is ${value}`,
  };
}

/** The name that is asked for, or the first; refused where it is none of those there are. */
export function chosen(
  option: string,
  asked: string | undefined,
  names: readonly string[],
): string {
  const found = asked === undefined ? names[0] : names.find((name) => name === asked);
  if (found !== undefined) return found;
  throw new RangeError(refusal(VERB, option, `be one of '${names.join("', '")}'`, asked));
}
