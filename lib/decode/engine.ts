/**
 * The decode loop: continuous batching over the slots of one KV cache.
 *
 * ```text
 * logits ──sampler──▶ p, y ──method.step──▶ mixture ──cache.step──▶ logits …
 * ```
 *
 * All methods, seeds and sampler settings run side by side; a row knows nothing of the others. Rows
 * are the slots 0 … n−1. A finished row's slot is refilled at once, or taken by the last row. Jobs
 * with the same prompt follow one another and share one prefill, which waits in a spare slot.
 *
 * @module
 */

import { type KvCache, type Model, pieceDecoder } from "../model/mod.ts";
import type { Candidate, FinishReason, Generation, Job, Step } from "./generation.ts";
import { type Distribution, distributionOf, draw } from "./sampler.ts";
import { STREAM, uniform } from "./random.ts";
import type { MethodStep } from "./method.ts";

/** What the loop tells: a step of a job that records steps, or a finished job. */
export type DecodeEvent =
  | { readonly index: number; readonly step: Step }
  | { readonly index: number; readonly generation: Generation };

/** A job that occupies a slot. */
interface Row {
  readonly job: Job;
  readonly tokens: number[];
  readonly trace: Step[];
  /** End of the text so far, as long as a stop text that could still be completed. */
  tail: string;
  readonly piece: ((token: number) => string) | undefined;
  /** Position at which the next input is written. */
  position: number;
  next: MethodStep<unknown>;
  entropy: number;
  offSampleMass: number;
  readonly prefillMs: number;
  readonly started: number;
  finished: FinishReason | undefined;
}

function offSampleMassOf({ input }: MethodStep<unknown>, token: number): number {
  const { ids, weights } = input;
  if (ids.length === 1) return ids[0] === token ? 0 : weights[0]!;
  let mass = 0;
  for (let k = 0; k < ids.length; k++) if (ids[k] !== token) mass += weights[k]!;
  return mass;
}

function candidatesOf(model: Model, { ids, probabilities }: Distribution, top: number) {
  const order = Array.from(ids.keys()).sort((a, b) => probabilities[b]! - probabilities[a]!);
  return order.slice(0, top).map((i): Candidate => ({
    token: ids[i]!,
    text: model.tokenizer.decode([ids[i]!]),
    probability: probabilities[i]!,
  }));
}

/** Samples a row's next token from its logits and lets its method make the next input. */
function advance(model: Model, row: Row, logits: Float32Array): void {
  const { job, tokens } = row;
  if (job.signal?.aborted) {
    row.finished = "aborted";
    return;
  }
  const index = tokens.length;
  const distribution = distributionOf(logits, job.sampler, index);
  const choice = draw(distribution, uniform(job.seed, STREAM.sample, index));
  const token = distribution.ids[choice]!;
  tokens.push(token);
  row.next = job.method.step(distribution, token, row.next.state);
  const offSampleMass = offSampleMassOf(row.next, token);
  row.entropy += distribution.normalizedEntropy;
  row.offSampleMass += offSampleMass;

  const text = row.piece?.(token) ?? "";
  if (job.top > 0) {
    const { ids, weights } = row.next.input;
    row.trace.push({
      index,
      token,
      text,
      entropy: distribution.normalizedEntropy,
      probability: distribution.probabilities[choice]!,
      mixture: { ids: Array.from(ids), weights: Array.from(weights) },
      offSampleMass,
      candidates: candidatesOf(model, distribution, job.top),
    });
  }
  if (job.eos.has(token)) row.finished = "stop";
  else if (job.stop.length > 0) {
    const end = row.tail + text, longest = Math.max(...job.stop.map((stop) => stop.length));
    if (firstStop(end, job.stop) >= 0) row.finished = "stop";
    row.tail = end.slice(Math.max(0, end.length - longest + 1));
  }
  const full = tokens.length === job.maxNewTokens || row.position === model.maxLength;
  if (row.finished === undefined && full) row.finished = "length";
}

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

function generationOf(model: Model, row: Row): Generation {
  const { job, tokens, finished = "aborted" } = row;
  const last = tokens.at(-1);
  const ended = last !== undefined && job.eos.has(last);
  const whole = model.tokenizer.decode(ended ? tokens.slice(0, -1) : tokens);
  const cut = firstStop(whole, job.stop);
  const count = Math.max(1, tokens.length);
  return {
    text: cut >= 0 ? whole.slice(0, cut) : whole,
    tokens,
    finishReason: finished,
    promptTokens: job.prompt.length,
    mixing: {
      meanEntropy: row.entropy / count,
      meanOffSampleMass: row.offSampleMass / count,
    },
    ...(job.top > 0 ? { trace: row.trace } : {}),
    timing: { prefillMs: row.prefillMs, decodeMs: performance.now() - row.started },
  };
}

