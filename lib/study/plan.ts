/**
 * What a study consists of: every problem × method × repeat, with its seed and its prompt.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { checkNumber, checkOptions, refusal } from "../_check.ts";
import {
  type Method,
  promptTokens,
  recordOf,
  resolvedSettings,
  type Sampler,
  SAMPLER_FIELDS,
  type Transform,
} from "../decode/mod.ts";
import type { Model } from "../model/mod.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import { canonical, chatVariables, fieldDigests, scalars, sha256, wordingOf } from "./identity.ts";
import type { Run } from "./run.ts";

/** A study: a model answers a task's problems with several methods. */
export interface Study<P extends Problem = Problem> extends Partial<Sampler> {
  /** The model. */
  readonly model: Model;
  /** Problems, prompts, grader. */
  readonly task: Task<P, Grade | Promise<Grade>>;
  /** Methods by the key under which their runs are kept. */
  readonly methods: Readonly<Record<string, Method>>;
  /**
   * The whole sampler, in place of settings: transforms in their order, recorded by names and knobs. What task
   * and model recommend is passed over, and a setting beside it is refused. Default: what the settings stand
   * for.
   */
  readonly sampler?: readonly Transform[];
  /** Runs of each problem and method, with seeds of their own. Default: 1. */
  readonly repeats?: number;
  /** Only the first problems. Default: all. */
  readonly limit?: number;
  /** Largest number of new tokens. Default: the task's, else the model's, else 256. */
  readonly maxNewTokens?: number;
  /** Seed of the study; every run's seed comes from it. Default: 0. */
  readonly seed?: number;
  /**
   * Key of the method whose comparison with the baseline the study is about. It is recorded with every run,
   * and its p value then needs no correction for the other comparisons; see `gains`. Default: what the
   * stored runs declare, else none.
   */
  readonly primary?: string;
  /** Further variables of the chat template, such as `{ enable_thinking: false }`. Default: none. */
  readonly chat?: Readonly<Record<string, unknown>>;
}

const STUDY_OPTIONS = [
  "model",
  "task",
  "methods",
  "repeats",
  "limit",
  "maxNewTokens",
  "seed",
  "primary",
  "chat",
  "sampler",
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
  /** Digest of these. */
  readonly prompt: string;
  /** Digest of the prompt as the task words it. */
  readonly wording: string;
  /** Whether the chat template rendered it. */
  readonly isChat: boolean;
  /** Digest of each field of the problem. */
  readonly fields: Readonly<Record<string, string>>;
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
  /** The task's options that decide prompts and verdicts. */
  readonly taskParameters: Run["parameters"];
  /** Whether the task names such options: then they tell how it grades. */
  readonly namesOptions: boolean;
  /** Digest of the model's chat template, if it has one. */
  readonly template: string | undefined;
  /** The comparison that was declared, if any. */
  readonly primary: string | undefined;
  /** Variables of the chat template. */
  readonly chat: Readonly<Record<string, unknown>>;
  /** Sampler settings and token budget, as they are recorded. */
  readonly sampler: Run["sampler"];
  /** The same as `generate` takes them. */
  readonly settings: ReturnType<typeof resolvedSettings>;
  /** Seed of the study. */
  readonly studySeed: number;
  /** The methods' knobs by key. */
  readonly parameters: Readonly<Record<string, Run["parameters"]>>;
  /** All runs, problem by problem. */
  readonly runs: readonly PlannedRun<P>[];
}

/** A run's seed: a 53-bit integer from the study's seed, the problem and the repeat. */
export function runSeed(seed: number, problem: string, repeat: number): number {
  const digest = createHash("sha256").update(JSON.stringify([seed, problem, repeat])).digest();
  return Number(digest.readBigUInt64BE(0) >> 11n);
}

/** Name and knobs of a method, as recorded. */
export function methodParameters({ name, parameters }: Method): Run["parameters"] {
  return scalars({ name, ...parameters });
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
  const { model, task, methods, repeats = 1, seed = 0, chat: given = {}, limit = Infinity } = study;
  checkNumber(verb, "repeats", repeats, { min: 1, integer: true });
  checkNumber(verb, "seed", seed, { min: 0, integer: true });
  checkNumber(verb, "limit", limit, { min: 1, integer: limit !== Infinity, infinite: true });
  const keys = Object.keys(methods), { primary } = study;
  if (keys.length === 0) throw new TypeError(refusal(verb, "methods", "name a method", methods));
  for (const key of keys) {
    const method = methods[key];
    if (typeof method?.init !== "function" || typeof method.step !== "function") {
      const rule = "have the functions init and step";
      throw new TypeError(refusal(verb, `methods.${key}`, rule, method));
    }
  }

  if (primary !== undefined && !keys.includes(primary)) {
    throw new RangeError(refusal(verb, "primary", `be one of ${keys.join(", ")}`, primary));
  }

  checkOptions(verb, task.defaults ?? {}, [...SAMPLER_FIELDS, "maxNewTokens"]);
  const settings = resolvedSettings(verb, model, study, task.defaults);
  const sampler = "sampler" in settings ? recordOf(settings) : settings;
  const chat = chatVariables(verb, given);
  const hasChat = Object.keys(chat).length > 0;

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
    const worded = task.prompt(problem), isChat = typeof worded !== "string";
    if (hasChat && !isChat) {
      const rule = "be left out where prompts are plain text, which no template renders";
      throw new TypeError(refusal(verb, "chat", rule, chat));
    }
    const tokens = promptTokens(model, worded, hasChat ? chat : undefined);
    if (tokens.length >= model.maxLength) {
      throw new RangeError(
        `Cannot ${verb} as the prompt of '${problem.id}' must be shorter than the context of ${model.maxLength} tokens: current value is ${tokens.length}`,
      );
    }
    const prompt = sha256(tokens.join(",")), wording = wordingOf(worded);
    const own = { problem, tokens, prompt, wording, isChat, fields: fieldDigests(problem) };
    return Array.from({ length: repeats }, (_, repeat) => {
      const ownSeed = runSeed(seed, problem.id, repeat);
      return keys.map((method) => ({ ...own, method, repeat, seed: ownSeed }));
    }).flat();
  });

  const taskParameters = scalars(task.parameters);
  const namesOptions = task.parameters !== undefined;
  const { fingerprint, device } = model;
  const dtype = model.kv === "fp32" ? model.dtype : `${model.dtype}, kv ${model.kv}`;
  const name = model.id.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!;
  return {
    study: sha256(JSON.stringify([
      ...[fingerprint, dtype, device, task.name, sampler, seed],
      ...(namesOptions || hasChat ? [canonical({ taskParameters, chat })] : []),
    ])),
    model: `${name}@${fingerprint}`,
    device,
    dtype,
    task: task.name,
    ...{ taskParameters, namesOptions, primary, chat, sampler, settings, template: model.template },
    studySeed: seed,
    parameters: Object.fromEntries(keys.map((key) => [key, methodParameters(methods[key]!)])),
    runs,
  };
}
