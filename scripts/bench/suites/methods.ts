/**
 * What mixing costs: a step of MoI over a step of standard decoding with the same sampler, with 50
 * candidates (64 rows of the table are gathered) and with the whole vocabulary.
 */

import { type Method, moi, standard } from "../../../lib/decode/mod.ts";
import type { Model } from "../../../lib/model/mod.ts";
import type { Bench, ModelName } from "../bench.ts";
import { type Pair, paired, quantile, ratioOf } from "../rows.ts";
import { stepTimes } from "../steps.ts";

const CASES = [
  { name: "MoI K = 64 / standard", topK: 50, target: () => ({ atMost: 1.02 }) },
  {
    name: "MoI whole vocabulary / standard",
    topK: 0,
    target: (batch: number) => batch === 8 ? { atMost: 1.35 } : undefined,
  },
];

/** Times of a step with a MoI sampler of so many candidates, 0 for all tokens, over those of a standard step. */
export function mixingCost(
  bench: Bench,
  model: Model,
  batch: number,
  topK: number,
  now?: () => number,
): Promise<Pair> {
  const steps = batch === 1 ? 24 : 8;
  const cost = (method: Method) => async () =>
    quantile(await stepTimes(model, { batch, context: 64, steps, method, topK }, now), 0.5);
  return paired(bench.rounds, cost(standard()), cost(moi({ beta: 1 })));
}

async function measure(bench: Bench, name: ModelName, dtype: "int4" | "fp32"): Promise<void> {
  await using model = await bench.load(name, dtype, { maxLength: 1024 });
  for (const batch of bench.quick ? [1, 8] : [1, 8, 32]) {
    for (const { name: what, topK, target: targetOf } of CASES) {
      const target = targetOf(batch), pair = await mixingCost(bench, model, batch, topK);
      const place = { model: bench.quick ? `${name}-small` : name, dtype, batch, context: 64 };
      bench.row({ suite: "methods", what, ...place, ...ratioOf(pair), ...(target && { target }) });
    }
  }
}

export async function methods(bench: Bench): Promise<void> {
  await measure(bench, "qwen3-0.6b", "int4");
  await measure(bench, "qwen3-0.6b", "fp32");
}

/** The same for a mixture of experts. */
export async function moe(bench: Bench): Promise<void> {
  await measure(bench, "qwen3-moe", "int4");
}
