/**
 * Progress of long work, wherever it runs: one line that redraws itself in a terminal, a bar in a
 * notebook cell, a line now and then in a log.
 *
 * A line of a log tells the time and, where the work takes more than an hour yet, until when it may
 * last. The longer it runs, the rarer they are: after a quarter of the time that it has run, from five
 * seconds to a quarter of an hour, which makes about sixty in a night. The last one is always written.
 *
 * `update` is made to be passed as `onProgress`: it returns at once, never throws, and draws no more
 * often than a reader can follow. Terminals and logs are written on stderr, so that stdout stays
 * data. There are no colours. Notes come from elsewhere (file names, problem ids), so control characters are removed.
 *
 * @module
 */

import { callable, checkOptions, number, oneOf, type Rules, text } from "../_check.ts";
import { fitted } from "../_text_width.ts";
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
  /**
   * Where to draw. Default: "notebook" in Jupyter, "terminal" if stderr is one that can redraw a line
   * (`TERM` is not "dumb") and a person may look at it (`CI` is not set), else "log".
   */
  readonly mode?: ProgressMode;
  /**
   * Milliseconds of a clock, in a log since 1970. Default: a monotonic one, and for times of day the
   * system's.
   */
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

/** Least time between two drawings after so much time, in milliseconds. */
const INTERVAL: Readonly<Record<ProgressMode, (elapsed: number) => number>> = {
  terminal: () => 100,
  notebook: () => 250,
  log: (elapsed) => Math.min(Math.max(5000, elapsed / 4), 15 * 60_000),
};

/** A variable of the environment; nothing where asking is not permitted. */
function variable(name: string): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}

/** Whether stderr is a terminal that can redraw a line, before a person. */
const isTerminal = () =>
  Deno.stderr.isTerminal() && variable("TERM") !== "dumb" && /^(0|false)?$/i.test(variable("CI"));

/**
 * Starts a progress bar.
 *
 * @returns The bar; close it with `await using` or `close()`.
 * @throws {TypeError} If an option is not known.
 * @throws {RangeError} If the total is negative.
 *
 * @example As a callback, here with a clock and a writer of its own
 * ```ts
 * import { progressBar } from "@moi/moi/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * let time = new Date(2026, 0, 31, 23, 58).getTime();
 * const lines: string[] = [];
 * const bar = progressBar({
 *   ...{ label: "study", mode: "log", now: () => time, write: (text) => lines.push(text) },
 * });
 * const { update } = bar;
 * update({ done: 0, total: 100 });
 * time += 10_000;
 * update({ done: 20, total: 100, note: "moi-1" });
 * time += 50_000;
 * update({ done: 30, total: 9000, note: "moi-1" });
 * await bar.close();
 * assertEquals(lines, [
 *   "2026-01-31 23:58:00 study 0/100 0 %\n",
 *   "2026-01-31 23:58:10 study 20/100 20 % 2.0/s 40 s left moi-1\n",
 *   "2026-01-31 23:59:00 study 30/9000 0 % 30.0/min 5.0 h left, until 2026-02-01 04:58 moi-1\n",
 *   "2026-01-31 23:59:00 study 30/9000 0 % 30.0/min stopped after 60 s moi-1\n",
 * ]);
 * ```
 */
