/**
 * A real language model, SmolLM2-135M-Instruct, by llama.cpp: against transformers, and one seed one text in the types
 * that files have.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  generate,
  generateBatch,
  type Generation,
  moi,
  type Request,
  standard,
} from "@moi/moi/decode";
import { loadModel, type LoadOptions, type Model } from "@moi/moi/model";
import { needing, REAL_MODEL } from "../../_needing.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { type FileType, quantize } from "./_quantize.ts";

interface Top {
  readonly top_ids: readonly number[];
  readonly top: readonly number[];
}
interface Trace {
  readonly y: readonly number[];
  readonly entropy: readonly number[];
  readonly off_sample_mass: readonly number[];
  readonly last_logits: Top;
}
interface Prompt {
  readonly input_ids: readonly number[];
  readonly after_prompt: Top;
  readonly [moi: `moi_beta_${string}`]: Trace;
}

const GOLDEN = new URL("../../golden/smollm2.json", import.meta.url);
const prompts = (): readonly Prompt[] => JSON.parse(Deno.readTextFileSync(GOLDEN)).prompts;
const folder = () => Deno.env.get("MOI_REAL_MODEL")!;
const original = () => `${folder()}/smollm2-135m-instruct.Q4_1.gguf`;
const load = (path: string, options: LoadOptions = {}) =>
  loadModel(path, {
    ...{ engine: "llama.cpp", device: "cpu", threads: 1, maxLength: 256 },
    ...options,
  });

/** Largest difference from the reference's highest logits. */
const fromTop = (logits: Float32Array, { top_ids, top }: Top) =>
  Math.max(...top_ids.map((id, k) => Math.abs(logits[id]! - top[k]!)));

/** The mean of it after some prompts. */
async function afterPrompts(model: Model): Promise<number> {
  const some = prompts().slice(0, 3);
  using cache = model.openCache({ slots: 1, length: 128 });
  let sum = 0;
  for (const { input_ids, after_prompt } of some) {
    sum += fromTop(await cache.prefill(0, 0, input_ids, "last"), after_prompt);
  }
  return sum / some.length;
}

/** Feeds a trace's tokens as MoI would, over the whole vocabulary: how far entropies, masses and logits are from it. */
async function alongTrace(model: Model, prompt: Prompt, beta: number) {
  const T = 0.8, V = model.config.vocabularySize, { input_ids } = prompt;
  const { y, entropy, off_sample_mass, last_logits } = prompt[`moi_beta_${beta}`]!;
  using cache = model.openCache({ slots: 1, length: 128 });
  let logits = await cache.prefill(0, 0, input_ids, "last"), worst = 0;
  for (const [t, token] of y.entries()) {
    const best = logits.subarray(0, V).reduce((a, b) => Math.max(a, b));
    const p = Float64Array.from(logits.subarray(0, V), (l) => Math.exp((l - best) / T));
    const sum = p.reduce((a, b) => a + b, 0), ids = Array.from(p, (_, id) => id);
    const H = -p.reduce((s, v) => v > 0 ? s + v / sum * Math.log(v / sum) : s, 0) / Math.log(V);
    const weights = ids.map((id) =>
      (H * p[id]! / sum + (id === token ? beta + 1 - H : 0)) / (beta + 1)
    );
    worst = Math.max(worst, Math.abs(H - entropy[t]!));
    worst = Math.max(worst, Math.abs(1 - weights[token]! - off_sample_mass[t]!));
    if (t === y.length - 1) break;
    logits = await cache.step([{ ids, weights }], [input_ids.length + t]);
  }
  return { worst, last: fromTop(logits, last_logits) };
}

/** Checks that texts are the same alone, in 3 and in 8 slots. */
async function checkTexts(model: Model): Promise<void> {
  assertEquals(model.checked?.isBatchExact, true);
  const texts = ["Count from one to ten.", "Why is the sky blue?", "Name three colours."];
  const requests = texts.flatMap((content, k): Request[] => {
    const prompt = [{ role: "user", content }], common = { prompt, seed: k, temperature: 0.8 };
    return [
      { ...common, method: moi({ beta: 0.25 }), topK: 0, topP: 1, maxNewTokens: 5 },
      { ...common, method: standard(), topK: 50, topP: 1, maxNewTokens: 4 + k },
    ];
  });
  const told = ({ timing: _, ...rest }: Generation) => rest;
  const alone: Generation[] = [];
  for (const { prompt, ...rest } of requests) alone.push(await generate(model, prompt, rest));
  assert(alone[0]!.mixing.meanOffSampleMass > 1e-3);
  for (const slots of [3, 8]) {
    for await (const { index, generation } of generateBatch(model, requests, { slots })) {
      assertEquals(told(generation), told(alone[index]!));
    }
  }
}

needing(REAL_MODEL)(
  "Q4_1 by llama.cpp is as near to the reference as by ONNX Runtime",
  async () => {
    await using model = await load(original());
    const found = await afterPrompts(model);
    const cacheDir = `${folder()}/cache`;
    await using other = await load(original(), { engine: "onnxruntime", cacheDir });
    const due = await afterPrompts(other);
    // both round inputs to int8: 0.46 and 0.45
    assertLess(found, 1.5 * due, `${found} and ${due}`);
    const { worst, last } = await alongTrace(model, prompts()[0]!, 1);
    assertLess(worst, 0.05); // 0.003, by ONNX Runtime 0.013
    assertLess(last, 1); // 0.41 and 0.37
    await checkTexts(model);
  },
);

needing(REAL_MODEL)("F16 by llama.cpp gives the reference's logits and traces", async () => {
  await using temporary = await temporaryFolder();
  const path = `${temporary.path}/F16.gguf`;
  await quantize(original(), path, "F16");
  await using model = await load(path, { kv: "fp32" });
  assertLess(await afterPrompts(model), 0.04); // 0.015
  const { worst, last } = await alongTrace(model, prompts()[0]!, 0.25);
  assertLess(worst, 1.5e-3); // 4.0e-4
  assertLess(last, 0.04); // 0.013
  await checkTexts(model);
});

for (const type of ["Q4_0", "Q8_0", "Q4_K_M"] as const satisfies readonly FileType[]) {
  needing(REAL_MODEL)(`${type} by llama.cpp: one seed gives one text`, async () => {
    await using temporary = await temporaryFolder();
    const path = `${temporary.path}/${type}.gguf`;
    await quantize(original(), path, type);
    await using model = await load(path);
    await checkTexts(model);
  });
}
