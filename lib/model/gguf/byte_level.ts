/**
 * Byte-level BPE ("gpt2") of a GGUF file as a tokenizer definition.
 *
 * How text is cut before merging is told by a name alone (`tokenizer.ggml.pre`); names that are not known
 * are refused, since a wrong cut gives wrong tokens without any error.
 *
 * @module
 */

import type { Json, Metadata } from "./metadata.ts";

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

/** What a kind of vocabulary says of its own. */
export interface Vocabulary {
  /** Fields of `tokenizer.json`. */
  readonly definition: Json;
  /** Whether BOS comes first where the file does not say. */
  readonly bos: boolean;
}

/**
 * The definition of a byte-level vocabulary.
 *
 * @throws {SyntaxError} Where its cut is not known.
 */
export function byteLevel(m: Metadata, vocab: Json): Vocabulary {
  const name = m.text("pre");
  if (name === undefined || !Object.hasOwn(PRE, name)) {
    return m.refuse("pre", `be one of ${Object.keys(PRE).join(", ")}`, name);
  }
  const { steps, ignoreMerges = false, bos = false } = PRE[name]!;
  return {
    bos,
    definition: {
      normalizer: null,
      pre_tokenizer: { type: "Sequence", pretokenizers: steps },
      decoder: { ...bytes(true), add_prefix_space: true },
      model: {
        ...{ type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false },
        ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
        ignore_merges: ignoreMerges,
        vocab,
        merges: m.texts("merges"),
      },
    },
  };
}
