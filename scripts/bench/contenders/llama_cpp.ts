/**
 * llama.cpp as a contender, through node-llama-cpp and its prebuilt library, on a GGUF file of the
 * same weights.
 *
 * The package is named in a variable, so that it is fetched only where it is used: with all of its
 * prebuilt libraries it has 700 MB. Of version 3.21.1 all parts are published, which Deno asks for.
 */

import { parseGguf } from "../../../lib/model/mod.ts";
import { mapFile } from "../../../lib/runtime/mod.ts";
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
const [modelPath, threads = `${navigator.hardwareConcurrency}`, most = "1"] = Deno.args as string[];
const { tensors } = parseGguf(new Uint8Array(mapFile(modelPath!).buffer));
const vocabularySize = tensors.get("token_embd.weight")!.dims[0]!;
const { getLlama }: NodeLlamaCpp = await import(PACKAGE);
const quiet = { progressLogs: false, logLevel: "error" };
const llama = await getLlama({ gpu: false, build: "never", ...quiet });
const model = await llama.loadModel({ modelPath: modelPath! });
const context = await model.createContext({
  ...{ contextSize: most === "1" ? 4096 : 1536, sequences: Number(most), threads: Number(threads) },
});
const sequences = Array.from({ length: Number(most) }, () => context.getSequence());

function decode(sequence: Sequence, prompt: number[]): AsyncGenerator<number> {
  return sequence.evaluate(prompt, { temperature: 0, yieldEogTokens: true });
}

async function take(tokens: AsyncGenerator<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < count) {
    const { value, done } = await tokens.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

let opened: AsyncGenerator<number> | undefined;

await serve({
  async open({ context }) {
    await opened?.return(undefined);
    await sequences[0]!.clearHistory();
    opened = decode(sequences[0]!, promptOf(context, vocabularySize));
    return [await take(opened, 1)];
  },
  more: async ({ tokens }) => [await take(opened!, tokens)],
  // as many at once as there are sequences: the package puts what waits into one batch
  whole: ({ requests }) =>
    Promise.all(requests.map(async ({ prompt, tokens }, row) => {
      const sequence = sequences[row]!;
      await sequence.clearHistory();
      const decoding = decode(sequence, promptOf(prompt, vocabularySize, row));
      const taken = await take(decoding, tokens);
      await decoding.return(undefined);
      return taken;
    })),
});
