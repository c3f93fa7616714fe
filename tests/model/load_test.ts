import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { forward, loadModel, type LoadOptions, type Progress } from "@moi/moi/model";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "../_temporary.ts";
import {
  checkpoint,
  encodeSafetensors,
  maxDifference,
  QWEN3,
  qwen3Weights,
  safetensorsOf,
} from "../golden/golden.ts";

const FOLDER = fileURLToPath(QWEN3);
const EMBEDDED = new URL("../../lib/model/embedded/", import.meta.url);

/** All files of an embedded model. */
async function filesOf(name: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for await (const entry of Deno.readDir(new URL(name, EMBEDDED))) {
    files[entry.name] = await Deno.readFile(new URL(`${name}/${entry.name}`, EMBEDDED));
  }
  return files;
}

Deno.test("loadModel() tells what it loaded", async () => {
  await using model = await loadModel("votes-tiny");
  assertEquals(model.id, "votes-tiny");
  assertEquals([model.device, model.dtype, model.maxLength], ["cpu", "fp32", 256]);
  assertEquals(model.config.vocabularySize, 30);
  assertEquals(model.defaults, { temperature: 1, topP: 1, maxNewTokens: 32 });
  assertEquals(model.tokenizer.eosTokenIds, [2]);
  assertMatch(model.fingerprint, /^[0-9a-f]{16}$/);
  assertEquals(model.memory, { weightsBytes: 4 * 335_520, kvBytesPerToken: 4 * 2 * 3 * 2 * 32 });
});

Deno.test("loadModel() counts the parameters of countdown-tiny", async () => {
  await using model = await loadModel("countdown-tiny");
  assertEquals(model.memory, { weightsBytes: 4 * 1_597_312, kvBytesPerToken: 4 * 2 * 4 * 2 * 32 });
  assertEquals(model.defaults, { temperature: 0.6, topP: 0.95, maxNewTokens: 128 });
});

Deno.test("loadModel() takes a path, a file URL and the text of one", async () => {
  for (const id of [FOLDER, FOLDER.replace(/\/$/, ""), QWEN3, QWEN3.href]) {
    await using model = await loadModel(id);
    assertEquals([model.id, model.config.vocabularySize], [String(id), 384]);
  }
});

Deno.test("loadModel() takes folders with spaces, umlauts and percent signs", async () => {
  await using parent = await temporaryFolder();
  for (const name of ["a b", "Größe", "100%", "%41"]) {
    const path = `${parent.path}/${name}`;
    await Deno.mkdir(path);
    for (const file of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(`${FOLDER}/${file}`, `${path}/${file}`);
    }
    for (const id of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      await using model = await loadModel(id);
      assertEquals((await forward(model, [1])).length, 1);
    }
  }
});

Deno.test("loadModel() gives one fingerprint to the same files, another to changed ones", async () => {
  const fingerprint = async (id: string) => {
    await using model = await loadModel(id);
    return model.fingerprint;
  };
  await using same = await temporaryFolder(await filesOf("votes-tiny"));
  assertEquals(await fingerprint(same.path), await fingerprint("votes-tiny"));

  const golden = await fingerprint(FOLDER);
  await using config = await checkpoint({ rope_theta: 999_999 });
  assertNotEquals(await fingerprint(config.path), golden);
  for (const name of ["model.embed_tokens.weight", "model.norm.weight"]) {
    const tensors = await qwen3Weights(), { dtype, shape, data } = tensors[name]!;
    const altered = (data as Float32Array<ArrayBuffer>).map((value) => value * 1.01);
    tensors[name] = { dtype, shape, data: altered };
    await using weights = await checkpoint({}, { "model.safetensors": encodeSafetensors(tensors) });
    assertNotEquals(await fingerprint(weights.path), golden);
  }
  const file = await Deno.readFile(new URL("model.safetensors", QWEN3));
  file[file.length - 1]! ^= 1;
  await using last = await checkpoint({}, { "model.safetensors": file });
  assertNotEquals(await fingerprint(last.path), golden);
});

