/**
 * What a study consists of: every problem × method × repeat, with its seed and its prompt.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { checkNumber, checkOptions, refusal, shown } from "../_check.ts";
import {
  mergedSampler,
  type Method,
  promptTokens,
  type Sampler,
  SAMPLER_FIELDS,
} from "../decode/mod.ts";
import type { Model } from "../model/mod.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import type { Run } from "./run.ts";

/** A study: a model answers a task's problems with several methods. */
export interface Study<P extends Problem = Problem> extends Partial<Sampler> {
  /** The model. */
  readonly model: Model;
  /** Problems, prompts, grader. */
  readonly task: Task<P, Grade | Promise<Grade>>;
  /** Methods by the key under which their runs are kept. */
  readonly methods: Readonly<Record<string, Method>>;
  /** Runs of each problem and method, with seeds of their own. Default: 1. */
  readonly repeats?: number;
  /** Only the first problems. Default: all. */
  readonly limit?: number;
  /** Largest number of new tokens. Default: the task's, else the model's, else 256. */
  readonly maxNewTokens?: number;
  /** Seed of the study; every run's seed comes from it. Default: 0. */
  readonly seed?: number;
}

const STUDY_OPTIONS = [
  "model",
  "task",
  "methods",
  "repeats",
  "limit",
  "maxNewTokens",
  "seed",
  ...SAMPLER_FIELDS,
] as const satisfies (keyof Study)[];

/** One run that is to be made. */
export interface PlannedRun<P extends Problem = Problem> {
  /** The problem. */
  readonly problem: P;
  /** The method's key. */
  readonly method: string;
  /** Repeat, from 0. */
  readonly repeat: number;
  /** Seed: the same for all methods, so that they draw the same numbers. */
  readonly seed: number;
  /** Token ids of the prompt. */
  readonly tokens: readonly number[];
  /** Digest of the prompt. */
  readonly prompt: string;
}

