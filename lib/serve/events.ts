/**
 * Server-sent events. Who does not read them must not fill the memory: the stream then ends with an error.
 *
 * @module
 */

/** Most bytes that wait for a reader. */
const MOST_BYTES = 2 ** 20;

const encoder = new TextEncoder();

/** A stream of events. */
export type EventStream = ReturnType<typeof eventStream>;

/** Opens a stream of events; `gone` is called once nobody reads it any more. */
export function eventStream(gone: () => void) {
  let controller: ReadableByteStreamController, isOpen = true;
  const body = new ReadableStream<Uint8Array>({
    type: "bytes",
    start(own) {
      controller = own as ReadableByteStreamController;
    },
    cancel() {
      isOpen = false;
      gone();
    },
  });
  const write = (text: string) => {
    if (!isOpen) return;
    controller.enqueue(encoder.encode(text));
    if (controller.desiredSize! >= -MOST_BYTES) return;
    isOpen = false;
    controller.error(new Error(`the client left ${MOST_BYTES} bytes unread`));
    gone();
  };
  return {
    body,
    /** Sends an event. */
    send: (data: object) => write(`data: ${JSON.stringify(data)}\n\n`),
    /** Ends the stream; `data: [DONE]` says that it is whole. */
    end(isWhole: boolean) {
      if (isWhole) write("data: [DONE]\n\n");
      if (isOpen) controller.close();
      isOpen = false;
    },
  };
}
