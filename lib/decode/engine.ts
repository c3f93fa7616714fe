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

import { SMALL_VOCABULARY } from "../graph/mod.ts";
import {
  checkMixture,
  kept,
  type KvCache,
  type LogitRows,
  type Mixture,
  type Model,
  offSampleMass,
  oneToken,
  PREFILL_CHUNK,
  SHORTLIST,
} from "../model/mod.ts";
import {
  type Candidate,
  type FinishReason,
  type Generation,
  type Job,
  recordOf,
  type Step,
} from "./generation.ts";
import { relativeNorm } from "./norm.ts";
import { openDistributions, type WantedRow } from "./distributions.ts";
import type { Distribution } from "./distribution.ts";
import { type Chain, chainOf } from "./sampler.ts";
import { STREAM, uniform } from "../_random.ts";
import type { History } from "./transforms.ts";
import type { MethodStep } from "./method.ts";
import { firstStop, textStream } from "./text.ts";

/** What the loop tells: a step of a job that records steps, or a finished job. */
export type DecodeEvent =
  | { readonly index: number; readonly step: Step }
  | { readonly index: number; readonly generation: Generation };

/** A job that occupies a slot. */
interface Row {
  readonly job: Job;
  readonly tokens: number[];
  readonly trace: Step[];
  /** Text as it becomes certain; where nobody asks for it, it is made at the end. */
  readonly tell: ReturnType<typeof textStream> | undefined;
  /** Text told so far; that of a finished row is whole. */
  text: string;
  /** Position at which the next input is written. */
  position: number;
  next: MethodStep<unknown>;
  /** Tokens that follow whatever is drawn. */
  forced: readonly number[];
  chain: Chain;
  entropy: number;
  offSampleMass: number;
  readonly prefillMs: number;
  readonly started: number;
  /** What transforms look at. */
  readonly history: History;
  finished: FinishReason | undefined;
}

const NONE: readonly number[] = [];

/** What a row's next distribution must be. */
function wanted({ job, chain, tokens, history }: Row): WantedRow {
  return { chain, step: tokens.length, needs: job.method.needs, history };
}

function candidatesOf(model: Model, distribution: Distribution, top: number): Candidate[] {
  return distribution.top(top).ids.map((token) => ({
    token,
    text: model.tokenizer.decode([token]),
    probability: distribution.probability(token),
  })).sort((a, b) => b.probability - a.probability);
}

/** A mixture as a trace keeps it: of a dense one the heaviest entries. */
function mixtureRecord(mixture: Mixture, distribution: Distribution): Mixture {
  const { dense, ...list } = kept(mixture);
  if (!dense) return list;
  const { ids, weights, ...flags } = list, entries = new Map<number, number>();
  const weightOf = (id: number) => entries.get(id) ?? dense.weight * dense.probabilities[id]!;
  const likely = distribution.ids.length > SMALL_VOCABULARY
    ? distribution.top(SHORTLIST)
    : distribution;
  for (const id of likely.ids) entries.set(id, weightOf(id));
  for (let k = 0; k < ids.length; k++) entries.set(ids[k]!, weightOf(ids[k]!) + weights[k]!);
  return { ids: [...entries.keys()], weights: [...entries.values()], ...flags };
}

/** Samples a row's next token and lets its method make the next input. */
function advance(model: Model, row: Row, distribution: Distribution): void {
  const { job, tokens } = row;
  if (job.signal?.aborted) {
    row.finished = "aborted";
    return;
  }
  const index = tokens.length, forced = row.forced[0];
  const token = forced ?? distribution.draw(uniform(job.seed, STREAM.sample, index));
  const made = job.method.step(distribution, token, row.next.state, forced !== undefined);
  if (forced === undefined) {
    checkMixture(made.input, model.config.vocabularySize, `the method '${job.method.name}'`);
  }
  const recorded = forced ?? made.token ?? token;
  row.next = forced === undefined ? made : { ...made, input: oneToken(forced) };
  row.forced = forced === undefined
    ? made.force ?? NONE
    : [...row.forced.slice(1), ...made.force ?? NONE];
  if (made.sampler) row.chain = chainOf(made.sampler);
  tokens.push(recorded);
  const mass = offSampleMass(row.next.input, recorded);
  row.entropy += distribution.normalizedEntropy;
  row.offSampleMass += mass;

  const isEnd = job.eos.has(recorded);
  const told = isEnd ? undefined : row.tell?.(recorded), before = row.text.length;
  const full = tokens.length === job.maxNewTokens || row.position === model.maxLength;
  if (made.stop || isEnd || told?.stopped) row.finished = "stop";
  else if (full) row.finished = "length";
  row.text = row.finished === undefined ? row.text + (told?.text ?? "") : textOf(model, row);

  if (job.top > 0) {
    const norm = relativeNorm(model, row.next.input, recorded);
    row.trace.push({
      index,
      token: recorded,
      text: row.text.slice(before),
      entropy: distribution.normalizedEntropy,
      probability: distribution.probability(recorded),
      mixture: mixtureRecord(row.next.input, distribution),
      offSampleMass: mass,
      candidates: candidatesOf(model, distribution, job.top),
      ...(isEnd ? { end: true } : {}),
      ...(made.event === undefined ? {} : { event: made.event }),
      ...(recorded === token ? {} : { drawn: token }),
      ...(norm === undefined ? {} : { norm }),
    });
  }
}

