/**
 * Runs of bindings that leave the event loop its turns.
 *
 * @module
 */

import type { Binding } from "./session.ts";

/**
 * Runs go on the calling thread while they are short, since a worker thread costs 50 µs; one that
 * took longer than this goes to a worker thread next time.
 */
const BACKGROUND_MS = 2;
/** One run in this time goes to a worker thread in any case: timers and signals get their turn. */
const TURN_MS = 12;

/**
 * Makes a function that runs bindings of one kind, one after the other, each on the calling thread
 * or on a worker thread by what the last one took. The first goes to a worker thread.
 */
export function takingTurns(): (binding: Binding) => Promise<void> {
  let lastMs = Infinity, lastTurn = performance.now();
  return async (binding) => {
    const start = performance.now();
    if (lastMs > BACKGROUND_MS || start - lastTurn > TURN_MS) {
      await binding.runAsync();
      lastTurn = performance.now();
    } else {
      binding.run();
    }
    lastMs = performance.now() - start;
  };
}
