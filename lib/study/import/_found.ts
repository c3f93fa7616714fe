/** What the readers of other tools' files share: results before they become runs, and verdicts. @module */

import { refusal } from "../../_check.ts";
import type { Grade, Problem } from "../../tasks/mod.ts";
import type { Run } from "../run.ts";

/** What cannot be done, in errors. */
export const VERB = "import runs";

/** A parsed object. */
export type Json = Readonly<Record<string, unknown>>;

/** A line of a file. */
export interface Line {
  readonly number: number;
  readonly row: Json;
}

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

/** What a text gets of which a file gives no verdict. */
export const UNGRADED: Grade = {
  ...{ correct: false, ungradable: true, extracted: null },
  reason: "the file has no verdict",
};

/**
 * How a text ended, by the words of OpenAI's API and of vLLM: at the limit or not; undefined where its server gave
 * up, so that it is not whole.
 */
export function endOf(reason: unknown, where: string): Pick<Result, "cut"> | undefined {
  if (reason === "abort" || reason === "error") return undefined;
  if (reason === undefined || reason === null || typeof reason === "string") {
    return reason === "length" ? { cut: true } : {};
  }
  return fault(where, "have a finish_reason that is a string");
}

/** What is known of a file as a whole. */
export interface AboutFile {
  /** Where it comes from. */
  readonly format: "released" | "lm-eval" | "inspect" | "plain" | "openai-batch";
  /** Name of the task, as far as it is known: "aime" and "countdown" of released results. */
  readonly task: string;
  /** Number of right answers that the file itself claims, where it does. */
  readonly claimed?: number;
  /** Which `filter` and `metric`, or which `scorer`, gave the verdicts, of those that there are. */
  readonly verdicts?: Readonly<Record<string, { taken: string; of: readonly string[] }>>;
  /**
   * Results that are no runs, by why: `errored` ended with an error or have no whole text, `missing` were
   * planned, or have a line of another filter, and are not in the file. Empty where there are none.
   */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** What a format's reader finds. */
export interface Found extends AboutFile {
  readonly model: string;
  /** Settings that the file tells of. */
  readonly sampler: Partial<Run["sampler"]>;
  readonly results: readonly Result[];
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
  const score = share > 0 && share < 1 ? { score: share } : {};
  return { correct: share === 1, extracted, ...score, reason: `${name} is ${value}` };
}

/** The name that is asked for, or the first; refused where it is none of those there are. */
export function chosen(
  option: string,
  asked: string | undefined,
  names: readonly string[],
): string {
  const found = asked === undefined ? names[0] : names.find((name) => name === asked);
  if (found !== undefined) return found;
  throw new RangeError(refusal(VERB, option, `be one of '${names.join("', '")}'`, asked, names));
}

/** Results that are no runs, those kinds that there are. */
export function leftOut(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
}

/** The values of each name, in the order in which names are met. */
export function grouped(
  entries: Iterable<readonly [name: string, value: unknown]>,
): Map<string, unknown[]> {
  const groups = Map.groupBy(entries, ([name]) => name);
  return new Map([...groups].map(([name, own]) => [name, own.map(([, value]) => value)]));
}

/** The gold answer: the first of several, which all stand beside it. */
export function answersOf(target: unknown, without = ""): { answer: string; answers?: string[] } {
  const all = (Array.isArray(target) ? target.flat(2) : [target]).map(textOf)
    .filter((one) => one !== undefined);
  return { answer: all[0] ?? without, ...(all.length > 1 ? { answers: all } : {}) };
}
