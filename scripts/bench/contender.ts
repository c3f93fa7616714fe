/**
 * A contender: a process of its own that is told what to do, one line of JSON at a time.
 *
 * Processes are separate since two packages may bring two versions of one native library, and so that
 * contenders can take turns, round by round: whatever else the machine does hits them alike.
 */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Lengths } from "./prompts.ts";
import { peakBytes } from "./rows.ts";

/** What contenders can be asked; each decodes greedily and goes on past the end of the text. */
export type Job =
  /** Reads a prompt, alone, and gives its first token. */
  | { readonly do: "open"; readonly context: number }
  /** Goes on with what was opened. */
  | { readonly do: "more"; readonly tokens: number }
  /** Answers any number of prompts, from start to end. */
  | { readonly do: "whole"; readonly requests: readonly Lengths[] };

/** Answer to a job. */
export interface Timing {
  /** Milliseconds of the whole job. */
  readonly ms: number;
  /** Tokens by request. */
  readonly tokens: readonly number[][];
}

/** A running contender. */
export interface Contender extends AsyncDisposable {
  /** Does a job; rejects where it fails or the process has ended. */
  run(job: Job): Promise<Timing>;
  /** Peak of its resident memory so far, bytes; NaN where the system does not tell. */
  peak(): number;
}

const linesOf = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  createInterface({ input: Readable.fromWeb(stream as never) });

/** Starts a script of the folder `contenders`; rejects with what it said where it is never ready. */
export async function start(script: string, args: readonly string[]): Promise<Contender> {
  const path = fileURLToPath(new URL(`./contenders/${script}`, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", path, ...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = linesOf(child.stdout), said = lines[Symbol.asyncIterator]();
  const writer = child.stdin.getWriter();
  const words = new Response(child.stderr).text();
  const answer = async (): Promise<string> => {
    for (;;) {
      const { value: line, done } = await said.next();
      if (done) {
        const why = (await words).trim().split("\n").find((text) => /error/i.test(text));
        throw new Error(`${script} ended: ${why ?? "no reason given"}`);
      }
      if (line.startsWith(MARK)) return line.slice(MARK.length); // packages may print as well
    }
  };
  const stop = async () => {
    await writer.close().catch(() => {});
    lines.close();
    await words;
    await child.status;
  };
  try {
    await answer();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async run(job) {
      await writer.write(encoder.encode(`${JSON.stringify(job)}\n`));
      return JSON.parse(await answer());
    },
    peak: () => peakBytes(child.pid),
    [Symbol.asyncDispose]: stop,
  };
}

const MARK = "> ", encoder = new TextEncoder();

/** What a contender does of {@linkcode Job}: tokens by request. */
export type Handlers = {
  readonly [D in Job["do"]]?: (job: Extract<Job, { do: D }>) => Promise<number[][]>;
};

/** The contender's side: does jobs until stdin closes. */
export async function serve(handlers: Handlers): Promise<void> {
  const say = (value: unknown) =>
    Deno.stdout.writeSync(encoder.encode(`${MARK}${JSON.stringify(value)}\n`));
  const lines = linesOf(Deno.stdin.readable);
  say("ready");
  for await (const line of lines) {
    const job: Job = JSON.parse(line);
    const handler = handlers[job.do] as ((job: Job) => Promise<number[][]>) | undefined;
    if (!handler) throw new Error(`error: this contender does not do '${job.do}'`);
    const begin = performance.now(), tokens = await handler(job);
    say({ ms: performance.now() - begin, tokens } satisfies Timing);
  }
}
