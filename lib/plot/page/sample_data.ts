/**
 * The samples of a report, as its page carries them: an index of all runs, and their texts in chunks that are
 * unpacked when they are shown.
 *
 * @module
 */

import { unpacked } from "./unpacked.ts";

/** Verdicts, in the order of their numbers in the index; what is measured is neither right nor wrong. */
export const VERDICTS = ["right", "wrong", "cut", "ungradable", "measured"] as const;

/** A study in the index. Runs stand problem by problem, repeat by repeat, methods in their order. */
export interface IndexedStudy {
  /** Model and task. */
  readonly name: string;
  /** Keys of the methods. */
  readonly methods: readonly string[];
  /** Place among them of the one that others are compared with, and of the one that is compared at first. */
  readonly baseline: number;
  readonly compared: number;
  /** Ids of the problems, and the chunk that each lies in. */
  readonly problems: readonly string[];
  readonly chunks: readonly number[];
  /** Columns, one entry a run: places of problem and method, repeat, verdict. */
  readonly problem: readonly number[];
  readonly method: readonly number[];
  readonly repeat: readonly number[];
  readonly verdict: readonly number[];
}

/** A run in a chunk. */
export interface SampleRun {
  readonly text: string;
  /** The answer that was found; null: none. */
  readonly extracted: string | null;
  readonly facts: readonly string[];
  /** A compact trace of the whole text. */
  readonly trace?: unknown;
}

/** A problem in a chunk. */
export interface SampleProblem {
  /** What was asked, in parts: role and text; absent where nobody kept it. */
  readonly prompt?: readonly (readonly [role: string, text: string])[];
  /** Fields of the problem, such as the right answer. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Its runs, in the order of the index. */
  readonly runs: readonly SampleRun[];
}

/** A run as the list has it. */
export interface Row {
  readonly study: IndexedStudy;
  /** Its place in the columns of the study. */
  readonly at: number;
}

/** What stands packed in a script element. */
export async function carried<Value>(id: string): Promise<Value> {
  return JSON.parse(await unpacked(document.getElementById(id)!.textContent!));
}

const chunks = new Map<number, Promise<Readonly<Record<string, SampleProblem>>>>();

/** The problem of a row, with its runs. */
export async function problemOf({ study, at }: Row): Promise<SampleProblem> {
  const place = study.problem[at]!, chunk = study.chunks[place]!;
  if (!chunks.has(chunk)) chunks.set(chunk, carried(`chunk-${chunk}`));
  return (await chunks.get(chunk)!)[`${studies.indexOf(study)} ${place}`]!;
}

/** The studies of the page, once they are unpacked. */
export const studies: IndexedStudy[] = [];

/** Places in the index of the runs of a problem, by method and repeat. */
const placesOf = new WeakMap<IndexedStudy, Map<string, number>>();

/** Place of a run; undefined where there is none. */
export function placeOf(
  study: IndexedStudy,
  problem: number,
  method: number,
  repeat: number,
): number | undefined {
  let places = placesOf.get(study);
  if (!places) {
    places = new Map(
      study.problem.map((own, at) =>
        [`${own} ${study.method[at]} ${study.repeat[at]}`, at] as const
      ),
    );
    placesOf.set(study, places);
  }
  return places.get(`${problem} ${method} ${repeat}`);
}

/** A run's text and facts: those of its problem stand in the order of the index. */
export function runOf(problem: SampleProblem, { study, at }: Row): SampleRun {
  let first = at;
  while (first > 0 && study.problem[first - 1] === study.problem[at]) first--;
  return problem.runs[at - first]!;
}
