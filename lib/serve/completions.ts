/**
 * Completions over a batch that stays open: each request checked, given room and time, and answered.
 *
 * @module
 */

import { checkNumber } from "../_check.ts";
import { given } from "../_given.ts";
import { openBatch } from "../decode/mod.ts";
import type { Model } from "../model/mod.ts";
import { headOf } from "./answer.ts";
import { jsonOf } from "./body.ts";
import { choicesOf } from "./choices.ts";
import { ServeError } from "./error.ts";
import { openEvents } from "./events.ts";
import { openMetrics } from "./metrics.ts";
import { type Asked, readRequest, type Route } from "./request.ts";
import { streamedAnswer, wholeAnswer } from "./texts.ts";

/** What completions are bounded by, and the model's name. */
export interface CompletionLimits {
  readonly name: string;
  readonly length: number;
  readonly slots: number | undefined;
  readonly queue: number;
  readonly maxSeconds: number;
}

const unavailable = (message: string, code: string) =>
  new ServeError(message, { status: 503, code, headers: { "retry-after": "5" } });

/** Ends a request's texts once its client has gone or its time is up; gives what takes that back. */
export function bound({ signal }: Request, ended: AbortController, seconds: number): () => void {
  const gone = () => ended.abort(new ServeError("The client has gone", { status: 499 }));
  signal.addEventListener("abort", gone);
  if (signal.aborted) gone();
  const facts = { status: 504, code: "time_is_up" };
  const late = new ServeError(`The request took more than ${seconds} s`, facts);
  const timer = setTimeout(() => ended.abort(late), seconds * 1000);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", gone);
  };
}

/** Opens what answers completions of a model. */
export function openCompletions(
  model: Model,
  { name, length, slots, queue, maxSeconds }: CompletionLimits,
) {
  const batch = openBatch(model, given({ slots, length }));
  const metrics = openMetrics(), events = openEvents();
  const room = batch.slots + queue, running = new Set<AbortController>();
  let isOpen = true;

  /** Refuses where nothing more is answered. */
  const checkOpen = () => {
    if (batch.failed) throw unavailable("The model has failed", "model_failed");
    if (!isOpen) throw unavailable("The server shuts down", "shutting_down");
  };

  /** Refuses what finds no room in the queue. */
  const checkRoom = ({ prompts, n }: Asked) => {
    const count = prompts.length * n;
    if (count > room) {
      const facts = { status: 400, param: "n" };
      throw new ServeError(`Cannot complete more than ${room} choices at once here`, facts);
    }
    if (batch.running + batch.waiting + count <= room) return;
    const facts = { status: 429, code: "queue_full", headers: { "retry-after": "1" } };
    throw new ServeError(`The queue is full: ${batch.waiting} texts wait`, facts);
  };

  return {
    batch,
    metrics,
    checkOpen,
    /** Answers a request; rejects where it is refused, or fails before there is a token. */
    async answer(route: Route, request: Request): Promise<Response> {
      const start = performance.now();
      checkOpen();
      const asked = readRequest(route, await jsonOf(request), name), ended = new AbortController();
      checkRoom(asked);
      const choices = await choicesOf(model, asked, length, ended.signal);
      checkOpen();
      checkRoom(asked);
      const release = bound(request, ended, maxSeconds);
      running.add(ended);
      const done = () => {
        release();
        running.delete(ended);
      };
      const { tokenizer } = model, head = headOf(route, name);
      const all = { batch, tokenizer, metrics, events, head, asked, choices, ended, start };
      return asked.stream ? streamedAnswer(all, done) : wholeAnswer(all).finally(done);
    },
    /** Refuses further requests and waits for those that run; what is not done in time is ended. */
    async close(seconds: number): Promise<void> {
      checkNumber("close the server", "seconds", seconds, { min: 0, max: 1e6 });
      isOpen = false;
      const late = unavailable("The server shuts down", "shutting_down");
      const timer = setTimeout(() => running.forEach((one) => one.abort(late)), seconds * 1000);
      await batch.drain();
      clearTimeout(timer);
    },
  };
}
