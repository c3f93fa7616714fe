/**
 * The npm binding of ONNX Runtime as a contender, driven in the obvious way: `session.run`, the cache
 * handed in and back at every step. Requests are all alike.
 */

import * as ort from "npm:onnxruntime-node@1.30.0";
import { parseConfig } from "../../../lib/model/mod.ts";
import { promptOf } from "../prompts.ts";
import { serve } from "../contender.ts";

const folder = Deno.args[0]!;
const config = parseConfig(await Deno.readTextFile(`${folder}/config.json`));
const session = await ort.InferenceSession.create(`${folder}/onnx/model.onnx`);
const { layers, kvHeads, headDim, vocabularySize } = config;

const int64 = (values: number[], dims: number[]) =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);

function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

await serve({
  async whole({ requests }) {
    const batch = requests.length, { prompt: context, tokens } = requests[0]!;
    let ids = requests.flatMap((_, row) => promptOf(context, vocabularySize, row));
    let width = context, total = context;
    let cache: Record<string, ort.Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ["key", "value"]) {
        const dims = [batch, kvHeads, 0, headDim];
        cache[`past_key_values.${layer}.${part}`] = new ort.Tensor("float32", [], dims);
      }
    }
    const answers = requests.map((): number[] => []);
    for (let step = 0; step < tokens; step++) {
      const outputs = await session.run({
        input_ids: int64(ids, [batch, width]),
        attention_mask: int64(new Array(batch * total).fill(1), [batch, total]),
        position_ids: int64(ids.map((_, i) => total - width + i % width), [batch, width]),
        ...cache,
      });
      const logits = outputs.logits!.data as Float32Array;
      ids = answers.map((answer, row) => {
        const end = (row + 1) * width * vocabularySize;
        const id = argmax(logits.subarray(end - vocabularySize, end));
        answer.push(id);
        return id;
      });
      cache = {};
      for (const [name, value] of Object.entries(outputs)) {
        if (name.startsWith("present")) cache[name.replace("present", "past_key_values")] = value;
      }
      width = 1;
      total++;
    }
    return answers;
  },
});
