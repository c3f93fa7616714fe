/** GGUF files as models: they compute what the same weights in a folder do. */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { generate, generateBatch, moi } from "@moi/moi/decode";
import { forward, type GgufType, loadModel, parseGguf } from "@moi/moi/model";
import { seeded } from "../../_random.ts";
import {
  type ArchitectureCase,
  caseOf,
  CASES,
  checkpointOf,
  logitsOf,
  tensorsOf,
} from "../../golden/architectures.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { maxDifference } from "../../golden/golden.ts";
import { BLOCK_TYPES, randomBlocks } from "./_blocks.ts";
import { ggufOf } from "./_convert.ts";
import type { Entry } from "./_file.ts";
import { WIDE } from "./_wide.ts";

const ARCHITECTURES = ["llama", "qwen2", "qwen3", "olmo2", "phi3"];
/** Cases with settings that the format has no keys for. */
const INEXPRESSIBLE = /windows|mscale|^llama, longrope/;
const EXPRESSIBLE = CASES.filter(({ name, config }) =>
  ARCHITECTURES.includes(String(config.model_type)) && !INEXPRESSIBLE.test(name)
);

/** A case as a GGUF file in a folder of its own. */
async function fileOf(value: ArchitectureCase, options: Parameters<typeof ggufOf>[2] = {}) {
  const file = ggufOf(value.config, tensorsOf(value), options);
  const folder = await temporaryFolder({ "model.gguf": file });
  return { ...folder, path: folder.path, file: `${folder.path}/model.gguf` };
}

for (const value of EXPRESSIBLE) {
  Deno.test(`a GGUF file of ${value.name} gives the logits of transformers`, async () => {
    await using folder = await fileOf(value);
    const options = { cacheDir: folder.path, dtype: "fp32", maxLength: value.max_length } as const;
    await using model = await loadModel(folder.file, options);
    const rows = await forward(model, value.input_ids);
    assertLess(maxDifference(rows.flatMap((row) => [...row]), logitsOf(value)), 2e-4);
  });
}

Deno.test("every architecture is held to transformers as a GGUF file", () => {
  const held = new Set(EXPRESSIBLE.map(({ config }) => String(config.model_type)));
  assertEquals([...held].sort(), ARCHITECTURES.toSorted());
});

/** A Gemma 3 whose settings the format can express: windows on all layers but every sixth. */
function gemma(): ArchitectureCase {
  const { config, tensors, ...rest } = caseOf("gemma3_text"), layers = 7;
  const { layer_types: _, rope_parameters: __, ...common } = config;
  const layer = tensors.filter(([name]) => name.includes(".layers.0."));
  return {
    ...rest,
    config: {
      ...common,
      ...{ num_hidden_layers: layers, query_pre_attn_scalar: 16, sliding_window_pattern: 6 },
      ...{ rope_theta: 5000, rope_local_base_freq: 10_000 },
      rope_scaling: { rope_type: "linear", factor: 4 },
    },
    tensors: [
      ...tensors.filter(([name]) => !name.includes(".layers.")),
      ...Array.from(
        { length: layers },
        (_, i) => layer.map(([name, ...of]) => [name.replace(".0.", `.${i}.`), ...of] as const),
      ).flat(),
    ],
  };
}

Deno.test("a GGUF file of Gemma 3 computes what the same weights in a folder do", async () => {
  await using folder = await fileOf(gemma());
  await using other = await checkpointOf(gemma());
  const options = { cacheDir: folder.path, dtype: "fp32", maxLength: 64 } as const;
  await using model = await loadModel(folder.file, options);
  await using same = await loadModel(other.path, options);
  const ids = Array.from({ length: 40 }, (_, i) => (17 * i + 3) % 48);
  assertLess(maxDifference(await flat(model, ids), await flat(same, ids)), 1e-5);
});

const flat = async (model: Parameters<typeof forward>[0], ids: number[]) =>
  Float32Array.from((await forward(model, ids)).flatMap((row) => [...row]));

