/**
 * Peak memory of a process that loads a model and fills its cache, over the weights in the number
 * format in use and the cache of one sequence (Linux); and how long loading takes, the first time with
 * the making of the quantised copy.
 */

import { fileURLToPath } from "node:url";
import { generate, moi } from "../../../lib/decode/mod.ts";
import { loadModel, type LoadOptions } from "../../../lib/model/mod.ts";
import type { Bench } from "../bench.ts";
import { promptOf } from "../prompts.ts";
import { digits, peakBytes, summary } from "../rows.ts";

/** Positions of the sequence: all are filled. */
const LENGTH = 1024;

/** What the process tells, in bytes. */
export interface Memory {
  readonly weights: number;
  readonly cache: number;
  readonly loaded: number;
  /** Seconds of the load. */
  readonly seconds: number;
  readonly peak: number;
}

/** The process: loads, decodes, tells. */
async function measure(id: string, options: LoadOptions): Promise<Memory> {
  const begin = performance.now();
  await using model = await loadModel(id, { ...options, maxLength: LENGTH });
  const seconds = (performance.now() - begin) / 1e3;
  const loaded = peakBytes(), { weightsBytes, kvBytesPerToken } = model.memory, maxNewTokens = 64;
  await generate(model, promptOf(LENGTH - maxNewTokens, model.config.vocabularySize), {
    method: moi({ beta: 1 }),
    topK: 50,
    maxNewTokens,
    ignoreEos: true,
    seed: 1,
  });
  const weights = weightsBytes, cache = LENGTH * kvBytesPerToken;
  return { weights, cache, loaded, seconds, peak: peakBytes() };
}

/** Loads a model in a process of its own, which tells what that took. */
export async function measured(id: string, options: LoadOptions): Promise<Memory> {
  const path = fileURLToPath(import.meta.url), asked = JSON.stringify(options);
  const args = ["run", "-A", "--quiet", path, id, asked];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot measure memory: ${text(stderr)}`);
  return JSON.parse(text(stdout));
}

export async function memory(bench: Bench): Promise<void> {
  if (Deno.build.os !== "linux") {
    bench.note("peak memory was not measured: it is read from /proc, which Linux alone has");
    return;
  }
  const { name, folder, cacheDir } = await bench.checkpoint("qwen3-0.6b");
  for (const dtype of ["int4", "int8", "fp32"] as const) {
    const told: Memory[] = [];
    // one process before those that count: it may have to make the quantised copy
    for (let round = -1; round < Math.min(3, bench.rounds); round++) {
      told.push(await measured(folder, { dtype, cacheDir }));
    }
    const [first, ...counted] = told, { weights, cache, loaded, peak } = told.at(-1)!;
    const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
    const where = { suite: "memory", model: name, dtype };
    bench.row({
      ...{ ...where, what: "load", unit: "s", ...summary(counted.map(({ seconds }) => seconds)) },
      detail: `the first time ${digits(first!.seconds)} s`,
    });
    bench.row({
      ...{ ...where, what: "peak memory / (weights + cache)", batch: 1, context: LENGTH },
      ...{ unit: "×" },
      ...summary(counted.map(({ peak, weights, cache }) => peak / (weights + cache))),
      target: { atMost: 1.25 },
      detail: `${mb(peak)} MB, after loading ${mb(loaded)} / ${mb(weights)} + ${mb(cache)}`,
    });
  }
}

if (import.meta.main) {
  const [id, options] = Deno.args as [string, string];
  const told = JSON.stringify(await measure(id, JSON.parse(options)));
  Deno.stdout.writeSync(new TextEncoder().encode(told));
}
