import { assertEquals, assertThrows } from "@std/assert";
import { parseConfig } from "@moi/moi/model";
import { eosTokenIds, generationDefaults, parseObject } from "../../lib/model/config.ts";
import { QWEN3 } from "../golden/golden.ts";

const GOLDEN = JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3)));

/** The golden config with changed fields; `undefined` removes one. */
const changed = (changes: Record<string, unknown>) =>
  parseConfig(JSON.stringify({ ...GOLDEN, ...changes }));

const refuses = (changes: Record<string, unknown>, name: string) =>
  assertThrows(() => changed(changes), SyntaxError, `'${name}' in config.json must`);

Deno.test("parseConfig() reads the shape of the golden checkpoint", () => {
  assertEquals(changed({}), {
    architecture: "qwen3",
    hiddenSize: 96,
    layers: 3,
    heads: 4,
    kvHeads: 2,
    headDim: 32,
    intermediateSize: 192,
    vocabularySize: 384,
    maxPositions: 512,
    rmsNormEps: 1e-6,
    ropeTheta: 1e6,
    tiedEmbeddings: false,
    kv: [0, 1, 2].map((layer) => ({ layer, kvHeads: 2, headDim: 32 })),
  });
});

Deno.test("parseConfig() fills in what the published configuration may leave out", () => {
  assertEquals(changed({ head_dim: undefined, hidden_size: 128 }).headDim, 32);
  assertEquals(changed({ head_dim: null, hidden_size: 128 }).headDim, 32);
  assertEquals(changed({ num_key_value_heads: undefined }).kvHeads, 4);
  assertEquals(changed({ tie_word_embeddings: undefined }).tiedEmbeddings, false);
  assertEquals(changed({ tie_word_embeddings: true }).tiedEmbeddings, true);
  for (const name of ["hidden_act", "attention_bias", "use_sliding_window", "layer_types"]) {
    assertEquals(changed({ [name]: undefined }), changed({}));
    assertEquals(changed({ [name]: null }), changed({}));
  }
});

Deno.test("parseConfig() ignores a sliding window that is switched off", () => {
  assertEquals(changed({ sliding_window: 64, use_sliding_window: false }), changed({}));
  assertEquals(changed({ layer_types: Array(3).fill("full_attention") }), changed({}));
});

Deno.test("parseConfig() reads rope settings under their old and new names", () => {
  const old = changed({ rope_theta: 5000 }).ropeTheta;
  assertEquals(old, 5000);
  const parameters = (value: unknown, theta?: number) =>
    changed({ rope_parameters: value, rope_theta: theta }).ropeTheta;
  assertEquals(parameters({ rope_theta: 5000, rope_type: "default" }), 5000);
  assertEquals(parameters({ rope_theta: 5000 }), 5000);
  assertEquals(parameters({ rope_type: "default" }, 7000), 7000);
  assertEquals(parameters(null, 7000), 7000);
  assertEquals(parameters({ rope_theta: 5000, rope_type: "default" }, 7000), 5000);
  for (const scaling of [null, { type: "default" }, { rope_type: "default" }]) {
    assertEquals(changed({ rope_scaling: scaling }).ropeTheta, 1e6);
  }
});

Deno.test("parseConfig() refuses rope scaling under any name", () => {
  const scalings = [
    { rope_type: "yarn", factor: 4 },
    { type: "linear", factor: 2 },
    { rope_type: "llama3" },
    { rope_type: "default", type: "yarn" },
    { factor: 2 },
    "linear",
    2,
    [],
  ];
  for (const scaling of scalings) refuses({ rope_scaling: scaling }, "rope_scaling");
  refuses(
    { rope_scaling: { type: "yarn" }, rope_parameters: { rope_type: "default", rope_theta: 1e4 } },
    "rope_scaling",
  );
  refuses(
    { rope_parameters: { rope_type: "yarn", rope_theta: 1e4 } },
    "rope_parameters.rope_type",
  );
  for (const parameters of ["default", 5, [1], true]) {
    refuses({ rope_parameters: parameters }, "rope_parameters");
  }
  refuses({ rope_theta: undefined }, "rope_theta");
  refuses({ rope_parameters: { rope_theta: "1e4" } }, "rope_theta");
});

Deno.test("parseConfig() refuses every missing field by name", () => {
  const required = [
    "model_type",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "rope_theta",
  ];
  for (const name of required) {
    refuses({ [name]: undefined }, name);
    refuses({ [name]: null }, name);
  }
});

