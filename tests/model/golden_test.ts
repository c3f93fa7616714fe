/** Outputs of the reference implementations; see tests/golden/golden.ts. */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  directMixture,
  distributionOf,
  type Method,
  moi,
  samplerOf,
  standard,
} from "@moi/moi/decode";
import { forward, type KvCache, loadModel, type Model } from "@moi/moi/model";
import { countdown, pancakes, votes } from "@moi/moi/tasks";
import { argmax, maxDifference, QWEN3, qwen3Weights, readTensors } from "../golden/golden.ts";

const golden = await readTensors(new URL("golden.safetensors", QWEN3));
const json = JSON.parse(await Deno.readTextFile(new URL("golden.json", QWEN3)));
const SAMPLER = samplerOf({ temperature: 0.8 });
const PROMPTS = [0, 1, 2] as const;

const METHODS: Readonly<Record<string, Method>> = {
  standard: standard(),
  direct: directMixture(),
  "beta_0.25": moi({ beta: 0.25 }),
  beta_1: moi({ beta: 1 }),
  beta_4: moi({ beta: 4 }),
};

/** Recommended bounds for float32 engines: logits closed loop, entropies. */
const bounds = (mode: string) =>
  mode === "direct" ? { logits: 3e-3, entropy: 2e-4 } : { logits: 5e-4, entropy: 5e-5 };

const rowOf = (all: Float32Array<ArrayBuffer>, row: number, size: number) =>
  all.slice(row * size, (row + 1) * size);

/** Greedy ids after a prompt, by prefill and step. */
async function greedy(cache: KvCache, prompt: readonly number[], ends: (ids: number[]) => boolean) {
  const ids = [argmax(await cache.prefill(0, 0, prompt, "last"))];
  while (!ends(ids)) {
    const logits = await cache.step([ids.at(-1)!], [prompt.length + ids.length - 1]);
    ids.push(argmax(logits));
  }
  return ids;
}

Deno.test("the golden files agree with one another", () => {
  for (const i of PROMPTS) {
    assertEquals(golden.ids(`input_ids.${i}`), json.input_ids[i]);
    assertEquals(golden.ids(`greedy.${i}`), json.greedy[i]);
  }
  assertEquals(golden.ids("moi.y"), json.moi.y);
});

for (const i of PROMPTS) {
  Deno.test(`qwen3 logits of prompt ${i} are the reference's at every position`, async () => {
    await using model = await loadModel(QWEN3);
    const rows = await forward(model, golden.ids(`input_ids.${i}`));
    assertEquals([rows.length, rows[0]!.length], [...golden.dims(`logits.${i}`)]);
    const logits = rows.flatMap((row) => [...row]);
    assertLess(maxDifference(logits, golden.floats(`logits.${i}`)), 2e-4);
  });

  Deno.test(`qwen3 greedy ids after prompt ${i} are the reference's`, async () => {
    await using model = await loadModel(QWEN3);
    using cache = model.openCache({ slots: 1, length: 100 });
    const expected = golden.ids(`greedy.${i}`);
    const ids = await greedy(cache, golden.ids(`input_ids.${i}`), (ids) => ids.length === 24);
    assertEquals(ids, expected);
  });
}

Deno.test("qwen3 logits are the reference's when prompts are fed one token at a time", async () => {
  await using model = await loadModel(QWEN3);
  for (const i of PROMPTS) {
    using cache = model.openCache({ slots: 1, length: 70 });
    const expected = golden.floats(`logits.${i}`);
    for (const [position, id] of golden.ids(`input_ids.${i}`).entries()) {
      const logits = await cache.step([id], [position]);
      assertLess(maxDifference(logits, rowOf(expected, position, 384)), 2e-4);
    }
  }
});

