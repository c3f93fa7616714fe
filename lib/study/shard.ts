/**
 * A part of a study for one of several machines.
 *
 * A problem lies in the shard that the SHA-256 of its id names,
 *
 *     index = 1 + (first 32 bits of SHA-256(id)) mod count,
 *
 * so that all its methods and repeats stay together, share their prefill and are compared within one shard,
 * and that it stays where it is when a study gets more problems. Shards are of unequal size, then: of n
 * problems one has n/count ± √(n/count).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { isObject, number, objectOf, type Rule } from "../_check.ts";

/** One of several parts of a study. */
export interface Shard {
  /** Which one, from 1 to `count`. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** What every line of a shard's file keeps beside its run, so that files can say what is missing. */
export interface ShardRecord extends Shard {
  /** Runs of the shard. */
  readonly runs: number;
  /** Runs of the whole study. */
  readonly of: number;
}

const WHOLE = number({ min: 1, integer: true });

/** The rule of an option `shard`. */
export const shardRule: Rule = (verb, name, value) => {
  objectOf<Shard>({ index: WHOLE, count: WHOLE }, "be { index, count }", false)(verb, name, value);
  const { index, count } = value as Shard;
  number({ min: 1, max: count, integer: true })(verb, `${name}.index`, index);
};

/** Whether a value of a file is the record of a shard. */
export function isShardRecord(value: unknown): value is ShardRecord {
  if (!isObject(value)) return false;
  const { index, count, runs, of } = value as Partial<Record<string, number>>;
  return [index, count, runs, of].every((own) => Number.isSafeInteger(own) && own! >= 1) &&
    index! <= count! && runs! <= of!;
}

/**
 * The shard of so many in which a problem lies, from 1.
 *
 * @example All problems of a study, each in one of four shards
 * ```ts
 * import { shardOf } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * assertEquals(["gsm8k/0", "gsm8k/1", "gsm8k/2"].map((id) => shardOf(id, 4)), [2, 1, 1]);
 * ```
 */
export function shardOf(problem: string, count: number): number {
  return 1 + createHash("sha256").update(problem).digest().readUInt32BE(0) % count;
}

const VERB = "take a shard";

/** A whole number of an environment's variable. */
function variable(env: Readonly<Record<string, string>>, name: string): number {
  const text = env[name] ?? "none";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TypeError(`Cannot ${VERB} as ${name} must be a whole number: current value is ${text}`);
}

/** The number of this task among those that run one command, from 1, and how many they are, where told. */
function taskOf(env: Readonly<Record<string, string>>): { index: number; count?: number } {
  const slurm = env.SLURM_ARRAY_TASK_ID !== undefined;
  const kubernetes = env.JOB_COMPLETION_INDEX !== undefined;
  if (slurm && kubernetes) {
    throw new TypeError(
      `Cannot ${VERB} as both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set: say which one, ` +
        "as in 3/16",
    );
  }
  if (kubernetes) return { index: variable(env, "JOB_COMPLETION_INDEX") + 1 };
  if (slurm) {
    const index = variable(env, "SLURM_ARRAY_TASK_ID");
    const is = (name: string, value: number) => Number(env[`SLURM_ARRAY_TASK_${name}`]) === value;
    const count = Number(env.SLURM_ARRAY_TASK_COUNT);
    const isWhole = is("MIN", 1) && is("MAX", count);
    return { index, ...(isWhole ? { count } : {}) };
  }
  throw new TypeError(
    `Cannot ${VERB} as neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set: ` +
      "say which one, as in 3/16",
  );
}

/**
 * A shard as command lines name it: `3/16`; `auto/16`, the task of a Slurm array that is numbered from 1
 * (`SLURM_ARRAY_TASK_ID`) or of an indexed job of Kubernetes (`JOB_COMPLETION_INDEX`, which counts from 0); or
 * `auto`, where a Slurm array `1-16` tells how many it has (`SLURM_ARRAY_TASK_COUNT`, `_MIN`, `_MAX`).
 *
 * A task that is run again alone is an array of its own, and no longer tells of how many it was one: that is
 * why `auto/16` is the form for scripts.
 *
 * @param text What was named.
 * @param env Variables of the environment, of which those above are read.
 * @throws {TypeError} Where the text is of no such form, or the variables are missing or tell no count.
 * @throws {RangeError} Where the number is not between 1 and the count.
 *
 * @example
 * ```ts
 * import { parseShard } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseShard("3/16", {}), { index: 3, count: 16 });
 * assertEquals(parseShard("auto/16", { JOB_COMPLETION_INDEX: "0" }), { index: 1, count: 16 });
 * ```
 */
export function parseShard(text: string, env: Readonly<Record<string, string>>): Shard {
  const [, name, own] = /^(auto|\d{1,9})(?:\/(\d{1,9}))?$/.exec(text) ?? [];
  if (name === undefined || (name !== "auto" && own === undefined)) {
    throw new TypeError(
      `Cannot ${VERB} as it must be of the form 3/16, auto/16 or auto: current value is "${text}"`,
    );
  }
  const { index, count } = name === "auto" ? taskOf(env) : { index: Number(name) };
  if (own === undefined && count === undefined) {
    throw new TypeError(
      `Cannot ${VERB} as 'auto' must be told how many there are, as in auto/16: only Slurm tells, ` +
        "of a whole array that is numbered from 1",
    );
  }
  const shard = { index, count: own === undefined ? count! : Number(own) };
  shardRule(VERB, "shard", shard);
  return shard;
}

/** A shard in words: "shard 3 of 16". */
export const shardText = ({ index, count }: Shard): string => `shard ${index} of ${count}`;
