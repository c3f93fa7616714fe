/**
 * Untrusted Python, in WebAssembly (Pyodide) in a process of its own.
 *
 * The process may read Pyodide's own files and nothing else: no network, no other file, no environment, no
 * further process; its memory is bounded, and it is killed when its time is up. So a program cannot reach
 * the machine, nor the verdict on another problem: every problem gets a new process. What it can reach is
 * its own verdict: tests run in the same interpreter, as in all harnesses of the field, and a program
 * written to deceive them could. Ending early (`sys.exit`, `os._exit`) does not pass, except for a
 * `program`, which is judged by what it prints.
 *
 * A started interpreter is kept in the cache folder (31 MB, made once in about ten seconds), from which a
 * process starts in less than a second; every process begins with the same random state and string hashes,
 * so a verdict is the same each time. Python has no
 * subprocesses, no timers and no threads there: work of a `ThreadPoolExecutor` is done where it is handed in,
 * and what would need more is "unavailable". Its words have 32
 * bits: `sys.maxsize` and the items of `array("l")` are those of Linux nonetheless, the default integer of
 * numpy is not. numpy and the other packages of
 * Pyodide's distribution are loaded where a program imports them, from the cache folder or Pyodide's
 * address ({@linkcode PythonOptions.offline}).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  boolean,
  checkOptions,
  number,
  refusal,
  type Rules,
  signal as abortSignal,
  text,
} from "../../_check.ts";
import { defaultCacheDir } from "../../model/mod.ts";
import { filesOf, type Lock, packagesOf } from "./_packages.ts";
import type { Answer, Program, Request, Start } from "./_protocol.ts";
import { RUNNER } from "./_runner.ts";
import { SERVER } from "./_server.ts";

export type { Program };

/** How a program ended. */
export type PythonVerdict =
  | "pass"
  | "wrong answer"
  | "error"
  | "exit"
  | "time"
  | "memory"
  | "output"
  | "unavailable";

/** What came of a program. */
export interface PythonResult {
  /**
   * "pass": it ran to its end; "wrong answer": an assertion failed; "error": another exception, or it ended
   * the process; "exit": it ended itself with an exit code before its end; "time", "memory", "output": a
   * limit was reached; "unavailable": it needs what CPython has and the sandbox has not.
   */
  readonly verdict: PythonVerdict;
  /** What it wrote to stdout, at most a million bytes; of a `program` 16 MiB. */
  readonly output: string;
  /** What it wrote to stderr, where it did: at most 100,000 bytes. */
  readonly stderr?: string;
  /** The last line of its exception, or the limit that was reached. */
  readonly error?: string;
  /** Its exit code, where it ended itself. */
  readonly exitCode?: number;
  /** The module that the sandbox has not. */
  readonly module?: string;
}

/** Limits of {@linkcode runPython}. */
export interface PythonOptions {
  /** Milliseconds of each program. Default: 10,000. */
  readonly timeMs?: number;
  /** Mebibytes of the interpreter, 64 to 2048. Default: 512. */
  readonly memoryMb?: number;
  /** Folder of the started interpreter and of packages. Default: that of converted models. */
  readonly cacheDir?: string;
  /** Whether no package is downloaded. Default: false, and none is without the permission to. */
  readonly offline?: boolean;
  /** Ends everything. */
  readonly signal?: AbortSignal;
}

/** Limits of a program where none are given. */
export const LIMITS = { timeMs: 10_000, memoryMb: 512 } as const;

/** Rules of the limits. */
export const LIMIT_RULES = {
  timeMs: number({ min: 1, max: 2 ** 31 - 1 }),
  memoryMb: number({ min: 64, max: 2048, integer: true }),
};

const RULES: Rules<PythonOptions> = {
  ...LIMIT_RULES,
  ...{ cacheDir: text, offline: boolean, signal: abortSignal },
};

