/**
 * The embedded models: against the npm binding of ONNX Runtime and transformers.js on the same
 * weights, prompt included; the cost of a MoI step; the time to the first token.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Method, moi, standard } from "../../../lib/decode/mod.ts";
import { embeddedFolder, loadModel } from "../../../lib/model/mod.ts";
import type { Bench } from "../bench.ts";
import { type Contender, start } from "../contender.ts";
import { exportForHub } from "../export.ts";
import { equalLengths } from "../prompts.ts";
import { clocked, paired, quantile, ratioOf, summary } from "../rows.ts";
import { stepTimes } from "../steps.ts";

const ID = "countdown-tiny", suite = "embedded";

async function firstToken(): Promise<number> {
  const from = JSON.stringify(import.meta.resolve("../../../mod.ts"));
  const code = `import { generate, loadModel } from ${from};
    const model = await loadModel("${ID}");
    await generate(model, [1, 106, 18], { maxNewTokens: 1 });`;
  const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));
  const process = new Deno.Command(Deno.execPath(), { args: ["eval", "--config", config, code] });
  const ms = await clocked(async () => {
    const { success, stderr } = await process.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  });
  return ms / 1e3;
}

async function peers(bench: Bench): Promise<void> {
  const target = join(bench.folder, ID), tokens = bench.quick ? 8 : 96;
  await exportForHub(await embeddedFolder(ID), target);
  await using ours = await start("ours.ts", [ID, "fp32"]);
  await using binding = await start("npm_binding.ts", [target]);
  await using transformers = await start("transformers_js.ts", [target, "fp32"]);
  const others = [["npm binding", binding], ["transformers.js", transformers]] as const;
  for (const batch of bench.quick ? [2] : [1, 8, 32]) {
    for (const context of bench.quick ? [64] : [64, 384]) {
      const job = { do: "whole", requests: equalLengths(batch, context, tokens) } as const;
      const place = { model: ID, dtype: "fp32", batch, context };
      const answers = async (contender: Contender) => String((await contender.run(job)).tokens);
      const expected = await answers(ours);
      for (const [name, other] of others) {
        if (await answers(other) !== expected) {
          throw new Error(`Cannot compare with ${name} as it generates other tokens`);
        }
        const perToken = async (contender: Contender) => (await contender.run(job)).ms / tokens;
        const pair = await paired(bench.rounds, () => perToken(ours), () => perToken(other));
        const what = `${name} / this, prompt included`;
        bench.row({ suite, what, ...place, ...ratioOf(pair) });
      }
    }
  }
}

async function methodCost(bench: Bench, id: string): Promise<void> {
  await using model = await loadModel(id);
  for (const batch of bench.quick ? [8] : [1, 8, 32, 64]) {
    const decoding = { batch, context: 64, steps: bench.quick ? 16 : 64, topK: 0 };
    const cost = (method: Method) => async () =>
      quantile(await stepTimes(model, { ...decoding, method }), 0.5);
    const pair = await paired(bench.rounds * 3, cost(standard()), cost(moi({ beta: 1 })));
    const place = { model: id, dtype: "fp32", batch, context: 64 };
    const what = "MoI / standard, whole vocabulary";
    bench.row({ suite, what, ...place, ...ratioOf(pair) });
  }
}

export async function embedded(bench: Bench): Promise<void> {
  await peers(bench);
  for (const id of bench.quick ? [ID] : [ID, "votes-tiny"]) await methodCost(bench, id);
  const starts: number[] = [];
  for (let round = 0; round < Math.min(3, bench.rounds); round++) starts.push(await firstToken());
  const what = "first token, new process, warm start";
  bench.row({ suite, what, model: ID, dtype: "fp32", unit: "s", ...summary(starts) });
}
