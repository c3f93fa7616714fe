/** SentencePiece vocabularies of GGUF files against SentencePiece itself. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { createTokenizer, parseGguf } from "@moi/moi/model";
import { tokenizerOf } from "../../../lib/model/gguf/tokenizer.ts";
import { type Entry, gguf } from "./_file.ts";
import vectors from "./sentencepiece.json" with { type: "json" };

const CASES = { prefix: vectors.prefix, plain: vectors.plain };

function definitionOf(name: keyof typeof CASES, more: Record<string, Entry> = {}) {
  const { tokens, scores, types } = CASES[name];
  return tokenizerOf(parseGguf(gguf({
    "general.architecture": { text: "llama" },
    "tokenizer.ggml.model": { text: "llama" },
    "tokenizer.ggml.tokens": { texts: tokens },
    "tokenizer.ggml.scores": { f32s: scores },
    "tokenizer.ggml.token_type": { i32s: types },
    "tokenizer.ggml.unknown_token_id": { u32: 0 },
    "tokenizer.ggml.bos_token_id": { u32: 1 },
    "tokenizer.ggml.eos_token_id": { u32: 2 },
    "tokenizer.ggml.add_space_prefix": { bool: name === "prefix" },
    ...more,
  }, {})));
}

function tokenizer(name: keyof typeof CASES, more: Record<string, Entry> = {}) {
  const { definition, config } = definitionOf(name, more);
  return createTokenizer(definition, config, [2]);
}

for (const name of ["prefix", "plain"] as const) {
  Deno.test(`a SentencePiece vocabulary (${name}) gives SentencePiece's tokens and texts`, () => {
    const { texts, ids, decoded } = CASES[name], own = tokenizer(name);
    assert(texts.length > 50);
    for (const [i, text] of texts.entries()) {
      assertEquals(own.encode(text), ids[i], JSON.stringify(text));
      assertEquals(own.decode(ids[i]!), decoded[i], JSON.stringify(text));
    }
  });
}

Deno.test("special tokens stand in text, and BOS comes first where it is asked for", () => {
  const prefix = tokenizer("prefix"), [, hi] = prefix.encode("<s>hi");
  assertEquals(prefix.encode("<s>hi</s>").at(-1), 2);
  assertEquals(prefix.encode("hi", { addSpecialTokens: true }).slice(0, 2), [1, hi]);
  assertEquals(prefix.encode(""), []);
  const none = tokenizer("prefix", { "tokenizer.ggml.add_bos_token": { bool: false } });
  assertEquals(none.encode("hi", { addSpecialTokens: true }), none.encode("hi"));
  const plain = tokenizer("plain"), turn = vectors.plain.tokens.indexOf("<turn>");
  assertEquals(plain.encode("<turn>"), [turn]);
  assertEquals(plain.decode([turn, ...plain.encode("a  b")]), "<turn>a  b");
});

Deno.test("Phi-3's special tokens swallow the white space after them, but for three", () => {
  const own = tokenizer("prefix", { "general.architecture": { text: "phi3" } });
  assertEquals(own.encode("</s> \n hi"), own.encode("</s>hi"));
  assertNotEquals(own.encode("<s> hi"), own.encode("<s>hi"));
});

Deno.test("a vocabulary that cannot be right is refused by name", () => {
  const { tokens, scores } = vectors.prefix;
  const bad: readonly [Record<string, Entry>, string][] = [
    [{ "tokenizer.ggml.scores": { f32s: scores.slice(1) } }, "one a token"],
    [{ "tokenizer.ggml.scores": { texts: ["1"] } }, "be a list of numbers"],
    [{ "tokenizer.ggml.scores": { f32s: scores.with(7, NaN) } }, "NaN of token 7"],
    [{ "tokenizer.ggml.tokens": { texts: tokens.with(300, tokens[301]!) } }, "be distinct"],
    [{ "tokenizer.ggml.remove_extra_whitespaces": { bool: true } }, "be false"],
    [{ "tokenizer.ggml.precompiled_charsmap": { i32s: [1] } }, "be empty"],
    [{ "tokenizer.ggml.model": { text: "t5" } }, "be gpt2 or llama"],
    [{ "tokenizer.ggml.unknown_token_id": { u32: 999 } }, "be below"],
  ];
  for (const [more, message] of bad) {
    assertThrows(() => definitionOf("prefix", more), SyntaxError, message);
  }
});

Deno.test("long pieces of one letter cost no more than their length", () => {
  const pieces = Array.from({ length: 400 }, (_, i) => "a".repeat(250 - i % 3 + 10 * i));
  const start = performance.now();
  definitionOf("prefix", {
    "tokenizer.ggml.tokens": { texts: [...new Set(["<unk>", "<s>", "</s>", ...pieces])] },
    "tokenizer.ggml.scores": {
      f32s: [...new Set(["<unk>", "<s>", "</s>", ...pieces])].map((_, i) => -i),
    },
    "tokenizer.ggml.token_type": { i32s: [] },
  });
  assert(performance.now() - start < 1000);
});
