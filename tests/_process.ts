/** Processes of their own: this very Deno, run to its end. */

import { root } from "./_repository.ts";

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode deno}. */
export interface ProcessOptions {
  /** Where it runs. Default: the repository. */
  readonly cwd?: string | URL;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. Default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** What is done while it runs, such as stopping it. */
  readonly meanwhile?: (child: Deno.ChildProcess) => Promise<void>;
}

/** Runs this Deno with these arguments. It has ended when the call returns, or throws. */
export async function deno(
  args: readonly string[],
  { cwd = root, env = {}, stdin, meanwhile }: ProcessOptions = {},
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: [...args], cwd, env: { NO_COLOR: "1", ...env } },
    ...{ stdin: stdin === undefined ? "null" : "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const ended = child.output();
  try {
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
      await writer.close();
    }
    await meanwhile?.(child);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  const { code, signal, stdout, stderr } = await ended;
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, signal, stdout: out!, stderr: err! };
}

/** Runs a command line of `scripts/`. */
export function script(
  name: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  return deno(["run", "-A", "--quiet", `scripts/${name}.ts`, ...args], options);
}