Deno.test("loadModel() refuses an id that is neither a model nor a folder", async () => {
  await using folder = await temporaryFolder({ "notes.txt": "" });
  const ids = ["votes", "VOTES-TINY", "/nonexistent", "", "__proto__", "x.gguf"];
  for (const id of [...ids, `${folder.path}/.`]) {
    await assertRejects(() => loadModel(id), Deno.errors.NotFound, "Cannot load the model");
  }
  const { message } = await assertRejects(() => loadModel("votes"), Deno.errors.NotFound);
  assertStringIncludes(message, "'id' must be 'votes-tiny', 'countdown-tiny', 'countdown-tiny-b");
  assertStringIncludes(message, "'decisions-tiny-2', 'decisions-tiny-3', a folder");
});

Deno.test("loadModel() refuses a URL that is no file", async () => {
  for (const url of ["https://example.com/model/", "data:,x"]) {
    await assertRejects(() => loadModel(new URL(url)), RangeError, "'id' must be a file URL");
  }
});

Deno.test("loadModel() refuses a missing file by its path", async () => {
  for (const file of ["config.json", "model.safetensors"]) {
    await using folder = await checkpoint();
    await Deno.remove(`${folder.path}/${file}`);
    await assertRejects(
      () => loadModel(folder.path),
      Deno.errors.NotFound,
      `${folder.path}/${file} cannot be read`,
    );
  }
});

const WRONG: readonly [Record<string, unknown>, typeof RangeError | typeof TypeError, string][] = [
  [
    { device: "dml" },
    RangeError,
    "'device' must be 'auto', 'cpu', 'webgpu', 'cuda', 'vulkan' or 'metal'",
  ],
  [{ device: "webgpu", kv: "int8" }, RangeError, "'kv' must be 'fp32' or 'fp16' on webgpu"],
  [{ device: "cuda", dtype: "fp32" }, RangeError, "'dtype' must be 'auto', 'fp16', 'int8'"],
  [
    { device: "cuda", kv: "fp32" },
    RangeError,
    "'kv' must be 'fp16', as its attention has no other",
  ],
  [{ device: "" }, RangeError, "'device'"],
  [{ device: null }, TypeError, "'device'"],
  [
    { dtype: "fp64" },
    RangeError,
    "'dtype' must be 'auto', 'fp32', 'fp16', 'int8', 'int4' or 'native'",
  ],
  [{ dtype: 32 }, TypeError, "'dtype'"],
  [{ maxLength: 0 }, RangeError, "'maxLength'"],
  [{ maxLength: -5 }, RangeError, "'maxLength'"],
  [{ maxLength: 1.5 }, RangeError, "'maxLength'"],
  [{ kv: "int4" }, RangeError, "'kv' must be 'fp32', 'fp16' or 'int8'"],
  [{ kv: null }, TypeError, "'kv' must be 'fp32', 'fp16' or 'int8'"],
  [{ maxLength: NaN }, RangeError, "'maxLength'"],
  [{ maxLength: Infinity }, RangeError, "'maxLength'"],
  [{ maxLength: "100" }, TypeError, "'maxLength'"],
  [{ maxLength: 513 }, RangeError, "'maxLength' must be at most 512, the context"],
  [{ threads: 0 }, RangeError, "'threads'"],
  [{ threads: 1025 }, RangeError, "'threads'"],
  [{ threads: 0.5 }, RangeError, "'threads'"],
  [{ threads: "2" }, TypeError, "'threads'"],
  [{ revision: "main" }, RangeError, "'revision' must be left out for a local model"],
  [{ maxlength: 100 }, TypeError, "'maxlength' is not an option: known options are engine, device"],
  [{ quantize: true }, TypeError, "'quantize' is not an option"],
];
for (const [options, type, message] of WRONG) {
  Deno.test(`loadModel() refuses ${Deno.inspect(options)}`, async () => {
    await assertRejects(() => loadModel(QWEN3, options as LoadOptions), type, message);
  });
}

