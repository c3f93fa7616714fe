/** transformers.js as a contender, on an ONNX export of the same weights. @module */

import { basename, dirname } from "node:path";
import { AutoModelForCausalLM, env, Tensor } from "npm:@huggingface/transformers@4.3.1";
import { promptOf, serve } from "./_worker.ts";

const folder = Deno.args[0]!, vocabularySize = Number(Deno.args[1]);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
  dtype: "fp32",
  device: "cpu",
});

await serve(async ({ batch, context, tokens }) => {
  const ids = Array.from({ length: batch }, (_, row) => promptOf(context, vocabularySize, row))
    .flat();
  const int64 = (values: number[]) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [batch, context]);
  const output = await model.generate({
    inputs: int64(ids),
    attention_mask: int64(ids.map(() => 1)),
    max_new_tokens: tokens,
    eos_token_id: -1, // no token ends the text
    do_sample: false,
    // deno-lint-ignore no-explicit-any
  } as any) as Tensor;
  const rows = output.tolist() as bigint[][];
  return rows[0]!.slice(context).map(Number);
});
