/**
 * Lock files between processes.
 *
 * The lock is the operating system's, on an open file: it ends with the process that holds it, so
 * the file that stays behind means nothing. `huggingface_hub` locks in the same way.
 *
 * @module
 */

import { dirname } from "node:path";

/** Milliseconds between two attempts. */
const POLL = 100;

/** Resolves after some milliseconds, or rejects with the signal's reason. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Options of {@linkcode lockFile}. */
export interface LockOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Called now and then while somebody else holds the lock. */
  readonly onWait?: () => void | Promise<void>;
}

/**
 * Waits until this caller alone holds the lock.
 *
 * @param path The lock file; made where there is none, and left behind.
 * @param options Signal, and what to do meanwhile.
 * @returns What releases the lock when disposed.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<Disposable> {
  const { signal, onWait } = options;
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    while (!await acquire(file)) {
      await onWait?.();
      await delay(POLL, signal);
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() }; // closing unlocks
}

/** Whether the lock is held now; a file system that has no locks counts as held. */
async function acquire(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch {
    return true; // what is written under the lock is the same whoever writes it
  }
}
