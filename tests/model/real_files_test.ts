/** Checkpoints as people really have them: other names, other types, other files, half of the files. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ARCHITECTURES, type Weight, weightsIn } from "@moi/moi/graph";
import { forward, loadModel, parseConfig, type Progress } from "@moi/moi/model";
import {
  checkpoint,
  encodeSafetensors,
  QWEN3,
  qwen3Weights,
  readTensors,
  type StoredTensor,
  wideCheckpoint,
} from "../golden/golden.ts";
import { CASES } from "../golden/architectures.ts";
import { temporaryFolder } from "../_temporary.ts";

const WEIGHTS = "model.safetensors", INDEX = "model.safetensors.index.json";
const IDS = [1, 2, 3, 300];
type Tensors = Record<string, StoredTensor>;

const CONFIG = JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3)));
const TENSORS = await qwen3Weights();
const EXPECTED = await logitsOf(QWEN3);

async function logitsOf(place: string | URL, options: { dtype?: "fp16" | "int8" } = {}) {
  await using cache = await temporaryFolder();
  await using model = await loadModel(place, { ...options, cacheDir: cache.path });
  return await forward(model, IDS);
}

/** The golden checkpoint with other tensors. */
const withTensors = (tensors: Tensors, config: Record<string, unknown> = {}) =>
  checkpoint(config, { [WEIGHTS]: encodeSafetensors(tensors) });

/** The golden tensors under other names. */
const renamed = (of: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(TENSORS).map(([name, tensor]) => [of(name), tensor]));

const PATCH: StoredTensor = { dtype: "F32", shape: [2], data: new Float32Array(2) };

for (
  const [prefix, head, more] of [
    ["", "lm_head.weight", []], // AutoModel, with a head beside it
    ["language_model.model.", "language_model.lm_head.weight", ["vision_tower.patch.weight"]],
    ["language_model.model.", "lm_head.weight", ["multi_modal_projector.linear.weight"]],
    ["model.language_model.", "lm_head.weight", ["model.vision_tower.norm.weight"]],
    ["model.text_model.", "lm_head.weight", ["model.connector.weight"]],
    ["transformer.", "lm_head.weight", []],
    ["text_model.model.", "text_model.lm_head.weight", []],
    ["base_model.model.model.", "base_model.model.lm_head.weight", []], // merged by peft
    ["_orig_mod.model.", "_orig_mod.lm_head.weight", []], // torch.compile
    ["module.model.", "module.lm_head.weight", []], // DistributedDataParallel
    // tables that are not the text model's
    ["model.language_model.", "lm_head.weight", ["model.audio_tower.embed_tokens.weight"]],
    ["model.", "lm_head.weight", ["decoder.embed_tokens.weight", "decoder.lm_head.weight"]],
  ] as const
) {
  Deno.test(`tensors under '${prefix}' with the head at ${head} beside ${more}`, async () => {
    const names = renamed((name) =>
      name === "lm_head.weight" ? head : prefix + name.slice("model.".length)
    );
    const others = Object.fromEntries(more.map((name) => [name, PATCH]));
    await using folder = await withTensors({ ...others, ...names });
    assertEquals(await logitsOf(folder.path), EXPECTED);
    if (prefix === "model.language_model.") { // conversions find them too
      assertEquals(
        await logitsOf(folder.path, { dtype: "int8" }),
        await logitsOf(QWEN3, { dtype: "int8" }),
      );
    }
  });
}

Deno.test("a base model's tensors of phi3, which are cut into parts, are found as well", () => {
  const { config, tensors } = CASES.find(({ config }) => config.model_type === "phi3")!;
  const architecture = ARCHITECTURES.phi3!;
  const weights = new Map(tensors.map(([name, dims], i): [string, Weight] => {
    const length = 4 * dims.reduce((a, b) => a * b, 1);
    const place = { location: "w", offset: 2 ** 20 * i, length };
    return [name.replace(/^model\./, ""), { type: "float32", dims, ...place }];
  }));
  const { initializers } = architecture.graph(architecture.parse(config), weightsIn(weights), 16);
  assert(initializers.some(({ name }) => name === "layers.0.self_attn.q_proj.weight"));
});

