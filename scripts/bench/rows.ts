/** What a measurement leaves: a row with a median and its quartiles, and how they come about. */

import process from "node:process";

/** A median with its quartiles. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What a figure should be. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Where something was measured. */
export interface Place {
  readonly model: string;
  readonly dtype?: string;
  readonly batch?: number;
  readonly context?: number;
  readonly threads?: number;
}

/** One figure. */
export interface Row extends Place, Summary {
  readonly suite: string;
  readonly what: string;
  /** "×" is a ratio of times or rates, of equal work. */
  readonly unit: "×" | "%" | "ms" | "µs" | "s" | "MB" | "GB/s";
  readonly target?: Target;
  /** What the figure was made of, as text for the table. */
  readonly detail?: string;
}

/** Quantile of numbers, linear between neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b), at = q * (sorted.length - 1);
  const low = Math.floor(at), high = Math.ceil(at);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** Median and quartiles. */
export function summary(values: readonly number[]): Summary {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

/** Milliseconds that some work takes. */
export async function clocked(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function statusBytes(field: string, pid: number | "self"): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  } catch {
    return NaN;
  }
}

/** Peak of a process's resident memory, bytes (Linux); NaN where the system does not tell. */
export const peakBytes = (pid: number | "self" = "self"): number => statusBytes("VmHWM", pid);

/** A process's resident memory, bytes (Linux); NaN where the system does not tell. */
export const residentBytes = (pid: number | "self" = "self"): number => statusBytes("VmRSS", pid);

/** Processor time so far, milliseconds: of all processes (Linux), and of this one. */
function processorTimes(): { readonly all: number; readonly own: number } {
  const JIFFY_MS = 10;
  const [, ...jiffies] = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]!.split(/\s+/);
  const [idle, waiting] = [3, 4], guests = 8; // which are counted among the others already
  const all = jiffies.slice(0, guests)
    .reduce((sum, count, kind) => kind === idle || kind === waiting ? sum : sum + +count, 0);
  return { all: JIFFY_MS * all, own: processorNow() };
}

/** Does work, and tells how many cores other processes kept busy beside it; NaN where that is not known. */
export async function besideOthers<T>(work: () => Promise<T>): Promise<{ value: T; busy: number }> {
  if (Deno.build.os !== "linux") return { value: await work(), busy: NaN };
  const before = processorTimes(), begin = performance.now(), value = await work();
  const ms = performance.now() - begin, { all, own } = processorTimes();
  return { value, busy: Math.max(0, all - before.all - (own - before.own)) / ms };
}

/** Milliseconds of processor time that this process has had, all threads together. */
export function processorNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Milliseconds of this process's processor time that some work takes. */
export async function processed(work: () => unknown): Promise<number> {
  const before = processorNow();
  await work();
  return processorNow() - before;
}

/** The median of so many times that some work takes, in milliseconds. */
export async function medianTime(
  count: number,
  work: (i: number) => unknown,
  clock: typeof clocked = clocked,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await clock(() => work(i)));
  return quantile(times, 0.5);
}

/** Whether a figure is what it should be. */
export function meets({ median }: Summary, target: Target): boolean {
  return "atLeast" in target ? median >= target.atLeast : median <= target.atMost;
}

/** Two contenders' figures of the same rounds. */
export interface Pair {
  readonly a: Summary;
  readonly b: Summary;
  /** Of b / a, round by round. */
  readonly ratio: Summary;
}

/** Measures two contenders in turns, each first in every other round; one to warm up is not counted. */
export async function paired(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
  warmUp = true,
): Promise<Pair> {
  const as: number[] = [], bs: number[] = [];
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    const early = round % 2 === 0 ? await b() : undefined;
    const x = await a(), y = early ?? await b();
    if (round < 0) continue;
    as.push(x);
    bs.push(y);
  }
  return { a: summary(as), b: summary(bs), ratio: summary(bs.map((y, i) => y / as[i]!)) };
}

/** Digits that say enough. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** The ratio of a pair as part of a row, with both times. */
export function ratioOf(pair: Pair): Pick<Row, "unit" | "detail"> & Summary {
  return { unit: "×", ...pair.ratio, detail: times(pair) };
}

/** Both times of a pair, for {@linkcode Row.detail}. */
export function times({ a, b }: Pair, unit = "ms"): string {
  return `${digits(b.median)} / ${digits(a.median)} ${unit}`;
}
