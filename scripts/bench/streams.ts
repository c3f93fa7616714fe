/**
 * The other end of a server: a process of its own that opens streams of completions, all at once, and
 * tells when their tokens came.
 *
 * It speaks HTTP by hand, since what a client costs is taken from the server where both share cores, and
 * looks at what it has read once a stream is whole.
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { quantile } from "./rows.ts";

/** What the process is asked. */
export interface Streaming {
  readonly port: number;
  /** Bodies of requests, one a stream. */
  readonly bodies: readonly object[];
  /** Asks again, each stream by itself, until so many seconds have passed. Default: each asks once. */
  readonly seconds?: number;
}

/** What it tells. */
export interface Streamed {
  /** Milliseconds from the first request to the end of the last stream. */
  readonly ms: number;
  /** The text of each stream, the same every time that it was asked for. */
  readonly texts: readonly string[];
  /** Events that came, a token each, apart from those that end a stream. */
  readonly events: number;
  /** Milliseconds from one token of a stream to the next: quantiles of all of them. */
  readonly gaps: { readonly median: number; readonly p99: number; readonly most: number };
  /** Processor time of the process for an event, its start included, in microseconds. */
  readonly cost: number;
}

/** Runs the process. */
export async function streamed(streaming: Streaming): Promise<Streamed> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", fileURLToPath(import.meta.url), JSON.stringify(streaming)],
    ...{ env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" },
  });
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot stream: ${text(stderr)}`);
  return JSON.parse(text(stdout));
}

/** A stream as it was read: its bytes in parts, and when each came. */
interface Read {
  readonly parts: readonly Uint8Array[];
  readonly times: readonly number[];
}

const encoder = new TextEncoder(), END = encoder.encode("\r\n0\r\n\r\n");

/** Refuses an answer that is no stream. */
function checkHead(part: Uint8Array): void {
  const text = new TextDecoder().decode(part);
  if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(`a stream was answered: ${text}`);
}

/** Sends a request and reads its answer to the end. */
async function ask(port: number, body: object): Promise<Read> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const json = encoder.encode(JSON.stringify(body));
  const head = ["POST /v1/completions HTTP/1.1", `Host: 127.0.0.1:${port}`].concat(
    ["Content-Type: application/json", `Content-Length: ${json.length}`, "", ""],
  );
  await connection.write(encoder.encode(head.join("\r\n")));
  await connection.write(json);
  const parts: Uint8Array[] = [], times: number[] = [], buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("a stream was cut");
    times.push(performance.now());
    parts.push(buffer.slice(0, count));
    if (parts.length === 1) checkHead(parts[0]!);
    if (END.every((byte, i) => buffer[count - END.length + i] === byte)) return { parts, times };
  }
}

/** The text of a stream, and when each of its events came. */
function heard({ parts, times }: Read): { readonly text: string; readonly at: number[] } {
  const decoder = new TextDecoder(), at: number[] = [];
  let text = "", rest = "", isWhole = false;
  for (const [i, part] of parts.entries()) {
    const lines = `${rest}${decoder.decode(part, { stream: true })}`.split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      if (line === "data: [DONE]") {
        isWhole = true;
        continue;
      }
      const { choices, error } = JSON.parse(line.slice(6));
      if (error) throw new Error(`a stream ended: ${error.message}`);
      if (choices[0].finish_reason !== null) continue;
      text += choices[0].text;
      at.push(times[i]!);
    }
  }
  if (!isWhole) throw new Error("a stream ended early");
  return { text, at };
}

async function main({ port, bodies, seconds = 0 }: Streaming): Promise<Streamed> {
  const begin = performance.now(), gaps: number[] = [], texts: string[] = [];
  let events = 0;
  const take = (read: Read, row: number) => {
    const { text, at } = heard(read);
    if ((texts[row] ??= text) !== text) throw new Error(`the text of stream ${row} has changed`);
    events += at.length;
    for (let i = 1; i < at.length; i++) gaps.push(at[i]! - at[i - 1]!);
  };
  const lane = async (body: object, row: number) => {
    let read = await ask(port, body);
    while (performance.now() - begin < 1e3 * seconds) {
      take(read, row);
      read = await ask(port, body);
    }
    return read;
  };
  const last = await Promise.all(bodies.map(lane)), ms = performance.now() - begin;
  const { user, system } = process.cpuUsage();
  last.forEach(take);
  return {
    ...{ ms, texts, events },
    gaps: {
      median: quantile(gaps, 0.5),
      p99: quantile(gaps, 0.99),
      most: Math.max(0, quantile(gaps, 1)),
    },
    cost: (user + system) / events,
  };
}

if (import.meta.main) {
  const told = JSON.stringify(await main(JSON.parse(Deno.args[0]!)));
  Deno.stdout.writeSync(encoder.encode(told));
}
