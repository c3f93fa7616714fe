/**
 * What those share who ask servers: waiting, and reading what a server says.
 *
 * @module
 */

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

/** What a server wrote, on one line and short. */
export function foreign(text: string | null, length = 160): string {
  // deno-lint-ignore no-control-regex
  return (text ?? "").replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim().slice(0, length);
}