/** A checked study. */
export interface Plan<P extends Problem = Problem> {
  /** Fingerprint of what all runs of a file must share. */
  readonly study: string;
  /** Model name and weights digest, such as "votes-tiny@0123456789abcdef". */
  readonly model: string;
  /** Device that decodes. */
  readonly device: string;
  /** Number format of the weights, and of keys and values where it is not fp32: "int4, kv int8". */
  readonly dtype: string;
  /** Task name. */
  readonly task: string;
  /** Sampler settings and token budget. */
  readonly sampler: Run["sampler"];
  /** Seed of the study. */
  readonly studySeed: number;
  /** The methods' knobs by key. */
  readonly parameters: Readonly<Record<string, Run["parameters"]>>;
  /** All runs, problem by problem. */
  readonly runs: readonly PlannedRun<P>[];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A run's seed: a 53-bit integer from the study's seed, the problem and the repeat. */
export function runSeed(seed: number, problem: string, repeat: number): number {
  const digest = createHash("sha256").update(JSON.stringify([seed, problem, repeat])).digest();
  return Number(digest.readBigUInt64BE(0) >> 11n);
}

/** Name and knobs of a method, as recorded. */
export function methodParameters({ name, parameters }: Method): Run["parameters"] {
  return { name, ...parameters };
}

/**
 * Checks a study and lays out its runs.
 *
 * @throws {RangeError} Where a setting is outside its rule or a prompt does not fit the context.
 * @throws {TypeError} Where an option is unknown, or there is no method or no problem.
 */
export async function planStudy<P extends Problem>(study: Study<P>): Promise<Plan<P>> {
  const verb = "run the study";
  checkOptions(verb, study, STUDY_OPTIONS);
  const { model, task, methods, repeats = 1, seed = 0 } = study;
  checkNumber(verb, "repeats", repeats, { min: 1, integer: true });
  checkNumber(verb, "seed", seed, { min: 0, integer: true });
  const limit = study.limit ?? Infinity;
  checkNumber(verb, "limit", limit, { min: 1, integer: limit !== Infinity, infinite: true });
  const keys = Object.keys(methods);
  if (keys.length === 0) throw new TypeError(refusal(verb, "methods", "name a method", methods));
  for (const key of keys) {
    const method = methods[key];
    if (typeof method?.init !== "function" || typeof method.step !== "function") {
      const rule = "have the functions init and step";
      throw new TypeError(refusal(verb, `methods.${key}`, rule, method));
    }
  }

  const { vocabularySize } = model.config;
  const sampler = mergedSampler(vocabularySize, study, task.defaults, model.defaults);
  const maxNewTokens = study.maxNewTokens ?? task.defaults?.maxNewTokens ??
    model.defaults.maxNewTokens ?? 256;
  checkNumber(verb, "maxNewTokens", maxNewTokens, { min: 1, integer: true });

  const problems = (await task.problems()).slice(0, limit);
  if (problems.length === 0) {
    throw new TypeError(`Cannot ${verb} as '${task.name}' has no problems`);
  }
  const seen = new Set<string>();
  const runs = problems.flatMap((problem) => {
    if (typeof problem.id !== "string") {
      throw new TypeError(refusal(verb, "problem.id", "be a string", problem.id));
    }
    if (seen.has(problem.id)) {
      throw new TypeError(`Cannot ${verb} as two problems are ${problem.id}`);
    }
    seen.add(problem.id);
    const tokens = promptTokens(model, task.prompt(problem));
    if (tokens.length >= model.maxLength) {
      throw new RangeError(
        `Cannot ${verb} as the prompt of '${problem.id}' must be shorter than the context of ${model.maxLength} tokens: current value is ${tokens.length}`,
      );
    }
    const prompt = sha256(tokens.join(","));
    return Array.from({ length: repeats }, (_, repeat) => {
      const own = runSeed(seed, problem.id, repeat);
      return keys.map((method) => ({ problem, method, repeat, seed: own, tokens, prompt }));
    }).flat();
  });

  const settings = { ...sampler, maxNewTokens };
  const { fingerprint, device } = model;
  const dtype = model.kv === "fp32" ? model.dtype : `${model.dtype}, kv ${model.kv}`;
  const name = model.id.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
  return {
    study: sha256(JSON.stringify([fingerprint, dtype, device, task.name, settings, seed])),
    model: `${name}@${fingerprint}`,
    device,
    dtype,
    task: task.name,
    sampler: settings,
    studySeed: seed,
    parameters: Object.fromEntries(keys.map((key) => [key, methodParameters(methods[key]!)])),
    runs,
  };
}

/** Knobs as text, whatever the order in which they are named. */
function knobs(parameters: Run["parameters"] = {}): string {
  return JSON.stringify(parameters, Object.keys(parameters).sort());
}

/** What the runs of a file share, and the word for it. */
const SHARED = {
  model: "model",
  device: "device",
  dtype: "dtype",
  task: "task",
  sampler: "sampler",
  studySeed: "seed",
} as const satisfies Partial<Record<keyof Plan, string>>;

/** Refuses a file whose runs this study must not be mixed with, saying what differs. */
export function checkStored(plan: Plan, stored: readonly Run[], where: string): void {
  const refuse = (what: string, here: unknown, there: unknown): never => {
    throw new Error(
      `Cannot continue the study in ${where} as its runs have another ${what}: ` +
        `${shown(there)} there, ${shown(here)} here; name another file`,
    );
  };
  const prompts = new Map(plan.runs.map(({ problem, prompt }) => [problem.id, prompt]));
  for (const run of stored) {
    for (const field of Object.keys(SHARED) as (keyof typeof SHARED)[]) {
      if (JSON.stringify(run[field]) !== JSON.stringify(plan[field])) {
        refuse(SHARED[field], plan[field], run[field]);
      }
    }
    const own = plan.parameters[run.method];
    if (own && knobs(own) !== knobs(run.parameters)) {
      refuse(`method '${run.method}'`, own, run.parameters);
    }
    const prompt = prompts.get(run.problem);
    if (prompt !== undefined && prompt !== run.prompt) {
      refuse(`prompt for problem '${run.problem}'`, prompt, run.prompt);
    }
  }
}