/** Text of all tokens, without the end-of-text token and from the first stop text on. */
function textOf(model: Model, { job, tokens }: Row): string {
  const ended = job.eos.has(tokens.at(-1)!);
  const whole = model.tokenizer.decode(ended ? tokens.slice(0, -1) : tokens);
  const cut = firstStop(whole, job.stop);
  return cut >= 0 ? whole.slice(0, cut) : whole;
}

/** Text that is certain of tokens that were broken off. */
function certainText(model: Model, { job, tokens, text, tell }: Row): string {
  if (tell) return text;
  const all = textStream(model.tokenizer, job.stop);
  return tokens.map((token) => all(token).text).join("");
}

function generationOf(model: Model, row: Row): Generation {
  const { job, tokens, finished = "aborted" } = row;
  const count = Math.max(1, tokens.length);
  return {
    text: finished === "aborted" ? certainText(model, row) : row.text,
    tokens,
    finishReason: finished,
    promptTokens: job.prompt.length,
    sampler: recordOf(job),
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
    maxNewTokens: job.maxNewTokens,
    tokenizer: model.tokenizer,
    ...("temperature" in job.sampler ? { sampler: job.sampler } : { transforms: job.sampler }),
    uniform: (step, index) => uniform(job.seed, STREAM.method, step, index),
  });
  const tokens: number[] = [];
  return {
    job,
    tokens,
    history: { prompt: job.prompt, generated: tokens },
    trace: [],
    tell: job.top > 0 || job.stop.length > 0 ? textStream(model.tokenizer, job.stop) : undefined,
    text: "",
    position: job.prompt.length,
    next: { input: { ids: [], weights: [] }, state },
    forced: NONE,
    chain: chainOf(job.sampler),
    entropy: 0,
    offSampleMass: 0,
    prefillMs,
    started: performance.now(),
    finished: job.signal?.aborted ? "aborted" : undefined,
  };
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

/** Decodes checked requests, at most `slots` at once; events come in the order in which they happen. */
export async function* decode(
  model: Model,
  jobs: readonly Job[],
  slots: number,
): AsyncGenerator<DecodeEvent> {
  if (jobs.length === 0) return;
  const reach = jobs.map(({ prompt, maxNewTokens }) => prompt.length + maxNewTokens - 1);
  const length = Math.min(model.maxLength, reach.reduce((a, b) => Math.max(a, b), 1));
  const count = Math.min(slots, jobs.length);
  using cache: KvCache = model.openCache({ slots: count + 1, length });
  using distributions = openDistributions(model);
  const { chunk: size = PREFILL_CHUNK } = cache;
  const spare = count, first = new Float32Array(model.config.vocabularySize);
  // in the order of their prompt's first appearance, so that equal prompts are neighbours
  const waiting = [...Map.groupBy(jobs, ({ prompt }) => prompt.join()).values()].flat().reverse();
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
    const next = waiting.at(-1)?.prompt ?? [];
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
    checkLogits(logits, 1, model);
    first.set(logits.subarray(0, first.length));
    const [distribution] = await distributions.of(first, [wanted(row)]);
    advance(model, row, distribution!);
    const { input } = row.next; // what is dense is overwritten by the next row's first token
    if (input.dense) row.next = { ...row.next, input: kept(input) };
    return row;
  };

  /** The next row, where its prompt is there; a long prompt goes on chunk by chunk. */
  const admit = async (): Promise<Row | undefined> => {
    const job = filling?.job ?? waiting.pop()!;
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

  while (rows.length > 0 || waiting.length > 0 || filling) {
    while (rows.length < count && (waiting.length > 0 || filling)) {
      const row = await admit();
      if (!row && rows.length > 0) break; // the others take a step between two chunks
      if (!row) continue;
      yield* row.trace.map((step) => ({ index: row.job.index, step }));
      if (row.finished) yield { index: row.job.index, generation: generationOf(model, row) };
      else rows.push(row);
    }
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
      const steps = row.trace.length;
      advance(model, row, made[slot]!);
      if (row.trace.length > steps) yield { index: row.job.index, step: row.trace[steps]! };
    }
    for (let slot = rows.length - 1; slot >= 0; slot--) {
      const row = rows[slot]!;
      if (!row.finished) continue;
      yield { index: row.job.index, generation: generationOf(model, row) };
      const last = rows.pop()!;
      if (last !== row) {
        rows[slot] = last;
        await cache.copy(rows.length, slot, last.position);
      }
    }
  }
}