for (const [mode, method] of Object.entries(METHODS)) {
  const expected = golden.floats(`moi.${mode}.logits`); // [17, 384]
  const y = golden.ids("moi.y");

  Deno.test(`qwen3 ${mode}, open loop: mixtures of reference logits give its next logits`, async () => {
    await using model = await loadModel(QWEN3);
    using cache = model.openCache({ slots: 1, length: 32 });
    const prompt = golden.ids("input_ids.0");
    const first = await cache.prefill(0, 0, prompt, "last");
    assertLess(maxDifference(first, rowOf(expected, 0, 384)), 2e-4);
    for (let t = 0; t < 16; t++) {
      const distribution = distributionOf(rowOf(expected, t, 384), SAMPLER, t);
      const { input } = method.step(distribution, y[t]!, undefined);
      const logits = await cache.step([input], [prompt.length + t]);
      assertLess(maxDifference(logits, rowOf(expected, t + 1, 384)), 2e-4);
    }
  });

  Deno.test(`qwen3 ${mode}: mixtures of reference logits are its embeddings`, async () => {
    const table = (await qwen3Weights())["model.embed_tokens.weight"]!.data as Float32Array;
    const embeds = golden.floats(`moi.${mode}.embeds`);
    for (let t = 0; t < 16; t++) {
      const distribution = distributionOf(rowOf(expected, t, 384), SAMPLER, t);
      const { ids, weights } = method.step(distribution, y[t]!, undefined).input;
      const mixed = Array.from({ length: 96 }, (_, d) => {
        let sum = 0;
        for (let k = 0; k < ids.length; k++) sum += weights[k]! * table[96 * ids[k]! + d]!;
        return sum;
      });
      assertLess(maxDifference(mixed, rowOf(embeds, t, 96)), 1e-6);
    }
  });

  Deno.test(`qwen3 ${mode}, closed loop: logits, entropies and weights are the reference's`, async () => {
    await using model = await loadModel(QWEN3);
    using cache = model.openCache({ slots: 1, length: 32 });
    const { logits: bound, entropy: entropyBound } = bounds(mode);
    const entropies = golden.floats(`moi.${mode}.entropy`);
    const weights = golden.floats(`moi.${mode}.top5_w`), ids = golden.ids(`moi.${mode}.top5_ids`);
    const gaps: number[] | undefined = json.moi.modes[mode].top5_min_gap_per_step;
    const prompt = golden.ids("input_ids.0");
    let logits = await cache.prefill(0, 0, prompt, "last"), compared = 0;
    for (let t = 0; t < 16; t++) {
      assertLess(maxDifference(logits, rowOf(expected, t, 384)), bound);
      const distribution = distributionOf(logits.slice(), SAMPLER, t);
      const { input } = method.step(distribution, y[t]!, undefined);
      assertLess(Math.abs(distribution.normalizedEntropy - entropies[t]!), entropyBound);

      const top = Array.from(input.ids, (id, k) => ({ id, weight: input.weights[k]! }))
        .sort((a, b) => b.weight - a.weight).slice(0, 5);
      while (top.length < 5) top.push({ id: -1, weight: 0 });
      assertLess(maxDifference(top.map(({ weight }) => weight), rowOf(weights, t, 5)), 1e-4);
      if (!gaps || gaps[t]! > 1e-4) {
        assertEquals(top.map(({ id }) => id), ids.slice(5 * t, 5 * t + 5));
        compared++;
      }
      logits = await cache.step([input], [prompt.length + t]);
    }
    assertLess(maxDifference(logits, rowOf(expected, 16, 384)), bound);
    assertGreater(compared, 9);
  });
}

Deno.test("qwen3 closed loops of all modes side by side are the reference's", async () => {
  await using model = await loadModel(QWEN3);
  const modes = Object.entries(METHODS), prompt = golden.ids("input_ids.0");
  using cache = model.openCache({ slots: modes.length, length: 32 });
  const first = await cache.prefill(0, 0, prompt, "last");
  for (let slot = 1; slot < modes.length; slot++) await cache.copy(0, slot, prompt.length);
  let logits = modes.map(() => first);
  for (const [t, y] of golden.ids("moi.y").entries()) {
    const inputs = modes.map(([, method], slot) =>
      method.step(distributionOf(logits[slot]!, SAMPLER, t), y, undefined).input
    );
    const all = await cache.step(inputs, inputs.map(() => prompt.length + t));
    logits = modes.map((_, slot) => all.slice(384 * slot, 384 * slot + 384));
    modes.forEach(([mode], slot) => {
      const expected = rowOf(golden.floats(`moi.${mode}.logits`), t + 1, 384);
      assertLess(maxDifference(logits[slot]!, expected), bounds(mode).logits);
    });
  }
});

interface TinyPrompt {
  readonly id: string;
  readonly input_ids: number[];
  readonly logits: number[];
  readonly greedy_ids: number[];
  readonly greedy_text: string;
  readonly prompt?: string;
  readonly prompt_text?: string;
  readonly moi_beta025?: { y: number[]; entropy: number[]; last_logits: number[] };
  readonly moi_beta1_argmax?: {
    ids: number[];
    text: string;
    entropy: number[];
    logits_after_12_tokens: number[];
  };
}

