/**
 * Generation: one text, a stream of its tokens, or any number of texts in one batch.
 *
 * @module
 */

import { checkOptions, number, refusal, type Rules, signal } from "../_check.ts";
import type { Model } from "../model/mod.ts";
import { decode, lengthFor, listed } from "./engine.ts";
import { askRemote } from "./remote.ts";
import {
  type GenerateOptions,
  type Generation,
  jobOf,
  type Prompt,
  type Request,
  type Step,
} from "./generation.ts";

/**
 * Continues a prompt.
 *
 * @param prompt Text, a conversation (rendered by the chat template), or token ids.
 * @param options Method, sampler, seed and limits. Sampler settings that are left out come from the
 * model's `generation_config.json`, else temperature 1 without truncation.
 * @throws {RangeError} Where the prompt does not fit the context.
 *
 * @example One seed gives one text
 * ```ts
 * import { generate, moi } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("countdown-tiny");
 * const prompt = [{
 *   role: "user",
 *   content: "Using the numbers [12, 11, 8], create an equation that equals 36.",
 * }];
 * const a = await generate(model, prompt, { method: moi({ beta: 1 }), seed: 7 });
 * const b = await generate(model, prompt, { method: moi({ beta: 1 }), seed: 7 });
 * assertEquals(a.text, b.text);
 * ```
 */
export async function generate(
  model: Model,
  prompt: Prompt,
  options: GenerateOptions = {},
): Promise<Generation> {
  const [made] = await Array.fromAsync(generateBatch(model, [{ ...options, prompt }]));
  return made!.generation;
}

/**
 * Continues a prompt token by token.
 *
 * @param options As for {@linkcode generate}; `trace` says how many candidates each step carries.
 * @returns The steps; leaving the loop ends the generation. An aborted signal ends it as well. The
 * generator's own return value is the generation.
 *
 * @example The pieces join to the text
 * ```ts
 * import { generate, stream } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assert } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const options = { seed: 3, maxNewTokens: 8, ignoreEos: true };
 * let text = "";
 * for await (const step of stream(model, [1], options)) text += step.text;
 * assert((await generate(model, [1], options)).text === text);
 * ```
 */
export async function* stream(
  model: Model,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<Step, Generation> {
  const { trace = true } = options;
  if (trace === "compact") {
    throw new TypeError(refusal("stream", "trace", "be of whole steps, which it yields", trace));
  }
  const job = jobOf(model, { ...options, trace: trace || true, prompt }, 0);
  const shape = { slots: 1, length: lengthFor(model, [job]) };
  for await (const event of decode(model, listed([job]), shape)) {
    if ("error" in event) throw event.error;
    if ("generation" in event) return event.generation;
    if ("step" in event) yield event.step;
  }
  throw new Error("internal: the decode loop ended without a generation");
}

/** Options of {@linkcode generateBatch}. */
export interface BatchOptions {
  /**
   * Rows decoded at once. Default: 64, less where their keys and values would exceed `model.memory.cacheBytes`,
   * else 2 GiB.
   */
  readonly slots?: number;
  /** Ends all requests that have no signal of their own. */
  readonly signal?: AbortSignal;
}

const RULES: Rules<BatchOptions> = { slots: number({ min: 1, integer: true }), signal };

const DEFAULT_SLOTS = 64, KV_BUDGET_BYTES = 2 ** 31;

/** Rows decoded at once unless it is said: as many as have room for keys and values of this length. */
export function usualSlots({ memory }: Model, length: number): number {
  const { kvBytesPerToken, cacheBytes = KV_BUDGET_BYTES } = memory;
  const fitting = Math.max(1, Math.floor(cacheBytes / (kvBytesPerToken * length)));
  return Math.min(DEFAULT_SLOTS, fitting);
}

/**
 * Continues many prompts at once, each with its own method, sampler and seed.
 *
 * A request's text is the same as `generate` gives for it alone. Requests with the same prompt share
 * one prefill.
 *
 * @returns Every request's generation once, in the order in which they finish.
 *
 * @example A β grid in one batch
 * ```ts
 * import { generateBatch, moi } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * const requests = [0.25, 1, 4].map((beta) => ({
 *   prompt: [1], method: moi({ beta }), seed: 1, maxNewTokens: 4,
 * }));
 * const done: number[] = [];
 * for await (const { index } of generateBatch(model, requests)) done.push(index);
 * assertEquals(done.sort(), [0, 1, 2]);
 * ```
 */
export async function* generateBatch(
  model: Model,
  requests: readonly Request[],
  options: BatchOptions = {},
): AsyncGenerator<{ index: number; generation: Generation }> {
  checkOptions("generate", options, RULES);
  const { signal } = options;
  const jobs = requests.map((request, index) =>
    jobOf(model, signal && !request.signal ? { ...request, signal } : request, index)
  );
  if (jobs.length === 0) return;
  const { remote } = model;
  if (remote) {
    yield* askRemote(model, remote, jobs, options.slots ?? remote.concurrency);
    return;
  }
  const length = lengthFor(model, jobs), { slots = usualSlots(model, length) } = options;
  const shape = { slots: Math.min(slots, jobs.length), length };
  for await (const event of decode(model, listed(jobs), shape)) {
    if ("error" in event) throw event.error;
    if ("generation" in event) yield event;
  }
}
