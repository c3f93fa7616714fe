/** One line of a study: a problem decoded once by one method, as planned and as measured. @module */

import type { CompactTrace, Settings } from "../decode/mod.ts";
import type { Grade, Measure } from "../tasks/mod.ts";

/** A record of scalars, such as the knobs of a method. */
export type Scalars = Readonly<Record<string, string | number | boolean | null>>;

/** A run before it is decoded: everything that decides what it will be. */
export interface PlannedRun {
  /** Fingerprint of what all runs of a file share: model, task and its options, sampler, seed. */
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
  readonly parameters: Scalars;
  /** Repeat, from 0. */
  readonly repeat: number;
  /** Seed of the study, from which those of its runs come. */
  readonly studySeed: number;
  /** Seed of this run: `generate` with it and the same settings gives the same text. */
  readonly seed: number;
  /**
   * Sampler settings and token budget. Settings that are off are left out, but for the first four and
   * those that switch off what task or model recommend.
   */
  readonly sampler: Settings;
  /**
   * First 16 hex digits of the SHA-256 of the prompt's token ids. They may differ between runs of one
   * problem where a chat template prints the date.
   */
  readonly prompt: string;
  /** Digest of the chat template that rendered it. Absent where none did, and in earlier releases. */
  readonly template?: string;
  /**
   * First 16 hex digits of the SHA-256 of the prompt as the task words it, before any template. Absent
   * in files of earlier releases.
   */
  readonly wording?: string;
  /**
   * A digest of each field of the problem, the gold answer among them. Absent in files of earlier
   * releases.
   */
  readonly problemFields?: Readonly<Record<string, string>>;
  /** The task's options that decide prompts and verdicts. Absent where it names none. */
  readonly taskParameters?: Scalars;
  /**
   * Key of the method whose comparison was declared, before the study ran, as the one that it is about.
   * Absent where none was.
   */
  readonly primary?: string;
  /** Further variables of the chat template. Absent where there were none. */
  readonly chat?: Readonly<Record<string, unknown>>;
}

/** What tells a run of a study from all others. */
export const keyOf = ({ problem, method, repeat }: PlannedRun): string =>
  JSON.stringify([problem, method, repeat]);

/** One finished run, as stored: one JSON object a line. */
export interface Run extends PlannedRun {
  /** Number of prompt tokens. */
  readonly promptTokens: number;
  /** Generated token ids; empty where a server did not tell them. */
  readonly tokens: readonly number[];
  /** Generated text. */
  readonly text: string;
  /** Why decoding ended. */
  readonly finishReason: "stop" | "length" | "aborted";
  /** The task's verdict. */
  readonly grade: Grade;
  /** What `grade.score` is, where the task says so. */
  readonly measure?: Measure;
  /** Evidence that mixing happened; NaN, in a file null, where a server did not tell it. */
  readonly mixing: {
    /** Mean over steps of the entropy of the distribution sampled from, divided by ln V. */
    readonly meanEntropy: number;
    /** Mean over steps of the mixture's weight on other tokens than the sampled one. */
    readonly meanOffSampleMass: number;
  };
  /**
   * Entropies and mixtures of all tokens, where the study kept traces; `notesOf` reads it, also where a file
   * has something else there.
   */
  readonly trace?: CompactTrace;
  /** Wall time in milliseconds; a run in a batch shares its time with the others. */
  readonly timing: { readonly prefillMs: number; readonly decodeMs: number };
  /** Versions of what computed it, and `graded`, where the text was graded again since. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * A result of another tool: what it tells, and nothing else. Comparisons take it as they take a
 * {@linkcode Run}; what is absent stays absent.
 */
export type ImportedRun =
  & Pick<Run, "study" | "model" | "task" | "problem" | "method" | "parameters" | "repeat">
  & Pick<Run, "text" | "finishReason" | "grade" | "versions">
  & Partial<Omit<Run, "sampler">>
  & {
    /** The settings that the tool tells. */
    readonly sampler?: Partial<Run["sampler"]>;
  };

/**
 * The four things that can become of a run: right; wrong; cut, where it reached the token limit
 * without a right answer; ungradable, where nothing can tell.
 */
export type Verdict = "right" | "wrong" | "cut" | "ungradable";

/** What became of a graded run. */
export function verdictOf({ grade, finishReason }: Pick<Run, "grade" | "finishReason">): Verdict {
  if (grade.ungradable) return "ungradable";
  if (grade.correct) return "right";
  return finishReason === "length" ? "cut" : "wrong";
}