Deno.test("a tensor that is not there is named as the checkpoint would name it", async () => {
  const names = renamed((name) => name.replace(/^model\./, ""));
  delete names["layers.0.mlp.up_proj.weight"];
  await using folder = await withTensors(names);
  await assertRejects(
    () => loadModel(folder.path),
    SyntaxError,
    "no tensor 'layers.0.mlp.up_proj.weight'",
  );
});

const bytes = (length: number) => new Uint8Array(length);
const UNUSED: Tensors = {
  "model.layers.0.self_attn.bias": { dtype: "BOOL", shape: [4, 4], data: bytes(16) },
  "model.layers.0.self_attn.rotary_emb.inv_freq": {
    ...{ dtype: "F64", shape: [4] },
    data: new Float64Array(4),
  },
  counter: { dtype: "I64", shape: [], data: new BigInt64Array(1) },
  mask: { dtype: "U8", shape: [3], data: bytes(3) },
  scales: { dtype: "F8_E4M3", shape: [8], data: bytes(8) },
  more: { dtype: "F8_E5M2", shape: [8], data: bytes(8) },
  halves: { dtype: "I16", shape: [4], data: bytes(8) },
  complex: { dtype: "C64", shape: [2], data: bytes(16) },
  nibbles: { dtype: "F4", shape: [2, 8], data: bytes(8) },
  later: { dtype: "F3_NEW", shape: [8], data: bytes(8) },
};

Deno.test("unused tensors of any type refuse no checkpoint", async () => {
  await using folder = await withTensors({ ...TENSORS, ...UNUSED });
  assertEquals(await logitsOf(folder.path), EXPECTED);
  assertEquals(
    await logitsOf(folder.path, { dtype: "int8" }),
    await logitsOf(QWEN3, { dtype: "int8" }),
  );
});

Deno.test("needed tensors in float64 are read, those of other types are refused by name", async () => {
  const doubles = Object.fromEntries(
    Object.entries(TENSORS).map(([name, { shape, data }]): [string, StoredTensor] => [
      name,
      // half a last place beside the float32: rounding brings it back
      {
        ...{ dtype: "F64", shape },
        data: Float64Array.from(data as Float32Array<ArrayBuffer>, (x) => x * (1 + 2 ** -26)),
      },
    ]),
  );
  await using folder = await withTensors(doubles);
  assertEquals(await logitsOf(folder.path), EXPECTED);
  for (const dtype of ["fp16", "int8"] as const) {
    assertEquals(await logitsOf(folder.path, { dtype }), await logitsOf(QWEN3, { dtype }));
  }
  const one = "model.norm.weight", { shape } = TENSORS[one]!;
  await using mixed = await withTensors({ ...TENSORS, [one]: doubles[one]! });
  assertEquals(await logitsOf(mixed.path), EXPECTED);
  for (const dtype of ["BOOL", "F8_E4M3", "U8", "I8"]) {
    const tensor = { dtype, shape, data: bytes(shape[0]!) };
    await using folder = await withTensors({ ...TENSORS, [one]: tensor });
    const type = { U8: "uint8", I8: "int8" }[dtype] ?? dtype;
    await assertRejects(
      () => loadModel(folder.path),
      SyntaxError,
      `'${one}' must hold floating-point numbers: current value is ${type}`,
    );
  }
});

Deno.test("a large vocabulary in float64 under another prefix is gathered and mixed alike", async () => {
  await using wide = await wideCheckpoint(1500);
  const tensors = await readTensors(new URL(`file://${wide.path}/${WEIGHTS}`));
  const doubles: Tensors = {};
  for (const name of tensors.names) {
    const data = Float64Array.from(tensors.floats(name));
    doubles[name.replace(/^model/, "model.language_model")] = {
      ...{ dtype: "F64", shape: tensors.dims(name) },
      data,
    };
  }
  await using folder = await withTensors(doubles, { vocab_size: 1500 });
  await using model = await loadModel(folder.path);
  await using expected = await loadModel(wide.path);
  const probabilities = new Float32Array(1500).fill(1 / 1500);
  const inputs = [1, { ids: [3, 1400], weights: [0.25, 0.75] }, {
    ids: [7],
    weights: [0.5],
    dense: { probabilities, weight: 0.5 },
  }];
  assertEquals(await forward(model, inputs), await forward(expected, inputs));
  assertEquals(model.embeddings!([1400]), expected.embeddings!([1400]));
});