Deno.test("loadModel() says how to get CUDA where its libraries are missing", async () => {
  const error = await assertRejects(() => loadModel(QWEN3, { device: "cuda" }), Error);
  const { message } = error as Error;
  assertEquals(message.startsWith("Cannot load the model on cuda: "), true);
  assertEquals(message.includes("'Devices' in lib/runtime/mod.ts"), true);
});

Deno.test("loadModel() takes every option at its default and left undefined", async () => {
  const names = [
    "device",
    "dtype",
    "kv",
    "maxLength",
    "threads",
    "revision",
    "token",
    "cacheDir",
    "offline",
    "onProgress",
    "signal",
  ];
  const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
  await using model = await loadModel(QWEN3, nothing as LoadOptions);
  await using other = await loadModel(QWEN3, {
    device: "cpu",
    dtype: "fp32",
    maxLength: 512,
    threads: 1,
    offline: true,
    signal: new AbortController().signal,
  });
  assertEquals(await forward(model, [1, 2, 3]), await forward(other, [1, 2, 3]));
});

Deno.test("loadModel() with a smaller maxLength gives the same logits up to there", async () => {
  await using full = await loadModel(QWEN3);
  await using short = await loadModel(QWEN3, { maxLength: 20 });
  assertEquals(short.maxLength, 20);
  const ids = Array.from({ length: 20 }, (_, i) => 3 * i);
  assertEquals(await forward(short, ids), await forward(full, ids));
  await assertRejects(() => forward(short, [...ids, 1]), RangeError, "at least 1 and at most 20");
});

Deno.test("loadModel() gives the same logits with one thread and with two", async () => {
  const ids = Array.from({ length: 100 }, (_, i) => i);
  await using one = await loadModel(QWEN3, { threads: 1 });
  await using two = await loadModel(QWEN3, { threads: 2 });
  const [a, b] = [await forward(one, ids), await forward(two, ids)];
  for (const i of ids) assertEquals(maxDifference(a[i]!, b[i]!) < 1e-5, true);
});

Deno.test("loadModel() reports its progress up to the end", async () => {
  const reports: Progress[] = [];
  await using _ = await loadModel("votes-tiny", { onProgress: (report) => reports.push(report) });
  assertEquals(reports.map(({ done }) => done), [0, 1, 2, 3]);
  assert(reports.every(({ total, label }) => total === 3 && label === "load votes-tiny"));
});

