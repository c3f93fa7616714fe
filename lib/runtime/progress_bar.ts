/**
 * Progress of long work, wherever it runs: one line that redraws itself in a terminal, a bar in a
 * notebook cell, a line every five seconds in a log.
 *
 * `update` is made to be passed as `onProgress`: it returns at once, never throws, and draws no more
 * often than a reader can follow. Terminals and logs are written on stderr, so that stdout stays
 * data. Notes come from elsewhere (file names, problem ids), so control characters are removed.
 *
 * @module
 */

import { callable, checkOptions, number, oneOf, type Rules, text } from "../_check.ts";
import { escapeHtml } from "../_escape.ts";
import { type Jupyter, jupyter, settle } from "./jupyter.ts";

/** How far some work is. */
export interface ProgressLike {
  /** Finished steps, or bytes. */
  readonly done: number;
  /** All steps; 0 if that is not known. */
  readonly total: number;
  /** What is being done right now. */
  readonly note?: string | undefined;
  /** Name of the work; a new name starts a new line. */
  readonly label?: string | undefined;
}

/** Where progress is drawn. */
export type ProgressMode = "terminal" | "log" | "notebook";

/** Options of {@linkcode progressBar}. */
export interface ProgressBarOptions {
  /** Name of the work, until an update has its own. Default: none. */
  readonly label?: string;
  /** Number of steps, where an update says 0. Default: 0, not known. */
  readonly total?: number;
  /** What is counted: "bytes" are written as kB, MB and GB. Default: "steps". */
  readonly unit?: "steps" | "bytes";
  /** Where to draw. Default: "notebook" in Jupyter, "terminal" if stderr is one, else "log". */
  readonly mode?: ProgressMode;
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  readonly now?: () => number;
  /** Writes text, in a terminal and in a log. Default: to stderr. */
  readonly write?: (text: string) => void;
  /** Displays in a notebook. Default: `Deno.jupyter.display`. */
  readonly display?: Jupyter["display"];
  /** Columns of the terminal; longer lines are cut. Default: as the terminal says, or 80. */
  readonly columns?: number;
}

const RULES: Rules<ProgressBarOptions> = {
  label: text,
  total: number({ min: 0 }),
  unit: oneOf("steps", "bytes"),
  mode: oneOf("terminal", "log", "notebook"),
  ...{ now: callable, write: callable, display: callable },
  columns: number({ min: 1, integer: true }),
};

/** A progress bar. */
export interface ProgressBar extends AsyncDisposable {
  /** Says how far the work is. May be passed on as a function; never throws. */
  readonly update: (progress: ProgressLike) => void;
  /** Draws the last state and ends the line; `await using` calls it. */
  readonly close: () => Promise<void>;
}

/** Least time between two drawings, in milliseconds. */
const INTERVAL: Readonly<Record<ProgressMode, number>> = {
  terminal: 100,
  notebook: 250,
  log: 5000,
};

/**
 * Starts a progress bar.
 *
 * @param options Label, total, and for tests the clock and the writer.
 * @returns The bar; close it with `await using` or `close()`.
 * @throws {TypeError} If an option is not known.
 * @throws {RangeError} If the total is negative.
 *
 * @example As a callback, here with a clock and a writer of its own
 * ```ts
 * import { progressBar } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * let time = 0;
 * const lines: string[] = [];
 * const bar = progressBar({
 *   ...{ label: "study", mode: "log", now: () => time, write: (text) => lines.push(text) },
 * });
 * const { update } = bar;
 * update({ done: 0, total: 100 });
 * time = 10_000;
 * update({ done: 20, total: 100, note: "moi-1" });
 * await bar.close();
 * assertEquals(lines, ["study 0/100\n", "study 20/100 2.0/s 40 s left moi-1\n"]);
 * ```
 */
