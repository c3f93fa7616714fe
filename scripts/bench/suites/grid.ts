/** A whole grid of one prompt, 8 methods × 4 repeats side by side, over 32 times one run alone. */

import { generate, generateBatch, moi, standard } from "../../../lib/decode/mod.ts";
import type { Bench } from "../bench.ts";
import { promptOf } from "../prompts.ts";
import { clocked, paired, ratioOf } from "../rows.ts";

const BETAS = [0.25, 0.5, 1, 2, 4, 8, 16], REPEATS = 4;

export async function grid(bench: Bench): Promise<void> {
  const { name } = await bench.checkpoint("qwen3-0.6b");
  await using model = await bench.load("qwen3-0.6b", "int4");
  const context = 64, maxNewTokens = bench.quick ? 8 : 48;
  const prompt = promptOf(context, model.config.vocabularySize);
  const common = { maxNewTokens, ignoreEos: true, temperature: 1, topK: 50, topP: 1 };
  const methods = [standard(), ...BETAS.map((beta) => moi({ beta }))];
  const requests = methods.flatMap((method) =>
    Array.from({ length: REPEATS }, (_, seed) => ({ ...common, prompt, method, seed }))
  );
  let seed = 0;
  const alone = () => generate(model, prompt, { ...common, seed: seed++ });
  const pair = await paired(
    bench.rounds,
    async () => await clocked(alone) * requests.length,
    () => clocked(() => Array.fromAsync(generateBatch(model, requests))),
  );
  bench.row({
    suite: "grid",
    what: `${methods.length} methods × ${REPEATS} / ${requests.length} × one run`,
    ...{ model: name, dtype: "int4", batch: requests.length, context, ...ratioOf(pair) },
    target: { atMost: 0.25 },
  });
}
