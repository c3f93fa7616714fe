/**
 * What a step costs on a device, for a model of a real shape: by batch, context and what is fed back.
 *
 * The methods that are compared share one batch: all of its rows turn from one method to the next every
 * few steps, round after round, so that one prefill serves them all and whatever else the machine does
 * hits them alike. The first round warms up, and so does the first step after every turn.
 */

import process from "node:process";
import { generateBatch, type Method, moi, standard } from "../../lib/decode/mod.ts";
import type { Model } from "../../lib/model/mod.ts";
import { ort } from "../../lib/runtime/api.ts";
import { promptOf } from "../bench/prompts.ts";
import { clocked, quantile, type Summary, summary } from "../bench/rows.ts";
import { type Figure, stepName } from "./found.ts";
import { loadOn, refused, seen } from "./models.ts";
import { onLlama } from "./card.ts";
import type { Part } from "./part.ts";
import { type Format, type Made, placeOf } from "../bench/weights.ts";

/** Rounds that count. */
const ROUNDS = 3;

/** Candidates of the sampler: 64, and the whole vocabulary. */
const CANDIDATES = [64, 0];

/** Batches and contexts, the most telling first. */
const PLACES: readonly (readonly [batch: number, context: number])[] = [
  [1, 256],
  [32, 256],
  [1, 2048],
  [8, 256],
  [32, 2048],
  [128, 256],
  [8, 2048],
  [128, 2048],
];

/** What a moment looked like: when it was, processor time, and time inside the runtime by function. */
interface Moment {
  readonly at: number;
  readonly processor: number;
  readonly inside: Readonly<Record<string, number>>;
}

/** Counts milliseconds inside what runs graphs and copies tensors, until it is disposed. */
function countCalls(): Disposable & { now(): Moment } {
  const inside: Record<string, number> = {}, undo: (() => void)[] = [];
  const { call, callAsync } = ort();
  for (const table of [call, callAsync] as Record<string, (...args: unknown[]) => unknown>[]) {
    for (const [name, fn] of Object.entries(table)) {
      if (!/^(Run|CopyTensors|Synchronize)/.test(name)) continue;
      const add = (begin: number) => inside[name] = (inside[name] ?? 0) + performance.now() - begin;
      table[name] = (...args) => {
        const begin = performance.now(), result = fn(...args);
        if (result instanceof Promise) return result.finally(() => add(begin));
        add(begin);
        return result;
      };
      undo.push(() => table[name] = fn);
    }
  }
  return {
    now() {
      const { user, system } = process.cpuUsage();
      return { at: performance.now(), processor: (user + system) / 1e3, inside: { ...inside } };
    },
    [Symbol.dispose]: () => undo.forEach((restore) => restore()),
  };
}

/** Which method each step feeds by: rounds of so many steps of every method, in turns. */
export function turns(methods: number, rounds: number, steps: number): number[] {
  return Array.from({ length: rounds }, (_, round) => {
    const order = Array.from({ length: methods }, (_, i) => i);
    return (round % 2 === 0 ? order : order.reverse()).flatMap((i) => Array<number>(steps).fill(i));
  }).flat();
}

/** One method after the other; `mark` is called at the first row's steps. */
function inTurns(methods: readonly Method[], plan: readonly number[], mark?: () => void): Method {
  return {
    name: "turns",
    init: (context) => methods.map((method) => method.init(context)),
    step(distribution, token, states) {
      mark?.();
      const i = plan[Math.min(distribution.step, plan.length - 1)]!;
      const { input } = methods[i]!.step(distribution, token, (states as unknown[])[i]);
      return { input, state: states };
    },
  };
}

/** Times of one method's steps, of the rounds that count. */
interface Timed extends Summary {
  /** Medians by round. */
  readonly rounds: readonly number[];
  readonly js: number;
  readonly processor: number;
  readonly inside: Readonly<Record<string, number>>;
}

/** Sums up the steps of each method. */
export function timesOf(
  moments: readonly Moment[],
  plan: readonly number[],
  methods: number,
  steps: number,
): Timed[] {
  return Array.from({ length: methods }, (_, method) => {
    const times: number[] = [], rounds = new Map<number, number[]>(), js: number[] = [];
    const processor: number[] = [], inside: Record<string, number> = {};
    plan.forEach((own, t) => {
      const before = moments[t], after = moments[t + 1], round = Math.floor(t / (steps * methods));
      const isCounted = own === method && round > 0 && plan[t - 1] === own && t % steps !== 0;
      if (!isCounted || !before || !after) return;
      const ms = after.at - before.at;
      let within = 0;
      for (const [name, total] of Object.entries(after.inside)) {
        const spent = total - (before.inside[name] ?? 0);
        inside[name] = (inside[name] ?? 0) + spent;
        within += spent;
      }
      times.push(ms);
      rounds.set(round, [...rounds.get(round) ?? [], ms]);
      js.push(ms - within);
      processor.push(after.processor - before.processor);
    });
    return {
      ...summary(times),
      rounds: [...rounds.values()].map((all) => quantile(all, 0.5)),
      js: quantile(js, 0.5),
      processor: quantile(processor, 0.5),
      inside: Object.fromEntries(
        Object.entries(inside).map(([name, ms]) => [name, ms / times.length]),
      ),
    };
  });
}

