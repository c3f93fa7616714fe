/**
 * Runs on disk: one JSON object a line, appended when a run is finished.
 *
 * A process that dies leaves at most one torn line, at the end; the next run takes its place, as it does
 * of blank lines that an editor left there. A write that fails (a full disk) is undone, so that the file
 * always ends with a whole line.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isObject, refusal } from "../_check.ts";
import { given } from "../_given.ts";
import type { Run } from "./run.ts";
import { isShardRecord, type ShardRecord } from "./shard.ts";

/** Path of a store given as path or file URL. */
export function pathOf(store: string | URL): string {
  if (typeof store !== "string" && !(store instanceof URL)) {
    throw new TypeError(refusal("open runs", "store", "be a path or file URL", store));
  }
  return store instanceof URL || store.startsWith("file:") ? fileURLToPath(store) : store;
}

const FIELDS = ["study", "model", "task", "problem", "method"] as const;

/** Where a run stands in its study: index of the problem, index of the method. */
export type Place = readonly [problem: number, method: number];

/** A line: a run as it stands there, its place in the study and its shard where the file tells them. */
export interface Line {
  readonly run: Run;
  readonly place: Place | undefined;
  readonly shard: ShardRecord | undefined;
}

function isRun(value: unknown): value is Run {
  return isObject(value) && FIELDS.every((field) => typeof value[field] === "string") &&
    Number.isSafeInteger(value.repeat) && typeof value.grade === "object" && value.grade !== null;
}

/** What earlier releases wrote into imported runs without being told. */
const INVENTED: Readonly<Record<string, unknown>> = {
  device: "unknown",
  dtype: "unknown",
  studySeed: 0,
  seed: 0,
  promptTokens: 0,
};

/** The fields of a record that tell something: JSON has null for NaN. */
function told(value: unknown): Record<string, unknown> | undefined {
  if (!isObject(value)) return undefined;
  const fields = Object.entries(value).filter(([, own]) => own !== null && !Number.isNaN(own));
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

/**
 * A stored run with what it does not tell left out: numbers that are null in the file, since JSON has no
 * NaN, and what earlier releases put into imported runs (seed 0, no tokens, device "unknown").
 */
export function asTold<R extends Pick<Run, "problem">>(run: R): R {
  const all = run as Record<string, unknown>, { versions, mixing, timing } = all;
  let sampler = told(all.sampler);
  const imported = isObject(versions) && typeof versions.imported === "string";
  if (imported && sampler?.maxNewTokens === 0) { // settings were put there, but for these
    const { topK: _, minP: __, maxNewTokens: ___, ...own } = sampler;
    sampler = own.temperature === undefined ? undefined : own;
  }
  const measured: Record<string, unknown> = { mixing: told(mixing), timing: told(timing), sampler };
  const own = Object.entries(given(all)).map(([name, value]) =>
    [name, name in measured ? measured[name] : value] as const
  ).filter(([name, value]) => {
    if (!imported) return true;
    if (name === "tokens") return !(Array.isArray(value) && value.length === 0);
    return name !== "prompt" && INVENTED[name] !== value;
  });
  return given(Object.fromEntries(own)) as unknown as R;
}

/** A run's line as an object; undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fault(path: string, number: number, what: string, cause?: unknown): never {
  throw new SyntaxError(`Cannot read runs as line ${number} of ${path} ${what}`, { cause });
}

function parseLine(text: string, path: string, number: number): Line {
  const value = parsed(text);
  if (value === undefined) fault(path, number, "is not valid JSON");
  if (!isRun(value)) {
    return fault(path, number, `must be a run with ${FIELDS.join(", ")}, repeat and grade`);
  }
  const { place, shard, ...run } = value as Run & Record<"place" | "shard", unknown>;
  const isPlace = Array.isArray(place) && place.length === 2 && place.every(Number.isSafeInteger);
  return {
    run: run as Run,
    place: isPlace ? place as unknown as Place : undefined,
    shard: isShardRecord(shard) ? shard : undefined,
  };
}

/** How every line starts: "study" is a run's first field. */
const START = '{"study":"';

/**
 * Whether a last line without its end was cut off by a process that died: it starts like a run. Zeros
 * after that are what some file systems leave after a power failure.
 */
function isTorn(text: string): boolean {
  const start = text.split("\0", 1)[0]!.slice(0, START.length);
  return START.startsWith(start);
}

/** The lines of a file: bytes without the newline, where they start, and whether one ended them. */
export async function* rawLines(file: Deno.FsFile) {
  const NEWLINE = 10, chunk = new Uint8Array(1 << 20);
  let rest = new Uint8Array(0), at = 0;
  for (let read; (read = await file.read(chunk)) !== null;) {
    const bytes = new Uint8Array(rest.length + read);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, read), rest.length);
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      yield { bytes: bytes.subarray(start, end), at: at + start, ended: true };
    }
    at += start;
    rest = bytes.slice(start);
  }
  if (rest.length > 0) yield { bytes: rest, at, ended: false };
}

