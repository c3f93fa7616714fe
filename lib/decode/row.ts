/**
 * A job that occupies a slot: its tokens, its text, and what its method feeds back next.
 *
 * @module
 */

import { SMALL_VOCABULARY } from "../graph/mod.ts";
import {
  checkMixture,
  kept,
  type Mixture,
  type Model,
  offSampleMass,
  oneToken,
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
import { type Notes, openNotes } from "./notes.ts";
import type { Made, WantedRow } from "./distributions.ts";
import type { Distribution } from "./distribution.ts";
import { type Chain, chainOf } from "./sampler.ts";
import { STREAM, uniform } from "../_random.ts";
import type { History } from "./transforms.ts";
import type { MethodStep } from "./method.ts";
import { endedText, textStream } from "./text.ts";

/** A job that occupies a slot. */
export interface Row {
  readonly job: Job;
  readonly tokens: number[];
  readonly trace: Step[];
  /** The same in few bytes, where asked for. */
  readonly notes: Notes | undefined;
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
  /** What its method or its sampler threw; no other row knows of it. */
  failed: { readonly error: unknown } | undefined;
  /** What is told of its last token; undefined where nothing is. */
  last: Step | { readonly token: number; readonly text: string } | undefined;
}

const NONE: readonly number[] = [];

/** What a row's next distribution must be. */
export function wanted({ job, chain, tokens, history }: Row): WantedRow {
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
export function advance(model: Model, row: Row, made: Made): void {
  row.last = undefined;
  if (row.job.signal?.aborted) row.finished = "aborted";
  else if ("error" in made) row.failed = made;
  else attempt(row, () => takeStep(model, row, made.distribution));
}

/** What a row's own method or sampler does wrong ends that row alone. */
function attempt(row: Row, work: () => void): void {
  try {
    work();
  } catch (error) {
    row.failed = { error };
  }
}

function takeStep(model: Model, row: Row, distribution: Distribution): void {
  const { job, tokens } = row;
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
  let text = told?.text ?? "";
  if (row.finished === undefined) row.text += text;
  else {
    row.text = endedText(model.tokenizer, tokens, job);
    text = row.text.slice(before);
  }

  row.notes?.add(recorded, distribution, row.next.input, mass);
  if (job.top > 0) {
    const norm = relativeNorm(model, row.next.input, recorded);
    const step: Step = {
      index,
      token: recorded,
      text,
      entropy: distribution.normalizedEntropy,
      probability: distribution.probability(recorded),
      mixture: mixtureRecord(row.next.input, distribution),
      offSampleMass: mass,
      candidates: candidatesOf(model, distribution, job.top),
      ...(isEnd ? { end: true } : {}),
      ...(made.event === undefined ? {} : { event: made.event }),
      ...(recorded === token ? {} : { drawn: token }),
      ...(norm === undefined ? {} : { norm }),
    };
    row.trace.push(step);
    row.last = step;
  } else if (job.tells) row.last = { token: recorded, text };
}

/** Text that is certain of tokens that were broken off. */
function certainText(model: Model, { job, tokens, text, tell }: Row): string {
  if (tell) return text;
  const all = textStream(model.tokenizer, job.stop);
  return tokens.map((token) => all(token).text).join("");
}

/** The generation of a row that has ended, or was broken off. */
export function generationOf(model: Model, row: Row): Generation {
  const { job, tokens, finished = "aborted" } = row;
  const count = Math.max(1, tokens.length), isEnd = job.eos.has(tokens.at(-1)!);
  const text = finished === "aborted" ? certainText(model, row) : row.text;
  const compact = row.notes?.packed(model.tokenizer, tokens, text, isEnd);
  return {
    text,
    tokens,
    finishReason: finished,
    promptTokens: job.prompt.length,
    sampler: recordOf(job),
    mixing: {
      meanEntropy: row.entropy / count,
      meanOffSampleMass: row.offSampleMass / count,
    },
    ...(job.top > 0 ? { trace: row.trace } : {}),
    ...(compact ? { compact } : {}),
    timing: { prefillMs: row.prefillMs, decodeMs: performance.now() - row.started },
  };
}

/** A row for a job whose prompt is in the cache: its method is ready, or has failed. */
export function startRow(model: Model, job: Job, prefillMs: number): Row {
  const tokens: number[] = [], isTold = job.top > 0 || job.tells || job.stop.length > 0;
  const row: Row = {
    job,
    tokens,
    history: { prompt: job.prompt, generated: tokens },
    trace: [],
    notes: job.notes ? openNotes() : undefined,
    tell: isTold ? textStream(model.tokenizer, job.stop) : undefined,
    text: "",
    position: job.prompt.length,
    next: { input: { ids: [], weights: [] }, state: undefined },
    forced: NONE,
    chain: { transforms: [] },
    entropy: 0,
    offSampleMass: 0,
    prefillMs,
    started: performance.now(),
    finished: job.signal?.aborted ? "aborted" : undefined,
    failed: undefined,
    last: undefined,
  };
  attempt(row, () => {
    row.chain = chainOf(job.sampler);
    const state = job.method.init({
      vocabularySize: model.config.vocabularySize,
      prompt: job.prompt,
      maxNewTokens: job.maxNewTokens,
      tokenizer: model.tokenizer,
      ...("temperature" in job.sampler ? { sampler: job.sampler } : { transforms: job.sampler }),
      uniform: (step, index) => uniform(job.seed, STREAM.method, step, index),
    });
    row.next = { ...row.next, state };
  });
  return row;
}
