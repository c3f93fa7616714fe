/**
 * Parts of a run, each in a process of its own: one that fails, hangs or runs out of memory takes
 * nothing else with it. What it finds comes as lines of JSON, so that one that is stopped has told
 * what it had.
 */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Found, Tell } from "./found.ts";

/** What a part is asked. */
export interface PartRequest {
  readonly name: string;
  readonly device: string;
  /** Model of the speed part. */
  readonly model?: string;
  readonly dtype?: string;
  /** Tiny cases, to see that everything runs. */
  readonly quick: boolean;
  /** Folder of the models. */
  readonly folder: string;
  /** When to stop, milliseconds since 1970. */
  readonly until: number;
}

/** A request with what its part needs beside it. */
export interface Part extends PartRequest {
  readonly tell: Tell;
  /** Whether there is time left. */
  readonly hasTime: () => boolean;
}

const MARK = "> ", encoder = new TextEncoder();

/** The part's side of {@linkcode runProcess}. */
export const tellParent: Tell = (found) => {
  const line = encoder.encode(`${MARK}${JSON.stringify(found)}\n`);
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
};

/**
 * Runs a command to its end, or to a time at which it is stopped.
 *
 * @param until Milliseconds since 1970.
 * @returns Why it ended otherwise than well; undefined where it did well.
 */
export async function runProcess(
  [command, ...args]: readonly [string, ...string[]],
  until: number,
  tell: Tell,
): Promise<string | undefined> {
  const begin = Date.now();
  const child = new Deno.Command(command, {
    ...{ args, env: { NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let stopped = false;
  const timer = setTimeout(() => {
    stopped = true;
    child.kill("SIGKILL");
  }, Math.max(0, until - begin));
  const words = new Response(child.stderr).text();
  const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) });
  for await (const line of lines) { // a line that was cut off is no JSON
    if (!line.startsWith(MARK)) continue;
    const found = parsed(line.slice(MARK.length));
    if (found) tell(found);
  }
  const { code, signal } = await child.status;
  clearTimeout(timer);
  if (stopped) return `stopped after ${((Date.now() - begin) / 1e3).toFixed(0)} s`;
  if (code === 0) return undefined;
  const said = (await words).trim().split("\n").filter((line) => line.trim() !== "");
  const why = said.findLast((line) => /^(error|\w+(Error|Exception)):/.test(line)) ?? said.at(-1) ??
    "no word";
  return `ended with ${signal ?? code}: ${why.trim()}`;
}

function parsed(text: string): Found | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The command that runs a part: this very script with the request in one argument. */
export function partCommand(request: PartRequest): readonly [string, ...string[]] {
  const main = Deno.mainModule, isBundle = main.endsWith(".js");
  const own = ["--no-config", "--no-remote", "--node-modules-dir=manual"]; // what the kit brings along
  const flags = ["run", "-A", "--quiet", ...(isBundle ? own : [])];
  return [Deno.execPath(), ...flags, main, "--part", JSON.stringify(request)];
}
