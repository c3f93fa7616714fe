/** Text to ids and back by llama.cpp. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { generate } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { pathOf } from "../../golden/llama.ts";
import { needing, REAL_MODEL } from "../../_needing.ts";

const open = (name: string) => loadModel(pathOf(name), { engine: "llama.cpp", device: "cpu" });

Deno.test("texts of a tiny vocabulary come back, and ids of no token are left out", async () => {
  await using model = await open("granite");
  const { tokenizer } = model;
  assertEquals(tokenizer.size, 72);
  assertEquals(tokenizer.eosTokenIds, [0]);
  for (const text of ["", "a", "the tiger is here.", "hello, world!\n\nit was 12.5", "  a"]) {
    assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  }
  assertEquals(tokenizer.encode("a<|endoftext|>"), [...tokenizer.encode("a"), 0]);
  const ids = tokenizer.encode("that");
  assertEquals(tokenizer.decode([-1, ...ids, 72, 2 ** 40, NaN]), "that");
  assertEquals(tokenizer.decode([]), "");
  assertEquals(tokenizer.decode([0]), "<|endoftext|>");
});

Deno.test("blanks before punctuation stay, whatever the vocabulary's cut is", async () => {
  const text = "a , b ! c . d ? e 's n't 're";
  for (const name of ["bloom", "command-r", "falcon", "gpt2", "olmo", "starcoder2"]) {
    await using model = await open(name);
    const ids = model.tokenizer.encode(text);
    assertEquals(model.tokenizer.decode(ids), text);
    assertEquals(ids.map((id) => model.tokenizer.decode([id])).join(""), text);
  }
});

Deno.test("the tokenizer of a disposed model refuses", async () => {
  const model = await open("falcon"), { tokenizer } = model, ids = tokenizer.encode("that");
  await model[Symbol.asyncDispose]();
  const words = "as the model is disposed";
  assertThrows(() => tokenizer.encode("that"), Error, words);
  assertThrows(() => tokenizer.decode(ids), Error, words);
});

Deno.test("a vocabulary of pieces without bytes takes ids, and refuses texts", async () => {
  for (const name of ["gemma", "gemma2"]) {
    await using model = await open(name);
    const words = "lacks tokens of single bytes; pass the prompt as token ids";
    assertThrows(() => model.tokenizer.encode("a"), TypeError, words);
    await assertRejects(() => generate(model, "a", { maxNewTokens: 2 }), TypeError, words);
    const { tokens, text } = await generate(model, [5, 6], { maxNewTokens: 4, ignoreEos: true });
    assertEquals([tokens.length, text], [4, model.tokenizer.decode(tokens)]);
  }
});

Deno.test("long texts are taken, and runs that would end the process are refused", async () => {
  for (const name of ["bloom", "falcon", "gpt2"]) { // two whose patterns recurse, and one that does not
    await using model = await open(name);
    const { tokenizer: { encode, decode } } = model;
    const long = "that was it. ".repeat(20_000);
    assertEquals(decode(encode(long)), long);
    for (const run of ["a", "!", " ", "\n", "1", "a1-"]) {
      const most = run.repeat(4000 / run.length);
      encode(most);
      for (const text of [`${most}${run}`, `the ${most}${run} end`, run.repeat(1e5)]) {
        assertThrows(() => encode(text), RangeError, "'text' must have blanks, words and signs of");
      }
    }
  }
  await using model = await open("falcon");
  assertThrows(
    () => model.tokenizer.encode("!".repeat(5000)),
    RangeError,
    'current value is "5000 in a row"',
  );
});

needing(REAL_MODEL)("a real vocabulary gives the reference's tokens by llama.cpp", async () => {
  const path = `${Deno.env.get("MOI_REAL_MODEL")}/smollm2-135m-instruct.Q4_1.gguf`;
  await using model = await loadModel(path, { engine: "llama.cpp", device: "cpu", threads: 1 });
  const { tokenizer } = model;
  const golden = new URL("../../golden/smollm2.json", import.meta.url);
  const { tokenization, prompts } = JSON.parse(await Deno.readTextFile(golden));
  assertEquals(tokenization.length, 41);
  for (const { text, ids } of tokenization) assertEquals(tokenizer.encode(text), ids, text);
  for (const { prompt, input_ids } of prompts) {
    assertEquals(tokenizer.encode(model.chat([{ role: "user", content: prompt }])), input_ids);
  }
});