Deno.test("without a head, embeddings are tied where the config does not say that they are not", async () => {
  const { "lm_head.weight": _, ...headless } = TENSORS;
  const tied = { ...headless, "lm_head.weight": TENSORS["model.embed_tokens.weight"]! };
  await using same = await withTensors(tied);
  const expected = await logitsOf(same.path);
  const base = Object.fromEntries(
    Object.entries(headless).map(([name, tensor]) => [name.slice("model.".length), tensor]),
  );
  for (const tensors of [headless, base]) {
    for (const tie_word_embeddings of [undefined, null, true]) {
      await using folder = await withTensors(tensors, { tie_word_embeddings });
      assertEquals(await logitsOf(folder.path), expected);
    }
  }
  for (
    const config of [
      { tie_word_embeddings: false },
      { tie_word_embeddings: false, architectures: ["Qwen3Model"] },
      { tie_word_embeddings: undefined, architectures: ["Qwen3ForSequenceClassification"] },
    ]
  ) {
    await using folder = await withTensors({ ...headless, "score.weight": PATCH }, config);
    await assertRejects(
      () => loadModel(folder.path),
      SyntaxError,
      "no tensor 'lm_head.weight' and 'tie_word_embeddings'",
    );
  }
  await using stated = await withTensors(TENSORS, { tie_word_embeddings: undefined });
  assertEquals(await logitsOf(stated.path), EXPECTED); // a head that is there is used
});

const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4f2e\nsize 988097824\n";
const PAGE = "<!DOCTYPE html>\n<html><head><title>404</title></head></html>";

Deno.test("a Git LFS pointer or a page in place of a file says what it is and what to do", async () => {
  const names = [
    ...[WEIGHTS, "config.json", "generation_config.json", "tokenizer.json"],
    ...["tokenizer_config.json", "chat_template.jinja"],
  ];
  for (const name of names) {
    for (
      const [content, message] of [
        [POINTER, "Git LFS pointer to 988097824 bytes and not the file itself: run 'git lfs pull'"],
        [POINTER.replaceAll("\n", "\r\n"), "Git LFS pointer"],
        [PAGE, "a page of HTML or XML"],
        [`<?xml version="1.0"?><Error>`, "a page of HTML or XML"],
      ] as const
    ) {
      await using folder = await checkpoint({}, { [name]: content });
      const error = await assertRejects(() => loadModel(folder.path), SyntaxError, message);
      assert((error as Error).message.includes(`${folder.path}/${name}`));
    }
  }
  await using empty = await checkpoint({}, { [WEIGHTS]: "" });
  await assertRejects(() => loadModel(empty.path), RangeError, "the file is empty: download");
  await using none = await checkpoint({}, { "tokenizer.json": "" });
  await assertRejects(() => loadModel(none.path), SyntaxError, "it is empty: download");
  await using cut = await checkpoint({}, {
    [WEIGHTS]: encodeSafetensors(TENSORS).slice(0, -1000),
  });
  await assertRejects(() => loadModel(cut.path), SyntaxError, "is the file cut off?");
});

/** The golden checkpoint in other files than model.safetensors. */
async function folderOf(files: Record<string, string | Uint8Array>) {
  const folder = await checkpoint({}, files);
  if (!Object.hasOwn(files, WEIGHTS)) await Deno.remove(`${folder.path}/${WEIGHTS}`);
  return folder;
}

Deno.test("shards: pointers, missing ones and names outside of the folder", async () => {
  const shard = "model-00001-of-00001.safetensors";
  const index = (file: string) =>
    JSON.stringify({ weight_map: Object.fromEntries(Object.keys(TENSORS).map((n) => [n, file])) });
  await using good = await folderOf({
    [INDEX]: `\uFEFF${index(shard)}`,
    [shard]: encodeSafetensors(TENSORS),
  });
  assertEquals(await logitsOf(good.path), EXPECTED);
  for (
    const [files, message] of [
      [{ [INDEX]: index(shard), [shard]: POINTER }, `${shard} is a Git LFS pointer`],
      [{ [INDEX]: index(shard), [shard]: PAGE }, `${shard} is a page of HTML`],
      [{ [INDEX]: POINTER }, "it is a Git LFS pointer"],
      [{ [INDEX]: index(shard) }, `${shard} cannot be read: ${INDEX} names it`],
      [{ [INDEX]: index(`../${shard}`) }, "of the same folder"],
      [{ [INDEX]: index(`sub/${shard}`) }, "of the same folder"],
    ] as const
  ) {
    await using folder = await folderOf(files);
    await assertRejects(() => loadModel(folder.path), Error, message);
  }
  await using both = await folderOf({
    [INDEX]: index("x.safetensors"),
    [WEIGHTS]: encodeSafetensors(TENSORS),
  });
  assertEquals(await logitsOf(both.path), EXPECTED); // as in transformers
});

