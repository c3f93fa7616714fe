/**
 * Whether a long cache makes steps slow: a step at the same position in a cache of 32k and of 1k
 * positions.
 */

import type { Bench } from "../bench.ts";
import { promptOf } from "../prompts.ts";
import { medianTime, paired, ratioOf } from "../rows.ts";

const CONTEXT = 512, LONG = 32768, SHORT = 1024;

export async function capacity(bench: Bench): Promise<void> {
  const { name } = await bench.checkpoint("qwen3-0.6b");
  await using model = await bench.load("qwen3-0.6b", "int4");
  const prompt = promptOf(CONTEXT, model.config.vocabularySize);
  using short = model.openCache({ slots: 1, length: SHORT });
  using long = model.openCache({ slots: 1, length: LONG });
  for (const cache of [short, long]) await cache.prefill(0, 0, prompt, "last");
  const steps = 16;
  const cost = (cache: typeof short) => {
    let position = CONTEXT;
    return () => medianTime(steps, (i) => cache.step([prompt[i]!], [position++ % SHORT]));
  };
  const pair = await paired(2 * bench.rounds, cost(short), cost(long));
  const place = { model: name, dtype: "int4", batch: 1, context: CONTEXT };
  const what = `step, capacity ${LONG} / ${SHORT}`, target = { atMost: 1.02 };
  bench.row({ suite: "capacity", what, ...place, ...ratioOf(pair), target });
}