export function progressBar(options: ProgressBarOptions = {}): ProgressBar {
  checkOptions("start a progress bar", options, RULES);
  const { unit = "steps", now = () => performance.now(), write = writeStderr } = options;
  const api = options.display === undefined ? jupyter() : { display: options.display };
  const mode = options.mode ??
    (api !== undefined ? "notebook" : Deno.stderr.isTerminal() ? "terminal" : "log");

  let label = options.label ?? "";
  let state: State | undefined;
  let pending: Promise<void> = Promise.resolve();

  const draw = (last: boolean): void => {
    if (state === undefined || (state.drawn && !state.dirty)) return;
    const line = lineOf(state, label, unit);
    if (mode === "notebook") {
      const { id, drawn } = state;
      const content = cellOf(state, line);
      pending = pending.then(() =>
        api?.display(content, { raw: true, display_id: id, update: drawn })
      ).catch(() => {});
    } else if (mode === "log") write(`${line}\n`);
    else write(`\r\x1b[2K${fit(barOf(state) + line, options.columns ?? columns())}`);
    state = { ...state, drawn: true, dirty: false, drawnAt: now() };
    if (last && mode === "terminal") write("\n");
  };
  const finish = (): void => {
    if (state === undefined || state.ended) return;
    const undrawn = state.dirty || !state.drawn;
    draw(true);
    // The line is up to date but still open: it only needs its end.
    if (!undrawn && mode === "terminal") write("\n");
    state.ended = true;
  };

  const update = (progress: ProgressLike): void => {
    try {
      const done = finite(progress.done), total = finite(progress.total) || (options.total ?? 0);
      const name = clean(progress.label ?? label);
      const note = clean(progress.note ?? "");
      if (state === undefined || name !== label || done < state.done) {
        finish();
        label = name;
        state = begin(done, total, note, now());
      } else if (state.ended) return;
      else if (done !== state.done || total !== state.total || note !== state.note) {
        state = { ...state, done, total, note, at: now(), dirty: true };
      }
      if (total > 0 && done >= total) finish();
      else if (!state.drawn || now() - state.drawnAt >= INTERVAL[mode]) draw(false);
    } catch {
      // Showing progress must never end the work it shows.
    }
  };
  const close = async (): Promise<void> => {
    try {
      finish();
    } catch {
      // As above.
    }
    await pending;
    if (mode === "notebook" && options.display === undefined) await settle();
  };
  return { update, close, [Symbol.asyncDispose]: close };
}

interface State {
  readonly id: string;
  readonly done: number;
  readonly total: number;
  readonly note: string;
  /** First report: a resumed study begins with many steps done, which are no measure of speed. */
  readonly first: { readonly done: number; readonly at: number };
  /** Time of the last report that changed something. */
  readonly at: number;
  readonly drawn: boolean;
  readonly drawnAt: number;
  readonly dirty: boolean;
  ended: boolean;
}

function begin(done: number, total: number, note: string, at: number): State {
  const never = { drawn: false, drawnAt: -Infinity, dirty: true, ended: false };
  return { id: crypto.randomUUID(), done, total, note, at, first: { done, at }, ...never };
}

function lineOf(state: State, label: string, unit: "steps" | "bytes"): string {
  const { done, total, first, note } = state;
  const seconds = (state.at - first.at) / 1000;
  const rate = seconds > 0 ? (done - first.done) / seconds : 0;
  const left = (total - done) / rate;
  return [
    clean(label),
    total > 0 ? `${count(done, unit)}/${count(total, unit)}` : count(done, unit),
    rate > 0 ? rateText(rate, unit) : "",
    total > 0 && done >= total
      ? `done in ${duration(seconds)}`
      : rate > 0 && left > 0
      ? `${duration(left)} left`
      : "",
    note,
  ].filter((part) => part !== "").join(" ");
}

function barOf({ done, total }: State): string {
  if (total <= 0) return "";
  const filled = Math.round(20 * Math.min(1, done / total));
  return `${"█".repeat(filled)}${"░".repeat(20 - filled)} `;
}

function cellOf({ done, total }: State, line: string): Record<string, string> {
  const bar = total > 0 ? `<progress value="${done}" max="${total}"></progress> ` : "";
  return { "text/html": `${bar}<code>${escapeHtml(line)}</code>`, "text/plain": line };
}

function count(value: number, unit: "steps" | "bytes"): string {
  if (unit === "steps") return `${value}`;
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(0)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

function rateText(rate: number, unit: "steps" | "bytes"): string {
  if (unit === "bytes") return `${count(rate, unit)}/s`;
  if (rate >= 1) return `${rate.toFixed(rate < 10 ? 1 : 0)}/s`;
  return rate * 60 >= 1 ? `${(rate * 60).toFixed(1)}/min` : `${(rate * 3600).toFixed(1)}/h`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** No control characters: no line breaks, no escape sequences, no reordering of the line. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
}

/** The line cut to the terminal, as a wrapped line cannot be redrawn. */
function fit(line: string, columns: number): string {
  const chars = [...line];
  return chars.length < columns ? line : `${chars.slice(0, Math.max(1, columns - 2)).join("")}…`;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80; // 0 where a terminal does not know
  } catch {
    return 80;
  }
}

function writeStderr(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
