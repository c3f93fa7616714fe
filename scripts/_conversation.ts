/** A conversation on the command line: a turn for each line that is read, the history kept. */

import type { Generation, Message } from "../mod.ts";

/** Texts cut into lines, without their ends. */
async function* linesOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw new TypeError("Cannot go on as stdin must be UTF-8", { cause });
    }
  };
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const parts = `${rest}${decode(next.value)}`.split("\n");
    rest = parts.pop()!;
    for (const line of parts) yield line.replace(/\r$/, "");
  }
  rest += decode();
  if (rest !== "") yield rest;
}

/** Lines of stdin without their ends, as they come. `return` gives up one that is waited for. */
export function stdinLines(): AsyncIterator<string, undefined> {
  const reader = Deno.stdin.readable.getReader(), lines = linesOf(reader);
  return {
    next: () => lines.next(),
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** What a conversation is had with. */
export interface Partner {
  /** Answers the messages so far; told the number of the turn, from 0. */
  readonly answer: (
    messages: readonly Message[],
    turn: number,
    signal: AbortSignal,
  ) => Promise<Generation>;
  /** The signal of the next interrupt. */
  readonly signal: () => AbortSignal;
  /** Called where a line is waited for. */
  readonly ready?: () => void;
}

/** Resolves when a signal aborts. */
const aborted = (signal: AbortSignal) =>
  new Promise<"interrupted">((resolve) => {
    if (signal.aborted) return resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });

/**
 * Answers line by line until the lines end, or there is an interrupt while one is waited for. An interrupt during
 * an answer ends the answer alone; what is there of it stays in the history. Blank lines are passed over.
 *
 * @param first What is said before any line, such as a system message and a first turn.
 * @returns How it ended.
 */
export async function converse(
  lines: AsyncIterator<string>,
  first: readonly Message[],
  { answer, signal, ready }: Partner,
): Promise<"ended" | "interrupted"> {
  const said = [...first];
  let turn = 0;
  const reply = async (own: AbortSignal) => {
    const { text, finishReason } = await answer(said, turn++, own);
    if (finishReason === "aborted" && text === "") said.pop(); // as if it had not been asked
    else said.push({ role: "assistant", content: text });
  };
  if (said.at(-1)?.role === "user") await reply(signal());
  while (true) {
    const own = signal();
    ready?.();
    const next = await Promise.race([lines.next(), aborted(own)]);
    if (next === "interrupted") {
      await lines.return?.();
      return next;
    }
    if (next.done) return "ended";
    if (next.value.trim() === "") continue;
    said.push({ role: "user", content: next.value });
    await reply(own);
  }
}