function startRow(model: Model, job: Job, prefillMs: number): Row {
  const { vocabularySize } = model.config;
  const state = job.method.init({
    vocabularySize,
    prompt: job.prompt,
    uniform: (step, index) => uniform(job.seed, STREAM.method, step, index),
  });
  return {
    job,
    tokens: [],
    trace: [],
    tail: "",
    piece: job.top > 0 || job.stop.length > 0 ? pieceDecoder(model.tokenizer) : undefined,
    position: job.prompt.length,
    next: { input: { ids: [], weights: [] }, state },
    entropy: 0,
    offSampleMass: 0,
    prefillMs,
    started: performance.now(),
    finished: job.signal?.aborted ? "aborted" : undefined,
  };
}

/** The prompt prefilled last: where it lies, its logits, what it cost. */
interface Prefilled {
  readonly prompt: readonly number[];
  readonly home: number;
  readonly logits: Float32Array;
  readonly ms: number;
}

/** Jobs in the order of their prompt's first appearance, so that equal prompts are neighbours. */
function groupByPrompt(jobs: readonly Job[]): Job[] {
  const groups = Map.groupBy(jobs, (job) => job.prompt.join(","));
  return [...groups.values()].flat();
}

function samePrompt(a: readonly number[], b: readonly number[] | undefined): boolean {
  return a === b || (a.length === b?.length && a.every((id, i) => id === b[i]));
}

/** Positions that any of the jobs can reach. */
function lengthNeeded(jobs: readonly Job[], maxLength: number): number {
  const reach = jobs.map(({ prompt, maxNewTokens }) => prompt.length + maxNewTokens - 1);
  return Math.min(maxLength, reach.reduce((a, b) => Math.max(a, b), 1));
}

/**
 * Decodes jobs on `slots` slots.
 *
 * @param model The model.
 * @param jobs Checked requests.
 * @param slots Largest number of rows at once.
 * @returns Events in the order in which they happen.
 */
export async function* decode(
  model: Model,
  jobs: readonly Job[],
  slots: number,
): AsyncGenerator<DecodeEvent> {
  if (jobs.length === 0) return;
  const length = lengthNeeded(jobs, model.maxLength);
  const count = Math.min(slots, jobs.length);
  using cache: KvCache = model.openCache({ slots: count + 1, length });
  const spare = count, { vocabularySize } = model.config;
  const waiting = groupByPrompt(jobs).reverse();
  const rows: Row[] = [];
  let prefilled: Prefilled | undefined;

  /** Fills a slot with a job's prompt and samples its first token. */
  const admit = async (job: Job, slot: number): Promise<Row> => {
    if (!samePrompt(job.prompt, prefilled?.prompt)) {
      const start = performance.now();
      const shared = samePrompt(job.prompt, waiting.at(-1)?.prompt);
      const home = shared ? spare : slot;
      const logits = await cache.prefill(home, 0, job.prompt, "last");
      prefilled = { prompt: job.prompt, home, logits, ms: performance.now() - start };
    }
    const { home, logits, ms } = prefilled!;
    if (home !== slot) cache.copy(home, slot, job.prompt.length);
    const row = startRow(model, job, ms);
    advance(model, row, logits);
    return row;
  };

  while (rows.length > 0 || waiting.length > 0) {
    while (rows.length < count && waiting.length > 0) {
      const job = waiting.pop()!;
      const row = job.signal?.aborted ? startRow(model, job, 0) : await admit(job, rows.length);
      yield* row.trace.map((step) => ({ index: job.index, step }));
      if (row.finished) yield { index: job.index, generation: generationOf(model, row) };
      else rows.push(row);
    }
    if (rows.length === 0) continue;
    const logits = await cache.step(
      rows.map(({ next }) => next.input),
      rows.map(({ position }) => position),
    );
    for (const [slot, row] of rows.entries()) {
      row.position++;
      const steps = row.trace.length;
      advance(model, row, logits.subarray(slot * vocabularySize, (slot + 1) * vocabularySize));
      if (row.trace.length > steps) yield { index: row.job.index, step: row.trace[steps]! };
    }
    for (let slot = rows.length - 1; slot >= 0; slot--) {
      const row = rows[slot]!;
      if (!row.finished) continue;
      yield { index: row.job.index, generation: generationOf(model, row) };
      const last = rows.pop()!;
      if (last !== row) {
        rows[slot] = last;
        cache.copy(rows.length, slot, last.position);
      }
    }
  }
}
