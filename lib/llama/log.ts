/**
 * What llama.cpp logs: nothing is printed, and the errors of a load are collected.
 *
 * Its functions may log from any thread. A function of C that does nothing takes what is not wanted; while a load
 * runs on a thread of its own, a function of JavaScript takes the errors.
 *
 * @module
 */

import { inOrder } from "../_in_order.ts";
import { type Calls, textAt } from "./api.ts";

const NAMES = { darwin: "libSystem.dylib", windows: "msvcrt.dll" } as const;

function openLibc() {
  return Deno.dlopen(NAMES[Deno.build.os as keyof typeof NAMES] ?? "libc.so.6", {
    abs: { type: "pointer" },
    strlen: { type: "pointer" },
  }).symbols;
}
let libc: ReturnType<typeof openLibc> | undefined;

/** `strlen`, which says of a byte that is 0 false and of one before a 0 true: what a flag's callback must say. */
export const flagReader = (): Deno.PointerValue => (libc ??= openLibc()).strlen;

/** Silences the log. */
export function logSilently(call: Calls): void {
  libc ??= openLibc();
  call.llama_log_set(libc.abs, null);
}

/** What is said in one line, without what a terminal would follow: it may quote a file. */
// deno-lint-ignore no-control-regex
const plain = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim() || "no reason";

/** Levels of what is an error. */
const ERROR = 4, CONTINUED = 5;
/** Most characters that are collected. */
const MOST = 2000;

const alone = inOrder();

/**
 * Does work on another thread, and collects the errors that are logged meanwhile; one work at a time, as there is one
 * log.
 */
export function withErrors<T>(
  call: Calls,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly errors: string }> {
  return alone(async () => {
    let errors = "", isError = false;
    const callback = Deno.UnsafeCallback.threadSafe(
      { parameters: ["i32", "pointer", "pointer"], result: "void" } as const,
      (level, message) => {
        if (level !== CONTINUED) isError = level === ERROR;
        if (isError && errors.length < MOST) errors += textAt(message);
      },
    );
    try {
      call.llama_log_set(callback.pointer, null);
      return { result: await work(), errors: plain(errors) };
    } finally {
      logSilently(call);
      callback.close();
    }
  });
}
