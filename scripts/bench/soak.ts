/** Decodes for a long time, aborting here and there, and tells how memory grows. */

import { generateBatch, moi, standard, stream } from "../../lib/decode/mod.ts";
import { loadModel } from "../../lib/model/mod.ts";
import { promptOf } from "./prompts.ts";

/** Times at which memory is told. */
const REPORTS = 60;

/**
 * Decodes batches of an embedded model, a new cache each, some rows aborted, and streams that are left
 * early.
 */
export async function soak(minutes: number, tell: (line: string) => void): Promise<void> {
  await using model = await loadModel("countdown-tiny");
  const { vocabularySize } = model.config, begin = performance.now(), end = begin + minutes * 6e4;
  let told = begin, first = NaN, requests = 0, aborted = 0;
  for (let round = 0; performance.now() < end; round++) {
    const slots = 1 + round % 32, controllers: AbortController[] = [];
    const jobs = Array.from({ length: 2 * slots }, (_, row) => {
      const controller = new AbortController();
      if (row % 3 === 0) controllers.push(controller);
      return {
        prompt: promptOf(16 + row % 32, vocabularySize, round + row),
        method: row % 2 === 0 ? moi({ beta: 1 }) : standard(),
        maxNewTokens: 16 + row % 48,
        ignoreEos: true,
        seed: row,
        signal: controller.signal,
      };
    });
    for await (const { generation } of generateBatch(model, jobs, { slots })) {
      controllers.pop()?.abort();
      requests++;
      if (generation.finishReason === "aborted") aborted++;
    }
    let steps = 0;
    for await (const _ of stream(model, jobs[0]!.prompt, { seed: round })) if (++steps === 4) break;

    const now = performance.now();
    if (now - told < minutes * 6e4 / REPORTS && now < end) continue;
    told = now;
    const rss = Deno.memoryUsage().rss / 1e6;
    if (Number.isNaN(first) && now - begin > minutes * 6e4 / 10) first = rss; // warmed up
    const grown = `, ${(rss - first).toFixed(1)} MB since the first tenth`;
    const growth = Number.isNaN(first) ? "" : grown, passed = ((now - begin) / 6e4).toFixed(1);
    tell(`${passed} min, ${requests} requests, ${aborted} aborted: ${rss.toFixed(1)} MB${growth}`);
  }
}