const METHODS = [standard(), moi({ beta: 1 })] as const, NAMES = ["standard", "moi"] as const;

/** Decodes a batch in turns. */
async function decoded(
  model: Model,
  { batch, context, candidates, steps }: Record<
    "batch" | "context" | "candidates" | "steps",
    number
  >,
  until: number,
): Promise<Timed[]> {
  const plan = turns(METHODS.length, ROUNDS + 1, steps), moments: Moment[] = [];
  const methods: readonly Method[] = METHODS;
  using calls = countCalls();
  const prompt = promptOf(context, model.config.vocabularySize);
  const requests = Array.from({ length: batch }, (_, row) => ({
    prompt,
    method: inTurns(methods, plan, row === 0 ? () => moments.push(calls.now()) : undefined),
    ...{ maxNewTokens: plan.length + 2, ignoreEos: true, seed: row },
    ...{ temperature: 1, topK: candidates, topP: 1, minP: 0 },
  }));
  const signal = AbortSignal.timeout(Math.max(1, until - Date.now()));
  for await (const { generation } of generateBatch(model, requests, { slots: batch, signal })) {
    if (generation.finishReason === "aborted") throw new Error("no time was left");
  }
  return timesOf(moments, plan, METHODS.length, steps);
}

async function measure(
  part: Part,
  model: Model,
  place: { readonly batch: number; readonly context: number },
): Promise<void> {
  const { kv } = model;
  const where = { device: part.device, model: part.model!, dtype: part.dtype!, kv, ...place };
  for (const candidates of CANDIDATES) {
    const steps = part.quick ? 4 : place.batch === 1 ? 17 : 9;
    const timed = await decoded(model, { ...place, candidates, steps }, part.until);
    timed.forEach(({ rounds: _, js, inside, ...times }, i) => {
      const within = onLlama(part.device) ? {} : { js, inside }; // it is ONNX Runtime that is looked into
      const step = { kind: "figure", what: "step", unit: "ms", method: NAMES[i]! } as const;
      part.tell({ ...step, ...where, candidates, ...within, ...times } satisfies Figure);
    });
    const [plain, mixing] = timed as [Timed, Timed];
    const ratios = mixing.rounds.map((ms, round) => ms / plain.rounds[round]!);
    const what = `${stepName({ method: "moi", candidates })} / standard`;
    part.tell({ kind: "ratio", what, ...where, ...summary(ratios) });
  }
}

/** Loads a model with keys and values in fp16, in fp32 where that is refused, as on the CPU. */
async function halfOrWhole(part: Part, { id, dtype }: Made): Promise<Model> {
  const maxLength = 2304;
  if (part.device !== "cpu") {
    try {
      return await loadOn(part, id, { dtype, kv: "fp16", maxLength });
    } catch (error) {
      if (refused(error) === undefined) throw error;
    }
  }
  return await loadOn(part, id, { dtype, kv: "fp32", maxLength });
}

/** Measures a model; what does not fit or has no time is left out by name. */
export async function speed(part: Part): Promise<void> {
  const { device, quick, folder, tell } = part, model = part.model!, dtype = part.dtype!;
  const made = placeOf(folder, model, dtype as Format);
  const places: typeof PLACES = quick ? [[1, 16], [4, 16]] : PLACES;
  await using scope = new AsyncDisposableStack();
  let loaded!: Model;
  const seconds = await clocked(async () => {
      loaded = scope.use(await halfOrWhole(part, made));
    }) / 1e3,
    { kv } = loaded;
  tell({ kind: "fact", what: `${device}, ${model} ${dtype}`, value: seen(loaded) });
  const load = { median: seconds, low: seconds, high: seconds };
  tell({ kind: "figure", what: "load", unit: "s", device, model, dtype, kv, ...load });
  for (const [batch, context] of places) {
    const where = { device, model, dtype, kv, batch, context };
    try {
      if (!part.hasTime()) throw new Error("no time was left");
      await measure(part, loaded, { batch, context });
    } catch (error) {
      tell({ kind: "left out", what: "steps", why: (error as Error).message, ...where });
    }
  }
}
