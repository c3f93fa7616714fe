/**
 * The stop button of Jupyter ends the cell, not the kernel.
 *
 * Jupyter sends SIGINT, and the Deno kernel has no handler for it, so the kernel dies and all
 * variables with it (https://github.com/denoland/deno/issues/24491). A listener keeps it alive and
 * turns the signal into an `AbortSignal`, which every long function of this toolkit takes. In a
 * program the first Ctrl-C aborts in the same way, and a second one ends the program as usual.
 *
 * @module
 */

import { jupyter } from "./_jupyter.ts";

let current = new AbortController();
let listening = false;

/**
 * The signal of the next interrupt. Ask for a new one in each cell: an aborted signal stays aborted.
 *
 * The first call installs the SIGINT listener. It does nothing on Windows, where Jupyter interrupts
 * by other means and the signal never aborts.
 *
 * @returns A signal that aborts with an `AbortError` at the next SIGINT.
 *
 * @example A cell that can be stopped
 * ```ts ignore
 * import { interruptSignal } from "@moi/moi/plot";
 *
 * const runs = await runStudy(plan, { store: "runs.jsonl", signal: interruptSignal() });
 * ```
 */
export function interruptSignal(): AbortSignal {
  if (!listening && Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGINT", interrupt);
    listening = true;
  }
  return current.signal;
}

function interrupt(): void {
  const stopped = current;
  current = new AbortController();
  if (jupyter() === undefined) {
    Deno.removeSignalListener("SIGINT", interrupt);
    listening = false;
  }
  stopped.abort(new DOMException("Interrupted", "AbortError"));
}