export function progressBar(options: ProgressBarOptions = {}): ProgressBar {
  checkOptions("start a progress bar", options, RULES);
  const { unit = "steps", now = () => performance.now(), write = writeStderr } = options;
  const api = options.display === undefined ? jupyter() : { display: options.display };
  const mode = options.mode ??
    (api !== undefined ? "notebook" : isTerminal() ? "terminal" : "log");

  let work: Work | undefined, pending: Promise<void> = Promise.resolve();
  const draw = (): void => {
    if (!work?.dirty) return;
    const { id, drawnAt } = work, time = options.now === undefined ? Date.now() : now();
    const line = lineOf(work, unit, mode, time);
    if (mode === "notebook") {
      const content = cellOf(work, line), update = drawnAt > -Infinity;
      pending = pending.then(() => api?.display(content, { raw: true, display_id: id, update }))
        .catch(() => {});
    } else if (mode === "log") write(`${line}\n`);
    else write(`\r\x1b[2K${fitted(barOf(work) + line, options.columns ?? columns())}`);
    Object.assign(work, { dirty: false, drawnAt: now() });
  };
  const finish = (): void => {
    if (!work || work.ended) return;
    const isStopped = mode === "log" && work.done < work.total; // else the last line stands already
    if (mode === "notebook" || isStopped) work.dirty = true; // in a notebook the last state has no bar
    work.ended = true;
    draw();
    if (mode === "terminal") write("\n");
  };
  /** Showing progress must never end the work it shows. */
  const safely = (show: () => void): void => {
    try {
      show();
    } catch { /* as said */ }
  };

  const update = (progress: ProgressLike): void =>
    safely(() => {
      const done = finite(progress.done), total = finite(progress.total) || (options.total ?? 0);
      const label = clean(progress.label ?? work?.label ?? options.label ?? "");
      const note = clean(progress.note ?? "");
      if (!work || label !== work.label || done < work.done) {
        finish();
        const id = crypto.randomUUID(), at = now(), first = { done, at };
        const state = { dirty: true, drawnAt: -Infinity, ended: false };
        work = { id, label, done, total, note, first, at, ...state };
      } else if (work.ended) return;
      else if (done !== work.done || total !== work.total || note !== work.note) {
        Object.assign(work, { done, total, note, at: now(), dirty: true });
      }
      if (total > 0 && done >= total) finish();
      else if (now() - work.drawnAt >= INTERVAL[mode](work.drawnAt - work.first.at)) draw();
    });
  const close = async (): Promise<void> => {
    safely(finish);
    await pending;
    if (mode === "notebook" && options.display === undefined) await settle();
  };
  return { update, close, [Symbol.asyncDispose]: close };
}

interface Work {
  readonly id: string;
  readonly label: string;
  done: number;
  total: number;
  note: string;
  /** First report: a resumed study begins with many steps done, which are no measure of speed. */
  readonly first: { readonly done: number; readonly at: number };
  /** Time of the last report that changed something. */
  at: number;
  /** Whether it has changed since it was drawn, and when that was. */
  dirty: boolean;
  drawnAt: number;
  ended: boolean;
}

/**
 * The line. One that stays, in a notebook or a log, also tells that the work was stopped; in a notebook
 * where it began, and in a log when it was written, how much is done, and until when much work may last.
 */
function lineOf(work: Work, unit: "steps" | "bytes", mode: ProgressMode, time: number): string {
  const { label, done, total, first, at, note, ended } = work;
  const seconds = (at - first.at) / 1000;
  const rate = seconds > 0 ? (done - first.done) / seconds : 0;
  const left = (total - done) / rate, isLog = mode === "log";
  const until = isLog && left >= 3600 ? `, until ${untilText(time, time + 1000 * left)}` : "";
  return [
    isLog ? `${dayOf(time)} ${clockOf(time)}` : "",
    label,
    total > 0 ? `${count(done, unit)}/${count(total, unit)}` : count(done, unit),
    isLog && total > 0 ? `${Math.floor(100 * Math.min(1, done / total))} %` : "",
    mode === "notebook" && first.done > 0 ? `(from ${count(first.done, unit)})` : "",
    rate > 0 ? rateText(rate, unit) : "",
    total > 0 && done >= total
      ? `done in ${duration(seconds)}`
      : mode !== "terminal" && ended && total > 0
      ? `stopped after ${duration(seconds)}`
      : rate > 0 && left > 0
      ? `${duration(left)} left${until}`
      : "",
    note,
  ].filter((part) => part !== "").join(" ");
}

function barOf({ done, total }: Work): string {
  if (total <= 0) return "";
  const filled = Math.round(20 * Math.min(1, done / total));
  return `${"█".repeat(filled)}${"░".repeat(20 - filled)} `;
}

function cellOf({ done, total, ended }: Work, line: string): Record<string, string> {
  const bar = total > 0 && !ended ? `<progress value="${done}" max="${total}"></progress> ` : "";
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

const two = (value: number) => `${value}`.padStart(2, "0");

/** The day of a time, here: "2026-01-31". */
function dayOf(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Its time of day, here: "23:58:00". */
function clockOf(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

/** A time that is to come: the time of day, and of another day the day before it. */
function untilText(now: number, time: number): string {
  const minute = clockOf(time).slice(0, 5);
  return dayOf(time) === dayOf(now) ? minute : `${dayOf(time)} ${minute}`;
}

/** No control characters: no line breaks, no escape sequences, no reordering of the line. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
}

const finite = (value: number): number => Number.isFinite(value) ? value : 0;

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80; // 0 where a terminal does not know
  } catch {
    return 80;
  }
}

const writeStderr = (text: string) => {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
};
