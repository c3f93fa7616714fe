import { assertEquals, assertThrows } from "@std/assert";
import type { RopedConfig } from "@moi/moi/graph";
import { parseConfig } from "@moi/moi/model";
import type { NemotronBlocks } from "../../lib/graph/nemotron_nas.ts";
import { eosTokenIds, generationDefaults, parseObject } from "../../lib/model/config.ts";
import { caseOf, CASES } from "../golden/architectures.ts";
import { QWEN3 } from "../golden/golden.ts";

const GOLDEN = JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3)));

/** The golden config with changed fields; `undefined` removes one. */
const changed = (changes: Record<string, unknown>) =>
  parseConfig(JSON.stringify({ ...GOLDEN, ...changes }));

const refuses = (changes: Record<string, unknown>, name: string) =>
  assertThrows(() => changed(changes), SyntaxError, `'${name}' in config.json must`);

Deno.test("parseConfig() reads the shape of the golden checkpoint", () => {
  const expected: RopedConfig = {
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
    rope: { dims: 32, theta: 1e6, scaling: { type: "default" } },
    attentionBias: false,
    windows: [undefined, undefined, undefined],
  };
  assertEquals(changed({}), expected);
});

Deno.test("parseConfig() fills in what the published configuration may leave out", () => {
  assertEquals(changed({ head_dim: undefined }).headDim, 128);
  assertEquals(changed({ head_dim: null }).headDim, 128);
  assertEquals(changed({ max_position_embeddings: undefined }).maxPositions, 32_768);
  assertEquals(changed({ rms_norm_eps: undefined }).rmsNormEps, 1e-6);
  assertEquals(changed({ rope_theta: undefined }).ropeTheta, 1e4);
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

Deno.test("parseConfig() reads rope scaling under its old and new names", () => {
  const scalingOf = (changes: Record<string, unknown>) => (changed(changes) as RopedConfig).rope;
  const linear = { dims: 32, theta: 1e6, scaling: { type: "linear", factor: 2 } } as const;
  assertEquals(scalingOf({ rope_scaling: { type: "linear", factor: 2 } }), linear);
  assertEquals(scalingOf({ rope_scaling: { rope_type: "linear", factor: 2 } }), linear);
  assertEquals(
    scalingOf({ rope_scaling: { rope_type: "linear", type: "linear", factor: 2 } }),
    linear,
  );
  const parameters = { rope_type: "linear", factor: 2, rope_theta: 1e6 };
  assertEquals(scalingOf({ rope_parameters: parameters, rope_theta: undefined }), linear);
  const both = { rope_parameters: parameters, rope_scaling: { type: "linear", factor: 2 } };
  assertEquals(scalingOf(both), linear);
});

Deno.test("parseConfig() reads each kind of rope scaling", () => {
  const scalingOf = (rope_scaling: unknown, changes: Record<string, unknown> = {}) =>
    (changed({ rope_scaling, ...changes }) as RopedConfig).rope.scaling;
  assertEquals(
    scalingOf({
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    }),
    {
      type: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalPositions: 64,
    },
  );
  const yarn = {
    type: "yarn",
    factor: 4,
    betaFast: 32,
    betaSlow: 1,
    originalPositions: 512,
    truncate: true,
    attentionFactor: 0.1 * Math.log(4) + 1,
  } as const;
  assertEquals(scalingOf({ type: "yarn", factor: 4 }), yarn);
  const mscale = 0.07 * Math.log(4) + 1;
  assertEquals(scalingOf({ type: "yarn", factor: 4, mscale: 0.7, mscale_all_dim: 0.7 }), {
    ...yarn,
    attentionFactor: mscale / mscale,
  });
  assertEquals(scalingOf({ type: "yarn", factor: 4, mscale: 0.7 }), yarn);
  assertEquals(scalingOf({ type: "yarn", factor: 4, attention_factor: 1.25, truncate: false }), {
    ...yarn,
    attentionFactor: 1.25,
    truncate: false,
  });
  const lists = { short_factor: Array(16).fill(1), long_factor: Array(16).fill(2) };
  const longrope = {
    type: "longrope",
    short: lists.short_factor,
    long: lists.long_factor,
    originalPositions: 64,
    attentionFactor: Math.sqrt(1 + Math.log(8) / Math.log(64)),
  } as const;
  const original = { original_max_position_embeddings: 64 };
  assertEquals(scalingOf({ type: "longrope", ...lists }, original), longrope);
  assertEquals(scalingOf({ type: "longrope", ...lists, ...original, factor: 3 }), longrope);
});

Deno.test("parseConfig() refuses rope settings that are incomplete, unknown or contradictory", () => {
  const scalings: [scaling: unknown, name: string][] = [
    [{ rope_type: "dynamic" }, "rope_scaling.factor"],
    [{ rope_type: "dynamic", factor: 4, alpha: 1000 }, "rope_scaling.alpha"],
    [{ type: "mrope", mrope_section: [1, 2] }, "rope_scaling.rope_type"],
    [{ type: ["linear"], factor: 2 }, "rope_scaling.rope_type"],
    [{ type: "__proto__", factor: 2 }, "rope_scaling.rope_type"],
    [{ type: "toString", factor: 2 }, "rope_scaling.rope_type"],
    [{ type: "linear" }, "rope_scaling.factor"],
    [{ type: "linear", factor: "2" }, "rope_scaling.factor"],
    [{ type: "linear", factor: 0 }, "rope_scaling.factor"],
    [{ type: "linear", factor: 2, attention_factor: 2 }, "rope_scaling.attention_factor"],
    [{ type: "default", mrope_section: [1, 2] }, "rope_scaling.mrope_section"],
    [{ rope_type: "llama3" }, "rope_scaling.low_freq_factor"],
    [{ type: "yarn" }, "rope_scaling.factor"],
    [{ type: "yarn", factor: 4, truncate: "no" }, "rope_scaling.truncate"],
    [{ type: "longrope", short_factor: [], long_factor: [] }, "rope_scaling.original_max"],
    [
      { type: "linear", factor: 2, partial_rotary_factor: 0.5 },
      "rope_scaling.partial_rotary_factor",
    ],
    [{ rope_type: "default", type: "yarn" }, "rope_scaling"],
    [{ factor: 2 }, "rope_scaling"],
    [{}, "rope_scaling"],
    ["linear", "rope_scaling"],
    [2, "rope_scaling"],
    [[], "rope_scaling"],
  ];
  for (const [rope_scaling, name] of scalings) {
    assertThrows(() => changed({ rope_scaling }), SyntaxError, `'${name}`);
  }
  const lists = { short_factor: Array(16).fill(1), long_factor: Array(15).fill(1) };
  const longrope = { type: "longrope", original_max_position_embeddings: 64, ...lists };
  refuses({ rope_scaling: longrope }, "rope_scaling.long_factor");
  refuses(
    { rope_scaling: { type: "yarn" }, rope_parameters: { rope_type: "default", rope_theta: 1e4 } },
    "rope_scaling",
  );
  refuses(
    { rope_parameters: { rope_type: "dynamic", rope_theta: 1e4 } },
    "rope_parameters.factor",
  );
  for (const parameters of ["default", 5, [1], true]) {
    refuses({ rope_parameters: parameters }, "rope_parameters");
  }
  refuses({ rope_parameters: { rope_theta: "1e4" } }, "rope_parameters.rope_theta");
});

Deno.test("parseConfig() refuses every missing field by name", () => {
  const required = [
    "model_type",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
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
  for (const headDim of [4, 20, 33]) refuses({ head_dim: headDim }, "head_dim");
  refuses({ num_attention_heads: 3 }, "num_key_value_heads");
  const derived = { model_type: "llama", head_dim: null };
  assertEquals(changed(derived).headDim, 24);
  refuses({ ...derived, hidden_size: 100 }, "head_dim"); // 25
  refuses({ ...derived, hidden_size: 100, num_attention_heads: 6 }, "head_dim");
});

Deno.test("parseConfig() refuses what no architecture implements, in each of them", () => {
  const options: Record<string, unknown> = {
    attention_multiplier: 0.5,
    clip_qkv: 8,
    embedding_multiplier: 12,
    lm_head_bias: true,
    logit_scale: 0.0625,
    logits_scaling: 8,
    no_rope_layers: [1, 0],
    qk_layernorm: true,
    quantization_config: { quant_method: "awq", bits: 4 },
    residual_multiplier: 0.22,
    rope_interleaved: true,
    some_new_norm: "yes",
  };
  for (const value of CASES) {
    for (const [name, option] of Object.entries(options)) {
      const config = { ...value.config, [name]: option };
      const message = `'${name}' in config.json must be left out`;
      assertThrows(() => parseConfig(JSON.stringify(config)), SyntaxError, message);
    }
  }
});

Deno.test("parseConfig() refuses the options that an architecture does not implement", () => {
  const table: Record<string, Record<string, unknown[]>> = {
    "qwen2": { attention_bias: [true], mlp_bias: [true], partial_rotary_factor: [0.5] },
    "qwen3": { mlp_bias: [true], partial_rotary_factor: [0.5], num_experts: [4] },
    "llama, linear": {
      sliding_window: [16],
      use_sliding_window: [true],
      layer_types: [["sliding_attention", "full_attention"]],
      partial_rotary_factor: [0.5],
      attn_logit_softcapping: [50],
      final_logit_softcapping: [30],
    },
    "mistral, window": { attention_bias: [true], mlp_bias: [true], final_logit_softcapping: [30] },
    "nemotron-nas": { sliding_window: [16], num_experts: [4] },
    "gemma3_text": {
      attn_logit_softcapping: [50],
      use_bidirectional_attention: [true],
      hidden_act: ["silu"],
      partial_rotary_factor: [0.5],
      sliding_window: [null],
    },
    "qwen3_moe, not normalized, a dense layer": {
      mlp_bias: [true],
      n_shared_experts: [1],
      shared_expert_intermediate_size: [64],
      mlp_only_layers: [3, ["1"]],
      norm_topk_prob: ["true"],
      num_experts_per_tok: [7],
    },
    "phi3, window": { attention_bias: [true], mlp_bias: [true], lm_head_bias: [true] },
    "olmo2": { sliding_window: [16], clip_qkv: [8], mlp_bias: [true] },
  };
  for (const [name, fields] of Object.entries(table)) {
    const { config } = caseOf(name);
    parseConfig(JSON.stringify(config));
    const act = name === "gemma3_text" ? "hidden_activation" : "hidden_act";
    for (const [field, values] of Object.entries({ ...fields, [act]: ["gelu", "relu2"] })) {
      for (const value of values) {
        const text = JSON.stringify({ ...config, [field]: value });
        assertThrows(() => parseConfig(text), SyntaxError, `'${field}' in config.json must`);
      }
    }
  }
});

Deno.test("parseConfig() lets pass what changes no output", () => {
  for (const { config } of CASES) {
    const plain = parseConfig(JSON.stringify(config));
    const remarks = {
      _name_or_path: "x",
      attention_dropout: 0.1,
      architectures: ["X"],
      initializer_range: 0.02,
      logits_scaling: 1,
      pretraining_tp: 1,
      "transformers.js_config": { dtype: "q4" },
      unsloth_fixed: true,
      use_cache: true,
      use_mrope: false,
      quantization_config: null,
    };
    assertEquals(parseConfig(JSON.stringify({ ...config, ...remarks })), plain);
  }
});

Deno.test("parseConfig() reads windows of Qwen by switch, first layer and layer types", () => {
  const windows = (changes: Record<string, unknown>) => (changed(changes) as RopedConfig).windows;
  const none = [undefined, undefined, undefined];
  const on = { use_sliding_window: true, sliding_window: 9 };
  assertEquals(windows({ sliding_window: 9 }), none);
  assertEquals(windows({ ...on, max_window_layers: 1 }), [undefined, 9, 9]);
  assertEquals(windows({ ...on, max_window_layers: undefined }), none); // from layer 28 on
  assertEquals(windows({ ...on, sliding_window: null, max_window_layers: 0 }), none);
  const types = ["sliding_attention", "full_attention", "full_attention"];
  assertEquals(windows({ ...on, layer_types: types, max_window_layers: 0 }), [
    9,
    undefined,
    undefined,
  ]);
  refuses({ layer_types: types }, "layer_types");
  for (const bad of ["full_attention", types.slice(1), [...types.slice(1), "linear_attention"]]) {
    refuses({ ...on, layer_types: bad }, "layer_types");
  }
});

Deno.test("parseConfig() gives Mistral a window of 4096 unless the config says otherwise", () => {
  const { sliding_window: _, ...config } = caseOf("mistral, window").config;
  const window = (changes: Record<string, unknown>) =>
    (parseConfig(JSON.stringify({ ...config, ...changes })) as RopedConfig).windows?.[0];
  assertEquals(window({}), 4096);
  assertEquals(window({ sliding_window: null }), undefined);
  assertEquals(window({ sliding_window: 7 }), 7);
});

Deno.test("parseConfig() reads the published configuration of Gemma 3 27B, defaults included", () => {
  const text = {
    head_dim: 128,
    hidden_size: 5376,
    intermediate_size: 21_504,
    model_type: "gemma3_text",
    num_attention_heads: 32,
    num_hidden_layers: 62,
    num_key_value_heads: 16,
    query_pre_attn_scalar: 168,
    rope_scaling: { factor: 8.0, rope_type: "linear" },
    sliding_window: 1024,
  };
  const whole = {
    architectures: ["Gemma3ForConditionalGeneration"],
    boi_token_index: 255_999,
    eoi_token_index: 256_000,
    eos_token_id: [1, 106],
    image_token_index: 262_144,
    initializer_range: 0.02,
    mm_tokens_per_image: 256,
    model_type: "gemma3",
    text_config: text,
    torch_dtype: "bfloat16",
    transformers_version: "4.50.0.dev0",
    vision_config: { hidden_size: 1152 },
  };
  const config = parseConfig(JSON.stringify(whole)) as RopedConfig;
  assertEquals(config.architecture, "gemma3");
  assertEquals([config.vocabularySize, config.maxPositions, config.headDim], [
    262_208,
    131_072,
    128,
  ]);
  assertEquals([config.tiedEmbeddings, config.rmsNormEps], [true, 1e-6]);
  assertEquals(config.rope, { dims: 128, theta: 1e6, scaling: { type: "linear", factor: 8 } });
  assertEquals(config.localRope, { dims: 128, theta: 1e4, scaling: { type: "default" } });
  assertEquals(config.windows!.filter((window) => window === undefined).length, 10);
  assertEquals(config.windows!.slice(0, 6), [1024, 1024, 1024, 1024, 1024, undefined]);
  assertEquals(config.scale, 168 ** -0.5);
  assertEquals(config.embeddingScale, Math.fround(Math.sqrt(5376)));
  const refuse = (changes: Record<string, unknown>, name: string) =>
    assertThrows(
      () => parseConfig(JSON.stringify({ ...whole, ...changes })),
      SyntaxError,
      `'${name}' in config.json must`,
    );
  refuse({ text_config: undefined }, "text_config");
  refuse({ text_config: { ...text, model_type: "llama" } }, "text_config.model_type");
  refuse({ text_config: { ...text, hidden_size: "5376" } }, "text_config.hidden_size");
  refuse(
    { text_config: { ...text, attn_logit_softcapping: 50 } },
    "text_config.attn_logit_softcapping",
  );
  refuse({ tie_word_embeddings: false }, "tie_word_embeddings");
  refuse({ logit_scale: 2 }, "logit_scale");
});

Deno.test("parseConfig() keeps Gemma's embedding scale in float32, whatever the checkpoint's dtype", () => {
  const { dtype: _, ...config } = caseOf("gemma3_text").config;
  for (const torch_dtype of ["float32", "bfloat16", "float16", undefined]) {
    const parsed = parseConfig(JSON.stringify({ ...config, hidden_size: 1152, torch_dtype }));
    assertEquals((parsed as RopedConfig).embeddingScale, Math.fround(Math.sqrt(1152)));
  }
});

Deno.test("parseConfig() reads the layers of nemotron-nas", () => {
  const { config } = caseOf("nemotron-nas");
  const parsed = parseConfig(JSON.stringify(config)) as RopedConfig & NemotronBlocks;
  assertEquals(parsed.blocks, [
    { kvHeads: 2, intermediateSize: 256 },
    { kvHeads: undefined, intermediateSize: 768 }, // ⌊2 · 13 · 64 / 3⌋ = 554
    { kvHeads: 1, intermediateSize: undefined },
    { kvHeads: 4, intermediateSize: 256 },
    { kvHeads: undefined, intermediateSize: undefined },
  ]);
  assertEquals(
    parsed.kv,
    [[0, 2], [2, 1], [3, 4]].map(([layer, kvHeads]) => ({
      layer: layer!,
      kvHeads: kvHeads!,
      headDim: 16,
    })),
  );
  assertEquals([parsed.kvHeads, parsed.intermediateSize], [4, 768]);
});

Deno.test("parseConfig() refuses blocks of nemotron-nas that are no attention or feed-forward", () => {
  const { config } = caseOf("nemotron-nas");
  const blocks = config.block_configs as { attention: object; ffn: object }[];
  const refuse = (part: "attention" | "ffn", changes: object, name: string) => {
    const changed = structuredClone(blocks);
    changed[0]![part] = { ...changed[0]![part], ...changes };
    const text = JSON.stringify({ ...config, block_configs: changed });
    const message = `'block_configs[0].${part}.${name}' in config.json must`;
    assertThrows(() => parseConfig(text), SyntaxError, message);
  };
  refuse("attention", { replace_with_linear: true }, "replace_with_linear");
  refuse("ffn", { replace_with_linear: true }, "replace_with_linear");
  refuse("attention", { window_length: 128 }, "window_length");
  refuse("attention", { num_sink_tokens: 4 }, "num_sink_tokens");
  refuse("attention", { unshifted_sink: true }, "unshifted_sink");
  refuse("ffn", { sparsify: [1] }, "sparsify");
  refuse("attention", { n_heads_in_group: 3 }, "n_heads_in_group");
  refuse("attention", { n_heads_in_group: null }, "n_heads_in_group");
  refuse("ffn", { ffn_mult: 0 }, "ffn_mult");
  refuse("ffn", { no_op: "yes" }, "no_op");
  for (const block_configs of [undefined, [], {}, blocks.slice(1)]) {
    const text = JSON.stringify({ ...config, block_configs });
    assertThrows(() => parseConfig(text), SyntaxError, "'block_configs' in config.json must");
  }
});

Deno.test("parseConfig() takes Phi-3's older names of longrope", () => {
  const { config } = caseOf("phi3, longrope, short");
  const expected = parseConfig(JSON.stringify(config));
  for (const type of ["su", "yarn"]) {
    const rope_scaling = { ...config.rope_scaling as object, type };
    assertEquals(parseConfig(JSON.stringify({ ...config, rope_scaling })), expected);
  }
});

Deno.test("parseConfig() refuses unknown architectures, also names of every object", () => {
  for (const type of ["gpt2", "", "__proto__", "constructor", "toString", 3, null, ["qwen3"]]) {
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
      typical_p: 0.9,
    }),
    {
      ...{ temperature: 0.6, topK: 20, topP: 0.95, minP: 0, maxNewTokens: 128 },
      ...{ repetitionPenalty: 1.1, typicalP: 0.9 },
    },
  );
  assertEquals(generationDefaults({ temperature: null }), {});
});
