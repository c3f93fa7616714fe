/**
 * A thousand requests through 32 slots, against 32 requests: what a token costs, and whether memory
 * grows.
 */

import { generateBatch, moi } from "../../../lib/decode/mod.ts";
import { loadModel } from "../../../lib/model/mod.ts";
import type { Bench } from "../bench.ts";
import { promptOf } from "../prompts.ts";
import { clocked, paired, summary, times } from "../rows.ts";

const ID = "countdown-tiny", SLOTS = 32, suite = "queue";

export async function queue(bench: Bench): Promise<void> {
  await using model = await loadModel(ID);
  const many = bench.quick ? 128 : 1000, tokens = 64, place = { model: ID, dtype: "fp32" };
  const run = async (count: number) => {
    const requests = Array.from({ length: count }, (_, row) => ({
      prompt: promptOf(24, model.config.vocabularySize, row),
      method: moi({ beta: 1 }),
      maxNewTokens: tokens,
      ignoreEos: true,
      temperature: 1,
      seed: row,
    }));
    return await clocked(async () => {
      for await (const { generation } of generateBatch(model, requests, { slots: SLOTS })) {
        if (generation.tokens.length !== tokens) throw new Error("internal: an answer was cut");
      }
    });
  };
  const memory: number[] = [];
  const pair = await paired(
    bench.rounds,
    async () => { // as many tokens, 32 requests at a time
      let ms = 0, done = 0;
      for (; done < many; done += SLOTS) ms += await run(SLOTS);
      return ms / done;
    },
    async () => {
      const ms = await run(many) / many;
      memory.push(Deno.memoryUsage().rss / 1e6);
      return ms;
    },
  );
  const [ratio, loss] = [pair.ratio, (r: number) => 100 * (1 - 1 / r)];
  bench.row({
    suite,
    ...{ what: `loss of throughput, ${many} / ${SLOTS} requests`, ...place, batch: SLOTS },
    ...{ unit: "%", median: loss(ratio.median), low: loss(ratio.low), high: loss(ratio.high) },
    target: { atMost: 5 },
    detail: `${times(pair)} a request`,
  });
  const growth = memory.slice(1).map((bytes, i) => bytes - memory[i]!);
  bench.row({
    suite,
    ...{ what: `growth of memory in ${many} requests`, ...place, batch: SLOTS },
    ...{ unit: "MB", ...summary(growth) },
    target: { atMost: 5 },
    detail: `${memory.at(0)!.toFixed(0)} to ${memory.at(-1)!.toFixed(0)} MB`,
  });
}
