/**
 * The stop button of Jupyter ends the work, not the kernel; Ctrl-C ends the work, not the report on it.
 *
 * Jupyter sends SIGINT, and the Deno kernel has no handler for it, so the kernel dies and all
 * variables with it (https://github.com/denoland/deno/issues/24491). In a kernel, importing this
 * module installs a listener that keeps it alive and turns the signal into an `AbortSignal`: the
 * default `signal` of everything here that takes long. (A loop that never waits for anything sees
 * no signal: then only a restart of the kernel helps.)
 *
 * One press ends *Run All*: the cells that are queued behind the one that runs are still run, and
 * what takes long in them ends at once, too. A kernel does not say whether a cell was queued or run
 * by hand, so a stop is over when nobody has looked at the aborted signal for a second in which the
 * kernel could have done so. That second is counted in turns of the event loop: a cell that
 * computes or paints without a pause does not use it up.
 *
 * A program dies of Ctrl-C as ever, until it asks for {@linkcode interruptSignal}: then the first
 * press aborts in the same way, and a second one ends the program. A task runner passes on the SIGINT
 * that the terminal has sent to all of a group already, so that one press arrives twice: what comes
 * within a tenth of a second is the same press.
 *
 * @module
 */

import { jupyter } from "./jupyter.ts";

/** SIGINTs within this many milliseconds are one press. */
const ONE_PRESS_MS = 100;

/** Turns of the event loop, a tenth of a second apart, without a look at the signal: a stop is over. */
const QUIET_TURNS = 10, TURN_MS = 100;

/** Whose signal the next press aborts, and the signal that the last press of a stop button has aborted. */
let current = newController(), stopped = current.signal;
let installed = false, listening = false, pressed = -Infinity;
let quiet = QUIET_TURNS, turns: ReturnType<typeof setInterval> | undefined;

/**
 * The signal of the next interrupt. Ask for a new one in each cell: an aborted signal stays aborted.
 * In a notebook the signal is the aborted one as long as a stop lasts: for the rest of the cell and
 * the cells that are queued behind it, until a second has passed.
 *
 * In a program the first call installs the SIGINT listener; from then on it is also the default of
 * `generate`, `runStudy` and the like. On Windows, where Jupyter interrupts by other means, it does
 * nothing, and the signal never aborts.
 *
 * @returns A signal that aborts with an `AbortError` at the next SIGINT.
 *
 * @example A program that reports after Ctrl-C
 * ```ts ignore
 * import { interruptSignal, runStudy } from "@moi/moi";
 *
 * const signal = interruptSignal();
 * const runs = await runStudy(study, { store: "runs.jsonl", signal });
 * if (signal.aborted) console.log(`stopped after ${runs.length} of ${runs.planned} runs`);
 * ```
 */
export function interruptSignal(): AbortSignal {
  listen();
  if (lasts()) return stopped;
  if (current.signal.aborted) current = newController();
  return current.signal;
}

/** Whether the last press of the stop button is to end what begins now. */
const lasts = () => quiet < QUIET_TURNS;

/** A controller. A look at its signal, once that is aborted, makes the stop last: who looks is being stopped. */
function newController(): AbortController {
  const controller = new AbortController(), { signal } = controller;
  if (jupyter() === undefined) return controller;
  const { get } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")!;
  Object.defineProperty(signal, "aborted", {
    get() {
      const aborted: boolean = get!.call(signal);
      if (aborted && lasts()) quiet = 0;
      return aborted;
    },
  });
  return controller;
}

/**
 * What long work listens to where it is given no signal: in a notebook the next press of the stop
 * button, in a program Ctrl-C once {@linkcode interruptSignal} has been asked for (work that begins
 * after it is aborted at once), else nothing.
 */
export function defaultSignal(): AbortSignal | undefined {
  if (!installed) return undefined;
  return jupyter() === undefined ? current.signal : interruptSignal();
}

/**
 * The default signal of what has no part that could be kept, such as a model that is loaded: in a notebook it
 * does not begin aborted, also while a stop lasts, as the cells that are queued could only fail without it.
 * Another press ends it.
 */
export function nextSignal(): AbortSignal | undefined {
  return jupyter() === undefined ? defaultSignal() : current.signal;
}

function listen(): void {
  if (listening || Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGINT", interrupt);
  installed = listening = true;
}

function interrupt(): void {
  const now = performance.now();
  if (now - pressed < ONE_PRESS_MS) return;
  pressed = now;
  current.abort(new DOMException("Interrupted", "AbortError"));
  if (jupyter() === undefined) return Deno.unrefTimer(setTimeout(release, ONE_PRESS_MS));
  stopped = current.signal;
  current = newController();
  awaitQuiet();
}

/** Ends the stop when nobody has looked at the signal for a while. */
function awaitQuiet(): void {
  quiet = 0;
  clearInterval(turns);
  turns = setInterval(() => {
    quiet++;
    if (!lasts()) clearInterval(turns);
  }, TURN_MS);
  Deno.unrefTimer(turns);
}

/** Gives Ctrl-C back to the program, unless another signal was asked for meanwhile. */
function release(): void {
  if (!listening || !current.signal.aborted) return;
  Deno.removeSignalListener("SIGINT", interrupt);
  listening = false;
}

if (jupyter() !== undefined) listen();
