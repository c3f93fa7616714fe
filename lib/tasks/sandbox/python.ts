/**
 * Untrusted Python, in WebAssembly (Pyodide) in a process of its own.
 *
 * The process may read Pyodide's own files and nothing else: no network, no other file, no environment, no
 * further process; its memory is bounded, and it is killed when its time is up. So a program cannot reach
 * the machine, nor the verdict on another problem: every problem gets a new process. What it can reach is
 * its own verdict: tests run in the same interpreter, as in all harnesses of the field, and a program
 * written to deceive them could. Ending early (`sys.exit`, `os._exit`) does not pass.
 *
 * A started interpreter is kept in the cache folder (31 MB, made once in about ten seconds), from which a
 * process starts in less than a second. Python has no threads, subprocesses or compiled packages there.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkNumber, checkOptions, refusal } from "../../_check.ts";
import { defaultCacheDir } from "../../model/mod.ts";

/** A program. */
export interface Program {
  /** Python source. */
  readonly code: string;
  /** What it reads on stdin. Default: nothing. */
  readonly stdin?: string;
  /** Whether it starts with new globals, or with those that the program before it left. Default: true. */
  readonly fresh?: boolean;
}

/** What the process answers. */
export interface Answer {
  readonly ready?: true;
  readonly output?: string;
  readonly kind?: string;
  readonly error?: string;
}

/** How a program ended. */
export type PythonVerdict = "pass" | "wrong answer" | "error" | "time" | "memory";

/** What came of a program. */
export interface PythonResult {
  /**
   * "pass": it ran to its end; "wrong answer": an assertion failed; "error": another exception, or it ended
   * the process; "time", "memory": a limit was reached.
   */
  readonly verdict: PythonVerdict;
  /** What it printed, at most a million characters. */
  readonly output: string;
  /** The last line of its exception, where there was one. */
  readonly error?: string;
}

/** Limits of {@linkcode runPython}. */
export interface PythonOptions {
  /** Milliseconds of each program. Default: 10,000. */
  readonly timeMs?: number;
  /** Mebibytes of the interpreter, 64 to 2048. Default: 512. */
  readonly memoryMb?: number;
  /** Folder of the started interpreter. Default: that of converted models. */
  readonly cacheDir?: string;
  /** Ends everything. */
  readonly signal?: AbortSignal;
}

const VERB = "run Python";
/** Milliseconds that an interpreter may take to start. */
const START_MS = 120_000;
/** WebAssembly pages of a mebibyte. */
const PAGES = 16;

/** Folder of Pyodide's files. The import puts the package where it can be resolved. */
async function packageFolder(): Promise<{ folder: string; version: string }> {
  const { version } = await import("pyodide");
  return { folder: dirname(fileURLToPath(import.meta.resolve("pyodide"))), version };
}

const server = () => fileURLToPath(new URL("./_server.ts", import.meta.url));

function command(permissions: readonly string[], args: readonly string[], memoryMb: number) {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-check", "--cached-only", ...permissions],
      `--v8-flags=--wasm-max-mem-pages=${memoryMb * PAGES},--max-old-space-size=512`,
      server(),
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: { NO_COLOR: "1" },
  });
}

const snapshots = new Map<string, Promise<string>>();

/** Path of a started interpreter, made where it is missing. */
function snapshotIn(cacheDir: string): Promise<string> {
  const known = snapshots.get(cacheDir);
  if (known) return known;
  const made = (async () => {
    const { folder, version } = await packageFolder();
    const path = join(cacheDir, `pyodide-${version}-deno-${Deno.version.deno}.snapshot`);
    if (await Deno.stat(path).catch(() => undefined)) return path;
    await Deno.mkdir(cacheDir, { recursive: true });
    const part = `${path}.${crypto.randomUUID().slice(0, 8)}`;
    const child = command([`--allow-read=${folder}`, `--allow-write=${part}`], ["make", part], 2048)
      .spawn();
    await child.stdin.close();
    const [{ success }] = await Promise.all([child.status, child.stdout.cancel()]);
    if (!success) throw new Error(`Cannot ${VERB} as the interpreter could not be started`);
    await Deno.rename(part, path);
    return path;
  })();
  snapshots.set(cacheDir, made);
  made.catch(() => snapshots.delete(cacheDir));
  return made;
}

