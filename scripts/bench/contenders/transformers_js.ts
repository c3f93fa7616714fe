/**
 * transformers.js as a contender, on an ONNX export of the same weights.
 *
 * Prompts of different lengths are padded on the left, as its tokenizers do; all rows run until the
 * longest answer is there. GroupQueryAttention knows no padding on the left, so that the answers to
 * padded prompts are not those of the prompts alone: a limit of such exports, not of the comparison.
 */

import { basename, dirname } from "node:path";
import {
  AutoModelForCausalLM,
  type DynamicCache,
  env,
  Tensor,
} from "npm:@huggingface/transformers@4.3.1";
import { parseConfig } from "../../../lib/model/mod.ts";
import { promptOf } from "../prompts.ts";
import { serve } from "../contender.ts";

const [folder, dtype] = Deno.args as [string, "fp32" | "q4"];
const { vocabularySize } = parseConfig(await Deno.readTextFile(`${folder}/config.json`));
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
  dtype,
  device: "cpu",
  use_external_data_format: dtype === "q4",
});

/** Ids and which of them are padding. */
function inputsOf(prompts: readonly number[][]) {
  const width = Math.max(...prompts.map(({ length }) => length));
  const rows = (of: (id: number | undefined) => number) =>
    BigInt64Array.from(
      prompts.flatMap((prompt) =>
        Array.from({ length: width }, (_, i) => of(prompt[i - width + prompt.length]))
      ),
      BigInt,
    );
  const dims = [prompts.length, width];
  return {
    inputs: new Tensor("int64", rows((id) => id ?? 0), dims),
    attention_mask: new Tensor("int64", rows((id) => id === undefined ? 0 : 1), dims),
  };
}

interface Answer {
  readonly sequences: Tensor;
  readonly past_key_values: DynamicCache;
}

function generate(prompts: readonly number[][], tokens: number, past?: DynamicCache) {
  return model.generate({
    ...inputsOf(prompts),
    ...(past ? { past_key_values: past } : {}),
    max_new_tokens: tokens,
    eos_token_id: -1, // no token ends the text
    do_sample: false,
    return_dict_in_generate: true,
    // deno-lint-ignore no-explicit-any
  } as any) as unknown as Promise<Answer>;
}

let text: number[] = [], past: DynamicCache | undefined;
async function go(tokens: number): Promise<number[][]> {
  const answer = await generate([text], tokens, past), before = text.length;
  past = answer.past_key_values;
  text = (answer.sequences.tolist() as bigint[][])[0]!.map(Number);
  return [text.slice(before)];
}

await serve({
  async open({ context }) {
    past = undefined;
    text = promptOf(context, vocabularySize);
    return await go(1);
  },
  more: ({ tokens }) => go(tokens),
  async whole({ requests }) {
    const prompts = requests.map(({ prompt }, row) => promptOf(prompt, vocabularySize, row));
    const longest = Math.max(...requests.map(({ tokens }) => tokens));
    const { sequences } = await generate(prompts, longest), rows = sequences.tolist() as bigint[][];
    const width = Math.max(...prompts.map(({ length }) => length));
    return rows.map((row, i) => row.slice(width, width + requests[i]!.tokens).map(Number));
  },
});
