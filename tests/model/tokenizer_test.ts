import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { createTokenizer, loadModel, pieceDecoder, type Tokenizer } from "@moi/moi/model";
import { missingTokenizer } from "../../lib/model/tokenizer.ts";
import { randomNumbers } from "../golden/golden.ts";
import { byteLevel } from "./_byte_level.ts";
import DECODED from "./decoded.json" with { type: "json" };

const { definition, config, eos } = byteLevel();
const bytes = () => createTokenizer(definition, config, eos);

const TEXTS = [
  "hello world",
  "hello, wörld  two spaces\n\nnew lines\ttab",
  "Größe ä ö ü ß",
  "日本語のテキスト",
  "😀 emoji 👩‍👩‍👧‍👦 family 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  "مرحبا بالعالم",
  "e\u0301 combining",
  "a<|end|>b<s>",
  "\u0000\u0001\u007f",
  " leading and trailing ",
  "it's .. ! don't ' s", // what a clean-up of spaces would change
  "\ufeffmark",
];

/** The pieces of a text's tokens, and the rest where there is one. */
function pieces(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const next = pieceDecoder(tokenizer), all = ids.map((id) => next(id)), rest = next.rest();
  return rest === "" ? all : [...all, rest];
}

/** A tokenizer with this decoder and these tokens, in order. */
function decoding(decoder: unknown, tokens: readonly string[]): Tokenizer {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const model = { type: "BPE", vocab, merges: [], unk_token: null, byte_fallback: true };
  return createTokenizer(
    {
      ...{ added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null },
      ...{ decoder, model },
    },
    {},
    [],
  );
}

Deno.test("a byte-level tokenizer gives back every text", () => {
  const tokenizer = bytes();
  for (const text of TEXTS) assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
});

Deno.test("encode() merges as the definition says", () => {
  const tokenizer = bytes();
  assertEquals(tokenizer.encode("hello"), [258, "o".charCodeAt(0)]);
  assertEquals(tokenizer.encode(" wor"), [261]);
  assertEquals(tokenizer.encode("ä"), [262]);
  assertEquals(tokenizer.encode("z"), [122]);
});

Deno.test("encode() recognises special tokens in the text", () => {
  const tokenizer = bytes();
  assertEquals(tokenizer.encode("a<|end|>"), [97, 265]);
  assertEquals(tokenizer.eosTokenIds, [265]);
});

Deno.test("encode() adds special tokens only where it is asked to", () => {
  const tokenizer = bytes();
  assertEquals(tokenizer.encode("z"), [122]);
  assertEquals(tokenizer.encode("z", { addSpecialTokens: false }), [122]);
  assertEquals(tokenizer.encode("z", { addSpecialTokens: true }), [264, 122]);
});

Deno.test("encode() of an empty text is empty", () => {
  assertEquals(bytes().encode(""), []);
});

Deno.test("encode() gives a new array every time", () => {
  const tokenizer = bytes();
  tokenizer.encode("hello").push(1);
  assertEquals(tokenizer.encode("hello").length, 2);
});

Deno.test("decode() keeps special tokens and takes typed arrays", () => {
  const tokenizer = bytes();
  assertEquals(tokenizer.decode([264, 122, 265]), "<s>z<|end|>");
  assertEquals(tokenizer.decode(Int32Array.of(122, 97)), "za");
  assertEquals(tokenizer.decode([]), "");
});

Deno.test("decode() shows half a character as the replacement character", () => {
  assertEquals(bytes().decode([0xe6, 0x97]), "\ufffd");
});

Deno.test("createTokenizer() refuses what is no definition", () => {
  for (
    const bad of [{}, { model: {} }, { ...definition, model: { type: "BPE" } }, {
      ...definition,
      model: 1,
    }]
  ) {
    assertThrows(
      () => createTokenizer(bad, config, eos),
      SyntaxError,
      "tokenizer.json is not a usable definition",
    );
  }
});

Deno.test("missingTokenizer() cannot encode and shows ids", () => {
  const tokenizer = missingTokenizer([2]);
  assertThrows(() => tokenizer.encode("a"), TypeError, "pass the prompt as token ids");
  assertEquals(tokenizer.decode(Int32Array.of(1, 20)), "<1><20>");
  assertEquals(pieces(tokenizer, [1, 20]), ["<1>", "<20>"]);
});

Deno.test("pieceDecoder() pieces join to the whole text", () => {
  const tokenizer = bytes();
  for (const text of TEXTS) {
    assertEquals(pieces(tokenizer, tokenizer.encode(text)).join(""), text);
    const single = [...new TextEncoder().encode(text)]; // one token a byte
    assertEquals(pieces(tokenizer, single).join(""), text);
  }
});

Deno.test("pieceDecoder() holds back a character until it is whole", () => {
  const tokenizer = bytes();
  assertEquals(pieces(tokenizer, [...new TextEncoder().encode("a語😀z")]), [
    "a",
    "",
    "",
    "語",
    "",
    "",
    "",
    "😀",
    "z",
  ]);
});

