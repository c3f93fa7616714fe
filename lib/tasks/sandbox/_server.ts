/**
 * The process in which untrusted Python runs; started by `python.ts` without any permission but to read
 * Pyodide and its snapshot. It takes programs on stdin, one JSON a line, and answers on stdout.
 *
 * Arguments: "make PATH" writes a snapshot of a started interpreter; "run PATH" starts from one, "run -"
 * without.
 *
 * @module
 */

import { loadPyodide } from "pyodide";
import type { Answer, Program } from "./python.ts";

/** Longest output that is kept, in characters. */
const LONGEST = 1_000_000;

// Options and methods of snapshots are not in the library's types: they are experimental.
type Options = Parameters<typeof loadPyodide>[0] & Record<string, unknown>;
type Python = Awaited<ReturnType<typeof loadPyodide>> & { makeMemorySnapshot(): Uint8Array };

/** Sets the streams of a program, and runs it as `__main__`. */
const RUN = `
def _run(code, text, namespace):
    import io, sys
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    sys.stdout = sys.stderr = out = io.StringIO()
    try:
        exec(compile(code, "solution.py", "exec"), namespace)
        return None, out.getvalue()
    except BaseException as error:
        import traceback
        kind = type(error).__name__
        line = traceback.format_exception_only(error)[-1].strip()
        return (kind, line), out.getvalue()
_run
`;

const [mode, path = "-"] = Deno.args;
const start = async (more: Record<string, unknown>): Promise<Python> =>
  await loadPyodide({ stdout() {}, stderr() {}, jsglobals: {}, ...more } as Options) as Python;

if (mode === "make") {
  const python = await start({ _makeSnapshot: true });
  await Deno.writeFile(path, python.makeMemorySnapshot());
} else {
  const write = Deno.stdout.writeSync.bind(Deno.stdout), encoder = new TextEncoder();
  const encode = encoder.encode.bind(encoder), stringify = JSON.stringify;
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  const nextLine = async (): Promise<string | undefined> => {
    for (;;) {
      const end = buffer.indexOf("\n");
      if (end >= 0) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 1);
        return line;
      }
      const { value, done } = await lines.read();
      if (done) return undefined;
      buffer += value;
    }
  };
  const token = await nextLine() ?? ""; // answers begin with it; Python is not told
  const reply = (answer: Answer) => {
    const bytes = encode(`${token}${stringify(answer)}\n`);
    for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
  };
  const python = await start(path === "-" ? {} : { _loadSnapshot: Deno.readFileSync(path).buffer });
  const run = python.runPython(RUN);
  let namespace = python.globals.get("dict")();
  reply({ ready: true });
  for (let line; (line = await nextLine()) !== undefined;) {
    const { code, stdin = "", fresh = true } = JSON.parse(line) as Program;
    if (fresh) {
      namespace = python.globals.get("dict")();
      namespace.set("__name__", "__main__");
    }
    try {
      const result = run(code, stdin, namespace);
      const [fault, output] = result.toJs() as [[string, string] | undefined, string];
      reply({
        output: output.slice(0, LONGEST),
        ...(fault ? { kind: fault[0], error: fault[1] } : {}),
      });
    } catch (error) { // the interpreter itself has failed
      reply({ output: "", kind: "Crash", error: String(error).split("\n").at(-1)! });
      Deno.exit(1);
    }
  }
}
