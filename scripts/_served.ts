/**
 * `deno task serve` as a process of its own, for what measures and tests it from outside.
 *
 * @module
 */

import manifest from "../deno.json" with { type: "json" };

/** A server that runs; disposing it ends it. */
export interface Served extends AsyncDisposable {
  /** Where it answers, as in "http://127.0.0.1:8000". */
  readonly url: string;
  /** Its process. */
  readonly pid: number;
}

/** The text of a stream up to a line that has an address; undefined where there is none. */
async function addressIn(reader: ReadableStreamDefaultReader<string>, said: string[]) {
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    said.push(next.value);
    const [, url] = / at (http:\S+)\/v1\n/.exec(said.join("")) ?? [];
    if (url !== undefined) return url;
  }
  return undefined;
}

/**
 * Starts a server on a free port.
 *
 * @param args Arguments of `deno task serve`.
 * @throws {Error} With what it said, where it ends before it answers.
 */
export async function served(args: readonly string[]): Promise<Served> {
  const [, ...command] = manifest.tasks.serve.command.split(" ");
  const child = new Deno.Command(Deno.execPath(), {
    args: [...command, "--port", "0", ...args],
    cwd: new URL("..", import.meta.url),
    ...{ env: { NO_COLOR: "1" }, stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  const said: string[] = [];
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const url = await addressIn(reader, said);
  if (url === undefined) throw new Error(`Cannot serve: ${said.join("").trim()}`);
  const rest = (async () => {
    while (!(await reader.read()).done); // a full pipe would stop it
  })();
  return {
    ...{ url, pid: child.pid },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.all([rest, child.status]);
    },
  };
}