/**
 * Reads a file from its start: UTF-8, with or without a byte-order mark, lines ended in either way,
 * blank lines at its end, a last line without an end where it is whole, or torn.
 *
 * @returns Its runs in its order, the bytes up to the end of the last one (`whole`), whether that has its
 * newline (`ended`; true of none), and whether something follows (`more`: a torn line, blank lines).
 */
async function readFile(file: Deno.FsFile, path: string) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const lines: Line[] = [];
  let whole = 0, lastEnded = true, more = false, number = 0, blank = 0;
  for await (const { bytes, at, ended } of rawLines(file)) {
    number++;
    if (number === 1 && bytes.length >= 2 && (bytes[0]! ^ bytes[1]!) === 1 && bytes[0]! >= 254) {
      fault(path, 1, "must be UTF-8 text: it is UTF-16");
    }
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch (cause) {
      if (ended) fault(path, number, "is not valid UTF-8", cause);
      text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes); // torn within a character
    }
    if (number === 1 && text.startsWith("\ufeff")) {
      whole = 3;
      text = text.slice(1);
    }
    const end = at + bytes.length + (ended ? 1 : 0);
    if (text.trim() === "") {
      more ||= end > whole;
      blank ||= number;
      continue;
    }
    if (!ended && !isRun(parsed(text))) {
      if (!isTorn(text)) fault(path, number, "is not the start of a run");
      more = true;
      continue;
    }
    if (blank > 0) fault(path, blank, "is not valid JSON: it is blank, and runs follow");
    lines.push(parseLine(text, path, number));
    whole = end;
    lastEnded = ended;
  }
  return { lines, whole, ended: lastEnded, more };
}

/** Ranks of names: those first that no line places, in the order of the file; then by latest place. */
function ranks(lines: readonly Line[], name: (run: Run) => string, at: 0 | 1): Map<string, number> {
  const places = new Map<string, number>();
  for (const { run, place } of lines) {
    const own = name(run);
    places.set(own, place?.[at] ?? places.get(own) ?? -1);
  }
  const order = [...places].sort(([, a], [, b]) => a - b); // stable
  return new Map(order.map(([own], i) => [own, i]));
}

/** Lines in the order of their study; as they stand in the file where it does not tell. */
export function inOrder(lines: readonly Line[]): readonly Line[] {
  if (lines.every(({ place }) => place === undefined)) return lines;
  const problems = ranks(lines, ({ problem }) => problem, 0);
  const methods = ranks(lines, ({ method }) => method, 1);
  return lines.toSorted(({ run: a }, { run: b }) =>
    problems.get(a.problem)! - problems.get(b.problem)! || a.repeat - b.repeat ||
    methods.get(a.method)! - methods.get(b.method)!
  );
}

/** The runs of some lines as they tell of themselves, in the order of their study. */
export const runsOf = (lines: readonly Line[]): Run[] =>
  inOrder(lines).map(({ run }) => asTold(run));

function checkFile(path: string, { isFile }: Deno.FileInfo): void {
  if (isFile) return;
  throw new TypeError(
    `Cannot open runs as 'store' must be a regular file: current value is ${path}`,
  );
}

