/**
 * The decode loop: continuous batching over the slots of one KV cache.
 *
 * ```text
 * logits ──sampler──▶ p, y ──method.step──▶ mixture ──cache.step──▶ logits …
 * ```
 *
 * All methods, seeds and sampler settings run side by side; a row knows nothing of the others. Rows
 * are the slots 0 … n−1. A finished row's slot is refilled at once, or taken by the last row. Jobs
 * with the same prompt follow one another and share one prefill, which waits in a spare slot; of a
 * prompt that begins like another one in a slot, the common chunks are copied. A long prompt is
 * prefilled chunk by chunk in the spare slot, and the other rows take a step after each. Chunks begin
 * at multiples of their size, so that a prompt is computed the same way whatever was copied.
 *
 * @module
 */

import { kept, type KvCache, type LogitRows, type Model, PREFILL_CHUNK } from "../model/mod.ts";
import { openDistributions } from "./distributions.ts";
import type { Generation, Job, Step } from "./generation.ts";
import { advance, generationOf, type Row, startRow, wanted } from "./row.ts";

/**
 * What the loop tells: a step of a job that records steps, a token of one that tells its text, a finished
 * job, or one that its own method or sampler ended with an error.
 */
export type DecodeEvent =
  | { readonly index: number; readonly step: Step }
  | { readonly index: number; readonly token: number; readonly text: string }
  | { readonly index: number; readonly generation: Generation }
  | { readonly index: number; readonly error: unknown };

/** Where the loop takes its jobs from: a list, or requests that come while it runs. */
export interface JobSource {
  /** The next job, which stays there; undefined where none waits. */
  peek(): Job | undefined;
  /** Takes it. */
  take(): Job | undefined;
  /** Waits for a job; false once none will come any more. */
  wait(): boolean | Promise<boolean>;
  /** What is waited for between two steps, where there is something. */
  turn?(): Promise<void> | undefined;
}

/** A list of jobs, in the order of their prompt's first appearance, so that equal prompts are neighbours. */
export function listed(jobs: readonly Job[]): JobSource {
  const waiting = [...Map.groupBy(jobs, ({ prompt }) => prompt.join()).values()].flat().reverse();
  return {
    peek: () => waiting.at(-1),
    take: () => waiting.pop(),
    wait: () => waiting.length > 0,
  };
}

/** Positions that a cache needs for these jobs. */
export function lengthFor(model: Model, jobs: readonly Job[]): number {
  const reach = jobs.map(({ prompt, maxNewTokens }) => prompt.length + maxNewTokens - 1);
  return Math.min(model.maxLength, reach.reduce((a, b) => Math.max(a, b), 1));
}

/** A prompt on its way into a slot. */
interface Filling {
  readonly job: Job;
  /** The slot. */
  readonly home: number;
  /** Positions that are there. */
  done: number;
  ms: number;
}

function samePrompt(a: readonly number[], b: readonly number[] | undefined): boolean {
  return a === b || (a.length === b?.length && a.every((id, i) => id === b[i]));
}

/** Number of tokens that two lists begin with alike. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}

/** What a row tells of its last token. */
function told({ index }: Job, last: NonNullable<Row["last"]>): DecodeEvent {
  return "mixture" in last ? { index, step: last } : { index, ...last };
}

/** What became of a row. */
function ended(model: Model, row: Row): DecodeEvent {
  const { job: { index }, failed } = row;
  return failed ? { index, error: failed.error } : { index, generation: generationOf(model, row) };
}

/** Refuses what an engine gives in place of logits of so many rows. */
function checkLogits(
  logits: Float32Array | LogitRows,
  rows: number,
  { config: { vocabularySize } }: Model,
): void {
  const isAway = logits && "count" in logits, least = rows * vocabularySize;
  const length = isAway ? logits.count * vocabularySize : logits?.length;
  if (length >= least) return;
  throw new RangeError(
    `Cannot decode as the model's engine must give ${least} logits (rows times vocabulary): ` +
      `current value is ${length}`,
  );
}

