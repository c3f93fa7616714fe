/**
 * The vocabulary of a GGUF file as the definition that the tokenizer library reads.
 *
 * Byte-level BPE ("gpt2") only. How text is cut before merging is told by a name alone
 * (`tokenizer.ggml.pre`); names that are not known are refused, since a wrong cut gives wrong tokens
 * without any error.
 *
 * @module
 */

import { type Json, metadataOf } from "./config.ts";
import type { Gguf } from "./parse.ts";

const split = (pattern: string) => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});
const bytes = (use_regex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});

/** Cuts of Llama 3 and of Qwen 2: they differ in how many digits stay together. */
const words = (digits: string) =>
  String
    .raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** What is known of a way to cut. */
interface Pre {
  readonly steps: readonly Json[];
  /** Whether a word that is a token is taken whole, whatever the merges say. */
  readonly ignoreMerges?: true;
  /** Whether BOS comes first where the file does not say. */
  readonly bos?: true;
}

const PRE: Readonly<Record<string, Pre>> = {
  "gpt-2": { steps: [bytes(true)] },
  smollm: { steps: [{ type: "Digits", individual_digits: true }, bytes(true)] },
  "llama-bpe": {
    steps: [split(words(String.raw`\p{N}{1,3}`)), bytes(false)],
    ignoreMerges: true,
    bos: true,
  },
  qwen2: { steps: [split(words(String.raw`\p{N}`)), bytes(false)] },
};

/** Types of tokens in the file: those that stand in text as they are. */
const CONTROL = 3, USER_DEFINED = 4;

function fail(key: string, rule: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot load the tokenizer of the GGUF file as '${key}' must ${rule}: current value is ${
      JSON.stringify(value)
    }`,
  );
}

/**
 * `tokenizer.json` and `tokenizer_config.json` of a GGUF file.
 *
 * @throws {SyntaxError} Where the vocabulary is of another kind, or its cut is not known.
 */
export function tokenizerOf(gguf: Gguf): { readonly definition: Json; readonly config: Json } {
  const m = metadataOf(gguf),
    model = m.text("tokenizer.ggml.model"),
    name = m.text("tokenizer.ggml.pre");
  if (model !== "gpt2") {
    fail(
      "tokenizer.ggml.model",
      "be gpt2 (byte-level BPE): load other models from safetensors",
      model,
    );
  }
  const pre = name !== undefined && Object.hasOwn(PRE, name) ? PRE[name]! : undefined;
  if (!pre) fail("tokenizer.ggml.pre", `be one of ${Object.keys(PRE).join(", ")}`, name);
  const tokens = m.texts("tokenizer.ggml.tokens"), merges = m.texts("tokenizer.ggml.merges");
  const types = m.numbers("tokenizer.ggml.token_type") ?? [];
  if (types.length > 0 && types.length !== tokens.length) {
    fail("tokenizer.ggml.token_type", `be ${tokens.length}, one a token`, types.length);
  }
  const vocab: Record<string, number> = Object.create(null);
  for (const [id, token] of tokens.entries()) {
    if (vocab[token] !== undefined) fail("tokenizer.ggml.tokens", "be distinct", token);
    vocab[token] = id;
  }
  const added = tokens.flatMap((content, id) =>
    types[id] === CONTROL || types[id] === USER_DEFINED
      ? [{
        ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
        special: types[id] === CONTROL,
      }]
      : []
  );
  const tokenOf = (key: string) => {
    const id = m.number(`tokenizer.ggml.${key}_token_id`);
    if (id !== undefined && tokens[id] === undefined) {
      fail(`tokenizer.ggml.${key}_token_id`, `be below ${tokens.length}`, id);
    }
    return id === undefined ? undefined : tokens[id];
  };
  const bos = tokenOf("bos"), addBos = m.flag("tokenizer.ggml.add_bos_token") ?? pre!.bos ?? false;
  if (m.flag("tokenizer.ggml.add_eos_token")) {
    fail("tokenizer.ggml.add_eos_token", "be false: a prompt does not end the text", true);
  }
  const first = addBos && bos !== undefined
    ? {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: bos, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
      ],
      pair: [
        { SpecialToken: { id: bos, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { Sequence: { id: "B", type_id: 0 } },
      ],
      special_tokens: { [bos]: { id: bos, ids: [vocab[bos]], tokens: [bos] } },
    }
    : null;
  return {
    definition: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: { type: "Sequence", pretokenizers: pre!.steps },
      post_processor: first,
      decoder: { ...bytes(true), add_prefix_space: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: pre!.ignoreMerges ?? false,
        vocab,
        merges,
      },
    },
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      add_bos_token: addBos,
      clean_up_tokenization_spaces: false,
      ...Object.fromEntries(
        [["bos", bos], ["eos", tokenOf("eos")], ["unk", tokenOf("unknown")], [
          "pad",
          tokenOf("padding"),
        ]]
          .filter(([, token]) => token !== undefined)
          .map(([key, token]) => [`${key}_token`, token]),
      ),
      ...(m.text("tokenizer.chat_template") === undefined
        ? {}
        : { chat_template: m.text("tokenizer.chat_template") }),
    },
  };
}
