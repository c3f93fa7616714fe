/**
 * Server-sent events. What is sent is written at the event loop's next turn, all streams at once: while the model takes
 * its next step on another thread. Who does not read must not fill the memory: the stream then ends with an error.
 *
 * @module
 */

/** Most bytes that wait for a reader. */
const MOST_BYTES = 2 ** 20;

const encoder = new TextEncoder();

/** A stream of events. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Sends an event. */
  send(data: object): void;
  /** Ends the stream; `data: [DONE]` says that it is whole. */
  end(isWhole: boolean): void;
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

/** What opens streams of events; `gone` is called once nobody reads it any more. */
export function openEvents(): (gone: () => void) => EventStream {
  const later = nextTurn();
  return (gone) => {
    let controller: ReadableStreamDefaultController<Uint8Array>, isOpen = true, pending = "";
    const close = (how: () => void) => {
      if (!isOpen) return;
      isOpen = false;
      how();
    };
    const body = new ReadableStream<Uint8Array>({
      start(own) {
        controller = own;
      },
      cancel: () => close(gone),
    }, new ByteLengthQueuingStrategy({ highWaterMark: MOST_BYTES }));
    const flush = () => {
      if (!isOpen || pending === "") return;
      controller.enqueue(encoder.encode(pending));
      pending = "";
      if (controller.desiredSize! > 0) return;
      close(() => {
        controller.error(new Error(`the client left ${MOST_BYTES} bytes unread`));
        gone();
      });
    };
    const write = (text: string) => {
      if (pending === "") later(flush);
      pending += text;
    };
    return {
      body,
      send: (data) => write(`data: ${JSON.stringify(data)}\n\n`),
      end(isWhole) {
        if (isWhole) write("data: [DONE]\n\n");
        flush();
        close(() => controller.close());
      },
    };
  };
}
