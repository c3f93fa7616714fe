/**
 * The process of the sandbox: Deno without permissions, in which a started Pyodide is waiting for programs.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { refusal } from "../../_check.ts";
import { replaceFile } from "../../_cache_home.ts";
import { sha256 } from "../../_sha256.ts";
import type { Answer, Request, Start } from "./_protocol.ts";
import { RUNNER } from "./_runner.ts";
import { SERVER } from "./_server.ts";

/** WebAssembly pages of a mebibyte. */
const PAGES = 16;
/** Longest line of a process, in UTF-16 units: it prints without end past its own stdout. */
const LONGEST = 2 ** 27;

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

/** Pyodide's package on this machine. */
export interface Pyodide {
  readonly folder: string;
  /** Address of its module. */
  readonly address: string;
  readonly version: string;
}

/** Where Pyodide is. The import puts the package where it can be resolved. */
export async function findPyodide(): Promise<Pyodide> {
  const { version } = await import("npm:pyodide@314.0.7");
  const address = import.meta.resolve("npm:pyodide@314.0.7");
  if (address.startsWith("file:")) {
    return { folder: dirname(fileURLToPath(address)), address, version };
  }
  throw new Error(refusal("run Python", "pyodide", "be a package on this machine", address));
}

/** Starts the process. Its code is text, so that it does not matter where this module came from. */
function spawn(permissions: readonly string[], args: readonly string[], memoryMb: number) {
  const flags = `--v8-flags=--wasm-max-mem-pages=${memoryMb * PAGES},--max-old-space-size=512`;
  const rest = [
    ...["--quiet", "--no-prompt", "--no-check", "--no-config", "--no-lock", "--cached-only"],
    ...[...permissions, `data:text/javascript,${encodeURIComponent(SERVER)}`, ...args],
  ];
  const start = (command: string, args: string[]) =>
    new Deno.Command(command, {
      args,
      env: { NO_COLOR: "1" },
      ...{ stdin: "piped", stdout: "piped", stderr: "null" },
    }).spawn();
  const deno = Deno.execPath(), shallow = ["run", flags, ...rest];
  if (Deno.build.os === "windows") return start(deno, shallow);
  try {
    return start("/bin/sh", ["-c", DEEP, deno, flags, ...rest]);
  } catch { // no shell, or only Deno may be run
    return start(deno, shallow);
  }
}

const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

const snapshots = new Map<string, Promise<string>>();

/** Path of a started interpreter, made where it is missing: someone may have emptied the cache. */
export async function snapshotIn(cacheDir: string, pyodide: Pyodide): Promise<string> {
  const known = snapshots.get(cacheDir);
  if (known && await isThere(await known)) return known;
  const made = makeSnapshot(cacheDir, pyodide);
  snapshots.set(cacheDir, made);
  made.catch(() => snapshots.delete(cacheDir));
  return made;
}

async function makeSnapshot(cacheDir: string, pyodide: Pyodide): Promise<string> {
  const { folder, address, version } = pyodide;
  const digest = sha256(RUNNER + SERVER, 12);
  const path = join(cacheDir, `pyodide-${version}-deno-${Deno.version.deno}-${digest}.snapshot`);
  if (await isThere(path)) return path;
  await replaceFile(path, async (part) => {
    const allowed = [`--allow-read=${folder}`, `--allow-write=${part}`];
    const child = spawn(allowed, ["make", folder, part], 2048), writer = child.stdin.getWriter();
    const start: Start = { token: "", runner: RUNNER, packages: [], pyodide: address };
    await writer.write(encode(start)).then(() => writer.close()).catch(() => {});
    const [{ success }] = await Promise.all([child.status, child.stdout.cancel()]);
    if (!success) throw new Error("Cannot run Python as the interpreter could not be started");
  });
  return path;
}

/** The answers of a process: those lines that begin with the token. */
async function* answers(
  reader: ReadableStreamDefaultReader<string>,
  token: string,
): AsyncGenerator<Answer, undefined> {
  for (let line = ""; line.length <= LONGEST;) {
    const { value, done } = await reader.read();
    if (done) return;
    const [first, ...more] = value.split("\n");
    line += first;
    for (const next of more) {
      if (line.startsWith(token)) yield JSON.parse(line.slice(token.length));
      line = next;
    }
  }
}

/** An answer that has not come in time. */
export const LATE: unique symbol = Symbol("late");

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

/** A process that answers what it is sent. */
export interface Process extends AsyncDisposable {
  /** Sends, and gives the answer; undefined where the process has ended, or prints without end. */
  ask(value: Start | Request, ms: number): Promise<Answer | undefined | typeof LATE>;
  /** How it has ended, if it does soon. */
  end(): Promise<Deno.CommandStatus | typeof LATE>;
}

/** What a process reads beside Pyodide, and its limits. */
export interface ProcessOptions {
  readonly snapshot: string;
  readonly packages: readonly string[];
  readonly memoryMb: number;
  readonly token: string;
  readonly signal: AbortSignal | undefined;
}

/** Starts a process that may read Pyodide, its snapshot and packages. */
export function startProcess(
  { folder }: Pyodide,
  { snapshot, packages, memoryMb, token, signal }: ProcessOptions,
): Process {
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
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const lines = answers(reader, token), writer = child.stdin.getWriter();
  return {
    async ask(value, ms) {
      void writer.write(encode(value)).catch(() => {});
      const answer = await within(lines.next(), ms);
      signal?.throwIfAborted();
      return answer === LATE ? LATE : answer.value;
    },
    end: () => within(child.status, 5000),
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener("abort", kill);
      kill();
      await writer.abort().catch(() => {});
      await reader.cancel().catch(() => {});
      await child.status;
    },
  };
}
