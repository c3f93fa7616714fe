/**
 * A real language model, SmolLM2-135M-Instruct, against transformers 4.57 and llama.cpp.
 *
 * It is not part of the repository: `bash scripts/real_model.sh DIR` gets it, and `MOI_REAL_MODEL=DIR`
 * names it. Where DIR also holds the same weights as a folder, `smollm2-135m-instruct`, the two are
 * compared.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { generate, moi } from "@moi/moi/decode";
import { forward, loadModel, type Mixture, type Model, quality } from "@moi/moi/model";

const folder = Deno.env.get("MOI_REAL_MODEL");
const ignore = folder === undefined;
const name = (text: string) => ignore ? `${text} (skipped: MOI_REAL_MODEL names no folder)` : text;

interface Golden {
  readonly prompts: readonly {
    readonly prompt: string;
    readonly input_ids: number[];
    readonly after_prompt: { readonly top_ids: number[]; readonly top: number[] };
    readonly greedy_ids: number[];
    readonly greedy_min_margin: number;
    readonly [moi: `moi_beta_${string}`]: Trace;
  }[];
  readonly tokenization: readonly { readonly text: string; readonly ids: number[] }[];
}
interface Trace {
  readonly y: number[];
  readonly entropy: number[];
  readonly off_sample_mass: number[];
  readonly last_logits: { readonly top_ids: number[]; readonly top: number[] };
}

const golden = (): Golden =>
  JSON.parse(Deno.readTextFileSync(new URL("../golden/smollm2.json", import.meta.url)));
const hasFolder = !ignore &&
  await Deno.stat(`${folder}/smollm2-135m-instruct/config.json`).then(() => true).catch(() =>
    false
  );
const cacheDir = `${folder}/cache`;
const fromGguf = () =>
  loadModel(`${folder}/smollm2-135m-instruct.Q4_1.gguf`, {
    cacheDir,
    dtype: "fp32",
    maxLength: 512,
  });

Deno.test({
  name: name("a real vocabulary gives the reference's tokens"),
  ignore,
  async fn() {
    await using model = await fromGguf();
    const { tokenizer } = model;
    for (const { text, ids } of golden().tokenization) {
      assertEquals(tokenizer.encode(text), ids, text);
    }
    for (const { prompt, input_ids } of golden().prompts) {
      assertEquals(tokenizer.encode(model.chat([{ role: "user", content: prompt }])), input_ids);
    }
  },
});

Deno.test({
  name: name("a real model in fp32 gives the reference's logits and greedy texts"),
  ignore,
  async fn() {
    await using model = await fromGguf();
    for (const [i, { input_ids, after_prompt, greedy_ids }] of golden().prompts.entries()) {
      const logits = (await forward(model, input_ids)).at(-1)!;
      for (const [k, id] of after_prompt.top_ids.entries()) {
        assertAlmostEquals(logits[id]!, after_prompt.top[k]!, 2e-4);
      }
      if (i === 0 && hasFolder) {
        const other = { dtype: "fp32", maxLength: 64 } as const;
        await using same = await loadModel(`${folder}/smollm2-135m-instruct`, other);
        const own = (await forward(same, input_ids)).at(-1)!;
        logits.forEach((value, id) => assertAlmostEquals(value, own[id]!, 2e-4));
      }
      const options = { temperature: 0, maxNewTokens: greedy_ids.length };
      assertEquals((await generate(model, input_ids, options)).tokens, greedy_ids);
    }
  },
});

/** Feeds given tokens as MoI would, and returns what the reference records. */
async function traced(model: Model, prompt: readonly number[], y: readonly number[], beta: number) {
  const T = 0.8, V = model.config.vocabularySize, entropy: number[] = [], mass: number[] = [];
  const inputs: (number | Mixture)[] = [...prompt];
  let last = new Float32Array(0);
  for (const [t, token] of y.entries()) {
    last = (await forward(model, inputs)).at(-1)! as Float32Array<ArrayBuffer>;
    const best = last.reduce((a, b) => Math.max(a, b));
    const weights = Array.from(last, (l) => Math.exp((l - best) / T));
    const sum = weights.reduce((a, b) => a + b, 0), p = weights.map((w) => w / sum);
    const H = -p.reduce((s, v) => v > 0 ? s + v * Math.log(v) : s, 0) / Math.log(V);
    const w = p.map((v, id) => (H * v + (id === token ? beta + 1 - H : 0)) / (beta + 1));
    entropy.push(H);
    mass.push(1 - w[token]!);
    if (t < y.length - 1) inputs.push({ ids: w.map((_, id) => id), weights: w });
  }
  return { entropy, mass, last };
}

Deno.test({
  name: name("mixtures fed to a real model give the reference's traces"),
  ignore,
  async fn() {
    await using model = await fromGguf();
    for (const one of golden().prompts.slice(0, 2)) {
      for (const [key, beta] of [["moi_beta_0.25", 0.25], ["moi_beta_1", 1]] as const) {
        const { y, entropy, off_sample_mass, last_logits } = one[key]!;
        const found = await traced(model, one.input_ids, y.slice(0, 12), beta);
        for (const [t, H] of found.entropy.entries()) {
          assertAlmostEquals(H, entropy[t]!, 5e-4);
          assertAlmostEquals(found.mass[t]!, off_sample_mass[t]!, 5e-4);
        }
        if (y.length > 12) continue;
        for (const [k, id] of last_logits.top_ids.entries()) {
          assertAlmostEquals(found.last[id]!, last_logits.top[k]!, 5e-4);
        }
      }
    }
  },
});

Deno.test({
  name: name("on a real model MoI mixes, β → ∞ is standard decoding, and its own blocks stay near"),
  ignore,
  async fn() {
    await using model = await fromGguf();
    const { input_ids } = golden().prompts[0]!;
    const options = { temperature: 0.8, maxNewTokens: 24, seed: 3, ignoreEos: true };
    const mixed = await generate(model, input_ids, { ...options, method: moi({ beta: 0.25 }) });
    assert(mixed.mixing.meanOffSampleMass > 0.005, `${mixed.mixing.meanOffSampleMass}`);
    const plain = await generate(model, input_ids, options);
    const limit = await generate(model, input_ids, { ...options, method: moi({ beta: Infinity }) });
    assertEquals(limit.tokens, plain.tokens);
    await using native = await loadModel(`${folder}/smollm2-135m-instruct.Q4_1.gguf`, {
      ...{ cacheDir, maxLength: 512 },
    });
    assertEquals(native.dtype, "native");
    const prompts = golden().prompts.map((one) => one.input_ids);
    // 0.0062 and 96.8 % over 501 positions: weights are the file's, inputs are rounded to int8
    const { meanKl, top1Agreement } = await quality(native, model, prompts);
    assert(meanKl < 0.01 && top1Agreement > 0.95, `KL ${meanKl}, top-1 ${top1Agreement}`);
  },
});