Deno.test("weights in formats that are not read are refused by name, with what to do", async () => {
  for (
    const [file, message] of [
      ["pytorch_model.bin", "AutoModelForCausalLM.from_pretrained("],
      ["pytorch_model-00001-of-00002.bin", "pickled weights"],
      ["consolidated.00.pth", "pickled weights"],
      ["consolidated.safetensors", "Mistral's own format"],
      ["adapter_model.safetensors", "an adapter (LoRA)"],
      ["adapter_model.bin", "an adapter (LoRA)"],
      ["tf_model.h5", "from_tf=True"],
      ["flax_model.msgpack", "from_flax=True"],
      ["model.fp16.safetensors", `but no ${WEIGHTS} and no ${INDEX}`],
      ["model-Q4_0.gguf", "name the file itself"],
    ] as const
  ) {
    await using folder = await folderOf({ [file]: new Uint8Array(100) });
    const error = await assertRejects(
      () => loadModel(folder.path),
      Deno.errors.NotFound,
      message,
    );
    assert((error as Error).message.includes(`there is ${file}`));
  }
  await using both = await checkpoint({}, {
    "pytorch_model.bin": "",
    "consolidated.safetensors": "",
  });
  assertEquals(await logitsOf(both.path), EXPECTED);
  await using zip = await checkpoint({}, {
    [WEIGHTS]: Uint8Array.of(0x50, 0x4b, 3, 4, ...bytes(99)),
  });
  await assertRejects(() => loadModel(zip.path), SyntaxError, "a zip archive");
});

Deno.test("JSON with a byte-order mark, and NaN and Infinity as Python writes them", async () => {
  const text = JSON.stringify({ ...CONFIG, note: 'NaN, \\"Infinity' }).slice(0, -1);
  const words = `${text},"remark":NaN,"more":[Infinity,-Infinity],"a\\"NaN":"Infinity"}`;
  await using folder = await checkpoint({}, {
    "config.json": `\uFEFF${words}`,
    "generation_config.json": `\uFEFF{"temperature": 0.5}`,
  });
  {
    await using model = await loadModel(folder.path);
    assertEquals(model.defaults, { temperature: 0.5 });
    assertEquals(await forward(model, IDS), EXPECTED);
  }
  const of = (json: string) => () => parseConfig(text + json);
  assertThrows(of(`,"rope_theta":NaN}`), SyntaxError, "be a positive number: current value is NaN");
  assertThrows(of(`,"rms_norm_eps":-Infinity}`), SyntaxError, "current value is -Infinity");
  assertThrows(of(`,"rope_theta":NaNa}`), SyntaxError, "not valid JSON");
  assertThrows(of(`,"x":"NaN`), SyntaxError, "not valid JSON");
  await using bad = await checkpoint({}, { "generation_config.json": `{"top_p": NaN}` });
  await assertRejects(() => loadModel(bad.path), SyntaxError, "'top_p' in generation_config.json");
});

