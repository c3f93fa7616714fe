/**
 * Loads and runs a random checkpoint of Qwen3-0.6B's true shape, in fp32 and quantised: times and
 * peak memory of the whole path.
 *
 * ```sh
 * deno run -A scripts/real_scale.ts
 * ```
 *
 * Every load runs in a process of its own, so that its peak memory is its own (Linux only).
 */

import { join } from "node:path";
import { generate, moi } from "../lib/decode/mod.ts";
import { type Dtype, loadModel } from "../lib/model/mod.ts";
import { print, say } from "./_cli.ts";
import { QWEN3_06B, writeCheckpoint } from "./bench/checkpoint.ts";
import { peakBytes } from "./bench/rss.ts";

/** Longest context of the loads. */
const MAX_LENGTH = 1024;
const NEW_TOKENS = 256;

const peakMegabytes = (): number => peakBytes() / 1e6;

async function measure(folder: string, dtype: Dtype): Promise<void> {
  const cacheDir = join(folder, "cache"), before = peakMegabytes();
  const row: Record<string, string | number> = { dtype };
  const start = performance.now();
  let converted = start;
  const model = await loadModel(folder, {
    dtype,
    cacheDir,
    maxLength: MAX_LENGTH,
    onProgress({ label }) {
      if (label.startsWith("convert")) converted = performance.now();
    },
  });
  row["convert s"] = ((converted - start) / 1e3).toFixed(1);
  row["load s"] = ((performance.now() - start) / 1e3).toFixed(1);
  const weights = model.memory.weightsBytes / 1e6, loaded = peakMegabytes();
  row["weights MB"] = weights.toFixed(0);
  row["peak MB of load"] = loaded.toFixed(0);
  row["peak / weights"] = (loaded / weights).toFixed(2);
  row["before MB"] = before.toFixed(0);
  const decode = performance.now();
  const { tokens } = await generate(model, Array.from({ length: 16 }, (_, i) => 100 + 7 * i), {
    method: moi({ beta: 1 }),
    topK: 50,
    maxNewTokens: NEW_TOKENS,
    seed: 1,
  });
  row["tokens"] = tokens.length;
  row["ms/token"] = ((performance.now() - decode) / tokens.length).toFixed(1);
  row["peak MB at end"] = peakMegabytes().toFixed(0);
  {
    using cache = model.openCache({ slots: 1, length: 300 });
    await cache.prefill(0, 0, Array.from({ length: 16 }, (_, i) => i), "last");
    const steps = performance.now();
    for (let i = 0; i < 32; i++) await cache.step([i], [16 + i]);
    row["ms/step of the model alone"] = ((performance.now() - steps) / 32).toFixed(1);
  }
  await model[Symbol.asyncDispose]();
  print(JSON.stringify(row));
}

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "moi-real-scale" });
  try {
    const start = performance.now();
    await writeCheckpoint(folder, QWEN3_06B);
    say(`checkpoint written in ${((performance.now() - start) / 1e3).toFixed(1)} s`);
    const rows = [];
    for (const dtype of ["fp32", "fp32", "int8", "int8", "int4", "int4"]) {
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", import.meta.filename!, folder, dtype],
        stderr: "inherit",
      }).output();
      if (!success) Deno.exit(1);
      rows.push(JSON.parse(new TextDecoder().decode(stdout)));
    }
    for (const row of rows) {
      print(`${Object.entries(row).map(([k, v]) => `${k} ${v}`).join(", ")}\n`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [folder, dtype] = Deno.args;
if (folder && dtype) await measure(folder, dtype as Dtype);
else await main();