/** Decodes checked requests side by side in the slots of one cache; events come in the order in which they happen. */
export async function* decode(
  model: Model,
  jobs: JobSource,
  { slots: count, length }: { readonly slots: number; readonly length: number },
): AsyncGenerator<DecodeEvent> {
  using cache: KvCache = model.openCache({ slots: count + 1, length });
  using distributions = openDistributions(model);
  const { chunk: size = PREFILL_CHUNK } = cache;
  const spare = count, first = new Float32Array(model.config.vocabularySize);
  const rows: Row[] = [];
  let inSpare: readonly number[] = [], filling: Filling | undefined;
  /** The prompt prefilled last, and the logits after it. */
  let prefilled: { prompt: readonly number[]; logits: Float32Array; ms: number } | undefined;

  /** The slot that holds the most of a prompt's beginning. */
  const bestSlot = (prompt: readonly number[]) => {
    let best = { slot: spare, shared: commonPrefix(prompt, inSpare) };
    for (const [slot, { job }] of rows.entries()) {
      if (best.shared === prompt.length) break;
      const shared = job.prompt === prompt ? prompt.length : commonPrefix(prompt, job.prompt);
      if (shared > best.shared) best = { slot, shared };
    }
    return best;
  };

  /** Begins to fill a slot; what another slot holds of the prompt, in whole chunks, is copied. */
  const startFilling = async (job: Job): Promise<Filling> => {
    const { prompt } = job, { slot, shared } = bestSlot(prompt);
    const chunks = Math.floor(Math.min(shared, prompt.length - 1) / size);
    const done = chunks * size;
    const interleaved = rows.length > 0 && prompt.length - done > size;
    const next = jobs.peek()?.prompt ?? [];
    const usedAgain = samePrompt(prompt, next) || commonPrefix(prompt, next) >= size;
    const home = interleaved || usedAgain ? spare : rows.length;
    if (done > 0 && slot !== home) await cache.copy(slot, home, done);
    return { job, home, done, ms: 0 };
  };

  /** Prefills the next chunk; logits after the prompt once it is all there. */
  const fill = async (filling: Filling): Promise<Float32Array | undefined> => {
    const { job: { prompt }, home, done } = filling, start = performance.now();
    const chunk = prompt.slice(done, done + size);
    const logits = await cache.prefill(home, done, chunk, "last");
    filling.done += chunk.length;
    filling.ms += performance.now() - start;
    if (home === spare) inSpare = prompt.slice(0, filling.done);
    return filling.done === prompt.length ? logits : undefined;
  };

  /** A row for a prompt that lies in `home`, with its first token. */
  const startDecoding = async (job: Job, home: number): Promise<Row> => {
    const { logits, ms } = prefilled!, slot = rows.length;
    if (home !== slot) await cache.copy(home, slot, job.prompt.length);
    const row = startRow(model, job, ms);
    if (row.failed) return row;
    checkLogits(logits, 1, model);
    first.set(logits.subarray(0, first.length));
    const [made] = await distributions.of(first, [wanted(row)]);
    advance(model, row, made!);
    const { input } = row.next; // what is dense is overwritten by the next row's first token
    if (input.dense) row.next = { ...row.next, input: kept(input) };
    return row;
  };

  /** The next row, where its prompt is there; a long prompt goes on chunk by chunk. */
  const admit = async (): Promise<Row | undefined> => {
    const job = filling?.job ?? jobs.take()!;
    if (job.signal?.aborted) {
      filling = undefined;
      return startRow(model, job, 0);
    }
    if (!filling && samePrompt(job.prompt, prefilled?.prompt)) {
      const { slot, shared } = bestSlot(job.prompt);
      if (shared === job.prompt.length) return startDecoding(job, slot);
    }
    filling ??= await startFilling(job);
    const { home } = filling, logits = await fill(filling);
    if (!logits) return undefined;
    prefilled = { prompt: job.prompt, logits, ms: filling.ms };
    filling = undefined;
    return startDecoding(job, home);
  };

  while (rows.length > 0 || filling || await jobs.wait()) {
    let over = 0; // jobs that end at their first token: however many come, the others take their steps
    while (rows.length < count && over < count && (filling || jobs.peek())) {
      const row = await admit();
      if (!row && rows.length > 0) break; // the others take a step between two chunks
      if (!row) continue;
      if (row.last) yield told(row.job, row.last);
      if (row.finished || row.failed) {
        over++;
        yield ended(model, row);
      } else rows.push(row);
    }
    const turn = jobs.turn?.();
    if (turn) await turn;
    if (rows.length === 0) continue;
    const inputs = rows.map(({ next }) => next.input);
    const positions = rows.map(({ position }) => position);
    const logits = cache.stepRows
      ? await cache.stepRows(inputs, positions)
      : await cache.step(inputs, positions);
    checkLogits(logits, rows.length, model);
    const made = await distributions.of(logits, rows.map(wanted));
    for (const [slot, row] of rows.entries()) {
      row.position++;
      advance(model, row, made[slot]!);
      if (row.last) yield told(row.job, row.last);
    }
    for (let slot = rows.length - 1; slot >= 0; slot--) {
      const row = rows[slot]!;
      if (!row.finished && !row.failed) continue;
      yield ended(model, row);
      const last = rows.pop()!;
      if (last !== row) {
        rows[slot] = last;
        await cache.copy(rows.length, slot, last.position);
      }
    }
  }
}