Deno.test("dtype under both names, no architectures, and the text part of a multimodal config", async () => {
  for (
    const change of [
      { torch_dtype: "float16", dtype: undefined },
      { dtype: "bfloat16", torch_dtype: undefined },
      { dtype: "float32", torch_dtype: "float32" },
      { architectures: undefined, transformers_version: undefined },
    ]
  ) {
    await using folder = await checkpoint(change);
    assertEquals(await logitsOf(folder.path), EXPECTED);
  }
  const { tie_word_embeddings: _, eos_token_id, ...text_config } = CONFIG;
  const wrapper = (change: object) => ({
    ...{ model_type: "internvl", vision_config: { hidden_size: 8 }, image_token_id: 9 },
    text_config,
    ...change,
  });
  const names = renamed((name) => name.replace(/^model\./, "model.language_model."));
  for (
    const change of [
      { tie_word_embeddings: false, text_config: { ...text_config, eos_token_id } },
      { text_config: { ...text_config, tie_word_embeddings: false } },
    ]
  ) {
    await using folder = await temporaryFolder({
      "config.json": JSON.stringify(wrapper(change)),
      [WEIGHTS]: encodeSafetensors({ "model.vision_tower.patch.weight": PATCH, ...names }),
    });
    await using model = await loadModel(folder.path);
    assertEquals(model.config.architecture, "qwen3");
    assertEquals(await forward(model, IDS), EXPECTED);
  }
  const refuses = (change: object, message: string) =>
    assertThrows(() => parseConfig(JSON.stringify(wrapper(change))), SyntaxError, message);
  refuses({ text_config: { ...text_config, model_type: "mllama_text_model" } }, "'model_type'");
  refuses({ text_config: null }, "'model_type'");
  // what the whole and its part say of the head may differ: transformers writes it so for InternVL
  const both = wrapper({
    tie_word_embeddings: true,
    text_config: { ...text_config, tie_word_embeddings: false },
  });
  const { "lm_head.weight": _head, ...headless } = names;
  const { "lm_head.weight": __, ...plain } = TENSORS;
  await using tied = await withTensors(plain, { tie_word_embeddings: true });
  for (
    const [tensors, expected] of [[names, EXPECTED], [headless, await logitsOf(tied.path)]] as const
  ) {
    await using folder = await temporaryFolder({
      "config.json": JSON.stringify(both),
      [WEIGHTS]: encodeSafetensors(tensors),
    });
    assertEquals(await logitsOf(folder.path), expected);
  }
});

Deno.test("weights that another tool quantised are refused by its name", async () => {
  for (
    const settings of [
      { quant_method: "gptq", bits: 4, group_size: 128 },
      { quant_method: "awq", bits: 4 },
      { quant_method: "fp8", weight_block_size: [128, 128] },
      { quant_method: "bitsandbytes", load_in_4bit: true },
      { quant_method: "compressed-tensors", format: "pack-quantized" },
      { quant_method: "mxfp4" },
    ]
  ) {
    const message = `weights quantised by ${settings.quant_method} are not read`;
    for (
      const change of [
        { quantization_config: settings },
        { compression_config: settings },
        { model_type: "llava", text_config: CONFIG, quantization_config: settings },
        { model_type: "llava", text_config: { ...CONFIG, quantization_config: settings } },
      ]
    ) {
      assertThrows(
        () => parseConfig(JSON.stringify({ ...CONFIG, ...change })),
        SyntaxError,
        message,
      );
    }
  }
  for (const quantization_config of [null, {}]) {
    await using folder = await checkpoint({ quantization_config });
    assertEquals(await logitsOf(folder.path), EXPECTED);
  }
});

Deno.test("the context that rope scaling allows, by default and when asked for", async () => {
  const P = CONFIG.max_position_embeddings as number;
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: P };
  for (
    const [scaling, usual, longest] of [
      [{ rope_type: "default" }, P, P],
      [yarn, 4 * P, 4 * P],
      [{ ...yarn, original_max_position_embeddings: P / 2 }, 2 * P, 2 * P],
      [{ ...yarn, original_max_position_embeddings: P / 4 }, P, P],
      [{ ...yarn, factor: 2.5 }, 2.5 * P, 2.5 * P],
      [{ rope_type: "linear", factor: 4 }, P, 4 * P],
      [{ rope_type: "linear", factor: 0.5 }, P, P],
      [{ rope_type: "dynamic", factor: 4 }, P, P],
    ] as const
  ) {
    await using folder = await checkpoint({ rope_scaling: scaling });
    await using model = await loadModel(folder.path);
    assertEquals(model.maxLength, usual, Deno.inspect(scaling));
    await using longer = await loadModel(folder.path, { maxLength: longest });
    const ids = Array.from({ length: Math.min(longest, P + 5) }, (_, i) => i % 300);
    const rows = await forward(longer, ids);
    assert(rows.at(-1)!.every(Number.isFinite));
    const words = scaling.rope_type === "dynamic" ? "its dynamic scaling" : "the context the model";
    await assertRejects(
      () => loadModel(folder.path, { maxLength: longest + 1 }),
      RangeError,
      `'maxLength' must be at most ${longest}, `,
    ).then((error) => assert((error as Error).message.includes(words)));
  }
  await using dynamic = await checkpoint({ rope_scaling: { type: "dynamic", factor: 2 } });
  assertEquals(await logitsOf(dynamic.path), EXPECTED); // up to P it is none
});

