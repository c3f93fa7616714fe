/** A text of vLLM, followed here: the same tokens, mixtures made of our logits, and what they should be. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  distributionOf,
  type Method,
  type Sampler,
  samplerOf,
  standard,
} from "../../../lib/decode/mod.ts";
import { type Input, type Model, offSampleMass } from "../../../lib/model/mod.ts";

/** What is asked of vLLM, both ways. */
export interface Asked {
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  /** Number of new tokens. */
  readonly length: number;
  /** Default: 0. */
  readonly seed?: number;
  readonly sampler: Partial<Sampler>;
  readonly method: Method;
  /** The same in `vllm_xargs`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What an answer says of its mixtures. */
export interface Told {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly mean_entropy: number;
  readonly mean_off_sample_mass: number;
  readonly version: string;
}

/** A text of vLLM. */
export interface Answer {
  readonly tokens: readonly number[];
  /** Logarithms of `softmax(logits)` before any sampling, by token id, of every step. */
  readonly logprobs: readonly ReadonlyMap<number, number>[];
  readonly moi?: Told;
}

/** Names of a sampler's settings in a request. */
const SETTINGS = {
  temperature: "temperature",
  topK: "top_k",
  topP: "top_p",
  minP: "min_p",
  repetitionPenalty: "repetition_penalty",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
} as const;

/** The body of a request for logarithms of `count` probabilities at each step. */
export function bodyOf(asked: Asked, model: string, count: number): Record<string, unknown> {
  const settings = Object.entries(SETTINGS).flatMap(([ours, theirs]) => {
    const value = asked.sampler[ours as keyof typeof SETTINGS];
    return value === undefined ? [] : [[theirs, value]];
  });
  const isSampled = asked.sampler.temperature !== 0;
  return {
    ...{ model, prompt: asked.prompt, max_tokens: asked.length, ignore_eos: true },
    ...(isSampled ? { seed: asked.seed ?? 0 } : {}), // vLLM draws with a generator a seeded request
    ...{ logprobs: count, return_token_ids: true, return_tokens_as_token_ids: true },
    ...Object.fromEntries(settings),
    ...(Object.keys(asked.fields).length > 0 ? { vllm_xargs: asked.fields } : {}),
  };
}

/** Posts JSON; gives the status and the answer. */
export async function post(
  url: string,
  body: unknown,
  // deno-lint-ignore no-explicit-any
): Promise<{ readonly status: number; readonly json: any }> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
}

/** A text of vLLM. */
export async function complete(url: string, asked: Asked, model: Model): Promise<Answer> {
  const { vocabularySize } = model.config;
  const { status, json } = await post(
    `${url}/v1/completions`,
    bodyOf(asked, model.id, vocabularySize),
  );
  assertEquals(status, 200, JSON.stringify(json));
  const [choice] = json.choices;
  const logprobs = choice.logprobs.top_logprobs.map((top: Record<string, number>) =>
    new Map(Object.entries(top).map(([id, value]) => [Number(id.replace("token_id:", "")), value]))
  );
  return { tokens: choice.token_ids, logprobs, ...(choice.moi ? { moi: choice.moi } : {}) };
}

/** ln Σ exp(logits). */
function logSum(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return most + Math.log(logits.reduce((all, l) => all + Math.exp(l - most), 0));
}

/**
 * Feeds here what vLLM must have fed, mixtures that our methods make of its logits and tokens, and holds
 * our logits against its own at each step; in the end entropy and off-sample mass. Gives the largest
 * difference of logits at each step.
 */
export async function follow(model: Model, asked: Asked, answer: Answer): Promise<number[]> {
  const { prompt, method, length } = asked, { vocabularySize } = model.config;
  const name = JSON.stringify([asked.fields, asked.sampler]), sampler = samplerOf(asked.sampler);
  assertEquals(answer.tokens.length, length, name);
  using cache = model.openCache({ slots: 1, length: prompt.length + length });
  let state = method.init({ vocabularySize, prompt, tokenizer: model.tokenizer, uniform: () => 0 });
  let logits = (await cache.prefill(0, 0, prompt, "last")).slice(0, vocabularySize);
  let entropy = 0, mass = 0;
  const generated: number[] = [], errors: number[] = [];
  for (const [step, token] of answer.tokens.entries()) {
    const sum = logSum(logits), told = answer.logprobs[step]!; // logits, but for a number they share
    const theirs = logits.map((_, id) => told.get(id)! + sum);
    const own = logits;
    errors.push(Math.max(...theirs.map((logit, id) => Math.abs(logit - own[id]!))));
    const distribution = distributionOf(theirs, sampler, step, { prompt, generated });
    assert(distribution.probability(token) > 0, `${name}: token ${token} at step ${step}`);
    const made = method.step(distribution, token, state);
    entropy += distribution.normalizedEntropy / length;
    mass += offSampleMass(made.input, token) / length;
    state = made.state;
    generated.push(token);
    const input: Input = made.input;
    logits = (await cache.step([input], [prompt.length + step])).slice(0, vocabularySize);
  }
  if (Object.keys(asked.fields).length > 0) {
    const { method: told, parameters, mean_entropy, mean_off_sample_mass, version } = answer.moi!;
    assertEquals([told, parameters, version], [method.name, { ...method.parameters }, "0.1.0"]);
    assertAlmostEquals(mean_entropy, entropy, 1e-5, name);
    assertAlmostEquals(mean_off_sample_mass, mass, 1e-5, name);
  } else assertEquals([answer.moi, method.name], [undefined, standard().name]);
  return errors;
}