Deno.test("a GGUF file gives a model its tokenizer, its chat template and its embeddings", async () => {
  const value = caseOf("llama, llama3");
  await using folder = await fileOf(value);
  await using other = await checkpointOf(value);
  const options = { cacheDir: `${folder.path}/cache`, dtype: "fp32" } as const;
  await using model = await loadModel(folder.path, options); // the folder that holds it
  await using same = await loadModel(other.path, options);
  assertEquals(model.tokenizer.encode("cab<|1|>"), [4, 2, 3, 1]);
  assertEquals([model.tokenizer.decode([4, 2]), model.tokenizer.eosTokenIds], ["ca", [1]]);
  assertEquals(model.chat([{ role: "user", content: "abc" }]), "abc");
  assertEquals(model.embeddings!([7, 40]), same.embeddings!([7, 40]));
  const mixture = [2, 7, { ids: [3, 9], weights: [0.25, 0.75] }, 30];
  const [found, expected] = [await forward(model, mixture), await forward(same, mixture)];
  found.forEach((row, i) => assertLess(maxDifference(row, expected[i]!), 1e-5));
});

for (const type of BLOCK_TYPES) {
  Deno.test(`${type} blocks are computed with as they are, alone as in a batch`, async () => {
    await using folder = await fileOf(WIDE, { blocks: randomBlocks(type) });
    const options = { cacheDir: folder.path, maxLength: 64 };
    await using native = await loadModel(folder.file, options);
    await using exact = await loadModel(folder.file, { ...options, dtype: "fp32" });
    assertEquals([native.dtype, exact.dtype], ["native", "fp32"]);
    assertLess(native.memory.weightsBytes, 0.6 * exact.memory.weightsBytes);
    const ids = Array.from({ length: 24 }, (_, i) => (29 * i + 5) % 48);
    const [found, expected] = [await flat(native, ids), await flat(exact, ids)];
    const size = Math.sqrt(expected.reduce((sum, v) => sum + v * v, 0) / expected.length);
    const error = found.reduce((sum, v, i) => sum + (v - expected[i]!) ** 2, 0) / found.length;
    assertLess(Math.sqrt(error) / size, 0.06); // inputs are rounded to int8, weights are not

    const settings = (seed: number) => ({
      ...{ method: moi({ beta: 0.5 }), temperature: 0.9, maxNewTokens: 8, ignoreEos: true, seed },
    });
    const requests = [3, 9, 4, 17].map((length, i) => ({
      prompt: ids.slice(0, length),
      ...settings(i),
    }));
    for await (const { index, generation } of generateBatch(native, requests)) {
      const { prompt, ...options } = requests[index]!;
      assertEquals((await generate(native, prompt, options)).tokens, generation.tokens);
    }
  });
}

Deno.test("int8 takes all blocks as they are, int4 those of four bits, and quantises the others", async () => {
  const names = async (type: GgufType, dtype: "int8" | "int4" | "native") => {
    await using folder = await fileOf(WIDE, { blocks: randomBlocks(type) });
    await using model = await loadModel(folder.file, {
      cacheDir: folder.path,
      maxLength: 64,
      dtype,
    });
    return [model.dtype, (await forward(model, [1, 2, 3]))[2]!] as const;
  };
  for (const type of ["Q4_1", "Q5_0"] as const) {
    const [, native] = await names(type, "native"), [dtype, int8] = await names(type, "int8");
    assertEquals([dtype, int8], ["int8", native]);
    const [, int4] = await names(type, "int4");
    const differs = maxDifference(int4, native) > 0;
    assertEquals(differs, type === "Q5_0");
  }
});

Deno.test("native is for blocks, and refused where there are none", async () => {
  await using folder = await checkpointOf(caseOf("qwen3"));
  const load = () => loadModel(folder.path, { dtype: "native" });
  await assertRejects(load, RangeError, "as only GGUF files have blocks");
});

Deno.test("what a GGUF file asks for and is not there is refused by name", async () => {
  const cases: readonly [Record<string, Entry>, string][] = [
    [{ "general.architecture": { text: "mamba" } }, "general.architecture"],
    [{ "tokenizer.ggml.pre": { text: "unheard-of" } }, "tokenizer.ggml.pre"],
    [{ "tokenizer.ggml.model": { text: "t5" } }, "tokenizer.ggml.model"],
    [{ "tokenizer.ggml.tokens": { texts: ["a"] } }, "tokenizer.ggml.tokens"],
    [{ "tokenizer.ggml.token_type": { i32s: [1] } }, "tokenizer.ggml.token_type"],
    [{ "tokenizer.ggml.bos_token_id": { u32: 4000 } }, "tokenizer.ggml.bos_token_id"],
    [
      { "llama.rope.scaling.type": { text: "dynamic" }, "llama.rope.scaling.factor": { f32: 2 } },
      "rope.scaling.type",
    ],
    [{ "llama.expert_count": { u32: 8 } }, "expert_count"],
    [{ "llama.attention.sliding_window": { u32: 8 } }, "as its meaning is not known"],
    [{ "llama.block_count": { text: "two" } }, "llama.block_count"],
    [{ "llama.rope.dimension_count": { u32: 8 } }, "rope.dimension_count"],
  ];
  for (const [metadata, key] of cases) {
    await using folder = await fileOf(caseOf("llama, llama3"), { metadata });
    const options = { engine: "onnxruntime", cacheDir: `${folder.path}/cache` } as const;
    await assertRejects(() => loadModel(folder.file, options), SyntaxError, key);
    assertEquals(await Deno.stat(`${folder.path}/cache`).catch(() => "none"), "none");
  }
  await assertRejects(() => loadModel("/no/such.gguf"), Deno.errors.NotFound, "a .gguf file");
});

