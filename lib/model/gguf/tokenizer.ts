/**
 * The vocabulary of a GGUF file as the definition that the tokenizer library reads.
 *
 * @module
 */

import { byteLevel, type Vocabulary } from "./byte_level.ts";
import { type Json, type Metadata, metadataOf } from "./metadata.ts";
import type { Gguf } from "./parse.ts";
import { sentencePiece } from "./sentencepiece.ts";

/** Types of tokens in the file: those that stand in text as they are. */
const CONTROL = 3, USER_DEFINED = 4;

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

/**
 * `tokenizer.json` and `tokenizer_config.json` of a GGUF file.
 *
 * @throws {SyntaxError} Where the vocabulary is of another kind, or its cut is not known.
 */
export function tokenizerOf(gguf: Gguf): { readonly definition: Json; readonly config: Json } {
  const m = metadataOf(gguf, "tokenizer.ggml."), kind = m.text("model");
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) {
    const rule = `be ${Object.keys(KINDS).join(" or ")}: load other models from safetensors`;
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
  const tokenOf = (name: string): string | undefined => {
    const key = `${name}_token_id`, id = m.number(key);
    if (id === undefined) return undefined;
    return tokens[id] ?? m.refuse(key, `be below ${tokens.length}`, id);
  };
  const bos = tokenOf("bos"), addBos = m.flag("add_bos_token") ?? usual;
  if (m.flag("add_eos_token")) {
    m.refuse("add_eos_token", "be false: a prompt does not end the text", true);
  }
  const named = {
    ...{ bos_token: bos, eos_token: tokenOf("eos"), unk_token: tokenOf("unknown") },
    ...{
      pad_token: tokenOf("padding"),
      chat_template: metadataOf(gguf).text("tokenizer.chat_template"),
    },
  };
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
      ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    },
  };
}
