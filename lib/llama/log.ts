/**
 * What llama.cpp logs: nothing is printed, and the errors of what failed are collected.
 *
 * Its functions may log from any thread. A function of C that does nothing takes what is not wanted; what failed on a
 * thread of its own is done once more, and a function of JavaScript takes the errors then.
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

let errors = "", isError = false;
function openCallback() {
  return new Deno.UnsafeCallback(
    { parameters: ["i32", "pointer", "pointer"], result: "void" } as const,
    (level, message) => {
      if (level !== CONTINUED) isError = level === ERROR;
      if (isError && errors.length < MOST) errors += textAt(message);
    },
  );
}
/** Never closed, as a thread may just have begun to log; it keeps the process only while it is listened to. */
let callback: ReturnType<typeof openCallback> | undefined;

/**
 * Does work on another thread; where it gives null does it again, and collects the errors that are logged meanwhile.
 * The log is one for all threads of the process, workers too: so it is listened to where something failed, alone.
 *
 * @param isWanted Whether the errors of a failure are.
 */
export async function withErrors<T>(
  call: Calls,
  work: () => Promise<T | null>,
  isWanted: () => boolean = () => true,
): Promise<{ readonly result: T | null; readonly errors: string }> {
  const first = await work();
  if (first !== null || !isWanted()) return { result: first, errors: "" };
  return await alone(async () => {
    callback ??= openCallback();
    [errors, isError] = ["", false];
    callback.ref();
    try {
      call.llama_log_set(callback.pointer, null);
      return { result: await work(), errors: plain(errors) };
    } finally {
      logSilently(call);
      callback.unref();
    }
  });
}