Deno.test("pieceDecoder() goes on after bytes that are no text", () => {
  const tokenizer = bytes();
  const found = pieces(tokenizer, [...Array(20).fill(0xff), ...new TextEncoder().encode("hello")]);
  assert(found.join("").endsWith("hello"));
  assert(found.join("").startsWith("\ufffd"));
});

Deno.test("pieceDecoder() pieces of random text join to the whole text", () => {
  const tokenizer = bytes(), random = randomNumbers(1);
  const alphabet = [..."ab é語😀\n<|end|>\u0301'.", " w", "hell", "wor"];
  for (let i = 0; i < 50; i++) {
    const text = Array.from(
      { length: 40 },
      () => alphabet[Math.floor(random() * alphabet.length)],
    ).join("");
    assertEquals(pieces(tokenizer, tokenizer.encode(text)).join(""), text);
  }
});

Deno.test("pieceDecoder() pieces join to the whole text for the embedded models", async () => {
  for (const name of ["votes-tiny", "countdown-tiny"]) {
    await using model = await loadModel(name);
    const { vocabularySize } = model.config, random = randomNumbers(2);
    const ids = Array.from({ length: 300 }, () => Math.floor(random() * vocabularySize));
    assertEquals(pieces(model.tokenizer, ids).join(""), model.tokenizer.decode(ids));
  }
});

Deno.test("pieceDecoder() takes time that does not grow with the text", () => {
  const tokenizer = bytes(), next = pieceDecoder(tokenizer);
  let decoded = 0;
  const counting = {
    ...tokenizer,
    decode: (ids: ArrayLike<number>) => {
      decoded += ids.length;
      return tokenizer.decode(ids);
    },
  };
  const counted = pieceDecoder(counting);
  for (let i = 0; i < 1000; i++) assertEquals(counted(97), next(97));
  assertGreater(5000, decoded);
});

// made with tokenizers 0.23: random tokens, byte tokens and ids that stand for no token (null)
for (
  const [name, decoder, rows] of DECODED as [string, unknown, [(string | null)[], string][]][]
) {
  Deno.test(`decode() gives what the Rust tokenizers give: ${name}`, () => {
    for (const [tokens, text] of rows) {
      const known = [...new Set(tokens.filter((token) => token !== null))];
      const tokenizer = decoding(decoder, known);
      const ids = tokens.map((token) => token === null ? known.length + 7 : known.indexOf(token));
      assertEquals(tokenizer.decode(ids), text);
      if (!name.startsWith("bpe")) assertEquals(pieces(tokenizer, ids).join(""), text);
    }
  });
}

const FALLBACK = {
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    ...[{ type: "ByteFallback" }, { type: "Fuse" }],
    { type: "Strip", content: " ", start: 1, stop: 0 },
  ],
};
const RUNS: readonly (readonly [tokens: string, text: string, pieces: string[]])[] = [
  ["<0xE6> <0x97> <0xA5>", "日", ["", "", "", "日"]],
  ["<0xE6> <0x97>", "\ufffd\ufffd", ["", "", "\ufffd\ufffd"]],
  ["<0xE6> <0x97> a", "\ufffd\ufffda", ["", "", "\ufffd\ufffda"]],
  ["a <0xFF> b", "a\ufffdb", ["a", "", "\ufffdb"]],
  ["<0x41> <0xFF> b", "\ufffd\ufffdb", ["", "", "\ufffd\ufffdb"]], // one bad byte spoils a run
  ["<0x41> a <0xFF>", "Aa\ufffd", ["", "Aa", "", "\ufffd"]],
  ["<0xC3> <0xA9> <0xC3>", "\ufffd\ufffd\ufffd", ["", "", "", "\ufffd\ufffd\ufffd"]],
  ["<0xEF> <0xBB> <0xBF> a", "\ufeffa", ["", "", "", "\ufeffa"]],
  ["<0xE2> <0x96> <0x81> a", "▁a", ["", "", "", "▁a"]], // bytes are no mark of a space
  ["▁a ▁b", "a b", ["a", " b"]],
  ["▁ ▁a", " a", ["", " a"]],
  ["<0x20> a", "a", ["", "a"]],
  ["<0x4> <0xZZ> <0x4a>", "<0x4><0xZZ>J", ["<0x4>", "<0xZZ>", "", "J"]],
];
for (const [tokens, text, parts] of RUNS) {
  Deno.test(`decode() of byte tokens: ${tokens}`, () => {
    const all = tokens.split(" "), known = [...new Set(all)];
    const tokenizer = decoding(FALLBACK, known), ids = all.map((token) => known.indexOf(token));
    assertEquals(tokenizer.decode(ids), text);
    assertEquals(pieces(tokenizer, ids), parts);
  });
}

Deno.test("pieceDecoder() is right for garbage of any length", () => {
  const tokenizer = bytes(), random = randomNumbers(3);
  for (let i = 0; i < 60; i++) {
    const lead = [0xff, 0xe6, 0xf0, 0x97, 0xc3, 0x9f, 0x98, 0xa9];
    const ids = Array.from(
      { length: 80 },
      () => random() < 0.9 ? lead[Math.floor(random() * lead.length)]! : Math.floor(random() * 266),
    );
    assertEquals(pieces(tokenizer, ids).join(""), tokenizer.decode(ids));
  }
});
