import { assert, assertEquals } from "@std/assert";
import { generate, generateBatch, type GenerateOptions, moi, stream } from "@moi/moi/decode";
import { createTokenizer, type Model, type Tokenizer } from "@moi/moi/model";
import { textStream } from "../../lib/decode/text.ts";
import { randomNumbers } from "../golden/golden.ts";
import { BOS, EOS, ids, mockModel, type MockOptions, VOCABULARY, writes } from "../_mock_model.ts";

/** A model that writes these tokens, then `<eos>`, with a tokenizer of 32 tokens. */
function modelOf(tokenizer: Tokenizer, options: MockOptions = {}): Model {
  return { ...mockModel(options), tokenizer };
}

/** A tokenizer of these tokens; ids 0 and 1 are `<bos>` and `<eos>`. */
function tokenizerOf(decoder: object, tokens: readonly string[]): Tokenizer {
  const vocab = Object.fromEntries(["<bos>", "<eos>", ...tokens].map((token, id) => [token, id]));
  const model = { type: "BPE", vocab, merges: [], unk_token: null, byte_fallback: true };
  const definition = {
    ...{ added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null },
    ...{ decoder, model },
  };
  return createTokenizer(definition, {}, [EOS]);
}

const byte = (b: number) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`;
const BYTES = [0xe6, 0x97, 0xa5, 0xc3, 0xa9, 0xff, 0x41, 0xf0, 0x9f, 0x98, 0x80, 0x0a].map(byte);
const PIECES = ["▁", "▁a", "a", "b", "ab", "\n", "Q", "Q:", "\n\n", "é", "日", "\ufffd", "▁▁b"];
const REPLACE = { type: "Replace", pattern: { String: "▁" }, content: " " };
const FALLBACK = [REPLACE, { type: "ByteFallback" }, { type: "Fuse" }];
const STRIP = { type: "Strip", content: " ", start: 1, stop: 0 };

/** Byte-level tokens: characters below 256 stand for themselves where they are printable. */
const LEVEL = [
  ...["æ", "\u0139", "¥", "Ã", "©", "ÿ", "A", "ð", "\u0141", "\u013a", "\u0122", "\u010a"],
  ...["a", "b", "ab", "Q", "Q:", "\u010a\u010a", "Ã©", "æ\u0139", "æ\u0139¥a", "\u0120a"],
];

const TOKENIZERS: Readonly<Record<string, Tokenizer>> = {
  "byte fallback with a strip": tokenizerOf(
    { type: "Sequence", decoders: [...FALLBACK, STRIP] },
    [...BYTES, ...PIECES],
  ),
  "byte fallback": tokenizerOf({ type: "Sequence", decoders: FALLBACK }, [...BYTES, ...PIECES]),
  "byte level": tokenizerOf({ type: "ByteLevel" }, LEVEL),
  "metaspace": tokenizerOf(
    { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
    PIECES,
  ),
  "the mock's": mockModel().tokenizer,
};

const STOPS = [
  ...["Q:", "\n\nQ", "a", "ab", "abab", "日", "é", "\ufffd", " a", "b ", "\n\n", "A日", "<eos>"],
  ...["a a", "x", "😀", "Q:Q:", "aé"],
];

for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
  Deno.test(`stream() pieces join to generate()'s text, with ${name}`, async () => {
    const random = randomNumbers(7), pick = (n: number) => Math.floor(random() * n);
    let stopped = 0, ended = 0, length = 0, flushed = 0;
    for (let seed = 0; seed < 250; seed++) {
      const stop = Array.from({ length: pick(4) }, () => STOPS[pick(STOPS.length)]!);
      const options: GenerateOptions = {
        ...{ seed, stop: [...new Set(stop)], maxNewTokens: 1 + pick(24), temperature: 2 },
        ...{ ignoreEos: pick(3) === 0, method: moi({ beta: 1 }) },
      };
      const prompt = [2 + pick(VOCABULARY - 2)];
      const plain = await generate(modelOf(tokenizer), prompt, options);
      const traced = await generate(modelOf(tokenizer), prompt, { ...options, trace: { top: 1 } });
      const own: string[] = [];
      for await (const step of stream(modelOf(tokenizer), prompt, options)) own.push(step.text);
      assertEquals(traced.tokens, plain.tokens);
      assertEquals(traced.text, plain.text);
      assertEquals(traced.finishReason, plain.finishReason);
      assertEquals(own.join(""), plain.text);
      assertEquals(traced.trace!.map(({ text }) => text), own);
      for (const text of options.stop!) assert(!plain.text.includes(text));
      const last = plain.tokens.at(-1)!, ends = last === EOS && !options.ignoreEos;
      assertEquals(traced.trace!.map(({ end }) => end ?? false), [
        ...plain.tokens.slice(1).map(() => false),
        ends,
      ]);
      const all = tokenizer.decode(ends ? plain.tokens.slice(0, -1) : plain.tokens);
      assert(all.startsWith(plain.text));
      if (options.stop!.length === 0) assertEquals(plain.text, all);
      if (ends) ended++;
      else if (plain.finishReason === "stop") stopped++;
      else length++;
      if (own.at(-1)!.length > 0 && ends) flushed++;
    }
    assert(Math.min(stopped, ended, length) > 5, `${stopped} ${ended} ${length} ${flushed}`);
  });

  Deno.test(`stream() pieces join to the text of an aborted generation, with ${name}`, async () => {
    for (let seed = 0; seed < 60; seed++) {
      const at = seed % 9, stop = seed % 2 ? ["\n\nQ", "abab", "日a"] : [];
      const run = async (streamed: boolean) => {
        const controller = new AbortController();
        const before = (steps: number) => steps === at ? controller.abort() : undefined;
        const options = {
          seed,
          stop,
          maxNewTokens: 20,
          ignoreEos: true,
          signal: controller.signal,
        };
        const model = modelOf(tokenizer, { before });
        if (!streamed) return (await generate(model, [5], options)).text;
        let text = "";
        for await (const step of stream(model, [5], options)) text += step.text;
        return text;
      };
      assertEquals(await run(true), await run(false));
    }
  });
}