Deno.test("loadModel() ends with the signal's reason", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => loadModel("votes-tiny", { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  await assertRejects(
    () => loadModel(QWEN3, { signal: AbortSignal.abort() }),
    DOMException,
    "aborted",
  );
});

Deno.test("loadModel() refuses a config that differs from the weights", async () => {
  const changes = [
    { num_hidden_layers: 4 },
    { hidden_size: 128 },
    { vocab_size: 512 },
    { head_dim: 48 },
    { intermediate_size: 2 ** 24 },
    { num_hidden_layers: 1024 },
    { vocab_size: 2 ** 24, hidden_size: 2 ** 24 },
  ];
  for (const change of changes) {
    await using folder = await checkpoint(change);
    await assertRejects(() => loadModel(folder.path), SyntaxError, "Cannot build the graph");
  }
});

Deno.test("loadModel() refuses configs that it does not implement, by field", async () => {
  const changes = [
    { model_type: "gpt2" },
    { model_type: "__proto__" },
    { head_dim: 20 },
    { hidden_act: "gelu" },
    { mlp_bias: true },
    { rope_scaling: { rope_type: "mrope", mrope_section: [1, 2] } },
    { rope_parameters: "default" },
    { hidden_size: undefined },
    { vocab_size: "384" },
  ];
  for (const change of changes) {
    await using folder = await checkpoint(change);
    const name = Object.keys(change)[0];
    await assertRejects(
      () => loadModel(folder.path),
      SyntaxError,
      `Cannot load the model as '${name}`,
    );
  }
});

Deno.test("loadModel() takes rope settings under their new names", async () => {
  await using folder = await checkpoint({
    rope_theta: undefined,
    rope_scaling: undefined,
    rope_parameters: { rope_theta: 1e6, rope_type: "default" },
  });
  await using model = await loadModel(folder.path);
  await using golden = await loadModel(QWEN3);
  assertEquals(await forward(model, [5, 6, 7]), await forward(golden, [5, 6, 7]));
});

Deno.test("loadModel() takes 131,072 positions of a longer context, and more when told", async () => {
  await using folder = await checkpoint({ max_position_embeddings: 2 ** 24 });
  await assertRejects(
    () => loadModel(folder.path, { maxLength: 2 ** 23 }),
    RangeError,
    "'maxLength' must be at most 4194304, so that the rotary tables fit",
  );
  for (const maxLength of [undefined, 100, 2 ** 17 + 1]) {
    await using model = await loadModel(folder.path, maxLength === undefined ? {} : { maxLength });
    assertEquals([model.maxLength, model.config.maxPositions], [maxLength ?? 2 ** 17, 2 ** 24]);
  }
});

Deno.test("loadModel() refuses JSON files that are damaged, by name", async () => {
  const files = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ];
  for (const file of files) {
    for (const content of ["", "{", "[]", "null", Uint8Array.of(0xff, 0xfe, 0)]) {
      await using folder = await temporaryFolder({
        ...await filesOf("votes-tiny"),
        [file]: content,
      });
      await assertRejects(() => loadModel(folder.path), SyntaxError, file);
    }
  }
});

Deno.test("loadModel() refuses a tokenizer that the library cannot use", async () => {
  const good = JSON.parse(
    new TextDecoder().decode((await filesOf("votes-tiny"))["tokenizer.json"]),
  );
  const definitions = [
    {},
    { model: null },
    { ...good, model: undefined },
    { ...good, decoder: { type: "Nonsense" } },
    { ...good, normalizer: { type: "Nonsense" } },
    { ...good, pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
  ];
  for (const definition of definitions) {
    await using folder = await temporaryFolder({
      ...await filesOf("votes-tiny"),
      "tokenizer.json": JSON.stringify(definition),
    });
    await assertRejects(() => loadModel(folder.path), SyntaxError, "not a usable definition");
  }
});

Deno.test("loadModel() refuses damaged weights", async () => {
  const good = await Deno.readFile(new URL("model.safetensors", QWEN3));
  const huge = good.slice();
  new DataView(huge.buffer).setBigUint64(0, 2n ** 62n, true);
  const files = [
    good.slice(0, 5),
    good.slice(0, 500),
    good.slice(0, -1),
    huge,
    safetensorsOf("[]", 0),
    safetensorsOf("[".repeat(1e5), 0),
    safetensorsOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 3),
    new Uint8Array(1000),
    new Uint8Array(1000).fill(255),
  ];
  for (const file of files) {
    await using folder = await checkpoint({}, { "model.safetensors": file });
    await assertRejects(() => loadModel(folder.path), SyntaxError, "Cannot read model.safetensors");
  }
  await using empty = await checkpoint({}, { "model.safetensors": "" });
  await assertRejects(() => loadModel(empty.path), RangeError, "the file is empty");
});

Deno.test("loadModel() refuses weights of integer types", async () => {
  const tensors = await qwen3Weights(), { shape } = tensors["model.norm.weight"]!;
  tensors["model.norm.weight"] = { dtype: "I32", shape, data: new Int32Array(96) };
  await using folder = await checkpoint({}, { "model.safetensors": encodeSafetensors(tensors) });
  await assertRejects(
    () => loadModel(folder.path),
    SyntaxError,
    "must hold floating-point numbers",
  );
});

