/** This toolkit as a contender. @module */

import { generateBatch, loadModel, moi, standard } from "../../mod.ts";
import { promptOf, serve } from "./_worker.ts";

const model = await loadModel(Deno.args[0]!);

await serve(async ({ batch, context, tokens, method = "standard", temperature = 0 }) => {
  const requests = Array.from({ length: batch }, (_, row) => ({
    prompt: promptOf(context, model.config.vocabularySize, row),
    method: method === "moi" ? moi({ beta: 1 }) : standard(),
    maxNewTokens: tokens,
    ignoreEos: true,
    temperature,
    topP: 1,
    seed: row,
  }));
  let first: number[] = [];
  for await (const { index, generation } of generateBatch(model, requests, { slots: batch })) {
    if (index === 0) first = generation.tokens;
  }
  return first;
});
