/**
 * Standard greedy decoding against llama.cpp on the same weights as Q4_0.
 *
 * @module
 */

import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { start } from "../contender.ts";
import { writeGguf } from "../gguf.ts";
import { openQuantized } from "../quantized_copy.ts";
import { compareDecode } from "./peers.ts";

/** Measures the suite. */
export async function llama(bench: Bench): Promise<void> {
  const { name: model, folder, cacheDir } = await bench.checkpoint("qwen3-0.6b");
  const path = join(bench.folder, `${model}-q4_0.gguf`);
  {
    using copy = await openQuantized(folder, cacheDir);
    await writeGguf(copy, path);
  }
  await using peers = new AsyncDisposableStack();
  let other;
  try {
    other = peers.use(await start("llama_cpp.ts", [path]));
  } catch (error) {
    bench.note(`llama.cpp was not measured: ${(error as Error).message}`);
    return;
  }
  await using ours = await start("ours.ts", [folder, "int4", cacheDir]);
  for (const context of bench.quick ? [64] : [64, 1024]) {
    const what = { suite: "llama", model, context, tokens: 16, atLeast: 1.2 };
    await compareDecode(bench, "llama.cpp Q4_0", ours, other, what);
  }
}
