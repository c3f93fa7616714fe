/**
 * Runs on disk: one JSON object a line, appended when a run is finished.
 *
 * A process that dies leaves at most one torn line, at the end; the next run takes its place. A write
 * that fails (a full disk) is undone, so that the file always ends with a whole line.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { refusal } from "../_check.ts";
import type { Run } from "./run.ts";

/** Path of a store given as path or file URL. */
function pathOf(store: string | URL): string {
  if (typeof store !== "string" && !(store instanceof URL)) {
    throw new TypeError(refusal("open runs", "store", "be a path or file URL", store));
  }
  return store instanceof URL || store.startsWith("file:") ? fileURLToPath(store) : store;
}

const FIELDS = ["study", "model", "task", "problem", "method"] as const;

function isRun(value: unknown): value is Run {
  if (typeof value !== "object" || value === null) return false;
  const run = value as Record<string, unknown>;
  return FIELDS.every((field) => typeof run[field] === "string") &&
    Number.isSafeInteger(run.repeat) && typeof run.grade === "object" && run.grade !== null;
}

function parseLine(line: string, path: string, number: number): Run {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new SyntaxError(`Cannot read runs as line ${number} of ${path} is not valid JSON`, {
      cause,
    });
  }
  if (isRun(value)) return value;
  throw new SyntaxError(
    `Cannot read runs as line ${number} of ${path} must be a run with ${
      FIELDS.join(", ")
    }, repeat and grade`,
  );
}

/** How every line starts: "study" is a run's first field. */
const START = new TextEncoder().encode('{"study":"');

/** A file without a whole line must at least start like one: others are not ours to cut. */
function checkTorn(torn: Uint8Array, path: string): void {
  if (torn.subarray(0, START.length).every((byte, i) => byte === START[i])) return;
  throw new SyntaxError(`Cannot read runs as line 1 of ${path} is not the start of a run`);
}

/** What a file holds. */
interface Contents {
  /** Its runs. */
  readonly runs: Run[];
  /** Number of bytes of its whole lines. */
  readonly whole: number;
  /** Whether a torn line follows. */
  readonly torn: boolean;
}

/** Reads a file from its start. */
async function readFile(file: Deno.FsFile, path: string): Promise<Contents> {
  const NEWLINE = 10, decoder = new TextDecoder(), runs: Run[] = [];
  let rest = new Uint8Array(0), whole = 0;
  const chunk = new Uint8Array(1 << 20);
  for (;;) {
    const read = await file.read(chunk);
    if (read === null) {
      if (runs.length === 0) checkTorn(rest, path);
      return { runs, whole, torn: rest.length > 0 };
    }
    const bytes = new Uint8Array(rest.length + read);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, read), rest.length);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      runs.push(parseLine(decoder.decode(bytes.subarray(start, end)), path, runs.length + 1));
      start = end + 1;
    }
    whole += start;
    rest = bytes.slice(start);
  }
}

function checkFile(path: string, info: Deno.FileInfo): void {
  if (!info.isFile) {
    throw new TypeError(
      `Cannot open runs as 'store' must be a regular file: current value is ${path}`,
    );
  }
}

/**
 * Reads the runs of a file.
 *
 * @param store Path or file URL.
 * @returns The runs in the order in which they were finished. A torn last line, left by a process
 * that died, is passed over; the next `runStudy` on the file does that run again.
 * @throws {SyntaxError} Where any other line is no run, naming the line.
 *
 * @example
 * ```ts
 * import { readRuns } from "@moi/moi/study";
 * import { assertEquals } from "@std/assert";
 * const path = await Deno.makeTempFile();
 * assertEquals(await readRuns(path), []);
 * await Deno.remove(path);
 * ```
 */
export async function readRuns(store: string | URL): Promise<Run[]> {
  const path = pathOf(store);
  checkFile(path, await Deno.stat(path));
  using file = await Deno.open(path);
  return (await readFile(file, path)).runs;
}

/** An open store. */
export interface Store extends Disposable {
  /** Runs that were there when it was opened. */
  readonly runs: readonly Run[];
  /** Appends a run. */
  append(run: Run): void;
}

/**
 * Opens a store for appending, alone: a second process is refused.
 *
 * @param store Path or file URL; made where it is missing.
 * @throws {Error} Where another process writes to it.
 */
export async function openStore(store: string | URL): Promise<Store> {
  const path = pathOf(store);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info) checkFile(path, info);
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    if (!await file.tryLock(true)) {
      throw new Error(`Cannot open runs as another process writes to ${path}`);
    }
    const { runs, whole, torn } = await readFile(file, path);
    let size = whole, cut = !torn;
    return {
      runs,
      append(run) {
        const line = new TextEncoder().encode(`${JSON.stringify(run)}\n`);
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
          throw new Error(
            `Cannot write a run to ${path}: ${
              (cause as Error).message
            }; all earlier runs are kept, ` +
              "and the same call finishes the rest once there is room",
            { cause },
          );
        }
        size += line.length;
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
