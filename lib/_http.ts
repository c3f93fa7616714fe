/**
 * What those share who ask or answer over HTTP: waiting, and reading what the other side says.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { setTimeout as after } from "node:timers/promises";

/** Resolves after some milliseconds, or rejects with the signal's reason. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  await after(ms, undefined, signal && { signal }).catch(() => {});
  signal?.throwIfAborted();
}

/** Milliseconds that an answer's `Retry-After` asks to wait: seconds or a date; undefined where it says nothing. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text && /^\d+$/.test(text)) return Number(text) * 1000;
  const date = text ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The bytes of a body, whose pieces may never end: `tooMany` is thrown where they are more than `most`. */
export async function bytesWithin(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most: number,
  tooMany: () => Error,
): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > most) throw tooMany();
    all.push(piece);
  }
  return Buffer.concat(all, length);
}

/** What a server wrote, on one line and short. */
export function foreign(text: string | null, length = 160): string {
  // deno-lint-ignore no-control-regex
  return (text ?? "").replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim().slice(0, length);
}
