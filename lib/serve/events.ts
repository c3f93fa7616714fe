/**
 * Server-sent events. What is sent is written at the event loop's next turn, all streams at once: while the model takes
 * its next step on another thread. Who does not read must not fill the memory: the stream then ends with an error.
 *
 * @module
 */

import { ServeError } from "./error.ts";

/** Most bytes that wait for a reader. */
const MOST_BYTES = 2 ** 20;

const encoder = new TextEncoder();

/** A stream of events. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Sends an event; dropped where too much waits already. */
  send(data: object): void;
  /** Ends the stream, with an error as its last event, or else with `[DONE]`. */
  end(error?: object): void;
}

/** Work for the event loop's next turn. */
function nextTurn() {
  let waiting: (() => void)[] = [];
  const run = () => {
    const now = waiting;
    waiting = [];
    for (const work of now) work();
  };
  return (work: () => void) => {
    if (waiting.push(work) === 1) setTimeout(run, 0);
  };
}

/** What opens streams of events; `gone` is called once nobody reads it any more, with what is wrong. */
export function openEvents(): (gone: (why: ServeError) => void) => EventStream {
  const later = nextTurn();
  return (gone) => {
    let controller: ReadableStreamDefaultController<Uint8Array>, pending = "";
    let isOpen = true, isFull = false;
    const body = new ReadableStream<Uint8Array>({
      start(own) {
        controller = own;
      },
      cancel() {
        isOpen = false;
        gone(new ServeError("The client has gone", { status: 499 }));
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: MOST_BYTES }));
    const flush = () => {
      if (!isOpen || pending === "") return;
      controller.enqueue(encoder.encode(pending));
      pending = "";
      if (controller.desiredSize! > 0 || isFull) return;
      isFull = true;
      const facts = { status: 408, code: "unread" };
      gone(new ServeError(`The client left ${MOST_BYTES} bytes unread`, facts));
    };
    const write = (text: string) => {
      if (pending === "") later(flush);
      pending += text;
    };
    const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
    return {
      body,
      send(data) {
        if (isOpen && !isFull) write(event(data));
      },
      end(error) {
        write(error ? event(error) : "data: [DONE]\n\n");
        flush();
        if (isOpen) controller.close();
        isOpen = false;
      },
    };
  };
}
