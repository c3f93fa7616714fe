/**
 * A real GGUF file against llama.cpp: decoding alone and in a batch, one thread and two, and what
 * loading takes.
 *
 * The model is SmolLM2-135M-Instruct (Q4_1), which `scripts/real_model.sh DIR` gets; `MOI_REAL_MODEL=DIR`
 * names its folder.
 */

import { join } from "node:path";
import { PREFILL_CHUNK } from "../../../lib/model/mod.ts";
import type { Bench } from "../bench.ts";
import { type Contender, start } from "../contender.ts";
import { equalLengths } from "../prompts.ts";
import { type Pair, paired, ratioOf, type Row } from "../rows.ts";
import { compareDecode } from "./peers.ts";

const FILE = "smollm2-135m-instruct.Q4_1.gguf", MODEL = "SmolLM2-135M", PEER = "llama.cpp Q4_1";

/**
 * Milliseconds of a step of a full batch: what more tokens cost beyond a run in which all rows met.
 * Here rows take a step after each chunk of another row's prompt, and so have that many tokens when
 * the last row begins.
 */
async function stepOf(contender: Contender, batch: number, context: number, tokens: number) {
  const whole = async (tokens: number) => {
    const requests = equalLengths(batch, context, tokens);
    return (await contender.run({ do: "whole", requests })).ms;
  };
  const met = batch * Math.ceil(context / PREFILL_CHUNK), first = await whole(met);
  return (await whole(met + tokens) - first) / tokens;
}

export async function gguf(bench: Bench): Promise<void> {
  const folder = Deno.env.get("MOI_REAL_MODEL");
  if (folder === undefined) {
    bench.note("gguf was not measured: MOI_REAL_MODEL names no folder");
    return;
  }
  const path = join(folder, FILE), cacheDir = join(folder, "cache");
  const common = { suite: "gguf", model: MODEL, dtype: "native" };
  const row = (what: string, pair: Pair, more: Partial<Row>) =>
    bench.row({ ...common, what, ...ratioOf(pair), ...more });
  const open = (script: string, threads: number) =>
    start(
      script,
      script === "ours.ts" ? [path, "native", cacheDir, `${threads}`] : [path, `${threads}`, "8"],
    );
  try {
    await using _ = await open("llama_cpp.ts", 1);
  } catch (error) {
    bench.note(`llama.cpp was not measured: ${(error as Error).message}`);
    return;
  }

  const peaks: number[] = [], peerPeaks: number[] = [];
  const seconds = (script: string, into: number[]) => async () => {
    const begin = performance.now();
    await using contender = await open(script, 2);
    const ms = performance.now() - begin;
    await contender.run({ do: "open", context: 64 });
    into.push(contender.peak());
    return ms;
  };
  const [ours, other] = [seconds("ours.ts", peaks), seconds("llama_cpp.ts", peerPeaks)];
  const loads = await paired(bench.rounds, ours, other);
  row(`${PEER} / this, start of the process to ready`, loads, { threads: 2 });
  const mb = (values: number[]) => Math.max(...values) / 1e6;
  const peak = mb(peerPeaks) / mb(peaks);
  bench.row({
    ...{ ...common, what: `${PEER} / this, peak memory`, unit: "×", threads: 2 },
    ...{ median: peak, low: peak, high: peak },
    detail: `${mb(peerPeaks).toFixed(0)} / ${mb(peaks).toFixed(0)} MB`,
  });

  for (const threads of [1, 2]) {
    await using ours = await open("ours.ts", threads);
    await using other = await open("llama_cpp.ts", threads);
    for (const context of bench.quick ? [64] : [64, 1024]) {
      const alone = { ...common, context, tokens: 32, atLeast: 1, threads };
      await compareDecode(bench, PEER, ours, other, alone);
      const batch = 8, tokens = context > 64 ? 16 : 32;
      const pair = await paired(
        bench.rounds,
        () => stepOf(ours, batch, context, tokens),
        () => stepOf(other, batch, context, tokens),
        false,
      );
      const place = { batch, context, threads, target: { atLeast: 1.3 } };
      row(`${PEER} / this, decode`, pair, place);
    }
  }
}