const VERB = "run Python";
/** Milliseconds that an interpreter may take to start. */
const START_MS = 120_000;
/** WebAssembly pages of a mebibyte. */
const PAGES = 16;
/** Bytes of output that are kept, and those that a program judged by its output may print. */
const KEPT = 1_000_000, PRINTED = 2 ** 24;

/**
 * Starts Deno with as deep a native stack as the system gives: each C call of Python is one of WebAssembly,
 * and recursion through C (`functools.cache`, `map`, `__init__`) is then bounded by Pyodide's own stack of
 * 10 MiB, whose end Python sees and names. A program of a thousand levels would else end the interpreter.
 */
const DEEP = [
  "ulimit -s 262144 2>/dev/null || ulimit -s $(ulimit -H -s) 2>/dev/null",
  's=$(ulimit -s); case "$s" in *[!0-9]*) s=262144;; esac',
  'flags=$1; shift; exec "$0" run "$flags,--stack-size=$((s / 8 * 7))" "$@"',
].join("\n");

/** Where Pyodide is. The import puts the package where it can be resolved. */
async function packageFolder() {
  const { version } = await import("npm:pyodide@314.0.7"),
    pyodide = import.meta.resolve("npm:pyodide@314.0.7");
  if (!pyodide.startsWith("file:")) {
    throw new Error(refusal(VERB, "pyodide", "be a package on this machine", pyodide));
  }
  return { folder: dirname(fileURLToPath(pyodide)), pyodide, version };
}

/** Starts the process. Its code is text, so that it does not matter where this module came from. */
function spawn(permissions: readonly string[], args: readonly string[], memoryMb: number) {
  const flags = `--v8-flags=--wasm-max-mem-pages=${memoryMb * PAGES},--max-old-space-size=512`;
  const rest = [
    ...["--quiet", "--no-prompt", "--no-check", "--no-config", "--no-lock", "--cached-only"],
    ...[...permissions, `data:text/javascript,${encodeURIComponent(SERVER)}`, ...args],
  ];
  const streams = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
  const env = { NO_COLOR: "1" }, deno = Deno.execPath(), shallow = ["run", flags, ...rest];
  if (Deno.build.os === "windows") {
    return new Deno.Command(deno, { args: shallow, env, ...streams }).spawn();
  }
  try {
    return new Deno.Command("/bin/sh", {
      args: ["-c", DEEP, deno, flags, ...rest],
      env,
      ...streams,
    })
      .spawn();
  } catch { // no shell, or only Deno may be run
    return new Deno.Command(deno, { args: shallow, env, ...streams }).spawn();
  }
}

/** A program with what is not said of it. */
function requestOf(program: Program): Request {
  if (typeof program.code !== "string") {
    throw new TypeError(refusal(VERB, "code", "be a string", program.code));
  }
  return {
    ...{ stdin: "", fresh: true, preamble: "", name: "__main__", program: false },
    ...{ prefix: false, defines: [], cut: false },
    ...Object.fromEntries(Object.entries(program).filter(([, value]) => value !== undefined)),
    code: program.code.toWellFormed(),
    limit: program.program ? PRINTED : KEPT,
  };
}

const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

const snapshots = new Map<string, Promise<string>>();

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

