/**
 * A request's texts, from the batch to its answer, whole or as they come.
 *
 * @module
 */

import type { Generation, OpenBatch, Step, ToldToken } from "../decode/mod.ts";
import type { Tokenizer } from "../model/mod.ts";
import { answerOf, chunksOf, type Head, type Made, usageChunk, usageOf } from "./answer.ts";
import type { Choice } from "./choices.ts";
import { errorBody, inFields, refusedBy, serveError } from "./error.ts";
import type { openEvents } from "./events.ts";
import { methodFieldOf } from "./method_fields.ts";
import { labels, type Metrics } from "./metrics.ts";
import { type Asked, optionFieldOf } from "./request.ts";

/** A request that runs. */
export interface Running {
  readonly batch: OpenBatch;
  readonly tokenizer: Tokenizer;
  readonly metrics: Metrics;
  readonly head: Head;
  readonly asked: Asked;
  readonly choices: readonly Choice[];
  /** Ends all of its texts; the reason is answered. */
  readonly ended: AbortController;
  /** When it came, as of `performance.now()`. */
  readonly start: number;
  /** Opens a stream of events. */
  readonly events: ReturnType<typeof openEvents>;
}

/** Counts a text that has ended. */
function countEnd({ metrics }: Running, { prompt }: Choice, { tokens, finishReason }: Generation) {
  metrics.texts.add(1, labels({ reason: finishReason }));
  metrics.promptTokens.add(prompt.length);
  metrics.tokens.add(tokens.length);
}

/** Adds a choice to the batch; its text fails where it is ended before its time. */
async function textOf(
  running: Running,
  choice: Choice,
  tell: (told: ToldToken | Step) => void,
): Promise<Made> {
  const { batch, metrics, asked, ended: { signal }, start } = running;
  let last: number | undefined;
  const onToken = (told: ToldToken | Step) => {
    const now = performance.now();
    if (last === undefined) metrics.first.observe((now - start) / 1000);
    else metrics.next.observe((now - last) / 1000);
    last = now;
    tell(told);
  };
  const text = inFields(optionFieldOf(asked.route), () => batch.add(choice.request, onToken));
  const generation = await text.catch((error) => {
    metrics.texts.add(1, labels({ reason: "failed" }));
    throw batch.failed ? error : refusedBy(methodFieldOf, error);
  });
  countEnd(running, choice, generation);
  if (generation.finishReason === "aborted") throw serveError(signal.reason);
  return { choice, generation };
}

/** All texts of a request; where one fails, the others are ended. */
async function textsOf(
  running: Running,
  tell: (choice: Choice, told: ToldToken | Step) => void,
  finish: (made: Made) => void,
): Promise<Made[]> {
  const { choices, ended } = running;
  const all = choices.map(async (choice) => {
    const made = await textOf(running, choice, (told) => tell(choice, told));
    finish(made);
    return made;
  });
  try {
    return await Promise.all(all);
  } catch (error) {
    ended.abort(error);
    await Promise.allSettled(all);
    throw error;
  }
}

const nothing = () => {};

/** The answer of a request that is not streamed. */
export async function wholeAnswer(running: Running): Promise<Response> {
  const { head, tokenizer, asked } = running;
  const all = await textsOf(running, nothing, nothing);
  return Response.json(answerOf(head, tokenizer, asked, all));
}

/** Those of a stream of events. */
export const EVENT_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
};

/**
 * The answer of a request that is streamed. It begins with the first token, so that what fails before has a
 * status.
 *
 * @param done Called when the last text has ended.
 */
export async function streamedAnswer(running: Running, done: () => void): Promise<Response> {
  const { head, tokenizer, asked, choices, ended } = running;
  const events = running.events((why) => ended.abort(why));
  const chunks = choices.map((choice) => chunksOf(head, tokenizer, asked, choice));
  const send = (chunk: object | undefined) => {
    if (chunk) events.send(chunk);
  };
  const begun = Promise.withResolvers<void>();
  let hasBegun = false;
  const begin = () => {
    if (hasBegun) return;
    hasBegun = true;
    for (const { first } of chunks) send(first());
    begun.resolve();
  };
  textsOf(running, ({ index }, told) => {
    begin();
    send(chunks[index]!.token(told));
  }, ({ choice: { index }, generation }) => {
    begin();
    send(chunks[index]!.last(generation));
  }).then((all) => {
    if (asked.includeUsage) send(usageChunk(head, asked, usageOf(asked, all)));
    events.end();
  }, (error) => {
    if (!hasBegun) return begun.reject(error);
    events.end(errorBody(serveError(error)));
  }).finally(done);
  await begun.promise;
  return new Response(events.body, { headers: EVENT_HEADERS });
}
