/**
 * One line of a study: a problem decoded once by one method, with every setting that made it.
 *
 * @module
 */

import type { Sampler } from "../decode/mod.ts";
import type { Grade, Measure } from "../tasks/task.ts";

/** One finished run, as stored: one JSON object a line. */
export interface Run {
  /** Fingerprint of what all runs of a file share: model, task, sampler, seed. */
  readonly study: string;
  /** Model id, and a digest of its weights. */
  readonly model: string;
  /** Device that decoded, such as "cpu". */
  readonly device: string;
  /** Number format of the weights. */
  readonly dtype: string;
  /** Task name. */
  readonly task: string;
  /** Problem id. */
  readonly problem: string;
  /** The method's key in the study. */
  readonly method: string;
  /** The method's own name and knobs, such as `{ name: "moi", beta: 1, preset: "paper" }`. */
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
  /** Repeat, from 0. */
  readonly repeat: number;
  /** Seed of the study, from which those of its runs come. */
  readonly studySeed: number;
  /** Seed of this run: `generate` with it and the same settings gives the same text. */
  readonly seed: number;
  /** Sampler settings, those that are off left out but for the first four; and the token budget. */
  readonly sampler: Sampler & {
    /** Largest number of generated tokens. */
    readonly maxNewTokens: number;
  };
  /** First 16 hex digits of the SHA-256 of the prompt's token ids. */
  readonly prompt: string;
  /** Number of prompt tokens. */
  readonly promptTokens: number;
  /** Generated token ids. */
  readonly tokens: readonly number[];
  /** Generated text. */
  readonly text: string;
  /** Why decoding ended. */
  readonly finishReason: "stop" | "length" | "aborted";
  /** The task's verdict. */
  readonly grade: Grade;
  /** What `grade.score` is, where the task says so. */
  readonly measure?: Measure;
  /** Evidence that mixing happened. */
  readonly mixing: {
    /** Mean over steps of the entropy of the distribution sampled from, divided by ln V. */
    readonly meanEntropy: number;
    /** Mean over steps of the mixture's weight on other tokens than the sampled one. */
    readonly meanOffSampleMass: number;
  };
  /** Wall time in milliseconds; a run in a batch shares its time with the others. */
  readonly timing: { readonly prefillMs: number; readonly decodeMs: number };
  /** Versions of what computed it. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * A result of another tool: what it tells, and nothing else. Comparisons take it as they take a
 * {@linkcode Run}; what is absent stays absent.
 */
export type ImportedRun =
  & Pick<
    Run,
    | "study"
    | "model"
    | "task"
    | "problem"
    | "method"
    | "parameters"
    | "repeat"
    | "text"
    | "finishReason"
    | "grade"
    | "versions"
  >
  & Partial<
    Omit<
      Run,
      | "study"
      | "model"
      | "task"
      | "problem"
      | "method"
      | "parameters"
      | "repeat"
      | "text"
      | "finishReason"
      | "grade"
      | "versions"
    >
  >;

/**
 * The four things that can become of a run: right; wrong; cut, where it reached the token limit
 * without a right answer; ungradable, where nothing can tell.
 */
export type Verdict = "right" | "wrong" | "cut" | "ungradable";

/**
 * What became of a run.
 *
 * @param run A graded run.
 *
 * @example Cut before its answer
 * ```ts
 * import { verdictOf } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const grade = { correct: false, extracted: null };
 * assertEquals(verdictOf({ grade, finishReason: "length" }), "cut");
 * assertEquals(verdictOf({ grade: { ...grade, ungradable: true }, finishReason: "stop" }), "ungradable");
 * ```
 */
export function verdictOf({ grade, finishReason }: Pick<Run, "grade" | "finishReason">): Verdict {
  if (grade.ungradable) return "ungradable";
  if (grade.correct) return "right";
  return finishReason === "length" ? "cut" : "wrong";
}
