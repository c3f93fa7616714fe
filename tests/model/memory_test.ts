import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type DecoderConfig,
  estimateMemory,
  kvBytesPerToken,
  loadModel,
  parseConfig,
} from "@moi/moi/model";
import { NEMOTRON_SUPER_49B, PAPER_MODELS } from "./_paper_models.ts";
import { temporaryFolder } from "../_temporary.ts";

const parsed = (config: object): DecoderConfig => parseConfig(JSON.stringify(config));

for (const id of ["votes-tiny", "countdown-tiny", "tests/golden/qwen3"]) {
  for (const dtype of ["fp32", "fp16", "int8", "int4"] as const) {
    Deno.test(`estimateMemory() of ${id} in ${dtype} is what the load takes`, async () => {
      await using cache = await temporaryFolder();
      await using model = await loadModel(id, { dtype, cacheDir: cache.path });
      const { weightsBytes, kvBytesPerToken } = estimateMemory(model.config, { dtype });
      assertEquals(weightsBytes, model.memory.weightsBytes);
      assertEquals(kvBytesPerToken, model.memory.kvBytesPerToken);
    });
  }
}

// parameters of the text model: as published for the first two, counted by hand for Gemma 3
const PUBLISHED: Record<string, number> = {
  "Qwen/QwQ-32B": 32_763_876_352,
  "nvidia/Llama-3_3-Nemotron-Super-49B-v1": 49_867_145_216,
  "google/gemma-3-27b-it": 27_009_346_304,
  "BytedTsinghua-SIA/DAPO-Qwen-32B": 32_763_876_352,
};

for (const [id, config] of Object.entries(PAPER_MODELS)) {
  Deno.test(`estimateMemory() counts the parameters of ${id} from its config alone`, () => {
    const fp32 = estimateMemory(parsed(config), { length: 8192, slots: 2 });
    assertEquals(fp32.parameters, PUBLISHED[id]);
    assertEquals(fp32.kvBytes, 2 * 8192 * fp32.kvBytesPerToken);
    assertEquals(fp32.totalBytes, fp32.weightsBytes + fp32.kvBytes);
    const int8 = estimateMemory(parsed(config), { dtype: "int8" });
    const int4 = estimateMemory(parsed(config), { dtype: "int4" });
    assertEquals(int4.weightsBytes < int8.weightsBytes, true);
    assertEquals(int8.weightsBytes < fp32.weightsBytes / 3, true);
  });
}

Deno.test("kvBytesPerToken() counts only layers that have a cache", () => {
  const config = parsed(NEMOTRON_SUPER_49B);
  assertEquals(config.kv.length, 49);
  assertEquals(kvBytesPerToken(config), 49 * 2 * 4 * 8 * 128);
  assertEquals(kvBytesPerToken(config, "fp16"), 49 * 2 * 2 * 8 * 128);
  assertEquals(kvBytesPerToken(config, "int8"), 49 * 2 * 8 * 128);
});

Deno.test("estimateMemory() refuses what is outside its rules", () => {
  const config = parsed(PAPER_MODELS["Qwen/QwQ-32B"]!);
  const estimate = (options: object) => () => estimateMemory(config, options);
  assertThrows(estimate({ dtype: "fp64" }), RangeError, "'dtype' must be 'fp32', 'fp16'");
  assertThrows(estimate({ kv: "int4" }), RangeError, "'kv' must be 'fp32', 'fp16' or 'int8'");
  assertThrows(estimate({ slots: 0 }), RangeError, "'slots'");
  assertThrows(estimate({ length: 1.5 }), RangeError, "'length'");
  assertThrows(estimate({ lenght: 1 }), TypeError, "'lenght' is not an option");
});

Deno.test("loadModel() refuses weights that cannot fit, with what would fit", async () => {
  // a sparse file of the right size: nothing of it is read before the refusal
  await using folder = await temporaryFolder();
  const golden = JSON.parse(await Deno.readTextFile("tests/golden/qwen3/config.json"));
  const size = 2 ** 21,
    hidden = 2 ** 18,
    config = {
      ...golden,
      vocab_size: size,
      hidden_size: hidden,
      num_hidden_layers: 1,
      intermediate_size: 1024,
      tie_word_embeddings: true,
    };
  const shapes: Record<string, number[]> = {
    "model.embed_tokens.weight": [size, hidden],
    "model.norm.weight": [hidden],
    "model.layers.0.input_layernorm.weight": [hidden],
    "model.layers.0.post_attention_layernorm.weight": [hidden],
    "model.layers.0.self_attn.q_norm.weight": [32],
    "model.layers.0.self_attn.k_norm.weight": [32],
    "model.layers.0.self_attn.q_proj.weight": [128, hidden],
    "model.layers.0.self_attn.k_proj.weight": [64, hidden],
    "model.layers.0.self_attn.v_proj.weight": [64, hidden],
    "model.layers.0.self_attn.o_proj.weight": [hidden, 128],
    "model.layers.0.mlp.gate_proj.weight": [1024, hidden],
    "model.layers.0.mlp.up_proj.weight": [1024, hidden],
    "model.layers.0.mlp.down_proj.weight": [hidden, 1024],
  };
  let offset = 0;
  const header = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const length = 2 * shape.reduce((a, b) => a * b), start = offset;
      offset += length;
      return [name, { dtype: "BF16", shape, data_offsets: [start, offset] }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  using file = await Deno.open(`${folder.path}/model.safetensors`, { write: true, create: true });
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  await file.write(length);
  await file.write(text);
  await file.truncate(8 + text.length + offset); // a terabyte that is not there
  await Deno.writeTextFile(`${folder.path}/config.json`, JSON.stringify(config));
  await assertRejects(() => loadModel(folder.path, { dtype: "fp32" }), RangeError, "are free: ");
  await assertRejects(() => loadModel(folder.path), RangeError, "no number format would fit");
});

Deno.test("estimateMemory() refuses an architecture whose graph is not built here", async () => {
  await using model = await loadModel("votes-tiny");
  const config = { ...model.config, architecture: "falcon" };
  const rule = /'config\.architecture' must be one of .*qwen3.*: current value is "falcon"/;
  assertMatch(assertThrows(() => estimateMemory(config), RangeError).message, rule);
});