Deno.test("loadModel() ignores tensors that the graph does not use", async () => {
  const tensors = await qwen3Weights();
  tensors["unused"] = { dtype: "I64", shape: [2], data: new BigInt64Array(2) };
  await using folder = await checkpoint({}, { "model.safetensors": encodeSafetensors(tensors) });
  await using model = await loadModel(folder.path);
  await using golden = await loadModel(QWEN3);
  assertEquals(await forward(model, [1, 2]), await forward(golden, [1, 2]));
  assertEquals(model.memory, golden.memory);
});

/** Whether a file of a folder is mapped into this process. */
const isMapped = (folder: string) => Deno.readTextFileSync("/proc/self/maps").includes(folder);
const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "loadModel() that fails leaves no memory mapped",
  ignore,
  async fn() {
    await using folder = await checkpoint({ num_hidden_layers: 4 }); // found out after mapping
    await assertRejects(() => loadModel(folder.path), SyntaxError);
    assertEquals(isMapped(folder.path), false);
  },
});

Deno.test({
  name: "a disposed model leaves no memory mapped",
  ignore,
  async fn() {
    await using folder = await checkpoint();
    {
      await using model = await loadModel(folder.path);
      await forward(model, [1]);
      assertEquals(isMapped(folder.path), true);
    }
    assertEquals(isMapped(folder.path), false);
  },
});

Deno.test({
  name: "a model disposed while it works keeps its weights mapped until that work ends",
  ignore,
  async fn() {
    await using folder = await checkpoint();
    const model = await loadModel(folder.path);
    const work = forward(model, Array(250).fill(1)); // the first run is in the background
    const disposal = model[Symbol.asyncDispose]();
    assertEquals(isMapped(folder.path), true);
    await Promise.all([work, disposal]);
    assertEquals(isMapped(folder.path), false);
  },
});

Deno.test("a model without a tokenizer refuses text and shows ids", async () => {
  await using model = await loadModel(QWEN3);
  assertThrows(() => model.tokenizer.encode("a"), TypeError, "has no tokenizer.json");
  assertEquals(model.tokenizer.decode([12, 7]), "<12><7>");
  assertEquals(model.tokenizer.decode([]), "");
  assertEquals(model.tokenizer.eosTokenIds, [2, 3]);
  assertThrows(() => model.chat([{ role: "user", content: "a" }]), TypeError, "no chat template");
});

Deno.test("a disposed model refuses all work", async () => {
  const model = await loadModel(QWEN3);
  const cache = model.openCache({ slots: 2, length: 8 });
  await cache.prefill(0, 0, [1, 2], "last");
  await cache.step([3, 4], [2, 2]);
  await model[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  assertThrows(() => model.openCache({ slots: 1, length: 8 }), Error, "the model is disposed");
  await assertRejects(() => forward(model, [1]), Error, "the model is disposed");
  await assertRejects(() => cache.prefill(0, 0, [1, 2], "last"), Error, "disposed");
  await assertRejects(() => cache.step([3, 4], [2, 2]), Error, "disposed");
  await assertRejects(() => cache.step([3], [2]), Error, "disposed");
  await assertRejects(() => cache.copy(0, 1, 2), Error, "disposed");
  cache[Symbol.dispose]();
  cache[Symbol.dispose]();
});

Deno.test("a model disposed while it works finishes that work", async () => {
  await using golden = await loadModel(QWEN3);
  const ids = Array.from({ length: 250 }, (_, i) => i);
  const expected = await forward(golden, ids);
  for (let i = 0; i < 5; i++) {
    const model = await loadModel(QWEN3);
    const work = [1, 2, 3].map(() => forward(model, ids));
    const disposal = model[Symbol.asyncDispose]();
    for (const found of await Promise.all(work)) assertEquals(found, expected);
    await disposal;
  }
});

Deno.test("50 models opened and closed leave no memory behind", async () => {
  const cycle = async () => {
    await using model = await loadModel(QWEN3);
    await forward(model, [1, 2, 3]);
  };
  for (let i = 0; i < 10; i++) await cycle();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 50; i++) await cycle();
  assertEquals(Deno.memoryUsage().rss - before < 24 * 2 ** 20, true);
});