/** Path of a started interpreter, made where it is missing: someone may have emptied the cache. */
async function snapshotIn(cacheDir: string): Promise<string> {
  const known = snapshots.get(cacheDir);
  if (known && await isThere(await known)) return known;
  const made = (async () => {
    const { folder, pyodide, version } = await packageFolder();
    const digest = createHash("sha256").update(RUNNER + SERVER).digest("hex").slice(0, 12);
    const name = `pyodide-${version}-deno-${Deno.version.deno}-${digest}.snapshot`;
    const path = join(cacheDir, name);
    if (await isThere(path)) return path;
    await Deno.mkdir(cacheDir, { recursive: true });
    const part = `${path}.${crypto.randomUUID().slice(0, 8)}`;
    const child = spawn(
      [`--allow-read=${folder}`, `--allow-write=${part}`],
      ["make", folder, part],
      2048,
    );
    const writer = child.stdin.getWriter(),
      start: Start = { token: "", runner: RUNNER, packages: [], pyodide };
    await writer.write(encode(start)).then(() => writer.close()).catch(() => {});
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
  let rest = "";
  return {
    /** The next answer; undefined where the process has ended. */
    async next(): Promise<Answer | undefined> {
      let parts: string[] = [], size = 0;
      for (;;) {
        for (let end; (end = rest.indexOf("\n")) >= 0;) {
          const line = parts.join("") + rest.slice(0, end);
          rest = rest.slice(end + 1);
          [parts, size] = [[], 0];
          if (line.startsWith(token)) return JSON.parse(line.slice(token.length));
        }
        parts.push(rest);
        size += rest.length;
        rest = "";
        if (size > 2 ** 27) return undefined; // prints without end past its own stdout
        const { value, done } = await reader.read();
        if (done) return undefined;
        rest = value;
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

function resultOf(answer: Answer, { program }: Request, memoryMb: number): PythonResult {
  const { output = "", stderr = "", kind, error, exit, missing, over } = answer;
  const both = { output, ...(stderr === "" ? {} : { stderr }) };
  if (over && program) {
    return { verdict: "output", ...both, error: `printed more than ${PRINTED / 2 ** 20} MiB` };
  }
  if (kind === undefined) return { verdict: "pass", ...both };
  if (exit !== undefined) {
    if (program && exit === 0) return { verdict: "pass", ...both, exitCode: 0 };
    return { verdict: "exit", ...both, error: `exit code ${exit}`, exitCode: exit };
  }
  if (missing) {
    return {
      verdict: missing[1] ? "unavailable" : "error",
      ...both,
      error: error!,
      module: missing[0],
    };
  }
  if (kind === "Lacking") return { verdict: "unavailable", ...both, error: error! };
  if (/does not support processes|lacks multiprocessing/.test(error ?? "")) {
    return { verdict: "unavailable", ...both, error: "the sandbox has no processes" };
  }
  if (/can't start new thread/.test(error ?? "")) {
    return { verdict: "unavailable", ...both, error: "the sandbox has no threads" };
  }
  if (/Maximum call stack size exceeded/.test(error ?? "")) {
    const deep = "RecursionError: deeper than the sandbox's stack allows";
    return { verdict: "error", ...both, error: deep };
  }
  if (kind === "MemoryError" || /index-sized integer/.test(error ?? "")) {
    return { verdict: "memory", ...both, error: `needs more than ${memoryMb} MiB` };
  }
  const verdict = kind === "AssertionError" ? "wrong answer" : "error";
  return { verdict, ...both, error: error ?? kind };
}

/**
 * Runs programs one after the other in one new process, until one does not pass.
 *
 * A program that imports a package of Pyodide's distribution (numpy, sympy, sortedcontainers, …) makes all
 * run again with it, in a new process; where the package cannot be had the verdict is "unavailable".
 *
 * @param programs One program, or several: a solution and its tests, or one solution with several inputs.
 * @param options Limits.
 * @returns One result for each program that was run; the last is the first that did not pass.
 * @throws {TypeError} Where an option is unknown or of the wrong kind.
 * @throws {RangeError} Where one is outside its rule.
 * @throws {Error} Where the interpreter does not start, or fails or is ended by another than the program.
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
  checkOptions(VERB, options, RULES);
  const { cacheDir = defaultCacheDir(), offline = false, signal } = options;
  const { timeMs = LIMITS.timeMs, memoryMb = LIMITS.memoryMb } = options;
  const list = [programs].flat().map(requestOf);
  signal?.throwIfAborted();
  const [{ folder, pyodide, version }, snapshot] = await Promise.all([
    packageFolder(),
    snapshotIn(cacheDir),
  ]);
  const where = { folder, pyodide, snapshot, memoryMb, timeMs, ...(signal ? { signal } : {}) };
  const packages = new Set<string>(), tried = new Set<string>();
  for (;;) {
    const results = await runOnce(list, { ...where, packages: [...packages] });
    const last = results.at(-1), { module } = last ?? {};
    if (last === undefined || module === undefined || last.verdict === "pass") return results;
    const lock = JSON.parse(await Deno.readTextFile(join(folder, "pyodide-lock.json"))) as Lock;
    if (packagesOf(module, lock) === undefined) return results;
    const files = tried.has(module) ? undefined : await filesOf(module, lock, {
      folder: join(cacheDir, `pyodide-${version}`),
      address: `https://cdn.jsdelivr.net/pyodide/v${version}/full/`,
      offline,
    });
    if (files === undefined) return [...results.slice(0, -1), { ...last, verdict: "unavailable" }];
    tried.add(module);
    for (const file of files) packages.add(file);
  }
}

/** How a process ended. */
function endOf({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}

/** A word on threads, where a program that took too long has some: one may wait for another. */
const threadsIn = ({ code }: Request): string =>
  /\b(?:Thread|ThreadPoolExecutor|start_new_thread)\b/.test(code)
    ? "; its threads run one after the other in the sandbox"
    : "";

/**
 * Ends that a program can bring about: its stack or its heap is at an end, or it has left by a way that the
 * sandbox does not know.
 */
const OWN_ENDS: ReadonlySet<Deno.Signal | null> = new Set(
  [null, "SIGSEGV", "SIGABRT", "SIGTRAP", "SIGBUS", "SIGILL"] as const,
);

/** A program that only a sandbox which does not work can fail on. */
const NOTHING = requestOf({ code: "" });

interface Where {
  readonly folder: string;
  readonly pyodide: string;
  readonly snapshot: string;
  readonly packages: readonly string[];
  readonly memoryMb: number;
  readonly timeMs: number;
  readonly signal?: AbortSignal;
}

/** Runs programs in a new process with some packages. */
async function runOnce(
  list: readonly Request[],
  where: Where,
): Promise<PythonResult[]> {
  const { folder, pyodide, snapshot, packages, memoryMb, timeMs, signal } = where;
  const reads = `--allow-read=${[folder, snapshot, ...packages].join(",")}`;
  const child = spawn([reads], ["run", folder, snapshot], memoryMb);
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
  };
  signal?.addEventListener("abort", kill);
  const token = crypto.randomUUID(), reader = answers(child.stdout, token);
  const writer = child.stdin.getWriter();
  const send = (value: Start | Request) => writer.write(encode(value)).catch(() => {});
  const results: PythonResult[] = [];
  try {
    void send({ token, runner: "", packages, pyodide });
    const first = await within(reader.next(), START_MS);
    signal?.throwIfAborted();
    if (first === LATE || !first?.ready) {
      const why = first === LATE ? ` within ${START_MS} ms` : `: ${endOf(await child.status)}`;
      throw new Error(`Cannot ${VERB} as the interpreter did not start${why}`);
    }
    for (const request of list) {
      void send(request);
      const answer = await within(reader.next(), timeMs);
      signal?.throwIfAborted();
      const failed = answer === LATE ? undefined : answer?.failed;
      if (failed !== undefined) {
        // A hostile program can break the interpreter around it: another process tells whose fault it is.
        if (request !== NOTHING) await runOnce([NOTHING], where);
        else throw new Error(`Cannot ${VERB} as the sandbox has failed: ${failed}`);
        results.push({ verdict: "error", output: "", error: failed });
        break;
      }
      if (answer === undefined) {
        const status = await within(child.status, 5000); // LATE: it prints without end
        if (status !== LATE && !OWN_ENDS.has(status.signal)) {
          throw new Error(`Cannot ${VERB} as the interpreter failed: ${endOf(status)}`);
        }
      }
      const result: PythonResult = answer === LATE
        ? { verdict: "time", output: "", error: `took more than ${timeMs} ms${threadsIn(request)}` }
        : answer === undefined
        ? { verdict: "error", output: "", error: "the program ended the process" }
        : resultOf(answer, request, memoryMb);
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
