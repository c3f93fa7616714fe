/**
 * How long decoding keeps the event loop from its other work: the longest time between two ticks of a
 * timer of 1 ms. Of these gaps the row has the longest of all rounds, and the range of the rounds'.
 */

import { type Method, moi, standard } from "../../../lib/decode/mod.ts";
import type { Bench } from "../bench.ts";
import { stepTimes } from "../steps.ts";

/** The longest gap while work goes on, ms. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now(), longest = 0;
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  tick();
  return longest;
}

export async function loop(bench: Bench): Promise<void> {
  const { name } = await bench.checkpoint("qwen3-0.6b");
  await using model = await bench.load("qwen3-0.6b", "int4", { maxLength: 2048 });
  const cases: [what: string, method: Method, topK: number, batch: number, context: number][] = [
    ["standard", standard(), 0, 1, 64],
    ["MoI K = 64", moi(), 50, 8, 64],
    ["MoI, whole vocabulary", moi(), 0, 8, 64],
    ["MoI K = 64, long prompt", moi(), 50, 8, 1024], // read once, copied to 7 slots
  ];
  for (const [what, method, topK, batch, context] of cases) {
    const gaps: number[] = [], steps = batch === 1 ? 24 : 8;
    const decoding = { batch, context, steps, method, topK };
    for (let round = 0; round < bench.rounds; round++) {
      gaps.push(await longestGap(() => stepTimes(model, decoding)));
    }
    bench.row({
      ...{ suite: "loop", what: `event loop gap, ${what}` },
      ...{ model: name, dtype: "int4", batch, context },
      ...{ unit: "ms", median: Math.max(...gaps), low: Math.min(...gaps), high: Math.max(...gaps) },
      target: { atMost: 20 },
    });
  }
}
