/** The cost of a step by model, number format, batch and context: what the chart shows. */

import { standard } from "../../../lib/decode/mod.ts";
import { type Dtype, loadModel, type Model } from "../../../lib/model/mod.ts";
import type { Bench, ModelName } from "../bench.ts";
import { summary } from "../rows.ts";
import { stepTimes } from "../steps.ts";

/** Share of the free memory that a cache may take. */
const CACHE_SHARE = 0.5;

async function measure(bench: Bench, model: Model, name: string, longest: number): Promise<void> {
  const contexts = [64, 1024, 4096].filter((context) => context <= longest);
  for (const context of bench.quick ? [64] : contexts) {
    for (const batch of bench.quick ? [1, 8] : [1, 8, 32]) {
      const steps = 2 * bench.rounds + 2, { dtype } = model;
      const cache = (batch + 1) * (context + steps + 4) * model.memory.kvBytesPerToken;
      if (cache > CACHE_SHARE * Deno.systemMemoryInfo().available) continue;
      const times = await stepTimes(model, { batch, context, steps, method: standard(), topK: 50 });
      const place = { model: name, dtype, batch, context };
      bench.row({ suite: "cost", what: "step", ...place, unit: "ms", ...summary(times) });
    }
  }
}

export async function cost(bench: Bench): Promise<void> {
  {
    await using model = await loadModel("countdown-tiny");
    await measure(bench, model, "countdown-tiny", 64);
  }
  const models: [ModelName, Dtype, number][] = [
    ["qwen3-0.6b", "int4", 4096],
    ["qwen3-0.6b", "fp32", 1024],
    ["qwen3-moe", "int4", 1024],
  ];
  for (const [name, dtype, longest] of models) {
    await using model = await bench.load(name, dtype);
    await measure(bench, model, (await bench.checkpoint(name)).name, longest);
  }
}
