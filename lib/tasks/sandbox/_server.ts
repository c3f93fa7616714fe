/**
 * The process in which untrusted Python runs, started by `_process.ts` without any permission but to read
 * Pyodide, its snapshot and packages. It takes programs on stdin, one JSON a line, and answers on stdout.
 *
 * Its source travels as text, wherever this package was imported from: {@linkcode serve} uses nothing
 * from outside of itself.
 *
 * @module
 */

import type { Answer, Request, Start } from "./_protocol.ts";

/** Arguments of the process: "make" or "run", Pyodide's folder, and the path of the snapshot. */
async function serve(
  load: (address: string) => Promise<typeof import("npm:pyodide@314.0.7")>,
): Promise<void> {
  // Options and methods of snapshots are not in the library's types: they are experimental.
  interface Python {
    runPython(code: string): unknown;
    makeMemorySnapshot(): Uint8Array;
    unpackArchive(bytes: Uint8Array, format: string, options: { extractDir: string }): void;
    setStdin(options: { read(buffer: Uint8Array): number; isatty: boolean }): void;
    setStdout(options: { write(buffer: Uint8Array): number; isatty: boolean }): void;
    setStderr(options: { write(buffer: Uint8Array): number; isatty: boolean }): void;
    globals: { get(name: string): (...args: unknown[]) => { toJs(): unknown[] } };
  }
  const [mode, folder, path] = Deno.args as [string, string, string];
  const write = Deno.stdout.writeSync.bind(Deno.stdout), encoder = new TextEncoder();
  const encode = encoder.encode.bind(encoder), stringify = JSON.stringify;
  const exit = Deno.exit.bind(Deno), read = Deno.readFileSync.bind(Deno);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  const nextLine = async (): Promise<string | undefined> => {
    for (const parts: string[] = [];;) {
      const end = rest.indexOf("\n");
      if (end >= 0) {
        parts.push(rest.slice(0, end));
        rest = rest.slice(end + 1);
        return parts.join("");
      }
      parts.push(rest);
      const { value, done } = await lines.read();
      if (done) return undefined;
      rest = value;
    }
  };
  const { token, runner, packages, pyodide } = JSON.parse(await nextLine() ?? "{}") as Start;
  const { loadPyodide } = await load(pyodide);
  const start = async (more: Record<string, unknown>): Promise<Python> =>
    await loadPyodide({
      stdout() {},
      stderr() {},
      jsglobals: {},
      indexURL: folder,
      ...more,
    }) as unknown as Python;
  if (mode === "make") {
    const python = await start({ _makeSnapshot: true });
    python.runPython(runner);
    await Deno.writeFile(path, python.makeMemorySnapshot());
    return;
  }
  const reply = (answer: Answer) => { // Python is not told the token
    const bytes = encode(`${token}${stringify(answer)}\n`);
    for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
  };
  const python = await start({ _loadSnapshot: read(path).buffer });
  for (const file of packages) {
    python.unpackArchive(read(file), "wheel", { extractDir: "/lib/python-packages" });
  }
  python.runPython("import importlib; importlib.invalidate_caches(); del importlib");

  /** What a program writes: the first bytes of it. */
  const sink = (full: () => void) => {
    let parts: Uint8Array[] = [], size = 0, limit = 0;
    return {
      open(most: number) {
        [parts, size, limit] = [[], 0, most];
      },
      write(bytes: Uint8Array): number {
        if (size < limit) parts.push(bytes.slice(0, limit - size));
        size += bytes.length;
        if (size > limit) full();
        return bytes.length;
      },
      over: () => size > limit,
      text(): string {
        const decoder = new TextDecoder(undefined, { ignoreBOM: true });
        return parts.map((part) => decoder.decode(part, { stream: true })).join("") +
          decoder.decode();
      },
    };
  };
  let input = new Uint8Array(), at = 0, program = false;
  const out = sink(() => {
    if (!program) return;
    reply({ output: out.text().slice(0, 1000), over: true });
    exit(1);
  });
  const err = sink(() => {});
  python.setStdin({
    read(buffer) {
      const part = input.subarray(at, at + buffer.length);
      buffer.set(part);
      at += part.length;
      return part.length;
    },
    isatty: false,
  });
  python.setStdout({ write: out.write, isatty: false });
  python.setStderr({ write: err.write, isatty: false });
  const run = python.globals.get("_run");
  reply({ ready: true });
  for (let line; (line = await nextLine()) !== undefined;) {
    const request = JSON.parse(line) as Request;
    [input, at, program] = [encode(request.stdin), 0, request.program];
    out.open(request.limit);
    err.open(100_000);
    try {
      const [kind, error, exit, missing] = run(line, input.length)
        .toJs() as [string?, string?, number?, [string, boolean]?];
      reply({
        ...{ output: out.text(), stderr: err.text(), kind, error, exit, missing },
        ...(out.over() && { over: true }),
      } as Answer);
    } catch (error) { // the interpreter itself has failed
      const last = String(error).trim().split("\n").at(-1)!;
      const own = /^(?:Type|Syntax|Reference)Error$/.test((error as Error)?.name ?? "");
      reply(own ? { failed: last } : { output: out.text(), kind: "Crash", error: last });
      exit(1);
    }
  }
}

/** The module as text. */
export const SERVER = `await (${serve})((address) => import(address));`;