Deno.test("parseConfig() refuses fields of the wrong type or range", () => {
  const sizes = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
  ];
  for (const name of sizes) {
    for (const value of ["96", 0, -1, 1.5, 1e12, [96], {}, true]) refuses({ [name]: value }, name);
  }
  for (const name of ["rms_norm_eps", "rope_theta"]) {
    for (const value of ["1e-6", 0, -1, [1], true]) refuses({ [name]: value }, name);
  }
  for (const value of ["true", 1, []]) {
    refuses({ tie_word_embeddings: value }, "tie_word_embeddings");
  }
});

Deno.test("parseConfig() refuses numbers that JSON reads as infinite", () => {
  const text = JSON.stringify({ ...GOLDEN, rope_theta: 7 }).replace(
    '"rope_theta":7',
    '"rope_theta":1e999',
  );
  assertThrows(() => parseConfig(text), SyntaxError, "'rope_theta'");
});

Deno.test("parseConfig() refuses heads that do not divide", () => {
  refuses({ num_key_value_heads: 3 }, "num_key_value_heads");
  refuses({ num_key_value_heads: 8 }, "num_key_value_heads");
  for (const headDim of [24, 8, 33]) refuses({ head_dim: headDim }, "head_dim");
  refuses({ head_dim: null }, "head_dim"); // 96 / 4 = 24
  refuses({ head_dim: null, hidden_size: 100, num_attention_heads: 3 }, "num_key_value_heads");
  refuses({ head_dim: null, hidden_size: 100, num_attention_heads: 6 }, "head_dim");
});

Deno.test("parseConfig() refuses what the graph does not implement", () => {
  refuses({ hidden_act: "gelu" }, "hidden_act");
  refuses({ attention_bias: true }, "attention_bias");
  refuses({ use_sliding_window: true }, "use_sliding_window");
  refuses({ layer_types: ["full_attention", "sliding_attention"] }, "layer_types");
  refuses({ layer_types: "full_attention" }, "layer_types");
});

Deno.test("parseConfig() refuses unknown architectures, also names of every object", () => {
  for (const type of ["llama", "", "__proto__", "constructor", "toString", 3, null, ["qwen3"]]) {
    assertThrows(() => changed({ model_type: type }), SyntaxError, "'model_type'");
  }
  const text = JSON.stringify(GOLDEN).replace('"qwen3"', '"__proto__"');
  assertThrows(() => parseConfig(text), SyntaxError, 'current value is "__proto__"');
});

Deno.test("parseConfig() refuses a __proto__ field as a source of settings", () => {
  const { hidden_size: _, ...rest } = GOLDEN;
  const text = `{"__proto__":{"hidden_size":96},${JSON.stringify(rest).slice(1)}`;
  assertThrows(() => parseConfig(text), SyntaxError, "'hidden_size'");
});

Deno.test("parseConfig() refuses text that is no JSON object", () => {
  for (const text of ["", "{", "[]", "null", "3", '"x"', "{'a':1}", "\0"]) {
    assertThrows(() => parseConfig(text), SyntaxError, "config.json");
  }
  assertThrows(() => parseConfig("[".repeat(1e5)), SyntaxError, "config.json");
});

Deno.test("parseObject() names the file", () => {
  assertEquals(parseObject('{"a":1}', "x.json"), { a: 1 });
  assertThrows(() => parseObject("[1]", "x.json"), SyntaxError, "x.json must hold a JSON object");
  assertThrows(() => parseObject("{", "x.json"), SyntaxError, "x.json is not valid JSON");
});

Deno.test("eosTokenIds() takes a number, a list or nothing, the generation config first", () => {
  assertEquals(eosTokenIds({}, {}), []);
  assertEquals(eosTokenIds({}, { eos_token_id: 2 }), [2]);
  assertEquals(eosTokenIds({ eos_token_id: [5, 6] }, { eos_token_id: 2 }), [5, 6]);
  assertEquals(eosTokenIds({ eos_token_id: null }, { eos_token_id: null }), []);
  for (const value of ["2", -1, 1.5, [1, "2"], {}, true]) {
    assertThrows(() => eosTokenIds({ eos_token_id: value }, {}), SyntaxError, "'eos_token_id'");
  }
});

Deno.test("generationDefaults() takes the numbers it knows", () => {
  assertEquals(
    generationDefaults({
      temperature: 0.6,
      top_k: 20,
      top_p: 0.95,
      min_p: 0,
      max_new_tokens: 128,
      do_sample: true,
      repetition_penalty: 1.1,
    }),
    { temperature: 0.6, topK: 20, topP: 0.95, minP: 0, maxNewTokens: 128 },
  );
  assertEquals(generationDefaults({ temperature: null, top_p: "0.9" }), {});
});
