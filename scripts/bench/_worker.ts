/**
 * A contender in a process of its own: it says "ready", then times one workload per line.
 *
 * Processes are separate since two packages may bring two versions of ONNX Runtime, and so that the
 * parent can interleave contenders round by round.
 *
 * @module
 */

/** Greedy decoding of equal prompts, end-of-text ignored. */
export interface Workload {
  /** Number of sequences. */
  readonly batch: number;
  /** Prompt tokens of each. */
  readonly context: number;
  /** New tokens of each. */
  readonly tokens: number;
  /** Method, where the contender has several. */
  readonly method?: "standard" | "moi";
  /** Softmax temperature; 0 is greedy. */
  readonly temperature?: number;
}

/** Answer to a workload. */
export interface Timing {
  /** Milliseconds of the whole call, prompt included. */
  readonly ms: number;
  /** Generated ids of the first sequence, to see that all contenders computed the same. */
  readonly tokens: number[];
}

/** A prompt of made-up but fixed ids. */
export function promptOf(context: number, vocabularySize: number, row = 0): number[] {
  return Array.from(
    { length: context },
    (_, i) => (i * 7919 + 31 + row) % (vocabularySize - 8) + 8,
  );
}

const encoder = new TextEncoder();

/** Serves workloads from stdin until it closes. */
export async function serve(run: (workload: Workload) => Promise<number[]>): Promise<void> {
  Deno.stdout.writeSync(encoder.encode("ready\n"));
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const chunk of lines) {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const workload: Workload = JSON.parse(rest.slice(0, end));
      rest = rest.slice(end + 1);
      const start = performance.now();
      const tokens = await run(workload);
      const timing: Timing = { ms: performance.now() - start, tokens };
      Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(timing)}\n`));
    }
  }
}