/** Reads the answers of a process: those lines that begin with the token. */
function answers(stream: ReadableStream<Uint8Array<ArrayBuffer>>, token: string) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  return {
    /** The next answer; undefined where the process has ended. */
    async next(): Promise<Answer | undefined> {
      for (;;) {
        for (let end; (end = buffer.indexOf("\n")) >= 0;) {
          const line = buffer.slice(0, end);
          buffer = buffer.slice(end + 1);
          if (line.startsWith(token)) return JSON.parse(line.slice(token.length));
        }
        const { value, done } = await reader.read();
        if (done) return undefined;
        buffer += value;
        if (buffer.length > 2 ** 26) return undefined; // prints without end past its own stdout
      }
    },
    cancel: () => reader.cancel().catch(() => {}),
  };
}

const LATE = Symbol("late");

/** What a promise gives, or LATE. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function resultOf({ output = "", kind, error }: Answer): PythonResult {
  if (kind === undefined) return { verdict: "pass", output };
  const verdict = kind === "AssertionError"
    ? "wrong answer"
    : kind === "MemoryError" || /index-sized integer/.test(error ?? "")
    ? "memory"
    : "error";
  return { verdict, output, error: error ?? kind };
}

/**
 * Runs programs one after the other in one new process, until one does not pass.
 *
 * @param programs One program, or several: a solution and its tests, or one solution with several inputs.
 * @param options Limits.
 * @returns One result for each program that was run; the last is the first that did not pass.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where one is outside its rule.
 * @throws {Deno.errors.NotCapable} Where this process may not start another: `--allow-run`.
 *
 * @example A function and its test
 * ```ts
 * import { runPython } from "@moi/moi/tasks";
 * import { assertEquals } from "@std/assert";
 * const code = "def add(a, b):\n  return a + b\nassert add(1, 2) == 3";
 * assertEquals((await runPython({ code })).map(({ verdict }) => verdict), ["pass"]);
 * ```
 */
export async function runPython(
  programs: Program | readonly Program[],
  options: PythonOptions = {},
): Promise<PythonResult[]> {
  checkOptions(VERB, options, ["timeMs", "memoryMb", "cacheDir", "signal"]);
  const { timeMs = 10_000, memoryMb = 512, cacheDir = defaultCacheDir(), signal } = options;
  checkNumber(VERB, "timeMs", timeMs, { min: 1, max: 2 ** 31 - 1 });
  checkNumber(VERB, "memoryMb", memoryMb, { min: 64, max: 2048, integer: true });
  const list = Array.isArray(programs) ? programs as readonly Program[] : [programs as Program];
  for (const { code } of list) {
    if (typeof code !== "string") throw new TypeError(refusal(VERB, "code", "be a string", code));
  }
  signal?.throwIfAborted();
  const [{ folder }, snapshot] = await Promise.all([packageFolder(), snapshotIn(cacheDir)]);
  const child = command([`--allow-read=${folder},${snapshot}`], ["run", snapshot], memoryMb)
    .spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
  };
  signal?.addEventListener("abort", kill);
  const token = crypto.randomUUID(), reader = answers(child.stdout, token);
  const writer = child.stdin.getWriter(), encoder = new TextEncoder();
  const send = (text: string) => writer.write(encoder.encode(`${text}\n`)).catch(() => {});
  const results: PythonResult[] = [];
  try {
    void send(token);
    const first = await within(reader.next(), START_MS);
    signal?.throwIfAborted();
    if (first === LATE || !first?.ready) {
      throw new Error(`Cannot ${VERB} as the interpreter did not start`);
    }
    for (const { code, stdin, fresh } of list) {
      void send(JSON.stringify({ code, stdin, fresh }));
      const answer = await within(reader.next(), timeMs);
      signal?.throwIfAborted();
      const result: PythonResult = answer === LATE
        ? { verdict: "time", output: "", error: `took more than ${timeMs} ms` }
        : answer === undefined
        ? { verdict: "error", output: "", error: "the program ended the process" }
        : resultOf(answer);
      results.push(result);
      if (result.verdict !== "pass") break;
    }
    return results;
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    await writer.abort().catch(() => {});
    await reader.cancel();
    await child.status;
  }
}
