/** This toolkit as a contender. */

import { generateBatch, loadModel, type Step, stream } from "../../../mod.ts";
import type { Dtype } from "../../../lib/model/mod.ts";
import { promptOf } from "../prompts.ts";
import { serve } from "../contender.ts";

const [folder, dtype, cacheDir] = Deno.args as [string, Dtype, string?];
const model = await loadModel(folder, {
  ...{ dtype, spinning: true },
  ...(cacheDir ? { cacheDir } : {}),
});
const { vocabularySize } = model.config;
const greedy = { temperature: 0, topK: 0, topP: 1, ignoreEos: true, seed: 1 };

/** Tokens that are left for what comes after `open`. */
const MOST_TOKENS = 1024;

let steps: AsyncGenerator<Step> | undefined;
async function take(count: number): Promise<number[][]> {
  const tokens: number[] = [];
  while (tokens.length < count) {
    const { value, done } = await steps!.next();
    if (done) break;
    tokens.push(value.token);
  }
  return [tokens];
}

await serve({
  async open({ context }) {
    await steps?.return(undefined);
    const maxNewTokens = Math.min(MOST_TOKENS, model.maxLength - context);
    steps = stream(model, promptOf(context, vocabularySize), { ...greedy, maxNewTokens });
    return await take(1);
  },
  more: ({ tokens }) => take(tokens),
  async whole({ requests }) {
    const all = requests.map(({ prompt, tokens }, row) => ({
      ...greedy,
      prompt: promptOf(prompt, vocabularySize, row),
      maxNewTokens: tokens,
    }));
    const answers: number[][] = [];
    const options = { slots: requests.length };
    for await (const { index, generation } of generateBatch(model, all, options)) {
      answers[index] = generation.tokens;
    }
    return answers;
  },
});
