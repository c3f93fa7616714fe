/**
 * The stop button and Ctrl-C, for notebooks and programs. The listener itself lies below everything
 * that can be stopped: see `lib/runtime/interrupt.ts`.
 *
 * @module
 */

export { interruptSignal } from "../runtime/mod.ts";
