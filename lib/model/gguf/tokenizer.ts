/**
 * The vocabulary of a GGUF file as the definition that the tokenizer library reads: byte-level BPE
 * ("gpt2") or SentencePiece ("llama").
 *
 * How byte-level BPE cuts text before merging is told by a name alone (`tokenizer.ggml.pre`); names that
 * are not known are refused, since a wrong cut gives wrong tokens without any error.
 *
 * SentencePiece joins, of all neighbours whose union is a piece, those whose union scores best. The
 * library joins pairs in the order of a list; so the list holds every way to cut a piece into two
 * pieces, best union first. Text that no piece covers falls back to its bytes. Where the vocabulary asks
 * for a space before the text, each stretch between special tokens gets one, as llama.cpp does.
 *
 * @module
 */

import { given } from "../../_given.ts";
import { type Json, type Metadata, metadataOf } from "./metadata.ts";
import type { Gguf } from "./parse.ts";

/** What a kind of vocabulary says of its own. */
interface Vocabulary {
  /** Fields of `tokenizer.json`. */
  readonly definition: Json;
  /** Whether BOS comes first where the file does not say. */
  readonly bos: boolean;
}

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

/** A way to cut. */
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

function byteLevel(m: Metadata, vocab: Json): Vocabulary {
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

/** Types of tokens in the file. */
const NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5;

/** Longest piece that is merged, in UTF-16 units; it bounds the work. */
const LONGEST = 256;

/** How SentencePiece writes a space. */
const SPACE = "\u2581";

/** Every way to cut a piece into two pieces, best union first. */
function mergesOf(
  tokens: readonly string[],
  scores: ArrayLike<number>,
  isPiece: (id: number) => boolean,
): [string, string][] {
  const pieces = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (isPiece(id)) pieces.set(token, id);
  const best = [...pieces.values()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return best.flatMap((id) => {
    const token = tokens[id]!, cuts: [left: number, right: number][] = [];
    for (let at = 1; at < token.length && token.length <= LONGEST; at++) {
      const code = token.charCodeAt(at);
      if (code >= 0xdc00 && code < 0xe000) continue; // inside a character
      const left = pieces.get(token.slice(0, at));
      const right = left === undefined ? undefined : pieces.get(token.slice(at));
      if (left !== undefined && right !== undefined) cuts.push([left, right]);
    }
    cuts.sort(([a, b], [c, d]) => a - c || b - d);
    return cuts.map(([left, right]): [string, string] => [tokens[left]!, tokens[right]!]);
  });
}

function sentencePiece(m: Metadata, vocab: Json, types: ArrayLike<number>): Vocabulary {
  const tokens = m.texts("tokens"), scores = m.numbers("scores");
  if (scores?.length !== tokens.length) {
    return m.refuse("scores", `be ${tokens.length}, one a token`, scores?.length ?? 0);
  }
  const bad = Array.from(scores).findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) m.refuse("scores", "be finite", `${scores[bad]} of token ${bad}`);
  if (m.flag("remove_extra_whitespaces")) {
    m.refuse("remove_extra_whitespaces", "be false: load the safetensors", true);
  }
  if ((m.numbers("precompiled_charsmap")?.length ?? 0) > 0) {
    m.refuse("precompiled_charsmap", "be empty: load the safetensors", "there");
  }
  const isPiece = (id: number) =>
    types.length === 0 || [NORMAL, USER_DEFINED, UNUSED].includes(types[id]!);
  const unknown = m.number("unknown_token_id");
  const prefix = m.flag("add_space_prefix") ?? true;
  const replace = (from: string, to: string) => ({
    ...{ type: "Replace", pattern: { String: from }, content: to },
  });
  return {
    bos: true,
    definition: {
      normalizer: {
        type: "Sequence",
        normalizers: [...prefix ? [{ type: "Prepend", prepend: SPACE }] : [], replace(" ", SPACE)],
      },
      pre_tokenizer: null,
      decoder: {
        type: "Sequence",
        decoders: [
          ...[replace(SPACE, " "), { type: "ByteFallback" }, { type: "Fuse" }],
          ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        ...{ type: "BPE", dropout: null, fuse_unk: true, ignore_merges: false },
        ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
        unk_token: unknown === undefined ? null : tokens[unknown] ?? null,
        byte_fallback: vocab["<0x00>"] !== undefined,
        vocab,
        merges: mergesOf(tokens, scores, isPiece),
      },
    },
  };
}

/** Vocabularies by the kind of their model. */
const KINDS: Readonly<
  Record<string, (m: Metadata, vocab: Json, types: ArrayLike<number>) => Vocabulary>
> = { gpt2: byteLevel, llama: sentencePiece };

/** Tokens of Phi-3 that do not swallow the white space after them, as its other special ones do. */
const PHI3_PLAIN = ["<unk>", "<s>", "<|endoftext|>"];

/** Puts a token before every text. */
function before(token: string, id: number) {
  const own = { SpecialToken: { id: token, type_id: 0 } };
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  return {
    type: "TemplateProcessing",
    single: [own, text("A")],
    pair: [own, text("A"), text("B")],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** Tokens that templates name, and the chat template: what is there of `tokenizer_config.json`. */
export function namedTokens(gguf: Gguf): Json {
  const m = metadataOf(gguf, "tokenizer.ggml."), tokens = m.texts("tokens");
  const tokenOf = (name: string): string | undefined => {
    const key = `${name}_token_id`, id = m.number(key);
    if (id === undefined) return undefined;
    return tokens[id] ?? m.refuse(key, `be below ${tokens.length}`, id);
  };
  if (m.flag("add_eos_token")) {
    m.refuse("add_eos_token", "be false: a prompt does not end the text", true);
  }
  return given({
    ...{ bos_token: tokenOf("bos"), eos_token: tokenOf("eos"), unk_token: tokenOf("unknown") },
    pad_token: tokenOf("padding"),
    chat_template: metadataOf(gguf).text("tokenizer.chat_template"),
  });
}

/** `tokenizer.json` and `tokenizer_config.json`; a SyntaxError for a vocabulary that is not known. */
export function tokenizerOf(gguf: Gguf): { readonly definition: Json; readonly config: Json } {
  const m = metadataOf(gguf, "tokenizer.ggml."), kind = m.text("model");
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) {
    const rule = `be ${Object.keys(KINDS).join(" or ")} with ONNX Runtime: llama.cpp reads others`;
    return m.refuse("model", rule, kind);
  }
  const tokens = m.texts("tokens"), types = m.numbers("token_type") ?? [];
  if (types.length > 0 && types.length !== tokens.length) {
    m.refuse("token_type", `be ${tokens.length}, one a token`, types.length);
  }
  const vocab: Record<string, number> = Object.create(null);
  for (const [id, token] of tokens.entries()) {
    if (vocab[token] !== undefined) m.refuse("tokens", "be distinct", token);
    vocab[token] = id;
  }
  const { definition, bos: usual } = KINDS[kind]!(m, vocab, types);
  const isPhi3 = kind === "llama" && gguf.metadata.get("general.architecture") === "phi3";
  const added = tokens.flatMap((token, id) => {
    const type = types[id];
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    // text has spaces where pieces have marks
    const content = kind === "llama" && type === USER_DEFINED ? token.replaceAll("▁", " ") : token;
    const rstrip = isPhi3 && !PHI3_PLAIN.includes(token);
    const common = { single_word: false, lstrip: false, rstrip, normalized: false };
    return [{ id, content, ...common, special: type === CONTROL }];
  });
  const named = namedTokens(gguf), bos = named.bos_token as string | undefined;
  const addBos = m.flag("add_bos_token") ?? usual;
  return {
    definition: {
      ...{ version: "1.0", truncation: null, padding: null, added_tokens: added },
      post_processor: addBos && bos !== undefined ? before(bos, vocab[bos]!) : null,
      ...definition,
    },
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      add_bos_token: addBos,
      clean_up_tokenization_spaces: false,
      ...named,
    },
  };
}
