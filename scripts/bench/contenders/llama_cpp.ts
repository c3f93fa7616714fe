/**
 * llama.cpp as a contender, through node-llama-cpp and its prebuilt library, on a GGUF file of the
 * same weights.
 *
 * The package is named in a variable, so that it is fetched only where it is used: with all of its
 * prebuilt libraries it has 700 MB. Of version 3.21.1 all parts are published, which Deno asks for.
 *
 * @module
 */

import { parseConfig } from "../../../lib/model/mod.ts";
import { promptOf } from "../prompts.ts";
import { serve } from "../contender.ts";

/** The part of the package that is used. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence }>;
    }>;
  }>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(tokens: number[], options: object): AsyncGenerator<number>;
}

const PACKAGE = "npm:node-llama-cpp@3.21.1";
const [modelPath, configPath] = Deno.args as [string, string];
const { vocabularySize } = parseConfig(await Deno.readTextFile(configPath));
const { getLlama }: NodeLlamaCpp = await import(PACKAGE);
const llama = await getLlama({
  gpu: false,
  build: "never",
  progressLogs: false,
  logLevel: "error",
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  contextSize: 4096,
  threads: navigator.hardwareConcurrency,
});
const sequence = context.getSequence();

let tokens: AsyncGenerator<number> | undefined;
async function take(count: number): Promise<number[][]> {
  const taken: number[] = [];
  while (taken.length < count) {
    const { value, done } = await tokens!.next();
    if (done) break;
    taken.push(value);
  }
  return [taken];
}

await serve({
  async open({ context }) {
    await tokens?.return(undefined);
    await sequence.clearHistory();
    const prompt = promptOf(context, vocabularySize);
    tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogTokens: true });
    return await take(1);
  },
  more: ({ tokens }) => take(tokens),
});
