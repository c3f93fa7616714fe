/** What a study consists of: every problem × method × repeat, with its seed and its prompt. @module */

import { createHash } from "node:crypto";
import {
  anything,
  checkOptions,
  isObject,
  kind,
  number,
  refusal,
  type Rules,
  text,
} from "../_check.ts";
import { given } from "../_given.ts";
import {
  checkMethod,
  type Method,
  promptTokens,
  recordOf,
  resolvedSettings,
  type Sampler,
  type Settings,
  type Transform,
} from "../decode/mod.ts";
import { SAMPLER_RULES } from "../decode/sampler.ts";
import type { Model } from "../model/mod.ts";
import type { Grade, Problem, Task } from "../tasks/mod.ts";
import { sha256 } from "../_sha256.ts";
import { canonical, fieldDigests, modelName, scalars, wordingOf } from "./_digest.ts";
import type { PlannedRun } from "./run.ts";
import { type Shard, shardOf, shardRule } from "./shard.ts";

/** A study: a model answers a task's problems with several methods. */
export interface Study<P extends Problem = Problem> extends Partial<Sampler> {
  /** The model. */
  readonly model: Model;
  /** Problems, prompts, grader. */
  readonly task: Task<P, Grade | Promise<Grade>>;
  /** Methods by the key under which their runs are kept. */
  readonly methods: Readonly<Record<string, Method>>;
  /**
   * The whole sampler, in place of settings: transforms in their order, recorded by names and knobs. What
   * task and model recommend is passed over, and a setting beside it is refused. Default: what the settings
   * stand for.
   */
  readonly sampler?: readonly Transform[];
  /** Runs of each problem and method, with seeds of their own. Default: 1. */
  readonly repeats?: number;
  /** Only the first problems. Default: all. */
  readonly limit?: number;
  /**
   * Only one of several parts of the study, for one of several machines: those of the chosen problems that
   * {@linkcode shardOf} puts there, maybe none. Default: all.
   */
  readonly shard?: Shard;
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

/** Whether a value is the same after it was written as JSON. */
function isJson(value: unknown): boolean {
  try {
    return canonical(JSON.parse(JSON.stringify(value))) === canonical(value);
  } catch {
    return false;
  }
}

const SETTINGS_RULES: Rules<Partial<Omit<Settings, "transforms">>> = {
  ...SAMPLER_RULES,
  maxNewTokens: anything, // where settings are resolved
};

const STUDY_RULES: Rules<Study> = {
  ...SETTINGS_RULES,
  sampler: anything,
  model: kind("be a model", isObject),
  task: kind("be a task", isObject),
  methods(verb, name, value) {
    kind("name a method", (own) => isObject(own) && Object.keys(own).length > 0)(verb, name, value);
    for (const [key, own] of Object.entries(value as object)) {
      checkMethod(verb, `${name}.${key}`, own);
    }
  },
  repeats: number({ min: 1, integer: true }),
  limit: (verb, name, value) =>
    number({ min: 1, integer: value !== Infinity, infinite: true })(verb, name, value),
  shard: shardRule,
  seed: number({ min: 0, integer: true }),
  primary: text,
  chat(verb, name, value) {
    kind("be an object of template variables, as JSON has them", isObject)(verb, name, value);
    const rule = kind("be a value of JSON", isJson);
    for (const [key, own] of Object.entries(given(value as object))) {
      rule(verb, `${name}.${key}`, own);
    }
  },
};

/** A problem with its prompt, which all its runs share. */
export interface PlannedProblem<P extends Problem = Problem> {
  /** The problem. */
  readonly problem: P;
  /** The prompt as the task words it. */
  readonly worded: ReturnType<Task["prompt"]>;
  /** Token ids of the prompt. */
  readonly tokens: readonly number[];
  /** Whether the chat template rendered it. */
  readonly isChat: boolean;
  /** Its place among all problems of the study, from 0. */
  readonly place: number;
}

/** A checked study. */
export interface Plan<P extends Problem = Problem> {
  /** The problems by id, in their order; of a shard its own. */
  readonly problems: ReadonlyMap<string, PlannedProblem<P>>;
  /** Sampler and token budget, as `generate` takes them. */
  readonly settings: ReturnType<typeof resolvedSettings>;
  /** All runs, problem by problem, repeat by repeat, methods in their order; of a shard its own. */
  readonly runs: readonly PlannedRun[];
  /** The runs of the whole study: the same as `runs` where there is no shard. */
  readonly whole: readonly PlannedRun[];
  /** The part of the study that `runs` are. Absent where they are all. */
  readonly shard?: Shard;
}

/** A run's seed: a 53-bit integer from the study's seed, the problem and the repeat. */
export function runSeed(seed: number, problem: string, repeat: number): number {
  const digest = createHash("sha256").update(JSON.stringify([seed, problem, repeat])).digest();
  return Number(digest.readBigUInt64BE(0) >> 11n);
}

/**
 * Checks a study and lays out its runs.
 *
 * @throws {RangeError} Where a prompt does not fit the context.
 * @throws {TypeError} Where there is no method or no problem.
 */
export async function planStudy<P extends Problem>(study: Study<P>): Promise<Plan<P>> {
  const verb = "run the study";
  checkOptions<Study>(verb, study as Study, STUDY_RULES);
  for (const name of ["model", "task", "methods"] as const) {
    STUDY_RULES[name](verb, name, study[name]);
  }
  const { model, task, methods, repeats = 1, seed = 0, limit = Infinity, primary, shard } = study;
  const keys = Object.keys(methods);
  if (primary !== undefined && !keys.includes(primary)) {
    const rule = `be one of ${keys.join(", ")}`;
    throw new RangeError(refusal(verb, "primary", rule, primary, keys));
  }
  checkOptions<Partial<Omit<Settings, "transforms">>>(verb, task.defaults ?? {}, SETTINGS_RULES);
  const settings = resolvedSettings(verb, model, study, task.defaults);
  const sampler = "sampler" in settings ? recordOf(settings) : settings;
  const variables = given(study.chat ?? {}), hasChat = Object.keys(variables).length > 0;
  const chat = hasChat ? JSON.parse(JSON.stringify(variables)) as typeof variables : undefined;

  const all = (await task.problems()).slice(0, limit);
  if (all.length === 0) throw new TypeError(`Cannot ${verb} as '${task.name}' has no problems`);
  const taskParameters = task.parameters && scalars(task.parameters);
  const { fingerprint } = model, isBatchExact = model.checked?.isBatchExact ?? true;
  const device = isBatchExact ? model.device : `${model.device}, rows depend on the batch`;
  const dtype = model.kv === "fp32" ? model.dtype : `${model.dtype}, kv ${model.kv}`;
  const shared = {
    study: sha256(JSON.stringify([
      ...[fingerprint, dtype, device, task.name, sampler, seed],
      ...(taskParameters || hasChat
        ? [canonical({ taskParameters: taskParameters ?? {}, chat: chat ?? {} })]
        : []),
    ])),
    ...{ model: modelName(model), device, dtype, task: task.name },
  };
  const named = Object.entries(methods).map(([method, { name, parameters }]) => ({
    ...{ method, parameters: scalars({ name, ...parameters }) },
  }));

  const problems = new Map<string, PlannedProblem<P>>();
  const whole = all.flatMap((problem, place): PlannedRun[] => {
    const { id } = problem;
    text(verb, "problem.id", id);
    if (problems.has(id)) throw new TypeError(`Cannot ${verb} as two problems are ${id}`);
    const worded = task.prompt(problem), isChat = typeof worded !== "string";
    if (hasChat && !isChat) {
      const rule = "be left out where prompts are plain text, which no template renders";
      throw new TypeError(refusal(verb, "chat", rule, chat));
    }
    const tokens = promptTokens(model, worded, chat);
    if (tokens.length >= model.maxLength) {
      throw new RangeError(
        `Cannot ${verb} as the prompt of '${id}' must be shorter than the context of ${model.maxLength} tokens: current value is ${tokens.length}`,
      );
    }
    problems.set(id, { problem, worded, tokens, isChat, place });
    const own = {
      prompt: sha256(tokens.join(",")),
      wording: wordingOf(worded),
      ...given({ template: isChat ? model.template : undefined }),
      problemFields: fieldDigests(problem),
      ...given({ taskParameters, primary, chat }),
    };
    return Array.from({ length: repeats }, (_, repeat) => {
      const drawn = { repeat, studySeed: seed, seed: runSeed(seed, id, repeat), sampler };
      return named.map((method) => ({ ...shared, problem: id, ...method, ...drawn, ...own }));
    }).flat();
  });
  if (shard === undefined) return { problems, settings, runs: whole, whole };
  const isOwn = (id: string) => shardOf(id, shard.count) === shard.index;
  return {
    ...{ settings, whole, shard, runs: whole.filter(({ problem }) => isOwn(problem)) },
    problems: new Map([...problems].filter(([id]) => isOwn(id))),
  };
}