Deno.test("generation_config.json: what is followed is in defaults, what is not is told", async () => {
  const cases: [Record<string, unknown>, Record<string, number>, string[]][] = [
    [{ do_sample: false }, { temperature: 0 }, []],
    [{ do_sample: false, temperature: 0.6, top_p: 0.9 }, { temperature: 0, topP: 0.9 }, []],
    [{ do_sample: true, temperature: 0.6, top_k: 20 }, { temperature: 0.6, topK: 20 }, []],
    [{ do_sample: null, temperature: 0 }, { temperature: 0 }, []],
    [{ top_k: -1 }, { topK: 0 }, []],
    [{ presence_penalty: 1.5, frequency_penalty: 0.1 }, {
      presencePenalty: 1.5,
      frequencyPenalty: 0.1,
    }, []],
    [{ typical_p: 0.9, min_p: 0.1, epsilon_cutoff: 3e-4, eta_cutoff: 2e-4 }, {
      ...{ typicalP: 0.9, minP: 0.1, epsilonCutoff: 3e-4, etaCutoff: 2e-4 },
    }, []],
    [{ max_new_tokens: 7, max_length: 99 }, { maxNewTokens: 7 }, []],
    [{ max_length: 4096 }, {}, ["max_length 4096"]],
    [{ num_beams: 4, length_penalty: 2, early_stopping: true }, {}, ["num_beams 4 (beam search)"]],
    [{ penalty_alpha: 0.6, top_k: 4 }, { topK: 4 }, ["penalty_alpha 0.6 (contrastive search)"]],
    [{ no_repeat_ngram_size: 3, suppress_tokens: [1], begin_suppress_tokens: [2] }, {}, [
      ...["no_repeat_ngram_size 3", "suppress_tokens [ 1 ]", "begin_suppress_tokens [ 2 ]"],
    ]],
    [{ bad_words_ids: [[1, 2]], forced_bos_token_id: 1, forced_eos_token_id: 2 }, {}, [
      ...["bad_words_ids", "forced_bos_token_id 1", "forced_eos_token_id 2"],
    ]],
    [{ min_length: 3, min_new_tokens: 2, guidance_scale: 1.5, stop_strings: ["x"] }, {}, [
      ...["min_length 3", "min_new_tokens 2", "guidance_scale 1.5", "stop_strings"],
    ]],
    [
      {
        num_beams: 1,
        no_repeat_ngram_size: 0,
        min_length: 0,
        guidance_scale: 1,
        bad_words_ids: [],
      },
      {},
      [],
    ],
    [{ bos_token_id: 1, pad_token_id: 0, transformers_version: "5.0", use_cache: true }, {}, []],
    [{ eos_token_id: [1, 2] }, {}, []],
  ];
  for (const [generation, defaults, told] of cases) {
    await using folder = await checkpoint({}, {
      "generation_config.json": JSON.stringify(generation),
    });
    const reports: Progress[] = [];
    await using model = await loadModel(folder.path, { onProgress: (one) => reports.push(one) });
    assertEquals(model.defaults, defaults);
    const notes = (model.notes ?? []).join("\n");
    assertEquals(notes === "", told.length === 0, notes);
    for (const words of told) assert(notes.includes(words), `${notes} must tell ${words}`);
    assertEquals(reports.at(-1)!.note, model.notes?.[0]);
  }
  for (
    const [name, value] of Object.entries({
      ...{
        temperature: -1,
        top_k: 1.5,
        top_p: 0,
        min_p: 2,
        typical_p: "0.9",
        repetition_penalty: 0,
      },
      ...{ max_new_tokens: 0, do_sample: "no" },
    })
  ) {
    await using folder = await checkpoint({}, {
      "generation_config.json": JSON.stringify({ [name]: value }),
    });
    await assertRejects(
      () => loadModel(folder.path),
      SyntaxError,
      `'${name}' in generation_config.json must`,
    );
  }
});