/**
 * Reads the runs of a file.
 *
 * @param store Path or file URL.
 * @returns The runs problem by problem, repeat by repeat, methods in the order in which the study named
 * them, as `runStudy` returns them; in files of earlier releases, in the order in which they were
 * finished. A torn last line, left by a process that died, is passed over; the next `runStudy` on the
 * file does that run again. A byte-order mark, CRLF and blank lines at the end do no harm.
 * @throws {SyntaxError} Where any other line is no run, naming the line.
 */
export async function readRuns(store: string | URL): Promise<Run[]> {
  return runsOf(await readLines(store));
}

/** Reads the lines of a file, in its order. */
export async function readLines(store: string | URL): Promise<Line[]> {
  const path = pathOf(store);
  checkFile(path, await Deno.stat(path));
  using file = await Deno.open(path);
  return (await readFile(file, path)).lines;
}

/** A line as text, its end included. */
const lineText = (run: Run, own: Partial<Pick<Line, "place" | "shard">>): string =>
  `${JSON.stringify({ ...run, ...own })}\n`;

/** Opens a file alone: a second process is refused. */
async function openAlone(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  const file = await Deno.open(path, options);
  if (await file.tryLock(true)) return file;
  file.close();
  throw new Error(`Cannot open runs as another process writes to ${path}`);
}

/** Writes a file whole or not at all: what is there stays until the new one is complete. */
export async function replaceFile(
  path: string,
  what: string,
  lines: Iterable<string>,
): Promise<void> {
  const part = `${path}.part`;
  await Deno.mkdir(dirname(path), { recursive: true });
  using file = await openAlone(part, { write: true, create: true });
  try {
    await file.truncate(); // a process that died may have left it
    for (const line of lines) {
      const bytes = new TextEncoder().encode(line);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    }
    await file.sync();
    await Deno.rename(part, path);
  } catch (cause) {
    await Deno.remove(part).catch(() => {});
    const why = (cause as Error).message;
    throw new Error(`Cannot write ${what} to ${path}: ${why}; it is as it was`, { cause });
  }
}

/**
 * Writes a file of runs anew, whole or not at all. Nobody else may be writing to it.
 *
 * @param linesFor The lines that it is to have, given those that it has: none where it is not there.
 */
export async function rewrite(
  store: string | URL,
  linesFor: (own: readonly Line[]) => readonly Line[] | Promise<readonly Line[]>,
): Promise<void> {
  const path = pathOf(store);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info) checkFile(path, info);
  using old = info && await openAlone(path, { read: true, write: true });
  const lines = await linesFor(old ? (await readFile(old, path)).lines : []);
  const texts = Iterator.from(lines).map(({ run, ...own }) => lineText(run, given(own)));
  await replaceFile(path, "runs", texts);
}

/** Opens a store for appending, made with its folder where it is missing, alone: a second process is refused. */
export async function openStore(store: string | URL) {
  const path = pathOf(store);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info) checkFile(path, info);
  using opened = new DisposableStack();
  const open = () => openAlone(path, { read: true, write: true, create: true });
  const file = opened.use(
    await open().catch(async (error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(path), { recursive: true });
      return await open();
    }),
  );
  const { lines, whole, ended, more } = await readFile(file, path);
  let size = whole, cut = !more, between = ended ? "" : "\n";
  const held = opened.move(); // from here on, whoever opened it closes it
  return {
    runs: runsOf(lines),
    /**
     * Appends a run; its place in the study is kept with it, so that it is read back in that order, and its
     * shard, so that a merge says what is missing.
     */
    append(run: Run, place?: Place, shard?: ShardRecord) {
      const line = new TextEncoder().encode(between + lineText(run, given({ place, shard })));
      if (!cut) {
        file.truncateSync(size); // not before: a study that is refused leaves the file as it is
        file.seekSync(size, Deno.SeekMode.Start);
        cut = true;
      }
      try {
        for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
      } catch (cause) {
        file.truncateSync(size);
        file.seekSync(size, Deno.SeekMode.Start);
        const rest = "and the same call finishes the rest once there is room";
        const why = `${(cause as Error).message}; all earlier runs are kept, ${rest}`;
        throw new Error(`Cannot write a run to ${path}: ${why}`, { cause });
      }
      size += line.length;
      between = "";
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}
