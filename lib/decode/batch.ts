/**
 * A batch that stays open: requests join it while it runs, at its next step, as those of a server do.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { checkNumber, checkOptions, number, type Rules } from "../_check.ts";
import type { Model } from "../model/mod.ts";
import { decode, type JobSource } from "./engine.ts";
import { usualSlots } from "./generate.ts";
import { generationOf, startRow } from "./row.ts";
import { type Generation, type Job, jobOf, type Request, type Step } from "./generation.ts";

/** The event loop gets its turn after this time: an engine may compute without leaving it one. */
const TURN_MS = 12;

/** Options of {@linkcode openBatch}. */
export interface OpenBatchOptions {
  /** Rows decoded at once. Default: as of `generateBatch`, for texts as long as `length`. */
  readonly slots?: number;
  /** Longest prompt and answer together, in tokens. Default: the model's `maxLength`. */
  readonly length?: number;
}

const RULES: Rules<OpenBatchOptions> = {
  slots: number({ min: 1, integer: true }),
  length: number({ min: 2, integer: true }),
};

/** A token of a text, as it becomes certain: the texts of all of them join to that of the generation. */
export interface ToldToken {
  /** Token id. */
  readonly token: number;
  /** The text that it makes certain, as of a {@linkcode Step}. */
  readonly text: string;
}

/** A batch that requests join while it runs. */
export interface OpenBatch extends AsyncDisposable {
  /** Rows decoded at once, at most. */
  readonly slots: number;
  /** Longest prompt and answer together, in tokens. */
  readonly length: number;
  /** Requests that are being decoded. */
  readonly running: number;
  /** Requests that wait for a row. */
  readonly waiting: number;
  /** What has ended the batch, where the model failed: it takes no more requests. */
  readonly failed: { readonly error: unknown } | undefined;
  /** Resolves when it is drained; rejects with what the model failed with. */
  readonly finished: Promise<void>;
  /**
   * Adds a request; it is checked at once and joins at the next step.
   *
   * @param onToken Called with every token: with its step, where the request asks for a trace.
   * @returns The generation, as `generate` gives it alone; rejects where its own method, sampler or `onToken`
   * fails, or the batch.
   * @throws {TypeError | RangeError} Where the request is none, or does not fit in `length`.
   */
  add(request: Request, onToken?: (token: ToldToken | Step) => void): Promise<Generation>;
  /** Takes no more requests and waits for those that are there. */
  drain(): Promise<void>;
}

/** A request on its way. */
interface Asked {
  readonly onToken: ((token: ToldToken | Step) => void) | undefined;
  readonly done: PromiseWithResolvers<Generation>;
  readonly abort: () => void;
  /** What its listener threw, which ends it alone. */
  fault?: { readonly error: unknown };
}

/** Jobs that come while the loop runs, first come, first served. */
function openQueue() {
  const waiting = new Set<Job>();
  let closed = false, turned = performance.now(), wake: (() => void) | undefined;
  const rouse = () => {
    wake?.();
    wake = undefined;
  };
  const next = () => waiting.values().next().value;
  const source: JobSource = {
    peek: next,
    take() {
      const job = next();
      if (job) waiting.delete(job);
      return job;
    },
    async wait() {
      while (waiting.size === 0 && !closed) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      return waiting.size > 0;
    },
    turn() {
      const now = performance.now();
      if (now - turned < TURN_MS) return undefined;
      turned = now;
      return setImmediate(); // requests come or are aborted, and answers go
    },
  };
  return {
    source,
    waiting,
    add(job: Job) {
      waiting.add(job);
      rouse();
    },
    close() {
      closed = true;
      rouse();
    },
  };
}

/** A job whose text ends where the length does; refused where that leaves no room for one. */
function fitting(job: Job, length: number): Job {
  const { prompt, maxNewTokens } = job, room = length - prompt.length + 1;
  if (room > 1) return { ...job, maxNewTokens: Math.min(maxNewTokens, room) };
  throw new RangeError(
    `Cannot generate as the prompt must be shorter than the ${length} tokens of a text here: ` +
      `current value is ${prompt.length}`,
  );
}

/**
 * Opens a batch.
 *
 * @param model A model that decodes here; it must outlive the batch.
 * @returns The batch. Disposing it aborts what is there.
 *
 * @example Two requests that come one after the other run side by side
 * ```ts
 * import { generate, moi, openBatch } from "@moi/moi/decode";
 * import { loadModel } from "@moi/moi/model";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("votes-tiny");
 * await using batch = openBatch(model, { slots: 2, length: 32 });
 * const options = { method: moi(), seed: 1, maxNewTokens: 8 };
 * let told = "";
 * const first = batch.add({ prompt: [1], ...options }, ({ text }) => told += text);
 * const second = batch.add({ prompt: [1], maxNewTokens: 4 });
 * assertEquals((await first).text, (await generate(model, [1], options)).text);
 * assertEquals((await first).text, told);
 * await second;
 * ```
 */
export function openBatch(model: Model, options: OpenBatchOptions = {}): OpenBatch {
  checkOptions("open a batch", options, RULES);
  const { length = model.maxLength } = options;
  checkNumber("open a batch", "length", length, { min: 2, max: model.maxLength });
  const { slots = usualSlots(model, length) } = options;
  const asked = new Map<number, Asked>(), queue = openQueue();
  let count = 0, failed: { readonly error: unknown } | undefined, isOpen = true;

  const settle = (index: number, how: (done: Asked["done"]) => void) => {
    const { done, fault } = asked.get(index)!;
    asked.delete(index);
    if (fault) done.reject(fault.error);
    else how(done);
  };
  const tell = (own: Asked, told: ToldToken | Step) => {
    if (own.fault) return;
    try {
      own.onToken?.(told);
    } catch (error) {
      own.fault = { error };
      own.abort();
    }
  };
  const loop = async () => {
    for await (const event of decode(model, queue.source, { slots, length })) {
      const { index } = event;
      if ("generation" in event) settle(index, ({ resolve }) => resolve(event.generation));
      else if ("error" in event) settle(index, ({ reject }) => reject(event.error));
      else tell(asked.get(index)!, "step" in event ? event.step : event);
    }
  };
  const finished = loop();
  const running = finished.catch((error) => {
    failed = { error };
    for (const index of asked.keys()) settle(index, ({ reject }) => reject(error));
  });
  const drain = async () => {
    isOpen = false;
    queue.close();
    await running;
  };
  return {
    slots,
    length,
    finished,
    get running() {
      return asked.size - queue.waiting.size;
    },
    get waiting() {
      return queue.waiting.size;
    },
    get failed() {
      return failed;
    },
    add(request, onToken) {
      if (failed) throw failed.error;
      if (!isOpen) throw new Error("Cannot add a request as the batch is closed");
      const own = fitting(jobOf(model, request, count++), length), { index, signal } = own;
      const ended = new AbortController(), done = Promise.withResolvers<Generation>();
      const job: Job = { ...own, signal: ended.signal, tells: onToken !== undefined };
      const abort = () => {
        ended.abort();
        if (!queue.waiting.delete(job)) return;
        settle(index, ({ resolve }) => resolve(generationOf(model, startRow(model, job, 0))));
      };
      asked.set(index, { onToken, done, abort });
      queue.add(job);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort, { once: true });
      return done.promise.finally(() => signal?.removeEventListener("abort", abort));
    },
    drain,
    async [Symbol.asyncDispose]() {
      for (const { abort } of [...asked.values()]) abort();
      await drain();
    },
  };
}