Deno.test("a tensor that has no place in the architecture is refused by name", async () => {
  const value = caseOf("qwen3"), tensors = tensorsOf(value);
  const bias = { dtype: "F32", shape: [128], data: new Float32Array(128) } as const;
  for (const name of ["mlp.gate_proj.bias", "self_attn.k_proj.bias"]) {
    const file = ggufOf(value.config, { ...tensors, [`model.layers.1.${name}`]: bias });
    await using folder = await temporaryFolder({ "x.gguf": file });
    await assertRejects(() => loadModel(`${folder.path}/x.gguf`), SyntaxError, `layers.1.${name}`);
  }
  const extra = { ...tensors, "model.layers.1.self_attn.gate.weight": bias };
  await using folder = await temporaryFolder({ "x.gguf": ggufOf(value.config, extra) });
  await assertRejects(() => loadModel(`${folder.path}/x.gguf`), SyntaxError, "is not known");
});

Deno.test("a file with blocks that only llama.cpp reads is refused by tensor and type", async () => {
  const encode = (values: Float32Array) => new Uint8Array(values.length / 32 * 18);
  const file = ggufOf(WIDE.config, tensorsOf(WIDE), { blocks: { type: "IQ4_NL", encode } });
  await using folder = await temporaryFolder({ "x.gguf": file });
  const options = { engine: "onnxruntime", cacheDir: `${folder.path}/cache` } as const;
  const load = () => loadModel(`${folder.path}/x.gguf`, options);
  await assertRejects(load, SyntaxError, "is of type IQ4_NL: those that can be read are F32");
  assertEquals(await Deno.stat(`${folder.path}/cache`).catch(() => "none"), "none");
});

Deno.test("a folder of several GGUF files must say which, and an abort leaves nothing", async () => {
  const file = ggufOf(WIDE.config, tensorsOf(WIDE), { blocks: randomBlocks("Q4_0") });
  await using two = await temporaryFolder({ "a.gguf": file, "b.gguf": file });
  await assertRejects(() => loadModel(two.path), RangeError, "a.gguf, b.gguf");
  const signal = AbortSignal.abort(new Error("enough")), cacheDir = `${two.path}/cache`;
  await assertRejects(() => loadModel(`${two.path}/a.gguf`, { cacheDir, signal }), Error, "enough");
  const left = await Array.fromAsync(Deno.readDir(`${cacheDir}/converted`)).catch(() => []);
  assertEquals(left.length, 0);
});

Deno.test("a model file that is changed anywhere in its header loads or is refused, soon", async () => {
  const good = ggufOf(WIDE.config, tensorsOf(WIDE), { blocks: randomBlocks("Q4_0") });
  const { tensors } = parseGguf(good),
    end = Math.min(...[...tensors.values()].map((t) => t.offset));
  const random = seeded(11), messages = new Set<string>();
  let refused = 0;
  for (let round = 0; round < 200; round++) {
    const bad = good.slice();
    for (let k = 0; k <= random.below(2); k++) bad[random.below(end)] = random.below(256);
    await using folder = await temporaryFolder({ "x.gguf": bad });
    const start = performance.now();
    try {
      await using _ = await loadModel(`${folder.path}/x.gguf`, { cacheDir: folder.path });
    } catch (error) {
      assert(error instanceof SyntaxError || error instanceof RangeError, (error as Error).stack);
      assert(error.message.startsWith("Cannot "), error.message);
      messages.add(error.message.replaceAll(/\d+/g, "0").slice(0, 60));
      refused++;
    }
    assert(performance.now() - start < 10_000);
  }
  assert(refused > 60 && messages.size > 15, `${refused} refused for ${messages.size} reasons`);
});
