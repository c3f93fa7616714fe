/** What a model's small files say, read without its weights. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadModel, readWords } from "@moi/moi/model";
import { QWEN3 } from "../golden/golden.ts";
import { temporaryFolder } from "../_temporary.ts";
import { goldenFiles, startHub } from "./_hub.ts";

Deno.test("readWords() says what a load says, of embedded models and folders", async () => {
  for (const id of ["votes-tiny", "countdown-tiny", QWEN3]) {
    await using model = await loadModel(id);
    const { config, tokenizer, defaults, template, chat } = await readWords(id);
    assertEquals([config, defaults, template], [model.config, model.defaults, model.template]);
    assertEquals(tokenizer.eosTokenIds, model.tokenizer.eosTokenIds);
    if (model.template === undefined) continue;
    const prompt = chat([{ role: "user", content: "a b" }]);
    assertEquals(prompt, model.chat([{ role: "user", content: "a b" }]));
    assertEquals(tokenizer.encode(prompt), model.tokenizer.encode(prompt));
  }
});

Deno.test("readWords() brings no weights of a model of the hub", async () => {
  await using hub = startHub({ files: await goldenFiles() });
  await using cache = await temporaryFolder();
  const options = { endpoint: hub.endpoint, cacheDir: cache.path };
  const { config } = await readWords("org/name", options);
  assertEquals(config, (await readWords(QWEN3)).config);
  assert(hub.seen.every(({ what }) => !what.endsWith(".safetensors")));
  assert(hub.seen.some(({ what }) => what === "tokenizer.json" || what === "config.json"));
  await loadModel("org/name", options).then((model) => model[Symbol.asyncDispose]());
  assert(hub.seen.some(({ what }) => what.endsWith(".safetensors")));
  await assertRejects(
    () => readWords("org/other", { ...options, offline: true }),
    Deno.errors.NotFound,
    "from the hub",
  );
});

Deno.test("readWords() says where the words of a file are that llama.cpp alone reads", async () => {
  const read = () => readWords("tests/golden/llama/falcon.gguf");
  const { message } = await assertRejects(read, SyntaxError) as Error;
  assertStringIncludes(message, "'general.architecture' must be one of llama, ");
  assertStringIncludes(message, "; tokenizer and template are in the model's folder");
});