async function promptsOf(name: string): Promise<TinyPrompt[]> {
  const file = new URL(`../golden/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(file)).prompts;
}

/** Feeds tokens by a method; the logits and entropy before each of them. */
async function* follow(model: Model, prompt: readonly number[], method: Method) {
  using cache = model.openCache({ slots: 1, length: model.maxLength });
  let logits = await cache.prefill(0, 0, prompt, "last");
  for (let t = 0;; t++) {
    const distribution = distributionOf(logits.slice(), samplerOf(), t);
    const token: number = yield { logits, entropy: distribution.normalizedEntropy };
    const { input } = method.step(distribution, token, undefined);
    logits = await cache.step([input], [prompt.length + t]);
  }
}

const DECISIONS = ["decisions-tiny-1", "decisions-tiny-2", "decisions-tiny-3"];

for (const name of ["votes-tiny", "countdown-tiny", "countdown-tiny-baseline", ...DECISIONS]) {
  Deno.test(`${name} logits after the 20 prompts are torch's`, async () => {
    await using model = await loadModel(name);
    const prompts = await promptsOf(name);
    assertEquals(prompts.length, 20);
    for (const { input_ids, logits } of prompts) {
      const rows = await forward(model, input_ids);
      assertLess(maxDifference(rows.at(-1)!, logits), 2e-4);
    }
  });

  Deno.test(`${name} greedy continuations of the 20 prompts are torch's`, async () => {
    await using model = await loadModel(name);
    for (const { input_ids, greedy_ids, greedy_text } of await promptsOf(name)) {
      using cache = model.openCache({ slots: 1, length: model.maxLength });
      const ids = await greedy(
        cache,
        input_ids,
        (ids) => ids.at(-1) === 2 || ids.length === 200,
      );
      assertEquals(ids, greedy_ids);
      const text = model.tokenizer.decode(ids);
      assertEquals(text.replace(/<\|im_end\|>$/, ""), greedy_text.replace(/<\|im_end\|>$/, ""));
    }
  });
}

Deno.test("votes-tiny prompts of the task have torch's ids", async () => {
  await using model = await loadModel("votes-tiny");
  const task = votes();
  const problems = new Map((await task.problems()).map((problem) => [problem.id, problem]));
  for (const { id, input_ids } of await promptsOf("votes-tiny")) {
    const messages = task.prompt(problems.get(id)!);
    assertEquals(typeof messages, "object");
    assertEquals(model.tokenizer.encode(model.chat(messages as [])), input_ids, id);
  }
});

for (const name of DECISIONS) {
  Deno.test(`${name} prompts of the task have the ids of its training`, async () => {
    await using model = await loadModel(name);
    const task = pancakes(), problems = await task.problems();
    for (const [i, { id, input_ids }] of (await promptsOf(name)).entries()) {
      assertEquals(problems[i]!.id, id);
      const messages = task.prompt(problems[i]!);
      assertEquals(model.tokenizer.encode(model.chat(messages as [])), input_ids, id);
    }
  });
}

for (const name of ["countdown-tiny", "countdown-tiny-baseline"]) {
  Deno.test(`${name} prompts have torch's text and ids`, async () => {
    await using model = await loadModel(name);
    const task = countdown();
    const problems = new Map((await task.problems()).map((problem) => [problem.id, problem]));
    for (const { id, prompt, prompt_text, input_ids } of await promptsOf(name)) {
      const messages = task.prompt(problems.get(id)!);
      assertEquals(messages, [{ role: "user", content: prompt! }]);
      const text = model.chat([{ role: "user", content: prompt! }]);
      assertEquals(text, prompt_text!);
      assertEquals(model.tokenizer.encode(text), input_ids);
      assertEquals(model.tokenizer.decode(input_ids), prompt_text!);
    }
  });
}

Deno.test("votes-tiny MoI traces at β = ¼ are torch's", async () => {
  await using model = await loadModel("votes-tiny");
  for (const { input_ids, moi_beta025 } of await promptsOf("votes-tiny")) {
    const { y, entropy, last_logits } = moi_beta025!;
    const states = follow(model, input_ids, moi({ beta: 0.25 }));
    let state = (await states.next()).value!;
    for (const [t, token] of y.entries()) {
      assertLess(Math.abs(state.entropy - entropy[t]!), 5e-5);
      if (t === y.length - 1) assertLess(maxDifference(state.logits, last_logits), 5e-4);
      else state = (await states.next(token)).value!;
    }
    await states.return(undefined as never);
  }
});

for (const name of ["countdown-tiny", "countdown-tiny-baseline"]) {
  Deno.test(`${name} MoI traces at β = 1 with the most probable token are torch's`, async () => {
    await using model = await loadModel(name);
    const prompts = (await promptsOf(name)).filter((prompt) => prompt.moi_beta1_argmax);
    assertEquals(prompts.length, 8);
    for (const { input_ids, moi_beta1_argmax } of prompts) {
      const { ids, text, entropy, logits_after_12_tokens } = moi_beta1_argmax!;
      const states = follow(model, input_ids, moi({ beta: 1 }));
      let state = (await states.next()).value!;
      const found: number[] = [];
      for (let t = 0; t < ids.length; t++) {
        assertLess(Math.abs(state.entropy - entropy[t]!), 5e-5);
        if (t === 12) assertLess(maxDifference(state.logits, logits_after_12_tokens), 5e-4);
        found.push(argmax(state.logits));
        if (t < ids.length - 1) state = (await states.next(found.at(-1)!)).value!;
      }
      await states.return(undefined as never);
      assertEquals(found, ids);
      assertEquals(model.tokenizer.decode(found), text);
    }
  });
}
