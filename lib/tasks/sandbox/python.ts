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
 * so a verdict is the same each time. Python has no subprocesses, no timers and no threads there: work of a
 * `ThreadPoolExecutor` is done where it is handed in, and what would need more is "unavailable". Its words have 32
 * bits: `sys.maxsize` and the items of `array("l")` are those of Linux nonetheless, the default integer of
 * numpy is not. numpy and the other packages of Pyodide's distribution are loaded where a program imports them,
 * from the cache folder or Pyodide's address ({@linkcode PythonOptions.offline}).
 *
 * @module
 */

import { join } from "node:path";
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
import {
  findPyodide,
  LATE,
  type ProcessOptions,
  type Pyodide,
  snapshotIn,
  startProcess,
} from "./_process.ts";
import type { Answer, Program, Request } from "./_protocol.ts";

export type { Program };

/**
 * How a program ended. "pass": it ran to its end; "wrong answer": an assertion failed; "error": another exception,
 * or it ended the process; "exit": it ended itself with an exit code before its end; then come the limits that
 * were reached; "unavailable": it needs what CPython has and the sandbox has not.
 */
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
  /** How it ended. */
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

/** Milliseconds that an interpreter may take to start. */
const START_MS = 120_000;
/** Bytes of output that are kept, and those that a program judged by its output may print. */
const KEPT = 1_000_000, PRINTED = 2 ** 24;

const VERB = "run Python";

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

/** What errors of the interpreter mean. */
const MEANINGS: Readonly<Record<string, readonly [PythonVerdict, string]>> = {
  "does not support processes": ["unavailable", "the sandbox has no processes"],
  "lacks multiprocessing": ["unavailable", "the sandbox has no processes"],
  "can't start new thread": ["unavailable", "the sandbox has no threads"],
  "Maximum call stack size exceeded": [
    ...["error", "RecursionError: deeper than the sandbox's stack allows"] as const,
  ],
};

/** What came of a program that has answered. */
function resultOf(answer: Answer, { program }: Request, memoryMb: number): PythonResult {
  const { output = "", stderr = "", kind, error = "", exit, missing, over } = answer;
  const ended = (verdict: PythonVerdict, error?: string, more?: Partial<PythonResult>) => ({
    ...{ verdict, output, ...(stderr !== "" && { stderr }) },
    ...{ ...(error !== undefined && { error }), ...more },
  });
  if (over && program) return ended("output", `printed more than ${PRINTED / 2 ** 20} MiB`);
  if (kind === undefined) return ended("pass");
  if (exit !== undefined) {
    if (program && exit === 0) return ended("pass", undefined, { exitCode: 0 });
    return ended("exit", `exit code ${exit}`, { exitCode: exit });
  }
  if (missing) return ended(missing[1] ? "unavailable" : "error", error, { module: missing[0] });
  if (kind === "Lacking") return ended("unavailable", error);
  const known = Object.keys(MEANINGS).find((words) => error.includes(words));
  if (known !== undefined) return ended(...MEANINGS[known]!);
  if (kind === "MemoryError" || /index-sized integer/.test(error)) {
    return ended("memory", `needs more than ${memoryMb} MiB`);
  }
  return ended(kind === "AssertionError" ? "wrong answer" : "error", answer.error ?? kind);
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
  const pyodide = await findPyodide(), { folder, version } = pyodide;
  const snapshot = await snapshotIn(cacheDir, pyodide);
  const packages = new Set<string>(), tried = new Set<string>();
  for (;;) {
    const limits = { timeMs, memoryMb, signal };
    const results = await runOnce(list, { ...limits, pyodide, snapshot, packages: [...packages] });
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
function endOf(status: Deno.CommandStatus | typeof LATE): string {
  if (status === LATE) return "it does not end";
  const { code, signal } = status;
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

interface Where extends Omit<ProcessOptions, "token"> {
  readonly pyodide: Pyodide;
  readonly timeMs: number;
}

/** Runs programs in a new process with some packages. */
async function runOnce(list: readonly Request[], where: Where): Promise<PythonResult[]> {
  const { pyodide, packages, memoryMb, timeMs } = where, token = crypto.randomUUID();
  await using process = startProcess(pyodide, { ...where, token });
  const start = { token, runner: "", packages, pyodide: pyodide.address };
  const first = await process.ask(start, START_MS);
  if (first === LATE || !first?.ready) {
    const why = first === LATE ? ` within ${START_MS} ms` : `: ${endOf(await process.end())}`;
    throw new Error(`Cannot ${VERB} as the interpreter did not start${why}`);
  }
  const results: PythonResult[] = [];
  for (const request of list) {
    const answer = await process.ask(request, timeMs);
    const ended = (verdict: PythonVerdict, error: string) => ({ verdict, output: "", error });
    if (answer === LATE) {
      results.push(ended("time", `took more than ${timeMs} ms${threadsIn(request)}`));
    } else if (answer === undefined) {
      const status = await process.end(); // LATE: it prints without end
      if (status !== LATE && !OWN_ENDS.has(status.signal)) {
        throw new Error(`Cannot ${VERB} as the interpreter failed: ${endOf(status)}`);
      }
      results.push(ended("error", "the program ended the process"));
    } else if (answer.failed !== undefined) {
      // A hostile program can break the interpreter around it: another process tells whose fault it is.
      if (request !== NOTHING) await runOnce([NOTHING], where);
      else throw new Error(`Cannot ${VERB} as the sandbox has failed: ${answer.failed}`);
      results.push(ended("error", answer.failed));
    } else results.push(resultOf(answer, request, memoryMb));
    if (results.at(-1)!.verdict !== "pass") break;
  }
  return results;
}