Deno.test("a batch gives what a stream gives, whatever is traced", async () => {
  const tokenizer = TOKENIZERS["byte fallback"]!;
  const requests = Array.from({ length: 40 }, (_, seed) => ({
    ...{ prompt: [3 + seed % 5], seed, maxNewTokens: 12, stop: seed % 3 ? ["Q:", "é"] : [] },
    trace: seed % 2 === 0,
  }));
  for await (const { index, generation } of generateBatch(modelOf(tokenizer), requests)) {
    const { prompt, ...options } = requests[index]!;
    let text = "";
    for await (const step of stream(modelOf(tokenizer), prompt, options)) text += step.text;
    assertEquals(generation.text, text);
  }
});

/** What a model that writes this tells, step by step. */
async function told(script: string, options: GenerateOptions = {}): Promise<string[]> {
  const steps: string[] = [];
  const model = mockModel({ logits: writes(script) });
  for await (const { text } of stream(model, [BOS], options)) steps.push(text);
  return steps;
}

const HELD: readonly (readonly [script: string, stop: string[], pieces: string[]])[] = [
  ["hello", [], ["h", "e", "l", "l", "o", ""]],
  ["hello", ["x"], ["h", "e", "l", "l", "o", ""]],
  ["hello", ["lo"], ["h", "e", "", "l", ""]], // the second l could begin it, and does
  ["helo", ["ll"], ["h", "e", "", "lo", ""]], // held, then settled
  ["hell", ["lly"], ["h", "e", "", "", "ll"]], // the end settles what was held
  ["abcabd", ["abd"], ["", "", "abc", "", "", ""]],
  ["abc", ["abcd", "b"], ["", "a"]], // the shorter one ends first
  ["aab", ["ab"], ["", "a", ""]],
  ["aéb", ["é"], ["a", "", ""]], // complete with its second byte
  ["aéb", ["éb"], ["a", "", "", ""]],
  ["aéc", ["éb"], ["a", "", "", "éc", ""]],
  ["a", ["a"], [""]],
  ["a", ["ab", "b"], ["", "a"]],
];
for (const [script, stop, pieces] of HELD) {
  Deno.test(`stream() of ${script} until ${JSON.stringify(stop)}`, async () => {
    assertEquals(await told(script, { stop }), pieces);
    const { text } = await generate(mockModel({ logits: writes(script) }), [BOS], { stop });
    assertEquals(pieces.join(""), text);
  });
}

Deno.test("stream() tells half a character at the end", async () => {
  assertEquals(await told("aé", { maxNewTokens: 2 }), ["a", "\ufffd"]);
  const first = ids("é")[0]!;
  assertEquals(await told("é", { maxNewTokens: 1 }), ["\ufffd"]);
  const { text } = await generate(mockModel({ logits: writes("é") }), [BOS], { maxNewTokens: 1 });
  assertEquals([text, mockModel().tokenizer.decode([first])], ["\ufffd", "\ufffd"]);
});

Deno.test("textStream() tells a run of bytes when it is over, and stops within one", () => {
  const tokenizer = TOKENIZERS["byte fallback"]!;
  const id = (token: string) => 2 + [...BYTES, ...PIECES].indexOf(token);
  const steps = (stops: string[], ...tokens: string[]) => {
    const tell = textStream(tokenizer, stops);
    return tokens.map((token) => tell(id(token)));
  };
  const [e6, x97, a5, ff] = [0xe6, 0x97, 0xa5, 0xff].map(byte) as [string, string, string, string];
  const texts = (...tokens: string[]) => steps([], ...tokens).map(({ text }) => text);
  assertEquals(texts(e6, x97, a5, "a"), ["", "", "", "日a"]);
  assertEquals(texts(e6, x97, a5, ff, "a"), ["", "", "", "", "\ufffd\ufffd\ufffd\ufffda"]);
  assertEquals(texts(e6, "a", x97, "b"), ["", "\ufffda", "", "\ufffdb"]);
  assertEquals(steps(["日"], "a", e6, x97, a5).at(-1), { text: "", stopped: true });
  assertEquals(steps(["\ufffd"], "a", e6).at(-1), { text: "", stopped: false });
});
